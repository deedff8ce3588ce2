"""``{"profiles": [...]}`` in a file -> its profiles, one at a time: the values, and the faults, of a reading at once.

The standard library reads each value; only the object and the list around them are read here. (ijson would refuse a request for NaN or 1e400,
which spoil one record alone, and take half a character for a question mark.)
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from service.shapes.jsonl import HALF_CHARACTER, LONG_NUMBER, NOT_JSON, NOTHING, SURROGATE, TOO_DEEP

PROFILES = "profiles"
CHUNK = 1 << 16
MOST_COUNTED = 1_000_000  # Nobody may send more; to count tens of millions would take minutes.
NEAR = 16  # What ends so near to the end of what was read so far (a number, an escape, a word) may go on behind it.

_BLANK = re.compile(r"[ \t\n\r]*")
_READER = json.JSONDecoder()


class NotListed(Exception):
    """A body of another shape."""


class TooLong(Exception):
    """A value of more bytes than one may have."""


class Found(NamedTuple):
    """Where the profiles stand, as the number of a member of the body, and how many (more than MOST_COUNTED are not counted)."""

    member: int
    people: int


def find_profiles(file: IO[bytes], longest: int, chunk: int = CHUNK) -> Found:
    """Read a body through, and hold no more than one value of it. Raises UnicodeDecodeError, ValueError with what is wrong；what would be
    right, NotListed, and TooLong for a value of more than ``longest`` bytes."""
    _check_characters(file, chunk)
    body = _Body(file, longest, chunk)
    member, count = -1, 0
    for place, _ in body.entries():
        member, count = place, (count if place == member else 0) + 1
        if count > MOST_COUNTED:
            return Found(member, count)
    if body.halved:
        raise ValueError(HALF_CHARACTER)
    if body.strange or body.listed is None:
        raise NotListed
    return Found(body.listed, count if member == body.listed else 0)


def profiles_of(file: IO[bytes], found: Found, longest: int, chunk: int = CHUNK) -> Iterator[Any]:
    """The profiles of a body that was read through."""
    return (value for place, value in _Body(file, longest, chunk).entries() if place == found.member)


def _check_characters(file: IO[bytes], chunk: int) -> None:
    """Whatever else is wrong, that it is not UTF-8 is told first."""
    file.seek(0)
    decoder, blank = codecs.getincrementaldecoder("utf-8-sig")(), True
    while data := file.read(chunk):
        text = decoder.decode(data)
        blank = blank and not text.strip()
    decoder.decode(b"", final=True)
    if blank:
        raise ValueError(NOTHING)


class _Body:
    """A JSON text that is read from its start; what was read is given up."""

    def __init__(self, file: IO[bytes], longest: int, chunk: int) -> None:
        file.seek(0)
        self._file, self._longest, self._chunk = file, longest, chunk
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._ended = "", 0, False
        self._line, self._column = 1, 1  # Of the first character of ``_text``.
        self.halved = False  # Half a character was seen,
        self.strange = False  # something else than profiles, or
        self.listed: int | None = (
            None  # a list of profiles (the number of the last, for of equal names the last counts).
        )

    def entries(self) -> Iterator[tuple[int, Any]]:
        """Each entry of each list of profiles, with the number of the member that the list is."""
        if self._next() == "{":
            yield from self._members()
        else:
            self._elsewhere()
            self.strange = True
        if self._next():
            raise self._fault(self._at)

    def _members(self) -> Iterator[tuple[int, Any]]:
        self._take("{")
        if self._next() == "}":
            self._take("}")
            return
        member, between = 0, ","
        while between == ",":
            if self._next() != '"':
                raise self._fault(self._at)
            name = self._value()
            self._take(":")
            self.listed = None
            self.strange = self.strange or name != PROFILES
            if name == PROFILES and self._next() == "[":
                self.listed = member
                for value in self._list():
                    yield member, value
            else:
                self._elsewhere()
            member, between = member + 1, self._take(",}")

    def _list(self) -> Iterator[Any]:
        self._take("[")
        if self._next() == "]":
            self._take("]")
            return
        between = ","
        while between == ",":
            yield self._value()
            between = self._take(",]")

    def _elsewhere(self) -> None:
        """A value where no profile is: whether it is JSON matters no more where it is too long to be looked at."""
        try:
            self._value()
        except TooLong:
            raise NotListed from None

    def _next(self) -> str:
        """The next character that is not blank, none at the end."""
        while True:
            self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._read_on()

    def _take(self, wanted: str) -> str:
        found = self._next()
        if not found or found not in wanted:
            raise self._fault(self._at)
        self._at += 1
        return found

    def _value(self) -> Any:
        self._next()
        while True:
            value, end, fault = self._tried()
            if self._bytes(end) > self._longest:
                # A long number would be sought to the end of the file; it is the fault, not the length.
                raise fault if fault and fault.args == (LONG_NUMBER,) else TooLong()
            if self._ended or end <= len(self._text) - NEAR:
                break
            self._read_on()
        if fault:
            raise fault
        if SURROGATE.search(self._text, self._at, end):
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                self.halved = True
            except RecursionError:
                raise ValueError(TOO_DEEP) from None
        self._at = end
        return value

    def _bytes(self, end: int) -> int:
        """How many bytes there are from here on; of few characters, as many as they may be at most."""
        most = 4 * (end - self._at)
        return most if most <= self._longest else len(self._text[self._at : end].encode())

    def _tried(self) -> tuple[Any, int, ValueError | None]:
        """A value from here on, or what is wrong with it; and how far it was read."""
        try:
            return *_READER.raw_decode(self._text, self._at), None
        except RecursionError:
            return None, self._at, ValueError(TOO_DEEP)
        except json.JSONDecodeError as error:
            # A text that is not closed is told by its beginning.
            end = len(self._text) if error.msg.startswith("Unterminated") else error.pos
            return None, end, self._fault(error.pos)
        except ValueError:
            # Python refuses integers of thousands of digits; a fraction of as many it reads.
            return None, len(self._text), ValueError(LONG_NUMBER)

    def _read_on(self) -> None:
        """Read more of the file; as much again as is held, so that a long value is tried few times."""
        gone, self._text, self._at = self._text[: self._at], self._text[self._at :], 0
        self._line, self._column = self._place(gone, len(gone))
        more, size = "", max(self._chunk, len(self._text))
        while not more and not self._ended:
            data = self._file.read(size)
            self._ended = not data
            more = self._decoder.decode(data, final=self._ended)
        self._text += more

    def _place(self, text: str, at: int) -> tuple[int, int]:
        """The line and column of a character of ``text``, which begins where the held text does."""
        lines = text.count("\n", 0, at)
        return self._line + lines, at - text.rindex("\n", 0, at) if lines else self._column + at

    def _fault(self, at: int) -> ValueError:
        line, column = self._place(self._text, at)
        return ValueError(NOT_JSON.format(line=line, column=column))
