"""What was activated when -> which version a rollback goes back to. The lines of a registry's history, without the files.

An event is written before the pointer is moved, and counts once the pointer names its version. So a crash between the two leaves a last line
that did not come about, which whoever reads drops; there is no moment at which the two could contradict each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

Event = dict[str, Any]  # "version", "from" (or None), "action", and what it was told with: when, by whom, why.

ACTIVATE, ROLLBACK = "activate", "rollback"


def read(text: str) -> list[Event]:
    """The events of a history, oldest first; a line that is damaged is passed over."""
    return [event for line in text.splitlines() if (event := _event(line))]


def _event(line: str) -> Event | None:
    try:
        event = json.loads(line)
        return event if isinstance(event["version"], str) and event["action"] in {ACTIVATE, ROLLBACK} else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def written(events: Iterable[Event]) -> str:
    """Events as the lines of a file."""
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)


def came_about(events: Sequence[Event], active: str | None) -> list[Event]:
    """The events without a last one that the pointer does not confirm."""
    return list(events[:-1] if events and events[-1]["version"] != active else events)


def before_it(events: Sequence[Event], active: str | None) -> list[str]:
    """The versions a rollback would reach, the next one last: each activation puts one on top, each rollback takes off what is above it.

    A pointer that somebody moved by hand counts as an activation.
    """
    stack: list[str] = []
    for event in came_about(events, active):
        version = event["version"]
        if not stack and isinstance(event.get("from"), str):
            stack.append(event["from"])  # What was active before there was a history.
        if event["action"] == ROLLBACK and version in stack:
            while stack[-1] != version:
                stack.pop()
        elif not stack or stack[-1] != version:
            stack.append(version)
    if active is not None and (not stack or stack[-1] != active):
        stack.append(active)
    return stack[:-1]
