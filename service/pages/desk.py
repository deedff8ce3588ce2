"""What lies on the desk of whoever asks: the roster they gave, what was found in it, the plans they try. Nothing of it is saved."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from flask import current_app, g, session

from model.domain import Limits, Profile, Reading
from model.recommender import Recommender
from service.engine import Engine
from service.shapes.people import load_read
from service.store import desks
from service.store.layer import Layer
from service.wire.access import store

TOKEN = "desk"


def lay(part: str, told: Any) -> None:
    """Lay a part on the desk, as JSON, in place of what was there."""
    lay_bytes(part, json.dumps(told, ensure_ascii=False).encode())


def lay_bytes(part: str, content: bytes) -> None:
    """Lay a part on the desk."""
    if TOKEN not in session:
        session[TOKEN] = secrets.token_urlsafe(32)
    desks.put(store(), _whole_token(), part, content, current_app.config["DESK_HOURS"])


def take(part: str) -> Any:
    """A part of the desk as it was laid; None where there is none."""
    content = take_bytes(part)
    return None if content is None else json.loads(content)


def take_bytes(part: str) -> bytes | None:
    """The same as bytes."""
    return desks.get(store(), _whole_token(), part) if TOKEN in session else None


def there(part: str) -> bool:
    """Whether a part lies on the desk."""
    return TOKEN in session and desks.there(store(), _whole_token(), part)


def drop(*parts: str) -> None:
    """Take parts from the desk."""
    if TOKEN in session:
        desks.drop(store(), _whole_token(), *parts)


def clear() -> None:
    """Take everything from the desk."""
    if TOKEN in session:
        desks.clear(store(), _whole_token())
        del session[TOKEN]


def recommender() -> Recommender:
    """The active version under what is at work over it; VersionError where there is none."""
    engine: Engine = current_app.extensions["quebu"]
    layer: Layer = current_app.extensions["quebu.overrides"]
    return layer.over(engine.recommender())


def reading() -> Reading[Profile] | None:
    """The roster on the desk as it was read; None where there is none."""
    told = take("read")
    return None if told is None else load_read(told)


def mark() -> str:
    """What tells the roster on the desk from every other: a page that was made of another one can say so. Blank where there is none."""
    content = take_bytes("read")
    return "" if content is None else hashlib.sha256(content).hexdigest()[:32]


def limits() -> Limits:
    """What a person of the desk is recommended at most, as the service is set."""
    return Limits(current_app.config["TOP"], current_app.config["LEVEL_WINDOW"])


def _whole_token() -> str:
    """A desk is one person's: who signs in after them, in the same browser, has another."""
    return f"{g.principal.id}:{session[TOKEN]}"
