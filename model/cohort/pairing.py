"""What people lack and were tested in -> pairs of units, or of people, that each give what the other lacks (结对共建).

A lack is stated or shown by a failed test; a duty is none. A strength needs evidence: good test scores, or, for units alone and for half
as much, that enough people name their lacks and hardly any names this one. The latter is weak: nobody named it, which need not mean that
all can do it. Lacks and strengths are kept in hundredths, so that their products, in ten-thousandths, add up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from model.cohort.demand import TEN_THOUSANDTHS
from model.cohort.nouns import Certificate
from model.cohort.program import FEASIBLE, OPTIMAL, SAME, Clock, Effort, Program
from model.domain import Reason
from model.errors import InputError
from model.files.sheets import SheetOut
from model.lexicon import Lexicon, bare
from model.reports import FOOTER, unit_and_post
from model.selection import Needs

Whole = NDArray[np.int64]

GOOD_MARK = 80.0
NOTICEABLE = 10  # Percent of a unit's people: from here on the unit lacks a competency, and is not strong in it whatever else is known.
SPEAKERS = 3  # People of a unit who state some lack before it tells anything that a lack is not stated.
UNNAMED = (
    50  # What a lack that nobody names counts as a strength, in hundredths; that all tested people are good counts 100.
)
MOST_PARTICIPANTS = 4_000
MOST_PAIRS = 80_000  # All there can be among 400 units.
PARTNERS = 30  # Beyond MOST_PAIRS, each participant's best partners that are looked at.
MOST_NAMED = 30  # Of those left without a partner, for each reason.
MOST_REASONS = 3  # Reasons a sheet prints for each side.

NO_STRENGTH = "名册上看不出所长：没有优良成绩，也没有可比的旁证"
NO_LACK = "没有写明或测出的明显短板"
NO_PARTNER = "没有互补的对象"
LEFT_OVER = "互补的对象都已与他方结对，此次余下"


class Between(StrEnum):
    """Who is paired."""

    UNITS = "units"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Gift:
    """What one side is strong in and the other lacks: its part of the pair's value, and the evidence in words."""

    competency: str
    amount: float
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two units (names) or people (ids). The value is the sum of all gifts, largest first on each side; both sides give something."""

    first: str
    second: str
    value: float
    first_gives: tuple[Gift, ...]
    second_gives: tuple[Gift, ...]


@dataclass(frozen=True, slots=True)
class Pairing:
    """The pairs worth most together, and who is left without a partner, with the reason. Both stand in the order of names or ids, which
    ranks nobody."""

    between: Between
    pairs: tuple[Pair, ...]
    alone: tuple[tuple[str, str], ...]
    certificate: Certificate
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Standing:
    """What the roster tells of each participant (row) in each competency (column): how many people lack it, how heavily in all (hundredths),
    how many were tested, how many of these are good. ``people`` and ``speakers`` are columns of counts."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    competencies: tuple[str, ...]
    people: Whole
    speakers: Whole
    lacking: Whole
    weight: Whole
    tested: Whole
    good: Whole

    @cached_property
    def lack(self) -> Whole:
        """How much each lacks, over all of its people, where it is noticeable; else 0."""
        noticeable = 100 * self.lacking >= NOTICEABLE * self.people
        return np.where(noticeable, np.rint(self.weight / self.people), 0).astype(np.int64)

    @cached_property
    def strength(self) -> Whole:
        """How strong each is where it does not lack. Test scores tell where there are any; else that a lack is not named."""
        share = 100 * self.good / np.maximum(self.tested, 1)
        mean = self.weight / self.people
        unnamed = UNNAMED * (1 - mean / np.maximum(mean.max(axis=0, initial=0.0), SAME))
        weak = np.where(self.speakers >= SPEAKERS, unnamed, 0.0)
        return np.where(self.lack > 0, 0, np.rint(np.where(self.tested > 0, share, weak))).astype(np.int64)

    def mutual(self) -> sp.coo_matrix:
        """The value of every pair in which both give something, above the diagonal."""
        gives = sp.csr_matrix(self.strength) @ sp.csr_matrix(self.lack).T
        returned = gives.multiply(gives.T > 0)
        return sp.triu(returned + returned.T, 1).tocoo()

    def gifts(self, giver: int, taker: int, words: Callable[[int, int, int], str]) -> tuple[Gift, ...]:
        """What one gives the other, largest first."""
        amounts = self.strength[giver] * self.lack[taker]
        order = (column for column in np.argsort(-amounts, kind="stable").tolist() if amounts[column])
        return tuple(
            Gift(self.competencies[column], int(amounts[column]) / TEN_THOUSANDTHS, words(giver, taker, column))
            for column in order
        )

    def of_units(self, giver: int, taker: int, column: int) -> str:
        """The evidence for a gift between units, named for what it is."""
        who, competency = self.names[giver], self.competencies[column]
        people, lacking = int(self.people[giver, 0]), int(self.lacking[giver, column])
        if self.tested[giver, column]:
            tested, good = self.tested[giver, column], self.good[giver, column]
            known = f"{who}在“{competency}”方面有人成绩优良（测试 {tested} 人，其中 {good} 人 {GOOD_MARK:g} 分以上）"
        else:
            named = f"只有 {lacking} 人欠缺" if lacking else "没有人提到欠缺"
            known = f"{who} {people} 人中{named}“{competency}”（没有对应的测试成绩，仅作旁证）"
        return f"{known}，{self.names[taker]} {self.people[taker, 0]} 人中 {self.lacking[taker, column]} 人欠缺"

    def of_people(self, giver: int, taker: int, column: int) -> str:
        """The evidence for a gift between people."""
        return said_of_people(self.names[giver], self.competencies[column], self.names[taker])

    def why_alone(self, row: int, wanted: bool) -> str:
        """Why somebody has no partner; ``wanted`` tells that there was a pair to be had."""
        if not self.strength[row].any():
            return NO_STRENGTH
        if not self.lack[row].any():
            return NO_LACK
        return LEFT_OVER if wanted else NO_PARTNER


