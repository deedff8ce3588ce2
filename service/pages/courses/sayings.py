"""What was said of courses and words, as the pages list it: the newest first, with who, when and why."""

from __future__ import annotations

from typing import Any

from flask import g

from model.overrides import Places
from service.api.overrides import dump_override
from service.store import overrides
from service.store.overrides import PIN, REJECT, SYNONYM, TEACHES
from service.store.roles import Role
from service.wire.access import store

AT_ONCE = 1000  # Rows read from the store at a time.
KINDS = {REJECT: "停用", PIN: "指定", TEACHES: "所教能力", SYNONYM: "说法"}


def everything(places: Places, *, reverted: bool) -> list[dict[str, Any]]:
    """All of it, those ``reverted`` only where they are asked for; ``own`` tells whether whoever asks may take it back."""
    found, after = [], 0
    while rows := overrides.listed(store(), after, AT_ONCE, reverted):
        found += [dump_override(row, places) for row in rows]
        after = rows[-1].id
    curates = g.principal.role.covers(Role.CURATOR)
    return [one | {"own": curates or one["actor"] == g.principal.id} for one in reversed(found)]


def about_course(identity: str, places: Places) -> list[dict[str, Any]]:
    """What was said of one course, whatever number it had then."""
    said = everything(places, reverted=True)
    return [one for one in said if identity in {one["applies_to"], one["course_id"] if one["reverted_at"] else None}]
