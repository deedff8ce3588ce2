"""What happened to somebody's gap, one thing after the other -> how far it has come (销号), and how far a course kept what it promised.

The states are those of a plan that carries on another (:mod:`model.cohort.follow`): 待补 → 已安排 → 已学 → 已销号 → 重开.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from model.cohort.nouns import Status
from model.gaps import PASS_MARK

LEAST_PEOPLE = 3  # What fewer people stand behind is not told of a course: who knows one of them would know the rest.

AGAIN = "销号后的评价中又提出"
FAILED_AGAIN = "销号后的测试没有达到要求"
NOT_PASSED = f"训后测试没有达到要求（{PASS_MARK:g} 分，且不低于训前），尚未销号"


class Deed(StrEnum):
    """What can happen to a gap by a course."""

    DROPPED = "dropped"
    ARRANGED = "arranged"
    ATTENDED = "attended"
    TESTED = "tested"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a gap: a course was taken for it (or another in its place), attended, or followed by a test (scores 0 to 100)."""

    course: str
    deed: Deed
    at: datetime
    before: float | None = None
    after: float | None = None

    @property
    def passed(self) -> bool:
        """Whether a test closes a gap: it is passed, and by no less than before the course."""
        return self.after is not None and self.after >= PASS_MARK and (self.before is None or self.after >= self.before)


@dataclass(frozen=True, slots=True)
class State:
    """How far a gap has come, by which course (blank: none), with the events that say so, oldest first."""

    status: Status
    course: str = ""
    note: str = ""
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How far a course kept what it promised, over the gaps it was taken for; never about persons. A count is None where fewer than
    ``LEAST_PEOPLE`` people stand behind it. ``share`` is that of the gaps closed among those promised."""

    promised: int | None
    attended: int | None
    tested: int | None
    closed: int | None
    reopened: int | None
    share: float | None
    sentence: str


def state_of(events: Iterable[Event], assessed: datetime | None = None) -> State:
    """What a gap has come to. ``assessed`` is when somebody last stated it, where that is known: what was closed before is open again."""
    ordered = tuple(sorted(events, key=lambda one: (one.at, list(Deed).index(one.deed), one.course)))
    state = State(Status.OPEN)
    for event in ordered:
        state = _after(state, event)
    if assessed is not None and state.status is Status.SETTLED and assessed > ordered[-1].at:
        state = State(Status.REOPENED, state.course, AGAIN)
    return State(state.status, state.course, state.note, ordered)


def _after(state: State, event: Event) -> State:
    closed = state.status is Status.SETTLED
    match event.deed:
        case Deed.DROPPED:
            return State(Status.OPEN) if state == State(Status.ARRANGED, event.course) else state
        case Deed.ARRANGED:
            # What is open again stays known as such until it is learnt; what is learnt or closed is not undone by one more course.
            return State(Status.ARRANGED, event.course) if state.status in (Status.OPEN, Status.ARRANGED) else state
        case Deed.ATTENDED:
            return state if closed else State(Status.LEARNT, event.course)
        case Deed.TESTED if event.passed:
            return State(Status.SETTLED, event.course)
        case _:
            if closed or state.status is Status.REOPENED:
                return State(Status.REOPENED, event.course, FAILED_AGAIN)
            return State(Status.LEARNT, event.course, NOT_PASSED)


def confirmation(course: str, gaps: Mapping[tuple[str, str], Sequence[Event]]) -> Confirmation:
    """How far a course kept what it promised. ``gaps`` has for each (person, gap) all that happened to it."""
    promised = {about: own for about, events in gaps.items() if (own := _own(course, events))}
    if not promised:
        return Confirmation(0, 0, 0, 0, 0, None, "尚无证据：还没有人为补短板选用这门课的记录。")
    if _people(promised) < LEAST_PEOPLE:
        return Confirmation(
            None, None, None, None, None, None, f"尚无足够证据：为补短板选用这门课的不足 {LEAST_PEOPLE} 人，不单列。"
        )
    attended = {about for about, own in promised.items() if any(one.deed is not Deed.ARRANGED for one in own)}
    tested = {about for about, own in promised.items() if any(one.deed is Deed.TESTED for one in own)}
    total = len(promised)
    if _people(tested) < LEAST_PEOPLE:
        few = f"有训后测试的不足 {LEAST_PEOPLE} 人，不单列" if tested else "还没有训后测试"
        sentence = f"尚无证据：{total} 条短板选用了这门课，{few}。"
        return Confirmation(total, _told(attended), _told(tested), None, None, None, sentence)
    states = [state_of(gaps[about]) for about in tested]
    closed, again = (
        sum(state.status is status and state.course == course for state in states)
        for status in (Status.SETTLED, Status.REOPENED)
    )
    sentence = f"{total} 条短板选用了这门课，其中 {len(tested)} 条有训后测试，确认销号 {closed} 条（占 {closed / total:.0%}）。"
    return Confirmation(total, _told(attended), len(tested), closed, again, round(closed / total, 4), sentence)


def _own(course: str, events: Sequence[Event]) -> list[Event]:
    """What happened by one course, unless another took its place before anything came of it."""
    own = sorted((one for one in events if one.course == course), key=lambda one: one.at)
    came = [one for one in own if one.deed in (Deed.ATTENDED, Deed.TESTED)]
    taken = bool(own) and own[-1].deed is Deed.ARRANGED
    return [one for one in own if one.deed is not Deed.DROPPED] if came or taken else []


def _people(gaps: Iterable[tuple[str, str]]) -> int:
    return len({person for person, _ in gaps})


def _told(gaps: set[tuple[str, str]]) -> int | None:
    """A count, unless few people stand behind it."""
    return len(gaps) if not gaps or _people(gaps) >= LEAST_PEOPLE else None
