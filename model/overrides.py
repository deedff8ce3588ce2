"""Rejections that hold whatever version answers -> which courses are out, for which words, for whom. Beside them stands what is said of words and courses (``curation``).

A value without a store or a clock behind it. Each rejection has a number, so that an answer can tell which of them took part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from model.curation import NOTHING, Curation, Pin, Synonym, Taught
from model.lexicon import bare

Barred = Mapping[str, int]  # Course id -> the number of the rejection that says so.


class Rejection(NamedTuple):
    """A course that is not to be offered: for a gap text, else to a person, else (neither is given) to anybody."""

    number: int
    course: str
    gap: str | None = None
    person: str | None = None


def _itself(identity: str) -> str:
    return identity


@dataclass(frozen=True)
class Overrides:
    """The rejections at work, by what they are about: gap texts (bare), persons, or the course alone. Empty by default.

    Of several that say the same, the smallest number tells. Persons may be named otherwise than by their ids: ``name_of`` tells how.
    """

    pairs: Mapping[str, Barred] = field(default_factory=dict)
    people: Mapping[str, Barred] = field(default_factory=dict)
    courses: Barred = field(default_factory=dict)
    curation: Curation = NOTHING
    name_of: Callable[[str], str] = field(default=_itself, compare=False, repr=False)

    @classmethod
    def of(cls, said: Iterable[Rejection | Synonym | Taught | Pin]) -> Self:
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
        return cls(pairs, people, courses, curation)

    def __bool__(self) -> bool:
        return bool(self.pairs or self.people or self.courses or self.curation)

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of all rejections and sayings at work."""
        by_course = (*self.pairs.values(), *self.people.values(), self.courses)
        return frozenset(number for barred in by_course for number in barred.values()) | self.curation.numbers

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
