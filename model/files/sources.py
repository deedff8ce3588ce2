"""Several course lists -> one catalog, each of them replaceable on its own.

A course keeps its id for as long as its list has it, whatever becomes of the other lists: what people have completed, rejected and planned names
courses by their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from model.domain import Catalog, Course
from model.errors import InputError

UNNAMED = "（未命名）"  # How the list that has no name is spoken of.
LONGEST_NAME = 30


@dataclass(frozen=True)
class Source:
    """One list of a catalog: its name, the file it was read from, and what to begin with when it is replaced: the headers a planner corrected
    (plain header -> field) and what she answered about categories (label -> branch). ``reading`` is the account of its rows, ``year`` the year
    it is for, if that was told."""

    name: str = ""
    file: str = ""
    sha256: str = ""
    courses: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    reading: Mapping[str, Any] = field(default_factory=dict)
    year: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What the card of a version keeps of it."""
        return asdict(self)

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Self:
        """Read it back from a card; what a later release may have added is left out."""
        return cls(**{name: value for name, value in told.items() if name in cls.__dataclass_fields__})


def check_name(name: str) -> str:
    """The name of a list, bare; InputError unless it can stand in the id of a course."""
    bare = name.strip()
    if not bare or len(bare) > LONGEST_NAME or "/" in bare or not bare.isprintable() or bare == UNNAMED:
        raise InputError(f"来源名“{name[:LONGEST_NAME]}”不能用。请用 1 到 {LONGEST_NAME} 个字，不含“/”。")
    return bare


def sources_of(catalog: Catalog, card: Mapping[str, Any]) -> tuple[Source, ...]:
    """The lists a version was made of, in their order; one without a name where its card tells of none."""
    told = [Source.of_json(one) for one in card.get("sources", ())]
    there = {course.source for course in catalog}
    known = [source for source in told if source.name in there]
    missing = sorted(there - {source.name for source in known})
    file, reading = str(card.get("source", "")), card.get("reading", {})
    return (*known, *(Source(name, file, courses=len(catalog), reading=reading) for name in missing))


def put(catalog: Catalog, name: str, courses: Iterable[Course]) -> Catalog:
    """The catalog with one list put into it, in the place of the one of that name if there is one.

    A number that another list has already becomes ``name/number``. Courses of other lists stay as they are, and a course of this list that was
    there before keeps its id, so that replacing a list changes no id of a course that remains.
    """
    others = [course for course in catalog if course.source != name]
    before = {course.id for course in catalog if course.source == name}
    taken = {course.id for course in others}
    placed: dict[str, Course] = {}
    # Those that were there before choose first, so that none of them loses its id to a newcomer.
    for course in sorted(courses, key=lambda one: (not before & set(_names(name, one.id)), one.id)):
        tries = _names(name, course.id)
        free = [identity for identity in tries if identity not in taken and identity not in placed]
        identity = next((one for one in free if one in before), None) or next(iter(free), "")
        while not identity or identity in taken or identity in placed:
            identity = f"{name or UNNAMED}/{identity or tries[-1]}"
        placed[identity] = replace(course, id=identity, source=name)
    return Catalog((*others, *placed.values()))


def _names(name: str, number: str) -> tuple[str, str]:
    """The ids a course may have: its own number, or that under the name of its list."""
    return number, f"{name or UNNAMED}/{number}"


def join(lists: Sequence[tuple[str, Iterable[Course]]]) -> Catalog:
    """Lists, each with its name, as one catalog: of courses with one number that of the first list keeps it."""
    catalog = Catalog(())
    for name, courses in lists:
        catalog = put(catalog, name, courses)
    return catalog


def without(catalog: Catalog, name: str) -> Catalog:
    """The catalog without one of its lists."""
    return Catalog(tuple(course for course in catalog if course.source != name))
