"""The menu of every page: what whoever asks may open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask, current_app, request
from flask_babel import lazy_gettext

from service.wire.access import needed, seen

ENTRIES = (
    ("landing.index", lazy_gettext("首页")),
    ("roster.show", lazy_gettext("工作台")),
    ("saved.listed", lazy_gettext("保存的方案")),
    ("courselist.show", lazy_gettext("课程目录")),
    ("versions.listed", lazy_gettext("版本")),
    ("admin.keys", lazy_gettext("管理")),
    ("manual.show", lazy_gettext("帮助")),
)
# Pages that belong to an entry whose name they do not bear.
BELONGING = {
    **dict.fromkeys(("diagnosis", "plan", "variant", "waiting"), "roster"),
    **dict.fromkeys(("newlist", "trainings", "coverage", "curating"), "courselist"),
}
# The pages about the course list, as they stand above each of them.
SECTIONS = (
    ("courselist.show", lazy_gettext("目录")),
    ("newlist.show", lazy_gettext("上传新课程表")),
    ("coverage.show", lazy_gettext("覆盖情况")),
    ("curating.show", lazy_gettext("待确认与调整")),
    ("versions.listed", lazy_gettext("版本")),
)


def init_menu(app: Flask) -> None:
    """Give every page the menu."""
    app.jinja_env.globals.update(menu=entries, here=here, sections=sections, seen=seen)


def entries() -> list[tuple[str, str]]:
    """The routes of the menu that the role of this request covers, with their words."""
    return _covered(ENTRIES)


def here(endpoint: str) -> bool:
    """Whether the page that is shown belongs to this entry."""
    own = (request.endpoint or "").split(".")[0]
    return BELONGING.get(own, own) == endpoint.split(".", maxsplit=1)[0]


def sections() -> list[tuple[str, str]]:
    """The same of the pages about the course list."""
    return _covered(SECTIONS)


def _covered(routes: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    who, found = seen(), []
    for endpoint, words in routes:
        role, _ = needed(current_app, endpoint)  # type: ignore[arg-type]
        if role is None or (who is not None and who.role.covers(role)):
            found.append((endpoint, str(words)))
    return found
