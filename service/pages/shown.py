"""How the pages write moments and who did something, and what words mean: filters and globals of every template."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Flask
from flask_babel import gettext
from jinja2 import StrictUndefined, Undefined

from service.pages.addresses import this_page
from service.pages.help.glossary import meaning
from service.pages.help.guide import hint
from service.pages.plans.changes import changes_told, class_kind
from service.pages.waiting import works
from service.store.logins import LOCAL


def init_shown(app: Flask) -> None:
    """Give every page the filters ``moment``, ``person_of``, ``changes_told`` and ``class_kind``, and the globals ``meaning``, ``hint``, ``works`` and ``this_page``."""
    app.jinja_env.filters.update(moment=moment, person_of=person_of, changes_told=changes_told, class_kind=class_kind)
    app.jinja_env.undefined = _unknown  # type: ignore[assignment]
    app.jinja_env.globals.update(meaning=meaning, hint=hint, works=works, this_page=this_page)


def _unknown(hint: str | None = None, obj: Any = None, *told: Any, **more: Any) -> Undefined:
    """What a template names and is not there: a blank in a mapping, where members may be missing; a fault of the page anywhere else."""
    kind = Undefined if isinstance(obj, Mapping) else StrictUndefined
    return kind(hint, obj, *told, **more)


def moment(at: datetime | str | None) -> str:
    """A moment in the local time of the server, as 2026-11-23 14:05; blank where there is none. A text is one in ISO 8601."""
    if not at:
        return ""
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return known.astimezone().strftime("%Y-%m-%d %H:%M")


def person_of(actor: str | None) -> str:
    """Whoever did something, by the name they sign in with; blank where nobody is known."""
    return str(gettext("本机")) if actor == LOCAL else (actor or "").removeprefix("account:")
