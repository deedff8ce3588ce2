"""Many profiles in, one record out for each, in the order given: a chunk at a time, so that memory does not grow with their number."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO, Any, NamedTuple

from marshmallow import ValidationError

from model.domain import Limits, Profile
from model.recommender import Recommender
from service.shapes.fields import both
from service.shapes.jsonl import parse
from service.shapes.listed import MOST_COUNTED, find_profiles, profiles_of
from service.shapes.schemas import LONGEST_ID, ProfileIn, dump_plan
from service.wire.errors import body_of, faulty_fields

CHUNK = 500  # Profiles matched together: enough that texts are shared, few enough to be held.
NDJSON = "application/x-ndjson"
BOM = b"\xef\xbb\xbf"
TWICE = both("编号与前面的一条重复；请给每人各自的编号", "Duplicate id; give each person an id of their own.")


class Record(NamedTuple):
    """One record of a request: its place, and its profile or the problem that left it without one."""

    place: int
    identity: str | None
    profile: Profile | None
    problem: dict[str, Any] | None = None


def lines_in(file: IO[bytes], longest: int) -> Iterator[bytes | None]:
    """The lines that are not blank, None in place of one of more than ``longest`` bytes; never more than one is held."""
    while line := file.readline(longest + 1):
        blank, rest = not line.removeprefix(BOM).strip(), line
        while len(line) > longest and rest and not rest.endswith(b"\n"):
            rest = file.readline(longest + 1)
            blank = blank and not rest.strip()
        if not blank:
            yield line if len(line) <= longest else None


def lines_of(file: IO[bytes], longest: int) -> Iterator[Any]:
    """The JSON values of NDJSON, blank lines left out; a ValueError in place of what is none."""
    for line in lines_in(file, longest):
        if line is None:
            yield ValueError("这一行过长；每行应为一个人")
            continue
        try:
            yield parse(line.decode("utf-8-sig"))
        except UnicodeDecodeError:
            yield ValueError("不是 UTF-8 编码；请以 UTF-8 提交")
        except ValueError as error:
            # Within a record there are no lines; only the column is news.
            yield ValueError(str(error).replace("第 1 行", ""))


def values_in(file: IO[bytes], longest: int, *, lines: bool) -> tuple[int, Iterator[Any]]:
    """How many records a body has, as lines or in a list, and their values. Raises what ``find_profiles`` does."""
    file.seek(0)
    if lines:
        return sum(1 for _ in islice(lines_in(file, longest), MOST_COUNTED + 1)), _from_start(lines_of, file, longest)
    found = find_profiles(file, longest)
    return found.people, _from_start(profiles_of, file, found, longest)


def _from_start(read: Callable[..., Iterator[Any]], file: IO[bytes], *given: Any) -> Iterator[Any]:
    file.seek(0)
    yield from read(file, *given)


def records_of(values: Iterable[Any], recommender: Recommender) -> Iterator[Record]:
    """Each value as a record; one that cannot be used fails alone. Of two with one id the second fails."""
    schema = ProfileIn(recommender.lexicon)
    seen: set[str] = set()
    for index, value in enumerate(values):
        if isinstance(value, ValueError):
            yield Record(index, None, None, body_of(400, f"{value}。"))
            continue
        stated = value.get("id") if isinstance(value, dict) else None
        # Told only where it can be an id: a long text is something else.
        identity = stated if isinstance(stated, str) and stated.strip() and len(stated) <= LONGEST_ID else None
        try:
            profile = schema.load(value)
            if profile.id in seen:
                raise ValidationError({"id": [TWICE]})
        except ValidationError as error:
            yield Record(index, identity, None, body_of(422, errors=faulty_fields(error.messages)))
        else:
            seen.add(profile.id)
            yield Record(index, profile.id, profile)


def answers(
    records: Iterable[Record], recommender: Recommender, limits: Limits, explain: str
) -> Iterator[dict[str, Any]]:
    """For each record its plan, or its index, id and problem."""
    rest = iter(records)
    while chunk := list(islice(rest, CHUNK)):
        plans = recommender.plans([record.profile for record in chunk if record.profile], limits)
        for record in chunk:
            if record.profile:
                yield dump_plan(next(plans), explain)
            else:
                yield {"index": record.place, "id": record.identity, "error": record.problem}


def as_lines(values: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """NDJSON: one value a line."""
    return (json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)


def as_part(values: Iterable[dict[str, Any]], version: str, *, first: bool, last: bool) -> bytes:
    """What :func:`as_list` writes, in parts of some values each."""
    told = ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    start = f'{{"model_version": {json.dumps(version)}, "results": [\n' if first else ",\n"
    return (start + told + ("\n]}\n" if last else "")).encode()


def as_list(values: Iterable[dict[str, Any]], version: str) -> Iterator[bytes]:
    """A JSON object whose ``results`` are written as they come."""
    start = f'{{"model_version": {json.dumps(version)}, "results": ['
    yield start.encode()
    between = b"\n"
    for value in values:
        yield between + json.dumps(value, ensure_ascii=False).encode()
        between = b",\n"
    yield b"\n]}\n"
