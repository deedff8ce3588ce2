"""A sheet as it was read -> its rows without what is private: what may be given back of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from model.domain import Heading
from model.files.headers import HEADER_SEARCH_ROWS, PRIVATE_COLUMNS, PRIVATE_VALUES, SCRUBBED, header_of, plain_header
from model.files.tables import Sheet

LEFT_OUT = "（已略去）"  # In brackets, so that the header means the same when the list is read again.
LONGEST_HEADER = 12  # Characters; a longer text that names a phone is no header.


class _Head(NamedTuple):
    """Where the header of a sheet stands: its first row, the row after it, its private columns, its columns of numbers of things."""

    first: int
    end: int
    private: frozenset[int]
    codes: frozenset[int]


def withheld(sheet: Sheet, headings: Sequence[Heading], codes: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """The rows of a sheet, private columns blank below headers that say so, private numbers elsewhere scrubbed.

    ``headings`` are those it was read by; in a sheet that was not read any header that names something private counts. ``codes`` are the fields
    that hold numbers of things, which are no private ones however long.
    """
    head = _head(sheet, [one for one in headings if one.sheet == sheet.name], codes)
    heads = [[plain_header(text) for text in row] for row in sheet.rows[head.first : head.end]]
    words = {word: column for row in reversed(heads) for column, word in enumerate(row) if word}
    private = set(head.private) if heads else set()
    for number, row in enumerate(sheet.rows):
        marked = frozenset[int]()
        if head.first <= number < head.end:
            below = sheet.rows[number + 1 : head.end]
            marked = frozenset(c for c in private if not any(c < len(line) and line[c].strip() for line in below))
            shown = frozenset(private)
        elif number < head.first and heads:
            shown = frozenset(range(len(row)))
        elif heads:
            filled = {column: plain_header(text) for column, text in enumerate(row) if text.strip()}
            if len(filled) > 1 and all(word in words for word in filled.values()):
                private = {c for c in private if c not in filled} | {
                    c
                    for c, word in filled.items()
                    if (c if any(c < len(line) and line[c] == word for line in heads) else words[word]) in private
                }
                marked = frozenset(private & set(filled))
                shown = marked
            else:
                shown = frozenset()
        else:
            fresh = frozenset(_named(row)) - private if number < HEADER_SEARCH_ROWS else frozenset()
            private |= fresh
            marked = shown = fresh
        yield tuple(
            _cell(
                text,
                column in private and column not in shown,
                column in marked,
                number >= head.end and column in head.codes,
            )
            for column, text in enumerate(row)
        )


def _cell(text: str, blank: bool, marked: bool, code: bool) -> str:
    if blank:
        return ""
    shown = text if code else PRIVATE_VALUES.sub(SCRUBBED, text)
    return f"{shown}{LEFT_OUT}" if marked and shown.strip() else shown


def _head(sheet: Sheet, headings: Sequence[Heading], codes: frozenset[str]) -> _Head:
    found = header_of(sheet, {one.header for one in headings}) if headings else None
    if found is None:
        return _Head(0, 0, frozenset(), frozenset())
    first, end, names = found
    fields = {one.header: one.field for one in headings}
    return _Head(
        first,
        end,
        frozenset(column for column, name in names.items() if fields[name] == ""),
        frozenset(column for column, name in names.items() if fields[name] in codes),
    )


def _named(row: Sequence[str]) -> Iterator[int]:
    """The columns of a row that a short text calls private."""
    for column, text in enumerate(row):
        plain = plain_header(text) if text else ""
        if 0 < len(plain) <= LONGEST_HEADER and any(word in plain for word in PRIVATE_COLUMNS):
            yield column
