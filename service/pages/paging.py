"""Long lists a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of a long list: those of page ``number`` (from 1) of ``pages``; ``first`` is the place of the first of them."""

    entries: Sequence[Any]
    number: int
    pages: int
    total: int
    first: int

    @classmethod
    def of(cls, entries: Sequence[Any], asked: str, most: int) -> Page:
        """The page that was asked for; what is no number is the first page, what is too large the last."""
        pages = max(1, -(-len(entries) // most))
        number = min(max(1, int(asked) if asked.isdecimal() and len(asked) < 10 else 1), pages)
        first = (number - 1) * most
        return cls(entries[first : first + most], number, pages, len(entries), first)
