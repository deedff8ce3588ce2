"""A new course list beside the version at work -> the next catalog, and what a planner should know before it is trained: read, checked, compared.
For the command line and for jobs alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from model.changes import Changes, compare
from model.domain import Catalog, Course
from model.errors import InputError, QuebuError, TableError, VersionError
from model.files import categories, sources
from model.files.categories import BRANCHES, Asked
from model.files.courserows import COLUMNS
from model.files.mapping import check_corrections, corrections_of, names_of
from model.files.sources import UNNAMED, Source
from model.lexicon import Lexicon
from model.recommender import Recommender
from model.versions.registry import Registry
from service.shapes.courselists import CourseList, course_list, dump_changes, dump_heading
from service.shapes.files import dump_account, dump_reading

SAMPLE = 8  # Courses of an unknown label that are looked at for a proposal.
MOST_ASKED = 60  # Labels a proposal is made for; a list with more of them sorts by no scheme.


@dataclass(frozen=True)
class Import:
    """What is asked for: a file, the name of its list (None: it is the whole catalog), lists to leave out, what the planner says of headers
    (header, field) and category labels (label, branch), the year 更新率 is asked for."""

    path: Path | None = None
    source: str | None = None
    without: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    categories: tuple[tuple[str, str], ...] = ()
    year: int | None = None


@dataclass(frozen=True)
class Base:
    """The version a new one goes on from: the active one, else the newest that can be loaded; and the lists it was made of. ``newer`` are the
    versions after the active one, the newest first, with their lists: nothing of theirs goes on."""

    version: str
    recommender: Recommender
    sources: tuple[Source, ...]
    card: Mapping[str, Any]
    newer: tuple[tuple[str, tuple[Source, ...]], ...] = ()

    @classmethod
    def of(cls, registry: Registry) -> Base | None:
        """None where no version can be loaded."""
        active = registry.pointer()
        for version in dict.fromkeys([*([active] if active else []), *reversed(registry.versions())]):
            with suppress(VersionError):
                recommender, card = registry.load(version), registry.card(version)
                newer = tuple(_newer(registry, version)) if version == active else ()
                return cls(version, recommender, sources.sources_of(recommender.catalog, card), card, newer)
        return None


@dataclass(frozen=True)
class Draft:
    """The next catalog, the lists it is made of, what was read (None: a list was only left out), the version it goes on from. ``file`` is the name
    of the file that the card tells."""

    catalog: Catalog
    sources: tuple[Source, ...]
    read: CourseList | None
    base: Base | None
    lexicon: Lexicon
    file: str
    year: int | None = None
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def changes(self) -> Changes:
        """What would change from the version it goes on from; everything is new where there is none."""
        return compare(self.base.recommender.catalog if self.base else Catalog(()), self.catalog, self.year)

    @cached_property
    def unknown(self) -> tuple[Asked, ...]:
        """The category labels nobody knows."""
        return categories.asked(self.read.catalog.courses, self.lexicon.categories, {}) if self.read else ()

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """The same, each with the branch its courses seem to teach."""
        if not self.unknown or not self.read:
            return ()
        courses = self.read.catalog.courses
        proposed = _proposed(courses, self.unknown, self.base, self.lexicon)
        return categories.asked(courses, self.lexicon.categories, proposed)

    def card(self) -> dict[str, Any]:
        """What a version trained on it tells of where its courses come from."""
        told = dump_account(self.read.reading) if self.read else {}
        return {
            "source": self.file,
            "sources": [source.as_json() for source in self.sources],
            "courses": len(self.catalog),
            "catalog_fingerprint": self.catalog.fingerprint,
            "reading": told,
            **({"parent": self.base.version} if self.base else {}),
        }

    def told(self) -> dict[str, Any]:
        """All that is found before a training, as JSON."""
        reading = self.read.reading if self.read else None
        return {
            "source": self.file,
            "courses": len(self.read.catalog if self.read else self.catalog),
            "reading": dump_reading(reading) if reading else None,
            "headers": [dump_heading(heading) for heading in reading.headings] if reading else [],
            "categories": [
                {"label": one.label, "courses": one.courses, "proposed": one.proposed or None} for one in self.asked
            ],
            "sources": [source.as_json() for source in self.sources],
            "base": self.base.version if self.base else None,
            "changes": dump_changes(self.changes),
            "notes": list(self.notes),
        }


def draft(asked: Import, base: Base | None, lexicon: Lexicon) -> Draft:
    """Read the file and put it where it belongs, beside the other lists of the base version.

    Raises InputError where what is asked for cannot be: an unknown list, header, field or branch, a file that cannot be used, nothing left.
    """
    others, catalog = _kept(asked, base)
    if asked.path is None:
        file = str(base.card.get("source", "")) if base else ""
        return Draft(catalog, others, None, base, lexicon, file, asked.year, tuple(_left_behind(base, others, asked)))
    name = sources.check_name(asked.source) if asked.source is not None else ""
    before = next((one for one in (base.sources if base else ()) if one.name == name), Source(name))
    given = corrections_of(asked.headers, COLUMNS)
    headers = {**before.headers, **given}
    answers = categories.plain_answers([*before.categories.items(), *_checked(asked.categories)])
    read = _read(asked.path, lexicon, headers, answers)
    check_corrections(given, read.reading.headings)
    _check_labels(asked.categories, read.catalog, lexicon)
    account = dump_account(read.reading)
    source = Source(name, asked.path.name, read.sha256, len(read.catalog), headers, answers, account, asked.year)
    there = [one.name for one in others]
    listed = [source if one.name == name else one for one in others] + ([source] if name not in there else [])
    after = sources.put(catalog, name, read.catalog)
    notes = (*_notes(asked, base, read, after, name), *_left_behind(base, listed, asked))
    return Draft(after, tuple(listed), read, base, lexicon, asked.path.name, asked.year, notes)


def _kept(asked: Import, base: Base | None) -> tuple[tuple[Source, ...], Catalog]:
    """The lists of the base version that go on, and their courses; of the list that is replaced as well, for its courses keep their ids."""
    if asked.path is not None and asked.source is None:
        if asked.without:
            raise InputError("没有给 --source 时，新课程表就是整个目录，不需要 --without。")
        return (), Catalog(())
    if asked.path is None and not asked.without:
        raise InputError("请给出课程表（--courses），或要去掉的来源（--without）。")
    known, catalog = (base.sources, base.recommender.catalog) if base else ((), Catalog(()))
    for told in asked.without:
        names = {one.name or UNNAMED: one.name for one in known}
        wanted = told.strip() or UNNAMED
        if wanted not in names:
            raise InputError(f"没有来源“{told}”。现有来源：{'、'.join(names) or '（无）'}。")
        if asked.source is not None and wanted == asked.source.strip():
            raise InputError(f"“{wanted}”不能既导入又去掉。替换它只需给 --source。")
        catalog = sources.without(catalog, names[wanted])
        known = tuple(one for one in known if one.name != names[wanted])
    if asked.path is None and not len(catalog):
        raise InputError("去掉之后课程目录里一门课程也没有了。请同时给出新的课程表。")
    return known, catalog


def _read(path: Path, lexicon: Lexicon, headers: Mapping[str, str], answers: Mapping[str, str]) -> CourseList:
    try:
        return course_list(path, lexicon, headers, answers)
    except TableError as error:
        if error.faults or not headers:
            raise
        words = names_of(COLUMNS)
        said = "、".join(f"{header}={words.get(field, '（不读）')}" for header, field in headers.items())
        raise error.saying(f"{error}已按指定的表头对应（{said}）查找，请检查表头是否写对。") from error


def _notes(asked: Import, base: Base | None, read: CourseList, after: Catalog, name: str) -> Iterator[str]:
    """What a planner should know of how the lists were put together."""
    names = [one.name for one in base.sources] if base else []
    if asked.source is None and set(names) - {""}:
        told = "、".join(one or UNNAMED for one in names)
        yield f"现用目录由几份课程表组成（{told}）；没有给 --source，新目录只含这一份。"
    numbered = sum(course.source == name for course in after) - sum(
        course.source == name and course.id in read.catalog.row_of for course in after
    )
    if numbered:
        yield f"有 {numbered} 门课程的编号与其他来源的课程相同，已改为“{name or UNNAMED}/编号”。"


def _newer(registry: Registry, active: str) -> Iterator[tuple[str, tuple[Source, ...]]]:
    """The versions after the active one whose cards tell of lists, the newest first."""
    known = registry.versions()
    for version in reversed(known[known.index(active) + 1 :] if active in known else []):
        with suppress(VersionError, TypeError, AttributeError):  # What is told of it is a courtesy.
            yield version, tuple(Source.of_json(one) for one in registry.card(version).get("sources", ()))


def _left_behind(base: Base | None, listed: Iterable[Source], asked: Import) -> Iterator[str]:
    """The lists that newer versions have and a draft does not, or has from another file, each told of the newest that has it. What
    a planner asked for is not told: a list replaced or left out, or one that is the whole catalog."""
    if asked.path is not None and asked.source is None:
        return
    meant = [name.strip() for name in (*asked.without, *([asked.source] if asked.source else []))]
    there = {one.name: one.sha256 for one in listed}
    told = {"" if name in {"", UNNAMED} else name for name in meant}
    for version, newer in base.newer if base else ():
        lost = [one.name for one in newer if one.name not in there and one.name not in told]
        other = [one.name for one in newer if there.get(one.name, one.sha256) != one.sha256 and one.name not in told]
        told |= {one.name for one in newer}
        found = [f"来源“{name or UNNAMED}”" for name in lost] + [f"另一份“{name or UNNAMED}”" for name in other]
        if found:
            yield f"更新的 {version}（未启用）里还有{'、'.join(found)}，不在新目录里；要从它出发，请先启用它。"


def _checked(answers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Answers about labels; InputError where a branch is none."""
    checked = [(label.strip(), branch.strip()) for label, branch in answers]
    strange = [f"{label}={branch}" for label, branch in checked if branch not in BRANCHES or not label]
    if strange:
        raise InputError(
            f"“{'”“'.join(strange)}”不对。写法：标签=类别，类别只能是 {'、'.join(BRANCHES)}，例如“经信类=履职能力”。"
        )
    return checked