def said_of_people(giver: str, competency: str, taker: str) -> str:
    """The evidence for a gift between people, by what they are called; it never tells a score."""
    return f"{giver}“{competency}”测试成绩优良，{taker}欠缺这一项"


def standing_of(people: Sequence[Needs], lexicon: Lexicon, between: Between) -> Standing:
    """Gather what the roster tells, by unit (people without one are left out) or by person."""
    groups: dict[str, list[Needs]] = defaultdict(list)
    for own in people:
        key = own.profile.unit if between is Between.UNITS else own.profile.id
        if key:
            groups[key].append(own)
    # In the order of names, so that the order of the roster decides nothing.
    ids = sorted(groups)
    told = [(row, _lacks(own), _marks(own, lexicon)) for row, key in enumerate(ids) for own in groups[key]]
    competencies = sorted({name for _, *known in told for one in known for name in one})
    columns = {name: place for place, name in enumerate(competencies)}
    lacking, weight, tested, good = np.zeros((4, len(ids), len(columns)), dtype=np.int64)
    for row, lacks, marks in told:
        for name, heaviest in lacks.items():
            lacking[row, columns[name]] += 1
            weight[row, columns[name]] += round(100 * heaviest)
        for name, lowest in marks.items():
            tested[row, columns[name]] += 1
            good[row, columns[name]] += lowest >= GOOD_MARK
    size, speakers = np.zeros((2, len(ids), 1), dtype=np.int64)
    size[:, 0] = [len(groups[key]) for key in ids]
    speakers[:, 0] = [sum(map(_speaks, groups[key])) for key in ids]
    names = [key if between is Between.UNITS else groups[key][0].profile.name or key for key in ids]
    return Standing(tuple(ids), tuple(names), tuple(competencies), size, speakers, lacking, weight, tested, good)


def _lacks(own: Needs) -> dict[str, float]:
    """The heaviest lack of a person in each competency."""
    # Of equal keys a dict keeps the last.
    lacks = (gap for gap in own.gaps if gap.reason is Reason.LACK)
    return dict(sorted((gap.competency, gap.weight) for gap in lacks if gap.competency))


