"""What those who keep the course list say of words and courses, whatever version answers: synonyms, what a course teaches, pinned courses.

A value without a store or a clock behind it, beside the rejections of :mod:`model.overrides`. Each saying has a number, so that an answer can tell which of them took part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from model.lexicon import bare

Numbered = Mapping[str, int]  # Course id -> the number of the saying.
PINNED = "pinned"  # The evidence of a relevance that was not found but said.


class Synonym(NamedTuple):
    """A word of the house for a competency: whoever writes it means that competency."""

    number: int
    word: str
    competency: str


class Taught(NamedTuple):
    """What a course teaches, in the place of what was read from its texts; nothing known where ``competencies`` is empty."""

    number: int
    course: str
    competencies: tuple[str, ...]


class Pin(NamedTuple):
    """A course that surely serves a gap text, or all gaps of a competency; else (neither is given) one that everybody has to attend."""

    number: int
    course: str
    gap: str | None = None
    competency: str | None = None


@dataclass(frozen=True)
class Curation:
    """The sayings at work. Of several about the same the one made last holds, for it was said knowing the others."""

    synonyms: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    taught: Mapping[str, tuple[tuple[str, ...], int]] = field(default_factory=dict)
    texts: Mapping[str, Numbered] = field(default_factory=dict)
    competencies: Mapping[str, Numbered] = field(default_factory=dict)
    everybody: Numbered = field(default_factory=dict)

    @classmethod
    def of(cls, sayings: Iterable[Synonym | Taught | Pin]) -> Self:
        """Sort sayings by what they are about; their order does not matter."""
        synonyms: dict[str, tuple[str, int]] = {}
        taught: dict[str, tuple[tuple[str, ...], int]] = {}
        texts: dict[str, dict[str, int]] = {}
        competencies: dict[str, dict[str, int]] = {}
        everybody: dict[str, int] = {}
        for one in sorted(sayings, key=lambda each: each.number):
            match one:
                case Synonym():
                    synonyms[bare(one.word)] = one.competency, one.number
                case Taught():
                    taught[one.course] = one.competencies, one.number
                case Pin(gap=str(gap)):
                    texts.setdefault(bare(gap), {})[one.course] = one.number
                case Pin(competency=str(name)):
                    competencies.setdefault(name, {})[one.course] = one.number
                case Pin():
                    everybody[one.course] = one.number
        return cls(synonyms, taught, texts, competencies, everybody)

    def __bool__(self) -> bool:
        return bool(self.synonyms or self.taught or self.texts or self.competencies or self.everybody)

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of all sayings at work."""
        pins = (*self.texts.values(), *self.competencies.values(), self.everybody)
        said = (*self.synonyms.values(), *self.taught.values())
        return frozenset(number for _, number in said) | {number for one in pins for number in one.values()}

    @property
    def pins(self) -> bool:
        """Whether a course is pinned to any gap."""
        return bool(self.texts or self.competencies)

    def moved(self, courses: Callable[[Numbered], Numbered]) -> Curation:
        """The same about other ids; ``courses`` tells them."""
        numbers = courses({course: number for course, (_, number) in self.taught.items()})
        said = {number: names for names, number in self.taught.values()}
        return Curation(
            self.synonyms,
            {course: (said[number], number) for course, number in numbers.items()},
            {text: courses(pinned) for text, pinned in self.texts.items()},
            {name: courses(pinned) for name, pinned in self.competencies.items()},
            courses(self.everybody),
        )

    def spelled_out(self, text: str) -> str:
        """A text with the competencies its synonyms stand for written behind it, as it is matched. The words themselves stay."""
        said = bare(text)
        more = [name for name in self.meant(text) if bare(name) not in said]
        return f"{text}（{'、'.join(more)}）" if more else text

    def meant(self, text: str) -> tuple[str, ...]:
        """The competencies the synonyms in a text stand for."""
        return tuple(dict.fromkeys(name for name, _ in self._words_in(text)))

    def named(self, text: str) -> str | None:
        """The competency a text is a synonym for, when it consists of nothing else."""
        found = self.synonyms.get(bare(text)) if self.synonyms else None
        return found[0] if found else None

    def heard(self, text: str) -> frozenset[int]:
        """The numbers of the synonyms in a text."""
        return frozenset(number for _, number in self._words_in(text))

    def pinned(self, text: str, competency: str | None) -> Numbered:
        """The courses that surely serve a gap, by what its text or its competency says."""
        if not self.pins:
            return {}
        return {**self.competencies.get(competency or "", {}), **self.texts.get(bare(text), {})}

    def changed(self, course: str) -> frozenset[int]:
        """The number of what was said of a course's competencies, if anything."""
        found = self.taught.get(course)
        return frozenset() if found is None else frozenset({found[1]})

    def _words_in(self, text: str) -> list[tuple[str, int]]:
        """What the synonyms in a text stand for. A word inside a longer one that is there too says nothing of its own (应急 in 应急预案)."""
        if not self.synonyms:
            return []
        said = bare(text)
        here = [word for word in self.synonyms if word in said]
        return [self.synonyms[word] for word in here if not any(word != other and word in other for other in here)]


NOTHING = Curation()