def _check_labels(answers: Iterable[tuple[str, str]], catalog: Catalog, lexicon: Lexicon) -> None:
    """InputError where an answer is about a label that no course bears."""
    there = {label for course in catalog for label in categories.labels_of(course.category)}
    strange = [label for label in categories.plain_answers(answers) if label not in there]
    if strange:
        unknown = "、".join(one.label for one in categories.asked(catalog.courses, lexicon.categories, {})) or "（无）"
        raise InputError(f"课程表里没有类别“{'”“'.join(strange)}”。还认不出的类别：{unknown}。")


def _proposed(courses: Iterable[Course], found: Sequence[Asked], base: Base | None, lexicon: Lexicon) -> dict[str, str]:
    """The branches that some courses of each unknown label seem to teach, by the classifiers of the base version."""
    if base is None:
        return {}
    bearing: dict[str, list[Course]] = defaultdict(list)
    for course in courses:
        for label in lexicon.categories.read(course.category).unknown:
            bearing[label].append(course)
    looked_at = [course for one in found[:MOST_ASKED] for course in bearing[one.label][:SAMPLE]]
    matcher = base.recommender.matcher
    try:
        sure = matcher.predict_proba([course.title for course in looked_at])[:, :-1]
    except QuebuError:  # A proposal is a courtesy; nothing fails for want of one.
        return {}
    names = [matcher.competencies[place] for place in np.argmax(sure, axis=1).tolist()]
    known = base.recommender.lexicon.by_name
    return {course.id: known[name].branch for course, name in zip(looked_at, names, strict=True) if name in known}
