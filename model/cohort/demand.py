"""Needs of many people x choices -> demand: who would gain what from which choice.

People share gaps, so gaps are gathered in groups: the same text, and the same choices that would serve it. What a plan decides depends
on the groups alone; however many people there are, the program stays as small as their distinct gaps.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from model.cohort.choices import Choice, near_duplicates
from model.cohort.nouns import Origin
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

    ``relevance`` holds for each group and choice how surely the choice closes the gap (0: not at all). ``hopeless`` are the gaps that
    nothing in the catalog would close, with the cause. ``outside`` tells for each kind of person which choices are for other levels or
    posts, ``kinds`` the kind of each person. ``twins`` are groups of near-duplicates among the choices, found once, for every class of a
    split has the same. ``overridden`` are the numbers of the rejections and sayings that took part.
    """

    choices: tuple[Choice, ...]
    people: tuple[Needs, ...]
    open: tuple[Open, ...]
    hopeless: tuple[tuple[int, Gap, Cause], ...]
    relevance: sp.csr_matrix
    kinds: np.ndarray
    outside: np.ndarray
    twins: Sequence[Sequence[int]]
    overridden: frozenset[int] = frozenset()

    @cached_property
    def worth(self) -> sp.csr_matrix:
        """For each group and choice the sum of weight times relevance over the group's people, in ten-thousandths."""
        weights: dict[int, Counter[float]] = {}
        for found in self.open:
            weights.setdefault(found.group, Counter())[found.gap.weight] += 1
        worth = self.relevance.tocoo()
        worth.data = np.array(
            [
                sum(count * value_of(weight, relevance) for weight, count in weights.get(group, {}).items())
                for group, relevance in zip(worth.row.tolist(), worth.data.tolist(), strict=True)
            ],
            dtype=float,
        )
        return worth.tocsr()

    @cached_property
    def fits(self) -> np.ndarray:
        """The share of people (0 to 1) whose level and post the audience of each choice includes."""
        counts = np.bincount(self.kinds, minlength=len(self.outside))
        return np.asarray(1 - counts @ self.outside / max(1, len(self.people)))

    def of(self, people: Sequence[int]) -> Demand:
        """The demand of some of the people (their places, in order); groups and choices stay as they are."""
        place = {person: number for number, person in enumerate(people)}
        return replace(
            self,
            people=tuple(self.people[person] for person in people),
            open=tuple(replace(found, person=place[found.person]) for found in self.open if found.person in place),
            hopeless=tuple((place[person], gap, cause) for person, gap, cause in self.hopeless if person in place),
            kinds=self.kinds[list(people)],
        )

    def fingerprint(self, origin: Origin, *rules: Any) -> str:
        """Equal, in every process, for equal people, rules (frozen values), settings, model and catalog."""
        people = [
            (own.profile.id, own.gaps, own.family, own.profile.unit, own.profile.level, own.profile.hours_available,
             sorted(own.profile.restrictions), sorted(own.completed))
            for own in self.people
        ]  # fmt: skip
        asked = [entry for some in rules for entry in sorted(asdict(some).items())]
        told = [(name, sorted(value) if isinstance(value, frozenset) else value) for name, value in asked]
        # The levels and settings asked for show in what is open to whom, and in the hours of the choices.
        groups = [found.group for found in self.open]
        hours = [choice.hours for choice in self.choices]
        known = (origin.model_version, origin.catalog, told, people, groups, hours, *self._rejected())
        digest = hashlib.sha256(repr(known).encode())
        for array in (self.relevance.indptr, self.relevance.indices, self.relevance.data):
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]

    def _rejected(self) -> list[tuple[int, list[str], list[tuple[str, list[str]]]]]:
        """The courses rejected for each person (its place), and for the words of each gap."""
        known = {course.id for choice in self.choices for course in choice.courses}
        found = [
            (
                person,
                sorted(known & own.barred.keys()),
                sorted({gap.text: sorted(known & barred.keys()) for gap, barred in own.rejected.items()}.items()),
            )
            for person, own in enumerate(self.people)
            if own.barred or own.rejected
        ]
        return [one for one in found if one[1] or any(courses for _, courses in one[2])]


def value_of(weight: float, relevance: float) -> int:
    """What closing a gap of this weight is worth, in ten-thousandths."""
    return round(weight * relevance * TEN_THOUSANDTHS)


def demand_of(
    needs: Sequence[Needs], reach: Mapping[str, Reach], choices: Sequence[Choice], selector: Selector
) -> Demand:
    """Gather the gaps of ``needs``; ``selector`` tells which courses are out for whom."""
    choice_of = {row: place for place, choice in enumerate(choices) for row in choice.rows}
    groups: dict[tuple[str, frozenset[int]], int] = {}
    open_gaps, hopeless = [], []
    overridden: set[int] = set()

    def together(row: int) -> tuple[int, ...]:
        return choices[choice_of[row]].rows

    for person, own in enumerate(needs):
        removed = selector.removed(own)
        # Nobody attends a series of which they cannot attend a part, or a part of which was rejected for them.
        for part in {choice_of[row] for row, rule in removed.items() if rule == "方式不便"}:
            removed |= {row: "方式不便" for row in choices[part].rows if row not in removed}
        for part in {choice_of[row] for row in selector.rows_of(own.barred)}:
            removed |= {row: "被排除" for row in choices[part].rows if row not in removed}
        overridden |= own.said | selector.overridden(own, [reach[gap.text] for gap in own.gaps], together)
        for gap, unclear in zip(own.gaps, own.unclear, strict=True):
            rows, out = reach[gap.text], removed
            if gap in own.rejected:
                # A plan names a series by one of its courses: it is rejected as a whole.
                rejected = {other for row in selector.rows_of(own.rejected[gap]) for other in together(row)}
                out = {**dict.fromkeys(rejected, "被排除"), **removed}
            cause = out_of_reach(gap, rows, unclear, out)
            if cause:
                hopeless.append((person, gap, cause))
                continue
            # Keyed by what is out rather than by what is in: mostly nothing is.
            key = (gap.text, frozenset(rows.keys() & out.keys()))
            if key not in groups:
                groups[key] = len(groups)
            open_gaps.append(Open(person, gap, groups[key]))

    entries: dict[tuple[int, int], float] = {}
    for (text, barred), group in groups.items():
        for row, reached in reach[text].items():
            if row not in barred:
                place = (group, choice_of[row])
                entries[place] = max(reached.relevance, entries.get(place, 0.0))
    places = tuple(np.array(list(entries), dtype=int).reshape(-1, 2).T)
    shape = (len(groups), len(choices))
    return Demand(
        tuple(choices),
        tuple(needs),
        tuple(open_gaps),
        tuple(hopeless),
        sp.csr_matrix((np.array(list(entries.values()), dtype=float), places), shape=shape),
        *_kinds(needs, choices, selector),
        near_duplicates(choices),
        frozenset(overridden),
    )


def _kinds(needs: Sequence[Needs], choices: Sequence[Choice], selector: Selector) -> tuple[np.ndarray, np.ndarray]:
    """The kind of each person, and for each kind the choices whose audience leaves it out."""
    known: dict[Kind, int] = {}
    kinds = [known.setdefault(Kind.of(own), len(known)) for own in needs]
    outside = np.zeros((len(known), len(choices)))
    for kind, number in known.items():
        out = {row for row, rule in selector.barred(kind).items() if rule in {"层级不符", "岗位不符"}}
        outside[number] = [any(row in out for row in choice.rows) for choice in choices]
    return np.array(kinds, dtype=int), outside
