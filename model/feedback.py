"""What planners say of courses for gap texts -> judgements to learn from: what each piece is worth, and what keeps one planner from deciding alone.

A piece is somebody's word with its provenance. The words of one planner on one course for one text are one opinion, between -1 and 1; the
opinions of all are added up, so that those that contradict each other cancel.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from model.lexicon import bare


class Kind(StrEnum):
    """The kinds of feedback that judge a course for the words of a gap."""

    ACCEPTED = "accepted"
    INSTEAD = "instead"
    REJECTED = "rejected"
    ATTENDED = "attended"
    IMPROVED = "improved"
    UNIMPROVED = "unimproved"


# What a piece is worth. A planner who accepts or rejects has looked at the course for this very gap. That somebody attended says that it was
# arranged, not that it helped. A better test says that it helped; one that is no better has many causes (the person, the teaching, the test).
WORTH: Mapping[Kind, float] = MappingProxyType(
    {
        Kind.ACCEPTED: 1.0,
        Kind.INSTEAD: 1.0,
        Kind.REJECTED: -1.0,
        Kind.ATTENDED: 0.25,
        Kind.IMPROVED: 1.0,
        Kind.UNIMPROVED: -0.25,
    }
)
TESTS = (Kind.IMPROVED, Kind.UNIMPROVED)
LEAP = 10.0  # Points by which a test is better that tells of an improvement; less than that is chance.

LEAST_PAIRS, LEAST_TEXTS, LEAST_PLANNERS, LEAST_EITHER = 30, 10, 2, 3
PLANNER_MOST = (
    200.0  # What the opinions of one planner count together, and never more than those of all others together.
)
PAIR_MOST = 2.0  # However many say the same of a course for a text.
MOST_TEXTS = 2000  # Texts learnt from, those last spoken of; each has to be compared with the whole catalog.


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of feedback: a course for a gap text. ``planner`` tells planners apart and nothing else of them."""

    text: str
    course: str
    kind: Kind
    planner: str
    at: datetime


def told_by_scores(before: float | None, after: float | None) -> Kind | None:
    """What two scores (0 to 100) say of the course between them; None where they cannot say, also where there was no room for a leap."""
    if before is None or after is None or before > 100 - LEAP:
        return None
    return Kind.IMPROVED if after - before >= LEAP else Kind.UNIMPROVED


@dataclass(frozen=True)
class Lesson:
    """What there is to learn: for each (text, course) how surely it fits (above nought) or does not (below), at most ``PAIR_MOST``.

    ``pieces`` counts what was said by kind, ``dropped`` what is not learnt from by cause, ``cut`` the planners who had more to say than one may;
    ``missing`` are sentences that tell what is short of the least evidence. Two lessons from the same pieces in any order are equal.
    """

    pairs: Mapping[tuple[str, str], float]
    pieces: Mapping[Kind, int]
    planners: int
    cut: int
    dropped: Mapping[str, int]

    @property
    def texts(self) -> tuple[str, ...]:
        """The distinct texts, in order."""
        return tuple(sorted({text for text, _ in self.pairs}))

    @property
    def missing(self) -> tuple[str, ...]:
        """What is short of the least evidence; empty where it may be learnt from."""
        if self.planners < LEAST_PLANNERS:  # Then nothing has been weighed.
            return (f"至少要有 {LEAST_PLANNERS} 位经办人的反馈，现有 {self.planners} 位",)
        fits = sum(worth > 0 for worth in self.pairs.values())
        counts = (
            ("组“短板—课程”的判断", len(self.pairs), LEAST_PAIRS),
            ("条不同的短板", len(self.texts), LEAST_TEXTS),
            ("组认为对口的", fits, LEAST_EITHER),
            ("组认为不对口的", len(self.pairs) - fits, LEAST_EITHER),
        )
        return tuple(
            f"至少要有 {least} {what}，现有 {found} {what[0]}" for what, found, least in counts if found < least
        )


def lesson(pieces: Iterable[Piece], courses: Collection[str]) -> Lesson:
    """Weigh what was said of the courses at hand. What is said twice counts once, what is contradicted cancels, and no planner counts more than
    all others together."""
    distinct = set(pieces)
    known = [piece for piece in distinct if piece.course in courses]
    recent = _recent(known)
    heard = [piece for piece in known if bare(piece.text) in recent]
    opinions = _opinions(heard)
    scales = _scales(opinions)
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for (planner, *about), opinion in sorted(opinions.items()):
        sums[about[0], about[1]] += scales[planner] * opinion
    words = _words(heard)
    pairs = {
        (words[text], course): max(-PAIR_MOST, min(PAIR_MOST, round(worth, 9)))
        for (text, course), worth in sums.items()
    }
    dropped = {
        "course_gone": len(distinct) - len(known),
        "long_ago": len(known) - len(heard),
        "contradicted": sum(not worth for worth in pairs.values()) if len(scales) > 1 else 0,
    }
    return Lesson(
        {about: worth for about, worth in sorted(pairs.items()) if worth},
        dict(sorted(Counter(piece.kind for piece in heard).items())),
        len(scales),
        sum(scale < 1 for scale in scales.values()),
        {cause: count for cause, count in dropped.items() if count},
    )


def _recent(pieces: Sequence[Piece]) -> set[str]:
    """The texts last spoken of."""
    last: dict[str, datetime] = {}
    for piece in pieces:
        text = bare(piece.text)
        last[text] = max(piece.at, last.get(text, piece.at))
    return set(sorted(last, key=lambda text: (last[text], text))[-MOST_TEXTS:])


def _words(pieces: Sequence[Piece]) -> dict[str, str]:
    """Texts that differ by blanks and widths alone are one; it is written as the first of them in order."""
    words: dict[str, str] = {}
    for piece in pieces:
        words[bare(piece.text)] = min(piece.text, words.get(bare(piece.text), piece.text))
    return words


def _opinions(pieces: Sequence[Piece]) -> dict[tuple[str, str, str], float]:
    """For each planner, text and course one opinion, -1 to 1: each verdict and attendance once, tests by their mean."""
    said: dict[tuple[str, str, str], list[Kind]] = defaultdict(list)
    for piece in pieces:
        said[piece.planner, bare(piece.text), piece.course].append(piece.kind)
    return {about: max(-1.0, min(1.0, _opinion(kinds))) for about, kinds in said.items()}


def _opinion(kinds: Sequence[Kind]) -> float:
    tests = sorted(WORTH[kind] for kind in kinds if kind in TESTS)
    once = {kind for kind in kinds if kind not in TESTS}
    return sum(sorted(WORTH[kind] for kind in once)) + (sum(tests) / len(tests) if tests else 0.0)


def _scales(opinions: Mapping[tuple[str, str, str], float]) -> dict[str, float]:
    """By how much the opinions of each planner are taken back."""
    totals: dict[str, float] = defaultdict(float)
    for (planner, _, _), opinion in sorted(opinions.items()):
        totals[planner] += abs(opinion)
    most = {planner: min(total, PLANNER_MOST) for planner, total in totals.items()}
    scales = {}
    for planner, total in totals.items():
        others = sum(most[other] for other in sorted(most) if other != planner)
        scales[planner] = min(most[planner], others) / total if total else 1.0
    return scales
