"""What a plan calls itself, and what was changed of it: kept so that it can be told in whatever language the page is read in later."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext

from model.cohort.menu import MENU
from model.cohort.rules import CLASS_TYPES

Change = tuple[str, dict[str, str]]  # Words of the catalogue, and the values in them; as JSON a list of the two.


def changes_told(changes: Iterable[Change]) -> str:
    """The changes in the language of this request."""
    return str(gettext("，")).join(gettext(words, **values) for words, values in changes)


def class_kind(kind: str) -> str:
    """The kind of class of a plan; a plan that came by the interface may name one that has no other words."""
    return str(gettext(kind)) if kind in CLASS_TYPES or kind == MENU else kind
