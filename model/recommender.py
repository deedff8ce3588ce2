"""Many Profiles -> Plans, by one trained version. Every distinct text is understood and scored once, however many people share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import gaps as gap_rules
from model.curation import PINNED, Numbered
from model.domain import Catalog, Gap, Limits, Match, Plan, Profile
from model.evidence import FEATURES
from model.explanation import explain
from model.lexicon import Lexicon
from model.matcher import CHUNK, Matcher
from model.overrides import NONE, Barred, Overrides, Places
from model.reader import Reader, names_nothing
from model.selection import Needs, Reach, Reached, Selector
from model.titles import TitleIndex

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Answer:
    """The courses for one gap text, best first. Not answerable: no course reaches the accepted relevance. ``overridden`` are the numbers
    of the rejections that took part."""

    text: str
    matches: tuple[Match, ...]
    answerable: bool
    overridden: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Recommender:
    """A trained version at work: the lexicon and matcher it was trained with, and the relevance it accepts (0 to 1).

    ``metrics`` were measured on held-out texts when it was trained; ``learnt`` is the fingerprint of what it learnt from. ``overrides`` are
    no part of a version: see :meth:`under`.
    """

    version: str
    lexicon: Lexicon
    matcher: Matcher
    catalog: Catalog
    accepted: float
    metrics: Mapping[str, Any] = field(default_factory=dict)
    learnt: str = ""
    overrides: Overrides = NONE

    def under(self, overrides: Overrides) -> Recommender:
        """This version with rejections and sayings at work in all it answers; what is known of its catalog is not worked out again."""
        known: tuple[Overrides, Recommender] | None = self.__dict__.get("_under")
        if known is not None and known[0] is overrides:
            return known[1]
        placed = overrides.placed(self.places)
        said = placed.curation
        matcher, catalog = self.matcher.under(said, self.catalog), _required(self.catalog, said.everybody)
        other = replace(self, overrides=placed, matcher=matcher, catalog=catalog)
        other.__dict__.update(titles=self.titles, places=self.places, titled=self.titled)
        if matcher is self.matcher:
            other.__dict__.update(reader=self.reader, teaches=self.teaches)
        # The last one is kept, for it remembers answers of its own; the overrides change seldom and are asked with every request.
        self.__dict__["_under"] = overrides, other
        return other

    def __getstate__(self) -> dict[str, Any]:
        """A version is stored without what it has worked out for itself, and without what is at work over it."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def reader(self) -> Reader:
        """Understands gap texts with the version's own classifiers."""
        return Reader(self.matcher, self.lexicon, self.overrides.curation)

    @cached_property
    def titles(self) -> TitleIndex:
        """Finds completed courses by what people write."""
        return TitleIndex(self.catalog)

    @cached_property
    def titled(self) -> dict[str, str]:
        """The title of each course by its id."""
        return {course.id: course.title for course in self.catalog}

    @cached_property
    def places(self) -> Places:
        """Where a course is now that something was said of."""
        return Places(self.catalog)

    @cached_property
    def _selectors(self) -> Callable[[Limits], Selector]:
        """Selectors by what callers ask: each remembers which courses are out for which kind of person."""
        return lru_cache(maxsize=16)(partial(Selector, self.catalog))

    def answer(self, texts: Sequence[str], top: int = 10) -> list[Answer]:
        """Rank the courses for each gap text (``quebu match``). For a text of several lacks the best course of each comes first, then
        the second best of each; a text that names no lack gets none."""
        answers: dict[str, Answer] = {}
        distinct = sorted(set(texts))
        for start in range(0, len(distinct), CHUNK):
            rows, pins = self._by_lack(distinct[start : start + CHUNK])
            answers |= {text: self._answer(text, found, pins, top) for text, found in rows.items()}
        return [answers[text] for text in texts]

    def _answer(
        self, text: str, lacks: Mapping[str, NDArray[np.float32]], pins: Mapping[str, Numbered], top: int
    ) -> Answer:
        if not lacks:
            return Answer(text, (), answerable=False)
        kept = [self._without(row, self.overrides.for_words(text, lack), top) for lack, row in lacks.items()]
        rows = [row for row, _ in kept]
        best = np.max(rows, axis=0)
        # A stable sort over courses in id order: of equal courses the smaller id comes first.
        orders = [np.argsort(-row, kind="stable")[:top] for row in rows]
        ranked = [place for places in zip(*orders, strict=True) for place in places if best[place] >= 0]
        matches = tuple(
            Match(self.catalog.courses[place], float(best[place]))
            for place in list(dict.fromkeys(map(int, ranked)))[:top]
        )
        answerable = bool(matches) and float(best.max()) >= self.accepted
        pinned = {course: number for lack in lacks for course, number in pins.get(lack, {}).items()}
        said = self._said((text, *lacks), [match.course.id for match in matches], pinned)
        return Answer(text, matches, answerable, said.union(*(numbers for _, numbers in kept)))

    def _without(
        self, row: NDArray[np.float32], barred: Barred, top: int
    ) -> tuple[NDArray[np.float32], frozenset[int]]:
        """Relevances with those of barred courses below all others, and the numbers of the rejections that changed the best ``top``."""
        places = {
            self.catalog.row_of[course]: number for course, number in barred.items() if course in self.catalog.row_of
        }
        if not places:
            return row, frozenset()
        left = row.copy()
        left[list(places)] = -1
        last = np.sort(left)[-min(top, len(left))]
        return left, frozenset(number for place, number in places.items() if row[place] >= last)

    def relevance(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Relevance of every course to each text, shape (texts, courses), whatever was rejected; a course counts by the lack of the text it
        serves best, and none for a text that names no lack."""
        found, _ = self._by_lack(texts)
        nothing = [np.zeros(len(self.catalog), dtype=np.float32)]
        return np.stack([np.max([*found[text].values()] or nothing, axis=0) for text in texts])

    def _by_lack(
        self, texts: Sequence[str]
    ) -> tuple[dict[str, dict[str, NDArray[np.float32]]], Mapping[str, Numbered]]:
        """For each text the relevance of every course to each lack it names, none for one that names no lack; and for each lack the courses that were
        pinned to it."""
        lacks = self.reader.split(texts)
        parts = sorted({part for found in lacks.values() for part in found if not names_nothing(part)})
        rows = dict(zip(parts, self.matcher.relevance(parts), strict=True))
        pins: dict[str, Numbered] = {}
        if self.overrides.curation.pins:
            understood = self.reader.understand(parts)
            pins = {part: self.overrides.curation.pinned(part, understood[part].competency) for part in parts}
        for part, pinned in pins.items():
            if places := self._rows(pinned):
                rows[part] = rows[part].copy()
                rows[part][places] = 1.0
        return {text: {part: rows[part] for part in found if part in rows} for text, found in lacks.items()}, pins

    def needs(self, profiles: Sequence[Profile]) -> tuple[list[Needs], dict[str, Reach]]:
        """What each person lacks, in the order given, and for each gap text the courses that reach the accepted relevance."""
        lacks = self.reader.split({weakness.text for profile in profiles for weakness in profile.weaknesses})
        meant = [text for found in lacks.values() for text in found]
        meant += [text for profile in profiles for text in gap_rules.texts_of(profile)]
        understood = self.reader.understand(meant)
        # A unit and post are read once, however many people share them.
        family_of = lru_cache(maxsize=None)(self.lexicon.family_of)
        families = [family_of(profile.unit, profile.post) for profile in profiles]
        gaps = [
            gap_rules.gaps_of(profile, family, self.lexicon, lacks, understood)
            for profile, family in zip(profiles, families, strict=True)
        ]
        about = {gap.text: gap.competency for person in gaps for gap in person}
        reach = self._reach(about | {name: name for name in about.values() if name})
        said = {
            text: self._said(
                [text],
                [self.catalog.courses[row].id for row in reach[text]],
                self.overrides.curation.pinned(text, competency),
            )
            for text, competency in (about.items() if self.overrides.curation else ())
        }

        def unclear(gap: Gap) -> bool:
            """Where the catalog has courses for the competency and none for these words, the words are at fault, not the catalog."""
            return (gap.text in understood and understood[gap.text].unclear) or (
                gap.competency is not None and not reach[gap.text] and bool(reach[gap.competency])
            )

        people = zip(profiles, families, gaps, strict=True)
        return [
            Needs(
                profile,
                family,
                self.titles.resolve(profile.completed)[0],
                own,
                tuple(map(unclear, own)),
                self.overrides.for_person(profile.id),
                self._rejected(profile, own, lacks),
                frozenset().union(*(said[gap.text] for gap in own)) if said else frozenset(),
            )
            for profile, family, own in people
        ], reach

    def _rejected(self, profile: Profile, gaps: Sequence[Gap], lacks: Mapping[str, Sequence[str]]) -> dict[Gap, Barred]:
        """What was rejected for the gaps of a person: in their own words, or in those of the whole text that states them."""
        if not self.overrides.pairs:
            return {}
        wholes: dict[str, list[str]] = {}
        for weakness in profile.weaknesses:
            for lack in lacks[weakness.text]:
                wholes.setdefault(lack, []).append(weakness.text)
        found = {gap: self.overrides.for_text(gap.text, *wholes.get(gap.text, ())) for gap in gaps}
        return {gap: barred for gap, barred in found.items() if barred}

    def plans(self, profiles: Sequence[Profile], limits: Limits, progress: Progress | None = None) -> Iterator[Plan]:
        """The plan of each person, in the order given. ``progress`` is told (people done, people in all)."""
        needs, reach = self.needs(profiles)
        selector, pinned = self._selectors(limits), self.overrides.curation.everybody
        for number, person in enumerate(needs, start=1):
            selected = selector.select(person, [reach[gap.text] for gap in person.gaps])
            chosen = tuple(explain(candidate, pinned) for candidate in (*selected.required, *selected.ranked))
            yield Plan(
                person.profile,
                person.gaps,
                chosen,
                selected.unmet,
                selected.removed,
                self.version,
                selected.overridden,
            )
            if progress:
                progress(number, len(profiles))

    def _rows(self, courses: Iterable[str]) -> list[int]:
        return [self.catalog.row_of[course] for course in courses if course in self.catalog.row_of]

    def _said(self, texts: Iterable[str], courses: Iterable[str], pinned: Numbered) -> frozenset[int]:
        """The numbers of what was said of the words of these texts, and of the courses that are offered for them; ``pinned`` are those pinned to
        them."""
        said = self.overrides.curation
        if not said:
            return frozenset()
        heard = [said.heard(text) for text in texts]
        of_courses = [said.changed(one) | ({pinned[one]} if one in pinned else set()) for one in courses]
        return frozenset().union(*heard, *of_courses)

    def _reach(self, texts: Mapping[str, str | None]) -> dict[str, Reach]:
        """For each distinct gap text (with the competency it names) the courses that reach the accepted relevance, or were said to (row ->
        relevance)."""
        reach: dict[str, Reach] = {}
        distinct = sorted(texts)
        for start in range(0, len(distinct), CHUNK):
            chunk = distinct[start : start + CHUNK]
            for text, rows in zip(chunk, self.matcher.reaching(chunk, self.accepted), strict=True):
                found = () if names_nothing(text) else rows.tolist()
                reach[text] = {
                    place: Reached(round(relevance, 4), FEATURES[strongest]) for place, relevance, strongest in found
                } | dict.fromkeys(self._rows(self.overrides.curation.pinned(text, texts[text])), Reached(1.0, PINNED))
        return reach

    def nearest(self, texts: Iterable[str]) -> dict[str, Match]:
        """For each text the course that comes nearest to it, accepted or not, of those that were not rejected for it."""
        found: dict[str, Match] = {}
        distinct = sorted(set(texts))
        for start in range(0, len(distinct), CHUNK):
            chunk = distinct[start : start + CHUNK]
            for text, row in zip(chunk, self.matcher.scores(chunk)["relevance"], strict=True):
                left, _ = self._without(row, self.overrides.for_words(text), 1)
                place = int(np.argmax(left))
                if left[place] >= 0:
                    found[text] = Match(self.catalog.courses[place], round(float(left[place]), 4))
        return found

    @cached_property
    def teaches(self) -> dict[str, str | None]:
        """The competency each course (by id) mainly teaches."""
        return dict(zip(self.catalog.row_of, self.matcher.teaches, strict=True))

    def unknown_completed(self, profile: Profile) -> tuple[str, ...]:
        """What a person names as completed that no course of the catalog answers to."""
        return self.titles.resolve(profile.completed)[1]


def _required(catalog: Catalog, courses: Numbered) -> Catalog:
    """The catalog with these courses required of everybody."""
    if not courses:
        return catalog
    return Catalog(tuple(replace(one, required=True) if one.id in courses else one for one in catalog))
