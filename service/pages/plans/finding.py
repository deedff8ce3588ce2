"""What an address or a form names: a plan on the desk by its number, courses by the words they hold."""

from __future__ import annotations

from typing import Any

from model.lexicon import bare
from service.api.catalog import searched
from service.pages import desk

FOUND = 20  # Courses shown of a search.


def number_in(text: str) -> int | None:
    """The number of a plan on the desk; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


def courses_with(words: str) -> dict[str, Any]:
    """The courses that hold some words, as ``GET /courses`` finds them."""
    recommender = desk.recommender()
    wanted = [bare(word) for word in words.split()]
    _, texts = searched(recommender.catalog)
    found = [
        course for course, text in zip(recommender.catalog, texts, strict=True) if all(word in text for word in wanted)
    ]
    return {"courses": found[:FOUND], "total": len(found), "q": words}
