"""Titles as people write them: brought to a plain form, likened to each other, and found in a catalog.

The words a person gives for a completed course -> course ids.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz, process

from model.domain import Catalog

ALIKE = 90  # rapidfuzz ratio (0 to 100) of two titles that say nearly the same.
BLOCK = 512  # Titles compared with all others at once; the matrix of a block stays small, however many there are.

_PART = re.compile(
    r"第([一二三四五六七八九十\d]+)[讲课集部]|之([一二三四五六七八九十])(?=[：:·\s]|$)|[（(]([上中下一二三四五六七八九十\d]{1,2})[)）]|([一二三四五六七八九十])[：:]"
)
_ORDER = {mark: number for number, mark in enumerate("上中下")} | {
    mark: number for number, mark in enumerate("一二三四五六七八九十", start=1)
}


def plain_title(title: str) -> str:
    """A title reduced to its characters: no quotation marks, brackets, blanks or part numbers, so that spellings meet."""
    return _characters(re.sub(r"[（(][上中下一二三四五六七八九十\d]{1,2}[)）]\s*$", "", title.strip()))


def _characters(title: str) -> str:
    return re.sub(r"[^\w]|_", "", unicodedata.normalize("NFKC", title)).lower()


def part_of(title: str) -> int | None:
    """The number of the part a title names (上, 第二讲, （三）); None where it names none."""
    found = _PART.search(title)
    if not found:
        return None
    mark = next(group for group in found.groups() if group)
    return int(mark) if mark.isdecimal() else sum(_ORDER.get(letter, 0) for letter in mark)


class Alike(NamedTuple):
    """Two titles, by their places, and how alike they are (rapidfuzz ratio, 0 to 100)."""

    one: int
    other: int
    ratio: float


def alike(titles: Sequence[str], others: Sequence[str] | None = None, least: float = ALIKE) -> Iterator[Alike]:
    """Yield the pairs of plain titles that are alike to ``least`` of 100: within ``titles`` (each pair once, ``one < other``), else across.

    Titles of very different lengths cannot be alike, so that those sorted by length need comparing with their neighbours only.
    """
    within = others is None
    others = titles if others is None else others
    rows = sorted(range(len(titles)), key=lambda place: len(titles[place]))
    columns = sorted(range(len(others)), key=lambda place: len(others[place]))
    lengths = np.array([len(others[place]) for place in columns])
    # The ratio of two texts is 2 x what they share / both lengths, and they share no more than the shorter has.
    shortest = least / (200 - least)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        low = np.searchsorted(lengths, np.floor(len(titles[block[0]]) * shortest), "left")
        high = np.searchsorted(lengths, np.ceil(len(titles[block[-1]]) / shortest), "right")
        near = columns[low:high]
        found = process.cdist(
            [titles[place] for place in block],
            [others[place] for place in near],
            scorer=fuzz.ratio,
            score_cutoff=least,
            dtype=np.float32,
        )
        for row, column in np.argwhere(found > 0).tolist():
            one, other = block[row], near[column]
            if not within or one < other:
                yield Alike(one, other, round(float(found[row, column]), 1))


_BETWEEN_TITLES = re.compile(r"(?<=》)[、，,\s]*(?=《)|[、，,](?![^《]{0,100}》)")
_REMARK = re.compile(r"[（(][^（()）]*[)）]\s*$")


class TitleIndex:
    """Finds the courses of a catalog by what a person wrote: an id, a title, a shortened title, several titles joined by 、."""

    LEAST_SHORT = 4  # A shortened title of fewer characters could be anything.
    LEAST_ALIKE = 90  # rapidfuzz ratio (0 to 100) from which a misspelt title is taken for the real one.

    def __init__(self, catalog: Catalog) -> None:
        self.ids = set(catalog.row_of)
        self.by_part: dict[str, list[str]] = {}
        self.by_title: dict[str, list[str]] = {}
        for course in catalog:
            self.by_part.setdefault(_characters(course.title), []).append(course.id)
            self.by_title.setdefault(plain_title(course.title), []).append(course.id)
        self.find = lru_cache(maxsize=65_536)(self._find)

    def resolve(self, texts: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
        """Return the ids of the completed courses, and the texts no course was found for."""
        answers = [self.find(text) for text in texts]
        found = frozenset(identity for ids, _ in answers for identity in ids)
        return found, tuple(piece for _, unknown in answers for piece in unknown)

    def _find(self, text: str) -> tuple[frozenset[str], tuple[str, ...]]:
        """The whole text first, unless each of its pieces is a title of its own; then piece by piece."""
        pieces = [piece.strip() for piece in _BETWEEN_TITLES.split(text) if piece.strip()]
        exact = [self._exactly(piece) for piece in pieces]
        whole = self._exactly(text) or (set() if all(exact) else self._nearly(text))
        if whole:
            return frozenset(whole), ()
        near = [ids or self._nearly(piece) for piece, ids in zip(pieces, exact, strict=True)]
        unknown = tuple(piece for piece, ids in zip(pieces, near, strict=True) if not ids)
        return frozenset(set().union(*near)), unknown

    def _exactly(self, text: str) -> set[str]:
        """By id or title; a remark behind the title (（县里培训）) is not part of it.

        Who attended 上 has not attended 下; a title without its part means all parts.
        """
        if text.strip() in self.ids:
            return {text.strip()}
        for spelling in (text, _REMARK.sub("", text)):
            found = self.by_part.get(_characters(spelling)) or self.by_title.get(plain_title(spelling))
            if found:
                return set(found)
        return set()

    def _nearly(self, text: str) -> set[str]:
        """By a shortened title (with its part, if the text names one), a title with words around it, or a misspelt one."""
        with_part, plain = _characters(text), plain_title(text)
        tries = [(with_part, self.by_part)] if with_part != plain else []
        tries += [(plain, self.by_title), (plain_title(_REMARK.sub("", text)), self.by_title)]
        for words, titles in tries:
            found = self._like(words, titles) if len(words) >= self.LEAST_SHORT else None
            if found is not None:
                return set(titles.get(found, ()))
        return set()

    def _like(self, words: str, titles: Mapping[str, list[str]]) -> str | None:
        """The title that is meant; blank where several may be meant, None where none is like it."""
        longer = [title for title in titles if words in title]
        if longer:
            # The only title with these words, or the only one that mostly consists of them. 乡村振兴 stands in many titles and
            # means none of them: better reported than guessed.
            if len(longer) == 1:
                return longer[0] if longer[0].startswith(words) or 2 * len(words) >= len(longer[0]) else ""
            mostly = [title for title in longer if 2 * len(words) > len(title)]
            return mostly[0] if len(mostly) == 1 else ""
        inside = [title for title in titles if title in words and len(title) >= max(self.LEAST_SHORT, 0.6 * len(words))]
        if inside:
            return max(inside, key=lambda title: (len(title), title))
        nearest = process.extractOne(words, sorted(titles), scorer=fuzz.ratio, score_cutoff=self.LEAST_ALIKE)
        return nearest[0] if nearest else None
