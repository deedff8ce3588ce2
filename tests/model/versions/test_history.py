"""What a rollback goes back to, whatever was activated before and wherever a crash fell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from model.versions.history import ACTIVATE, ROLLBACK, Event, before_it, came_about, read, written

moves = st.lists(st.sampled_from(["v0001", "v0002", "v0003", "back"]), max_size=12)


def lived(asked: list[str]) -> tuple[list[Event], list[str]]:
    """The events of activations and rollbacks, and what a stack of plates would hold: the active version on top."""
    events: list[Event] = []
    stack: list[str] = []
    for move in asked:
        if move == "back" and len(stack) > 1:
            left = stack.pop()
            events.append({"action": ROLLBACK, "version": stack[-1], "from": left})
        elif move != "back" and move not in stack[-1:]:
            events.append({"action": ACTIVATE, "version": move, "from": stack[-1] if stack else None})
            stack.append(move)
    return events, stack


@given(moves)
def test_going_back_is_the_mirror_of_going_on(asked: list[str]) -> None:
    events, stack = lived(asked)
    active = stack[-1] if stack else None
    assert before_it(events, active) == stack[:-1]
    assert came_about(events, active) == events


@given(moves, st.sampled_from(["v0001", "v0002", "v0003", "v0004"]), st.sampled_from([ACTIVATE, ROLLBACK]))
def test_an_event_that_the_pointer_does_not_confirm_did_not_come_about(
    asked: list[str], version: str, action: str
) -> None:
    events, stack = lived(asked)
    active = stack[-1] if stack else None
    if version != active:
        cut_off = [*events, {"action": action, "version": version, "from": active}]
        assert came_about(cut_off, active) == events
        assert before_it(cut_off, active) == stack[:-1]


@given(moves)
def test_a_pointer_moved_by_hand_counts_as_an_activation(asked: list[str]) -> None:
    events, _ = lived(asked)
    if len(events) > 1:
        kept = came_about(events, "v0009")
        assert before_it(events, "v0009") == [*before_it(kept, kept[-1]["version"]), kept[-1]["version"]]


def test_what_was_active_before_there_was_a_history_can_be_gone_back_to() -> None:
    assert before_it([], "v0001") == []
    assert before_it([{"action": ACTIVATE, "version": "v0002", "from": "v0001"}], "v0002") == ["v0001"]


@given(moves)
def test_what_is_written_is_read_again(asked: list[str]) -> None:
    events, _ = lived(asked)
    assert read(written(events)) == events


def test_a_damaged_line_hides_no_other() -> None:
    good = {"action": ACTIVATE, "version": "v0001", "from": None, "reason": "换\n行"}
    lines = ["", "{", "[]", "3", '{"version": 1, "action": "activate"}', '{"version": "v1", "action": "?"}', "[" * 3000]
    assert read("\n".join([*lines, written([good]).rstrip("\n"), "nul"])) == [good]
