"""The sessions of a plan in their order -> a draft of the days of each class (课表草案). Dates, teachers and places stay the planner's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.cohort.nouns import Session

SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Lesson:
    """A stretch of a day of a class: the session (its place in the plan) that takes it, the class, the day from 1 on, the hours of the day that
    are over when it begins, and its own hours (学时)."""

    session: int
    part: int
    day: int
    start: float
    hours: float


def lay_out(sessions: Sequence[Session], hours_per_day: float) -> tuple[Lesson, ...]:
    """Each session on the first day of its class that has room for it, in the order of the plan; one that is longer than a day begins a day of
    its own and runs over the next. By class, day and hour."""
    taken: dict[int, list[float]] = {}  # The hours taken of each day of each class.
    lessons = []
    for place, session in enumerate(sessions):
        days = taken.setdefault(session.part, [])
        left = session.hours
        fitting = (day for day, hours in enumerate(days) if hours + left <= hours_per_day + SAME)
        day = next(fitting, len(days))
        while True:
            if day == len(days):
                days.append(0.0)
            hours = round(min(left, hours_per_day), 4)
            lessons.append(Lesson(place, session.part, day + 1, days[day], hours))
            days[day] = round(days[day] + hours, 4)
            left -= hours
            if left <= SAME:
                break
            day = len(days)
    return tuple(sorted(lessons, key=lambda one: (one.part, one.day, one.start, one.session)))
