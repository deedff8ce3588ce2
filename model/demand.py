"""Needs of many people x choices -> demand: who would gain what from which choice.

People share gaps, so gaps are gathered in groups: the same text, and the same choices that would serve it. What a plan decides depends
on the groups alone; however many people there are, the program stays as small as their distinct gaps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from model.choices import Choice
from model.domain import Cause, Gap
from model.selection import Kind, Needs, Reach, Selector, out_of_reach

TEN_THOUSANDTHS = 10_000  # Values are kept to four decimals, as they are printed, so that they add up.


@dataclass(frozen=True, slots=True)
class Open:
    """A gap of a person (its place among ``Demand.people``) that some choice would close; ``group`` is the place of its group."""

    person: int
    gap: Gap
    group: int


@dataclass(frozen=True)
class Demand:
    """What a cohort lacks, seen from the choices.

    ``relevance`` holds for each group and choice how surely the choice closes the gap (0: not at all), ``worth`` the sum of weight times
    relevance over the group's people, in ten-thousandths; both of shape (groups, choices). ``hopeless`` are the gaps that nothing in
    the catalog would close, with the cause. ``fits`` is the share of people a choice's audience includes.
    """

    choices: tuple[Choice, ...]
    people: tuple[Needs, ...]
    open: tuple[Open, ...]
    hopeless: tuple[tuple[int, Gap, Cause], ...]
    relevance: sp.csr_matrix
    worth: sp.csr_matrix
    fits: np.ndarray


def demand_of(
    needs: Sequence[Needs], reach: Mapping[str, Reach], choices: Sequence[Choice], selector: Selector
) -> Demand:
    """Gather the gaps of ``needs``; ``selector`` tells which courses are out for whom."""
    choice_of = {row: place for place, choice in enumerate(choices) for row in choice.rows}
    groups: dict[tuple[str, frozenset[int]], int] = {}
    weights: list[Counter[float]] = []
    open_gaps, hopeless = [], []
    for person, own in enumerate(needs):
        removed = selector.removed(own)
        for gap, unclear in zip(own.gaps, own.unclear, strict=True):
            rows = reach[gap.text]
            cause = out_of_reach(gap, rows, unclear, removed)
            if cause:
                hopeless.append((person, gap, cause))
                continue
            # Keyed by what is out rather than by what is in: mostly nothing is.
            key = (gap.text, frozenset(rows.keys() & removed.keys()))
            if key not in groups:
                groups[key] = len(groups)
                weights.append(Counter())
            weights[groups[key]][gap.weight] += 1
            open_gaps.append(Open(person, gap, groups[key]))

    entries: dict[tuple[int, int], float] = {}
    for (text, out), group in groups.items():
        for row, reached in reach[text].items():
            if row not in out:
                place = (group, choice_of[row])
                entries[place] = max(reached.relevance, entries.get(place, 0.0))
    worth = [
        sum(count * round(weight * relevance * TEN_THOUSANDTHS) for weight, count in weights[group].items())
        for (group, _), relevance in entries.items()
    ]
    places = tuple(np.array(list(entries), dtype=int).reshape(-1, 2).T)
    shape = (len(groups), len(choices))
    return Demand(
        tuple(choices),
        tuple(needs),
        tuple(open_gaps),
        tuple(hopeless),
        sp.csr_matrix((np.array(list(entries.values()), dtype=float), places), shape=shape),
        sp.csr_matrix((np.array(worth, dtype=float), places), shape=shape),
        _fits(needs, choices, selector),
    )


def _fits(needs: Sequence[Needs], choices: Sequence[Choice], selector: Selector) -> np.ndarray:
    """The share of people whose level and post the audience of each choice includes."""
    kinds = Counter(Kind(own.profile.level, own.family, own.profile.restrictions) for own in needs)
    outside = np.zeros(len(selector.catalog))
    for kind, count in kinds.items():
        rows = [row for row, rule in selector.barred(kind).items() if rule in {"层级不符", "岗位不符"}]
        outside[rows] += count
    return np.array([1 - outside[list(choice.rows)].max() / max(1, len(needs)) for choice in choices])
