"""Choices that are held, and who attends -> the sessions of a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from model.cohort.choices import OTHER, Choice
from model.cohort.demand import TEN_THOUSANDTHS, Demand
from model.cohort.nouns import Closed, Session
from model.files.categories import BRANCHES
from model.selection import Needs, bars


def standing(choice: Choice) -> tuple[int, str]:
    """Theory and party spirit come first in a class, then what the posts ask for."""
    order = (*BRANCHES, OTHER)
    return order.index(choice.branch), choice.id


def exempt(own: Needs, choice: Choice) -> bool:
    """Whether somebody has completed all of a choice and need not attend (免修)."""
    return all(course.id in own.completed for course in choice.courses)


def kept_away(own: Needs, choice: Choice) -> bool:
    """Whether the way a choice is taught is out of the question for somebody (不能脱产, 行动不便), or it was rejected for them."""
    return any(bars(course.mode, own.profile.restrictions) or course.id in own.barred for course in choice.courses)


def comes(own: Needs, choice: Choice) -> bool:
    """Whether somebody attends a choice that is held for their class."""
    return not exempt(own, choice) and not kept_away(own, choice)


def sessions_of(
    demand: Demand, places: Sequence[int], closed: Iterable[Closed], attendees: Iterable[Iterable[Needs]]
) -> tuple[Session, ...]:
    """The choices at these places as sessions, each with what it closes and who attends."""
    closes: Counter[int] = Counter()
    for one in closed:
        closes[one.session] += round(one.value * TEN_THOUSANDTHS)
    return tuple(
        Session(
            choice.courses, choice.title, choice.hours, choice.tentative, choice.branch, closes[number] / TEN_THOUSANDTHS,
            tuple(own.profile.id for own in people),
        )
        for number, (choice, people) in enumerate(
            zip((demand.choices[place] for place in places), attendees, strict=True)
        )
    )  # fmt: skip
