"""What a list calls the category of a course -> a branch of ours, a way of teaching, or a question to the planner.

Lists sort courses by schemes of their own (高校十七类, 县师资库五方向). Their labels stand in ``training_data/categories.csv``; one that stands nowhere
is asked for, and the answer is written before the label (履职能力/经信类), as a list of ours would have it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from model.domain import Course
from model.errors import KnowledgeError
from model.files.cells import half_width
from model.files.tables import read_knowledge

BRANCHES = ("理论教育", "党性教育", "履职能力", "知识")
COLUMNS = ("scheme", "label", "branch", "area", "mode")

_BETWEEN = re.compile(r"\s*[/|>\n]+\s*")
_AMONG = re.compile(r"\s*[、,;]+\s*")
_ENDING = re.compile(r"(?:类别?|模块|板块|单元|课程|培训|专题)$")
_OURS = re.compile("理论教育|党性教育|履职能力|知识(?=$|培训|类|模块|板块|课程|教育)")


class Category(NamedTuple):
    """A label of a scheme: the branch (and area) it stands for, or the way of teaching. All three blank: it says nothing of the matter (其他)."""

    scheme: str
    label: str
    branch: str
    area: str
    mode: str


class Said(NamedTuple):
    """What the category of a course says: a branch, a way of teaching, the labels nobody knows. ``text`` is it without the way of teaching."""

    text: str
    branch: str
    mode: str
    unknown: tuple[str, ...]


class Asked(NamedTuple):
    """A label nobody knows, with the number of courses that bear it, and the branch most of them seem to teach (blank: cannot be told)."""

    label: str
    courses: int
    proposed: str


@dataclass(frozen=True)
class Categories:
    """The labels that are known. Several schemes may have one label; they agree about it."""

    known: tuple[Category, ...] = ()

    @cached_property
    def _by_label(self) -> dict[str, Category]:
        return {_plain(category.label): category for category in self.known}

    def find(self, label: str) -> Category | None:
        """What one label means; None where nobody knows it."""
        plain = _plain(label)
        found = self._by_label.get(plain) or self._by_label.get(_ENDING.sub("", plain))
        ours = None if found else _OURS.search(plain)
        return Category("", label, ours[0], "", "") if ours else found

    def read(self, text: str) -> Said:
        """Read the category of a course, one label or several. The first that stands for a branch tells; unknown ones are told where none does."""
        kept, branch, mode, named, unknown = [], "", "", False, []
        for whole in filter(None, _BETWEEN.split(half_width(text))):
            meant = self.find(whole)
            labels = [whole] if meant else list(filter(None, _AMONG.split(whole)))
            left = []
            for label, category in zip(labels, [meant] if meant else map(self.find, labels), strict=True):
                if category is None:
                    unknown.append(label)
                elif category.mode:
                    mode = mode or category.mode
                    continue
                else:
                    named, branch = True, branch or category.branch
                left.append(label)
            if left:
                kept.append("、".join(left))
        return Said("/".join(kept) if mode else text, branch, mode, () if named else tuple(dict.fromkeys(unknown)))

    def answered(self, text: str, answers: Mapping[str, str]) -> str:
        """The category with the branch that a planner gave for one of its labels written before it; unchanged where none was asked about.
        ``answers`` are branches by plain label."""
        branch = next((answers[plain] for plain in labels_of(text) if plain in answers), None)
        return text if branch is None or text.startswith(f"{branch}/") else f"{branch}/{text}"


UNSORTED = Categories()  # No label is known but the branches themselves.


def labels_of(text: str) -> list[str]:
    """The plain labels of a category, whole ones and their parts (宪法、法律 may be one label or two)."""
    return [_plain(label) for whole in _BETWEEN.split(half_width(text)) for label in (whole, *_AMONG.split(whole))]


def plain_answers(answers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Answers by their plain labels; a later one for the same label holds."""
    return {_plain(label): branch.strip() for label, branch in answers}


def asked(courses: Sequence[Course], categories: Categories, proposed: Mapping[str, str]) -> tuple[Asked, ...]:
    """The labels nobody knows, those of most courses first. ``proposed`` are the branches that courses (by id) seem to teach."""
    seen: Counter[str] = Counter()
    votes: dict[str, Counter[str]] = {}
    for course in courses:
        for label in categories.read(course.category).unknown:
            seen[label] += 1
            if branch := proposed.get(course.id):
                votes.setdefault(label, Counter())[branch] += 1
    order = sorted(seen.items(), key=lambda one: (-one[1], one[0]))
    return tuple(Asked(label, count, _most(votes.get(label))) for label, count in order)


def _most(votes: Counter[str] | None) -> str:
    return min(votes, key=lambda branch: (-votes[branch], BRANCHES.index(branch))) if votes else ""


def _plain(label: str) -> str:
    """A label reduced to what is compared: half-width, lower case, no blanks, no hint in brackets."""
    return re.sub(r"\s+|[(（][^()（）]*[)）]", "", half_width(label)).lower()


def load_categories(folder: Path, areas: Iterable[tuple[str, str]]) -> Categories:
    """Read ``categories.csv`` of ``training_data/``; ``areas`` are our own, each with its branch, and labels too.

    Raises KnowledgeError where a branch is none of ours, or two schemes disagree about a label.
    """
    known = [Category(**row) for row in read_knowledge(folder / "categories.csv", COLUMNS)]
    told: dict[str, Category] = {}
    for category in known:
        if category.branch and category.branch not in BRANCHES:
            raise KnowledgeError(f"categories.csv 里有不认识的类别“{category.branch}”（{category.label}）。")
        first = told.setdefault(_plain(category.label), category)
        if first[2:] != category[2:]:
            raise KnowledgeError(
                f"categories.csv 里“{category.label}”在 {first.scheme} 和 {category.scheme} 中对应不同。"
            )
    return Categories((*_areas(areas, told), *known))


def _areas(areas: Iterable[tuple[str, str]], told: Mapping[str, Category]) -> Iterator[Category]:
    for branch, area in dict.fromkeys(areas):
        if _plain(area) not in told:
            yield Category("本系统", area, branch, area, "")
