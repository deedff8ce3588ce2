"""The plans that are tried on the desk, one beside the other, until one of them is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from model.cohort.follow import known_by
from model.cohort.rival import Comparison, compare
from service.pages import desk
from service.shapes.filed import Called
from service.shapes.outcome import Outcome
from service.shapes.plans import load_cohort

MOST = 12  # Beyond them the oldest goes.
LAST = "last-plan"  # The part of the desk that holds the last number; it outlives the plans, and the roster.


def listed() -> list[dict[str, Any]]:
    """The plans on the desk in the order they were made."""
    return desk.take("plans") or []


def find(number: int) -> dict[str, Any] | None:
    """One of them: its ``plan``, the ``form`` it was asked by, the ``base`` it was made from and what the ``changes`` brought."""
    return desk.take(_plan(number)) if any(one["number"] == number for one in listed()) else None


def sheets(number: int) -> list[dict[str, Any]]:
    """The sheets of its workbook, without names."""
    return desk.take(_sheets(number)) or []


def called() -> list[Called]:
    """What the people of the desk are called, in the order of the roster, which is that of every plan made of it."""
    reading = desk.reading()
    return [Called(one.name or one.id, one.post or "") for one in reading.values] if reading else []


def add(told: Mapping[str, Any], variant: Mapping[str, Any]) -> int | None:
    """Lay a plan with its sheets on the desk, compared with the one it was made from; its number. None where it is of other people than those that
    lie there now: its tokens would name somebody else."""
    reading, there = desk.reading(), listed()
    known = known_by(reading.values) if reading else {}
    if [(one["id"], (one["name"], one["unit"])) for one in told["plan"]["people"]] != [*known.items()]:
        return None
    # Another tab may still show a plan that was dropped: what is saved there must never be a later one that has its number.
    number = (desk.take(LAST) or 0) + 1
    desk.lay(LAST, number)
    base = find(variant["base"]) if variant.get("base") else None
    against = compared(base["plan"], told["plan"]) if base else None
    outcome = Outcome(told["plan"])
    entry = {
        "number": number,
        "kind": told["plan"]["kind"],
        "base": variant.get("base"),
        "changes": variant.get("changes", []),
        "objective": told["plan"]["objective"],
        "share": outcome.covered.share,
        "hours": outcome.hours,
        "courses": outcome.courses,
        "gain": round(told["plan"]["objective"] - base["plan"]["objective"], 4) if base else None,
    }
    desk.lay(_plan(number), {**variant, "plan": told["plan"], "against": against and asdict(against), "entry": entry})
    desk.lay(_sheets(number), told["sheets"])
    desk.drop(*(name for one in there[: -(MOST - 1)] for name in _of(one["number"])))
    desk.lay("plans", [*there[-(MOST - 1) :], entry])
    return number


def drop(number: int) -> None:
    """Take one of them from the desk."""
    desk.lay("plans", [one for one in listed() if one["number"] != number])
    desk.drop(*_of(number))


def parts() -> Sequence[str]:
    """The parts of the desk that all of them are."""
    return [name for one in listed() for name in _of(one["number"])]


def compared(first: Mapping[str, Any], second: Mapping[str, Any]) -> Comparison:
    """Two plans, as their JSON tells them, side by side."""
    return compare(load_cohort(first), load_cohort(second))


def _of(number: int) -> tuple[str, str]:
    return _plan(number), _sheets(number)


def _plan(number: int) -> str:
    return f"plan-{number}"


def _sheets(number: int) -> str:
    return f"sheets-{number}"