def _marks(own: Needs, lexicon: Lexicon) -> dict[str, float]:
    """The test score of a person in each competency; of several the lowest, for who is good in one part alone is not good in all."""
    known = ((lexicon.named.get(bare(subject)), score) for subject, score in own.profile.scores)
    return dict(sorted(((name, score) for name, score in known if name), key=lambda one: -one[1]))


def _speaks(own: Needs) -> bool:
    """Whether a person states some lack; a failed test states none."""
    return any(gap.reason is Reason.LACK and gap.competency and gap.source != "测试" for gap in own.gaps)


def pair_up(people: Sequence[Needs], lexicon: Lexicon, between: Between, effort: Effort, clock: Clock) -> Pairing:
    """Pair units or people so that the pairs are worth most together, each in one pair at most. With ``effort.gap`` 0 nothing short of the
    best will do: a few seconds for 400 units, but not always within the time for thousands of people."""
    standing = standing_of(people, lexicon, between)
    able = int((standing.strength.any(axis=1) & standing.lack.any(axis=1)).sum())
    if able > MOST_PARTICIPANTS:
        raise InputError(f"可结对的有 {able:,} 个，超过 {MOST_PARTICIPANTS:,} 个的上限。请改为按单位结对，或分批进行。")
    notes = []
    unnamed = sum(not own.profile.unit for own in people) if between is Between.UNITS else 0
    if unnamed:
        notes.append(f"{unnamed} 人未填单位，没有计入。")
    values = standing.mutual()
    if values.nnz > MOST_PAIRS:
        looked_at = f"求解时每方主要考虑互补值最高的 {PARTNERS} 个对象；所列上限对全部组合成立"
        notes.append(f"互补的组合有 {values.nnz:,} 个，{looked_at}。")
    places, certificate = _best(values, effort, clock)
    words = standing.of_units if between is Between.UNITS else standing.of_people
    pairs = []
    for first, second, value in places:
        gifts = standing.gifts(first, second, words), standing.gifts(second, first, words)
        pairs.append(Pair(standing.ids[first], standing.ids[second], value / TEN_THOUSANDTHS, *gifts))
    paired = {place for first, second, _ in places for place in (first, second)}
    wanted = set(values.row.tolist()) | set(values.col.tolist())
    left = [row for row in range(len(standing.ids)) if row not in paired]
    alone = tuple((standing.ids[row], standing.why_alone(row, row in wanted)) for row in left)
    return Pairing(between, tuple(pairs), alone, certificate, tuple(notes))


def _best(values: sp.coo_matrix, effort: Effort, clock: Clock) -> tuple[list[tuple[int, int, int]], Certificate]:
    """The pairs (two places and a value, in ten-thousandths) of a matching of the largest total, and how good it is."""
    if not values.nnz:
        return [], Certificate(OPTIMAL, 0.0, 0.0, 0.0)
    looked_at, bound = _narrowed(values) if values.nnz > MOST_PAIRS else (values, None)
    x, certificate = _program(looked_at).solve(effort, clock)
    taken = x > 0.5
    chosen = list(zip(*(part[taken].tolist() for part in (looked_at.row, looked_at.col, looked_at.data)), strict=True))
    # Where not all pairs were looked at, or time was short, two may be left that could be paired.
    free = np.ones(values.shape[0], dtype=bool)
    free[looked_at.row[taken]] = free[looked_at.col[taken]] = False
    spare = np.flatnonzero(free[values.row] & free[values.col])
    for place in spare[np.argsort(-values.data[spare], kind="stable")]:
        first, second = int(values.row[place]), int(values.col[place])
        if free[first] and free[second]:
            free[first] = free[second] = False
            chosen.append((first, second, int(values.data[place])))
    total = sum(value for _, _, value in chosen)
    # Values are whole numbers, so the bound may be rounded down.
    most = max(total, int(certificate.bound + SAME) if bound is None else bound)
    status = OPTIMAL if most - total <= effort.gap * total else FEASIBLE
    told = Certificate(status, total / TEN_THOUSANDTHS, most / TEN_THOUSANDTHS, certificate.seconds)
    return sorted(chosen), told


