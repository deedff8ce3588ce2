"""A trained version -> what each course was understood to teach, how surely, and which courses somebody should look at.

Competencies that a list states, or that somebody said of a course, are taken as said. All others were read from titles and summaries, and are proposals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from model.domain import Course
from model.evidence import HARDLY, STRONGEST
from model.recommender import Recommender

STATED, SAID, SURE, UNSURE, UNRECOGNISED = STATES = ("stated", "said", "sure", "unsure", "unrecognised")
TO_REVIEW = frozenset({UNSURE, UNRECOGNISED})
# From this probability on a proposal is right more often than not, and nobody is asked about it.
ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Proposal:
    """A course with the competencies it most probably teaches, each with its probability (0 to 1), and how that is known: the list states it,
    somebody said it, it was read surely, or not surely, or nothing was recognised."""

    course: Course
    competencies: tuple[tuple[str, float], ...]
    state: str

    @property
    def surely(self) -> float:
        """The probability of the first competency; 0 where there is none."""
        return self.competencies[0][1] if self.competencies else 0.0


def proposals(recommender: Recommender) -> list[Proposal]:
    """What each course of the catalog teaches, in its order."""
    return [proposal(recommender, place) for place in range(len(recommender.catalog))]


def proposal(recommender: Recommender, place: int) -> Proposal:
    """What one course teaches, by its row in the catalog."""
    course, row = recommender.catalog.courses[place], recommender.matcher.taught[place]
    names = recommender.matcher.competencies
    best = np.argsort(-row, kind="stable")[:STRONGEST]
    told = tuple((names[number], round(float(row[number]), 4)) for number in best if row[number] >= HARDLY)
    if course.id in recommender.overrides.curation.taught:
        state = SAID
    elif course.competencies:
        state = STATED
    else:
        state = UNRECOGNISED if not told else SURE if told[0][1] >= ENOUGH else UNSURE
    return Proposal(course, told, state)


def to_review(found: Iterable[Proposal]) -> list[Proposal]:
    """The courses somebody should look at, the least sure first."""
    asked = [one for one in found if one.state in TO_REVIEW]
    return sorted(asked, key=lambda one: (one.surely, one.course.id))
