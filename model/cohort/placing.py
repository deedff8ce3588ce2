"""Who goes into which class: people and what each would gain there -> classes of bounded size whose levels are near each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from sklearn.cluster import KMeans

from model.cohort.demand import Demand
from model.cohort.program import Impossible
from model.cohort.rules import SplitRules

STARTS = 5  # Of groupings by need, besides the one by level.
MOST_BY_CHANCE, SETTLED_QUICKLY = 30, 150  # Beginnings by chance: thirty for up to five people, three for fifty.
RANK = 10  # One rank, in level codes.
USUAL_SPAN = 2

Places = NDArray[np.int_]
Numbers = NDArray[np.float64]
Levels = Sequence[int | None]


def fitting(split: SplitRules, levels: Levels) -> SplitRules:
    """The rules with a span of levels that places everybody; raises Impossible."""
    people = len(levels)
    if split.classes * split.most < people:
        raise Impossible(
            [f"{people} 人全部参训", f"分 {split.classes} 个班", f"每班不超过 {split.most} 人"],
            [f"每班放宽到 {-(-people // split.classes)} 人", f"增加到 {-(-people // split.most)} 个班"],
        )
    if split.classes * split.least > people:
        raise Impossible(
            [f"分 {split.classes} 个班", f"每班不少于 {split.least} 人", f"名册共 {people} 人"],
            [
                *([f"每班下限减为 {people // split.classes} 人"] if people >= split.classes else []),
                f"减为 {max(1, people // split.least)} 个班",
            ],
        )
    known = [level for level in levels if level is not None]
    widest = -(-(max(known) - min(known)) // RANK) if known else 0
    nothing = np.zeros((people, split.classes))
    spans = range(min(USUAL_SPAN, widest), widest + 1) if split.span is None else (split.span,)
    for span in spans:
        tried = replace(split, span=span)
        if place(levels, nothing, tried) is not None:
            return tried
    enough = next(span for span in range(widest + 1) if place(levels, nothing, replace(split, span=span)) is not None)
    raise Impossible(
        [f"分 {split.classes} 个班", f"每班 {split.least} 到 {split.most} 人", f"同班层级相差不超过 {split.span} 级"],
        [f"同班层级放宽到相差 {enough} 级（--level-span {enough}）"],
    )


def place(levels: Levels, gain: Numbers, split: SplitRules) -> Places | None:
    """The class of each person so that the sum of ``gain`` (people x classes) is largest and sizes and levels are kept; None where
    they cannot be. A class has a band of levels; somebody of unknown level fits into any."""
    people, classes = gain.shape
    known = sorted({level for level in levels if level is not None})
    bands = known or [0]
    holds = np.array(
        [[low <= level <= low + RANK * (split.span or 0) for low in bands] for level in known], dtype=float
    )
    count, bandings = people * classes, classes * len(bands)
    who, where = np.divmod(np.arange(count), classes)
    ones = np.ones(count)
    once = sp.csr_matrix((ones, (who, np.arange(count))), shape=(people, count))
    sizes = sp.csr_matrix((ones, (where, np.arange(count))), shape=(classes, count))
    one_band = sp.csr_matrix(
        (np.ones(bandings), (np.repeat(np.arange(classes), len(bands)), np.arange(bandings))), shape=(classes, bandings)
    )
    rank = {level: number for number, level in enumerate(known)}
    of_level = np.array([-1 if level is None else rank[level] for level in levels])[who]
    stated = of_level >= 0
    # All people of a level who are in a class are there because its band holds the level.
    inside = sp.csr_matrix(
        (ones[stated], (of_level[stated] * classes + where[stated], np.flatnonzero(stated))),
        shape=(len(known) * classes, count),
    )
    heads = np.bincount(of_level[stated], minlength=len(known)) / classes
    allows = sp.kron(np.eye(classes), (holds * heads[:, None]).reshape(len(known), len(bands)), format="csr")
    # Rows of ``allows`` go class by class, those of ``inside`` level by level.
    order = np.arange(len(known) * classes).reshape(classes, len(known)).T.ravel()
    constraints = [
        LinearConstraint(sp.hstack([once, sp.csr_matrix((people, bandings))]), 1, 1),
        LinearConstraint(sp.hstack([sizes, sp.csr_matrix((classes, bandings))]), split.least, split.most),
        LinearConstraint(sp.hstack([sp.csr_matrix((classes, count)), one_band]), 1, 1),
        LinearConstraint(sp.hstack([inside, -allows[order]]), -np.inf, 0),
    ]
    cost = np.concatenate([-gain.ravel(), np.zeros(bandings)])
    found = milp(
        cost,
        integrality=np.arange(count + bandings) >= count,
        bounds=Bounds(0, 1),
        constraints=constraints,
        options={"mip_rel_gap": 1e-6},
    )
    if found.x is None:
        return None
    banded = found.x[count:].round().reshape(classes, len(bands))
    may = (banded @ holds.T > 0)[where, of_level] | ~stated if known else ~stated
    # With the bands given, what remains is a transportation problem, whose corners are whole numbers.
    corner = linprog(
        -gain.ravel(),
        A_ub=sp.vstack([sizes, -sizes]),
        b_ub=np.repeat([float(split.most), -float(split.least)], classes),
        A_eq=once,
        b_eq=np.ones(people),
        bounds=np.stack([np.zeros(count), may.astype(float)], axis=1),
        method="highs-ds",
    )
    return None if corner.x is None else np.asarray(corner.x.reshape(people, classes).argmax(axis=1))


def starts(demand: Demand, split: SplitRules) -> Iterator[Numbers]:
    """What each person would seem to gain from each class before any course is chosen: by level, then by likeness of need."""
    people = len(demand.people)
    order = np.argsort(
        [own.profile.level if own.profile.level is not None else -1 for own in demand.people], kind="stable"
    )
    by_level = np.zeros((people, split.classes))
    by_level[order, np.arange(people) * split.classes // people] = 1.0
    yield by_level
    needs = needs_of(demand)
    distinct = len(np.unique(needs, axis=0))
    for seed in range(STARTS if distinct > 1 else 0):
        groups = KMeans(min(split.classes, distinct), n_init=1, random_state=seed).fit(needs)
        alike = np.full((people, split.classes), -needs.max())
        alike[:, : groups.n_clusters] = -groups.transform(needs)
        yield alike
    # Few people are quickly settled, and likeness tells little of them: the more beginnings.
    chance = np.random.default_rng(0)
    for _ in range(min(MOST_BY_CHANCE, SETTLED_QUICKLY // people)):
        yield chance.random((people, split.classes))


def needs_of(demand: Demand) -> Numbers:
    """How heavily each person lacks each competency that something in the catalog would teach, shape (people, competencies)."""
    names: dict[str, int] = {}
    heaviest: dict[tuple[int, int], float] = defaultdict(float)
    for found in demand.open:
        entry = found.person, names.setdefault(found.gap.competency or found.gap.text, len(names))
        heaviest[entry] = max(heaviest[entry], found.gap.weight)
    needs = np.zeros((len(demand.people), max(1, len(names))))
    for entry, weight in heaviest.items():
        needs[entry] = weight
    return needs