def _program(values: sp.coo_matrix) -> Program:
    """Whether each pair is made (whole numbers)."""
    count, own = values.nnz, np.arange(values.nnz)
    once = sp.csr_matrix((np.ones(2 * count), (np.concatenate([values.row, values.col]), np.tile(own, 2))))
    # Of an odd number who can only be paired with each other one is left. It follows, but fractions do not know it, and the search for a
    # proof is far longer without (303 units: over a minute instead of a second).
    groups, group = connected_components(values, directed=False)
    within = sp.csr_matrix((np.ones(count), (group[values.row], own)), shape=(groups, count))
    halves = (np.bincount(group) // 2).astype(float)
    structure = [(once, np.ones(once.shape[0])), (within, halves)]
    return Program(values.data.astype(float), count, np.ones(count), structure)


def _narrowed(values: sp.coo_matrix) -> tuple[sp.coo_matrix, int]:
    """The pairs to look at of very many, and a bound on what any pairing of all of them is worth.

    A pairing, read in both directions, is an assignment of participants to participants; so half of the best assignment is a bound, and
    its pairs are near the best ones. With them are kept the best partners of each.
    """
    whole = values.toarray().astype(float)
    whole += whole.T
    assigned = linear_sum_assignment(whole, maximize=True)
    row, column = np.nonzero(whole)
    # Of equal partners everybody prefers the next in a circle, else all would look at the same few.
    order = np.lexsort(((column - row) % len(whole), -whole[row, column], row))
    kept = order[np.arange(len(order)) - np.searchsorted(row, row) < PARTNERS]
    chosen = np.zeros(whole.shape, dtype=bool)
    chosen[row[kept], column[kept]] = chosen[assigned] = True
    narrow = np.where(np.triu(chosen | chosen.T), whole, 0.0).astype(np.int64)
    return sp.coo_matrix(narrow), int(whole[assigned].sum()) // 2


def pairing_sheet(pairing: Pairing, people: Sequence[Needs]) -> SheetOut:
    """结对共建: one row a pair, then those left without a partner. ``people`` are the roster the pairing was made of."""
    units = pairing.between is Between.UNITS
    persons = {own.profile.id: own.profile for own in people}

    def who(key: str) -> str:
        return key if units else "\n".join(filter(None, [persons[key].name or key, unit_and_post(persons[key])]))

    # Between people the value stays out: it would invite comparing them, and a test score could be worked out from it.
    rows: list[list[str | float | None]] = [
        [
            number, who(pair.first), who(pair.second), _reasons(pair.first_gives), _reasons(pair.second_gives),
            pair.value if units else "", "", "",
        ]
        for number, pair in enumerate(pairing.pairs, start=1)
    ]  # fmt: skip
    without: dict[str, list[str]] = {}
    for key, why in pairing.alone:
        without.setdefault(why, []).append(who(key))
    for why, those in without.items():
        named = "、".join(those[:MOST_NAMED]) + (f" 等 {len(those)} 个" if len(those) > MOST_NAMED else "")
        rows.append([len(rows) + 1, "未结对", "", named, "", "", "", why])
    header = ["序号", "甲方", "乙方", "甲方所长（乙方所需）", "乙方所长（甲方所需）", "互补值", "联系人", "备注"]
    found = pairing.certificate
    total = f"共 {len(pairing.pairs)} 对，互补值合计 {found.objective:.4f}；任何配法都不会超过 {found.bound:.4f}。"
    if not pairing.pairs:
        total = "没有可结的对子：看得出所长才能结对，请在名册中补各项能力的测试成绩，或多几个人填写短板。"
    widths = [6, 24, 24, 52, 52, 10, 14, 30]
    return SheetOut("结对共建", "结对共建建议名单", header, rows, widths, (FOOTER, total, *pairing.notes))


def _reasons(gifts: Sequence[Gift]) -> str:
    """The largest gifts in words, and how many there are besides."""
    more = [f"另有 {len(gifts) - MOST_REASONS} 项"] if len(gifts) > MOST_REASONS else []
    return "\n".join([gift.text for gift in gifts[:MOST_REASONS]] + more)
