"""What became of all portions of a roster together, as one piece would have told it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from model.domain import Fault
from service.bulk.piecework import Account
from service.commands.usage import MOST_FAULTS_SHOWN


@dataclass(frozen=True)
class Totals:
    """What became of a roster: people, lines without a usable person, faults (the first few, and how many), what was counted besides."""

    people: int
    rejected: int
    blank: int
    faults: tuple[Fault, ...]
    faulty: int
    removed: Counter[str]
    unknown: Counter[str]
    overridden: frozenset[int]
    arithmetics: Counter[str]

    @classmethod
    def of(cls, accounts: Iterable[Account], most: int = MOST_FAULTS_SHOWN) -> Totals:
        """Add up accounts in the order of the roster."""
        people = rejected = blank = faulty = 0
        removed, unknown, arithmetics = Counter[str](), Counter[str](), Counter[str]()
        faults: list[Fault] = []
        overridden: set[int] = set()
        for one in accounts:
            people, rejected, blank = people + one.people, rejected + one.rejected, blank + one.blank
            faulty += len(one.faults)
            faults += [Fault(*fault) for fault in one.faults[: most - len(faults)]]
            removed.update(one.removed)
            unknown.update(one.unknown)
            overridden.update(one.overridden)
            arithmetics[one.arithmetic] += 1
        return cls(people, rejected, blank, tuple(faults), faulty, removed, unknown, frozenset(overridden), arithmetics)
