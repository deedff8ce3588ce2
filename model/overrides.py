"""Rejections that hold whatever version answers -> which courses are out, for which words, for whom. Beside them stands what is said of words and courses (``curation``).

A value without a store or a clock behind it. Each rejection has a number, so that an answer can tell which of them took part in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple, Self

from rapidfuzz import fuzz

from model.curation import NOTHING, Curation, Pin, Synonym, Taught
from model.domain import Catalog
from model.lexicon import bare
from model.titles import plain_title

Barred = Mapping[str, int]  # Course id -> the number of the rejection that says so.


class Rejection(NamedTuple):
    """A course that is not to be offered: for a gap text, else to a person, else (neither is given) to anybody."""

    number: int
    course: str
    gap: str | None = None
    person: str | None = None


class Places:
    """Where in a catalog a course is now that something was said of. Lists without numbers of their own number their rows, so that one new row moves all
    ids: a number is the same course as long as its title is alike, else the one course of that title, wherever it stands."""

    ALIKE = 80  # rapidfuzz ratio (0 to 100) of two titles of one course, as in the comparison of catalogs.

    def __init__(self, catalog: Catalog) -> None:
        self._titles = {course.id: plain_title(course.title) for course in catalog}
        counts = Counter(self._titles.values())
        self._ids = {title: identity for identity, title in self._titles.items() if counts[title] == 1}

    def there(self, course: str, title: str | None) -> str | None:
        """The id of the course now, if the catalog has it."""
        now = self.of(course, title)
        return now if now in self._titles else None

    def of(self, course: str, title: str | None) -> str | None:
        """The id of the course now; None where the number is another course's by now. Without a title a number is all there is to go by."""
        if title is None:
            return course
        plain, there = plain_title(title), self._titles.get(course)
        if there is not None and (there == plain or fuzz.ratio(there, plain) >= self.ALIKE):
            return course
        return self._ids.get(plain, course if there is None else None)


def _itself(identity: str) -> str:
    return identity


@dataclass(frozen=True)
class Overrides:
    """The rejections at work, by what they are about: gap texts (bare), persons, or the course alone. Empty by default.

    Of several that say the same, the smallest number tells. Persons may be named otherwise than by their ids: ``name_of`` tells how.
    ``titles`` are those the courses bore when each was said, by its number; see :meth:`placed`.
    """

    pairs: Mapping[str, Barred] = field(default_factory=dict)
    people: Mapping[str, Barred] = field(default_factory=dict)
    courses: Barred = field(default_factory=dict)
    curation: Curation = NOTHING
    titles: Mapping[int, str] = field(default_factory=dict)
    name_of: Callable[[str], str] = field(default=_itself, compare=False, repr=False)

    @classmethod
    def of(
        cls, said: Iterable[Rejection | Synonym | Taught | Pin], titles: Mapping[int, str] = MappingProxyType({})
    ) -> Self:
        """Sort rejections and sayings by what they are about; their order does not matter."""
        said = list(said)
        rejections = [one for one in said if isinstance(one, Rejection)]
        curation = Curation.of(one for one in said if not isinstance(one, Rejection))
        pairs: dict[str, dict[str, int]] = {}
        people: dict[str, dict[str, int]] = {}
        courses: dict[str, int] = {}
        for one in sorted(rejections, key=lambda each: each.number):
            if one.gap is not None:
                place = pairs.setdefault(bare(one.gap), {})
            elif one.person is not None:
                place = people.setdefault(one.person, {})
            else:
                place = courses
            place.setdefault(one.course, one.number)
        return cls(pairs, people, courses, curation, dict(titles))

    def __bool__(self) -> bool:
        return bool(self.pairs or self.people or self.courses or self.curation)

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of all rejections and sayings at work."""
        by_course = (*self.pairs.values(), *self.people.values(), self.courses)
        return frozenset(number for barred in by_course for number in barred.values()) | self.curation.numbers

    def placed(self, places: Places) -> Overrides:
        """The same about the courses of a catalog as they are numbered in it. What is about another course by now is left out."""
        if not self.titles:
            return self

        def moved(courses: Barred) -> dict[str, int]:
            found = ((places.of(course, self.titles.get(number)), number) for course, number in courses.items())
            return {course: number for course, number in found if course is not None}

        return replace(
            self,
            pairs={text: moved(courses) for text, courses in self.pairs.items()},
            people={name: moved(courses) for name, courses in self.people.items()},
            courses=moved(self.courses),
            curation=self.curation.moved(moved),
            titles={},
        )

    def among(self, identities: Iterable[str]) -> Overrides:
        """The same for these persons alone, by their ids: a plain value that can be sent to another process."""
        names = {identity: self.name_of(identity) for identity in identities} if self.people else {}
        people = {identity: self.people[name] for identity, name in names.items() if name in self.people}
        return replace(self, people=people, name_of=_itself)

    def for_text(self, *texts: str) -> Barred:
        """What is out for a gap that was stated in any of these words."""
        if not self.pairs:
            return {}
        found = [self.pairs[words] for words in map(bare, texts) if words in self.pairs]
        return {course: number for barred in reversed(found) for course, number in barred.items()}

    def for_words(self, *texts: str) -> Barred:
        """What is out for a gap of nobody in particular."""
        return {**self.courses, **self.for_text(*texts)} if self else {}

    def for_person(self, identity: str) -> Barred:
        """What is out for a person, whatever the gap."""
        own = self.people.get(self.name_of(identity)) if self.people else None
        return {**self.courses, **own} if own else self.courses


NONE = Overrides()
