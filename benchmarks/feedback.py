"""What feedback of planners brings to texts nobody spoke of, and what noisy or hostile feedback does to them: simulated planners, whose taste is known.

The bundled judgements are split at random, several times: some texts stand for those that come with the product, planners speak of others (they see the ten
best courses and say what its grade says, or the contrary), and what was learnt is measured on the rest, from which those near to a text spoken of
are kept away. Usage: python benchmarks/feedback.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.evaluation import bootstrap_interval
from model.feedback import Kind, Piece, lesson
from model.fusion import Weights
from model.judgements import Judgements
from model.learning import errors, graded, learn, ndcgs, near, said
from model.matcher import Judged, Matcher, Ranker
from model.training import Knowledge, knowledge

SPLITS, PLANNERS, SEEN = 4, 5, 10
MEASURED, SPOKEN = 64, 76  # Texts; the others stand for those that come with the product.
SIZES = (50, 200, 1000, 3000)
NOISE = 0.3
AT = datetime(2026, 1, 1, tzinfo=UTC)
STRICT = 3


@dataclass(frozen=True)
class Split:
    """One division of the judged texts (rows), with the weights learnt from those that come with the product."""

    known: Knowledge
    judged: Judged
    grades: NDArray[np.int_]
    shipped: NDArray[np.intp]
    spoken: NDArray[np.intp]
    measured: NDArray[np.intp]

    @classmethod
    def of(cls, known: Knowledge, judged: Judged, chance: np.random.Generator) -> Split:
        """Divide at random; a text near to one that is measured on is spoken of by nobody."""
        texts = np.array(list(known.judgements.texts.values()))
        order = chance.permutation(len(texts))
        measured, spoken = order[:MEASURED], order[MEASURED : MEASURED + SPOKEN]
        close = near(texts[spoken].tolist(), texts[measured].tolist(), known.classifiers[0].vectors)
        grades = graded(known.judgements)
        return cls(known, judged, grades, order[MEASURED + SPOKEN :], spoken[~close.any(axis=1)], measured)

    def product(self) -> tuple[Matcher, Judged, Judgements]:
        """What comes with the product here: a matcher that reads its evidence from what was computed once, and its judgements."""
        bundled, rows = self.known.judgements, np.sort(self.shipped)
        ids = [list(bundled.texts)[row] for row in rows]
        own = replace(self.judged, evidence=self.judged.evidence[:, rows], accepted=self.judged.accepted[rows])
        kept = set(ids)
        judgements = Judgements(
            bundled.catalog,
            {one: bundled.texts[one] for one in ids},
            bundled.styles,
            {pair: grade for pair, grade in bundled.grades.items() if pair[0] in kept},
        )
        place = {text: row for row, text in enumerate(bundled.texts.values())}
        evidence = SimpleNamespace(
            of=lambda texts: self.judged.evidence[0][[place[text] for text in texts]],
            familiar=1.0,
            classifier=self.known.classifiers[0],
        )
        matcher = Matcher(self.known.classifiers[:1], self.known.lexicon)
        matcher.rankers_ = [Ranker(own.weights(), evidence)]  # type: ignore[arg-type]
        return matcher, own, judgements

    def say(
        self,
        chance: np.random.Generator,
        weights: Weights,
        planners: Sequence[str],
        each: int,
        wrong: float,
        least: int = 2,
    ) -> list[Piece]:
        """What planners say of courses among the ten best for texts, each of so many; a share of it is the contrary of what they think."""
        texts = list(self.known.judgements.texts.values())
        courses = [course.id for course in self.known.judgements.catalog]
        best = np.argsort(-weights.relevance(self.judged.evidence[0][self.spoken]), axis=1, kind="stable")[:, :SEEN]
        pieces = []
        for planner in planners:
            for cell in chance.permutation(best.size)[:each]:
                row, course = self.spoken[cell // SEEN], best[cell // SEEN, cell % SEEN]
                fits = (self.grades[row, course] >= least) ^ (chance.random() < wrong)
                kind = Kind.ACCEPTED if fits else Kind.REJECTED
                pieces.append(Piece(texts[row], courses[course], kind, planner, AT))
        return pieces

    def quality(self, weights: Weights, least: int = 2) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """nDCG@10 of each measured text that has an answer, and the squared error of what is stated for the ten best of each."""
        grades = self.grades[self.measured]
        views = np.stack([weights.relevance(view[self.measured]) for view in self.judged.evidence])
        return ndcgs(views, grades)[(grades >= 2).any(axis=1)], errors(views, grades >= least)


Found = dict[str, list[NDArray[np.float64]] | list[bool]]


def scenarios(split: Split, chance: np.random.Generator, weights: Weights, size: int) -> dict[str, list[Piece]]:
    """Who says what, by name; ``size`` pieces of honest planners, and whatever the others say."""
    names = [f"planner {number}" for number in range(PLANNERS)]
    each = size // PLANNERS
    honest = split.say(chance, weights, names, each, 0.0)
    hostile = split.say(chance, weights, ["hostile 1", "hostile 2"], 10**6, 1.0)
    return {
        "honest": honest,
        f"noisy ({NOISE:.0%} the contrary)": split.say(chance, weights, names, each, NOISE),
        "honest, and one hostile who speaks of everything": honest
        + [one for one in hostile if one.planner == "hostile 1"],
        "honest, and two of them": honest + hostile,
        "all hostile": split.say(chance, weights, names, each, 1.0),
    }


def main() -> None:
    """Print the tables."""
    known = knowledge()
    judged = Judged.of(known.judgements, known.classifiers[0], known.lexicon)
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    strict: dict[int, list[dict[str, Any]]] = {}
    whole = []
    for number in range(SPLITS):
        chance = np.random.default_rng(number)
        split = Split.of(known, judged, chance)
        matcher, own, judgements = split.product()
        rows = known.judgements.catalog.row_of
        before = matcher.shipped[0]
        base = split.quality(before)
        both = split.quality(judged.weights(np.concatenate([split.shipped, split.spoken])))
        whole.append(both[0] - base[0])
        print(
            f"split {number}: {len(split.spoken)} texts spoken of; nDCG@10 {base[0].mean():.4f}, error {base[1].mean():.4f}"
        )
        for size in SIZES:
            for name, pieces in scenarios(split, chance, before, size).items():
                told = lesson(pieces, rows)
                result = learn(told, matcher, [own], judgements, rows)
                found.setdefault((name, size), []).append(row(split, base, own, matcher, told, result, rows))
            pieces = split.say(
                chance, before, [f"planner {one}" for one in range(PLANNERS)], size // PLANNERS, 0.0, STRICT
            )
            told = lesson(pieces, rows)
            result = learn(told, matcher, [own], judgements, rows)
            strict.setdefault(size, []).append(
                row(split, split.quality(before, STRICT), own, matcher, told, result, rows, STRICT)
            )
    print("\nEvery grade of the texts spoken of, learnt as the shipped ones are:", told_of(whole), "\n")
    header = [
        "feedback",
        "pieces",
        "nDCG@10",
        "error among the ten best",
        "taken",
        "nDCG@10 unguarded",
        "error unguarded",
    ]
    print("| " + " | ".join(header) + " |\n|" + " -- |" * len(header))
    for (name, size), results in found.items():
        print(line(name, size, results))
    for size, results in strict.items():
        print(line("strict (grade 3 alone counts, for them)", size, results))


def row(
    split: Split,
    base: tuple[NDArray[np.float64], NDArray[np.float64]],
    own: Judged,
    matcher: Matcher,
    told: Any,
    result: Any,
    rows: Any,
    least: int = 2,
) -> dict[str, Any]:
    """What came of one lesson, text by text, with the guards and without."""
    bold = own.weights(more=said(told, matcher.rankers_[0], rows)) if told.pairs else matcher.shipped[0]
    guarded = result.weights[0] if result.weights else matcher.shipped[0]
    differences = [
        after - before
        for weights in (guarded, bold)
        for after, before in zip(split.quality(weights, least), base, strict=True)
    ]
    return {"taken": result.told["taken"], "differences": differences}


def line(name: str, size: int, results: list[dict[str, Any]]) -> str:
    """A row of the table: differences to the shipped weights, pooled over the splits."""
    columns = [[one["differences"][place] for one in results] for place in range(4)]
    taken = f"{sum(one['taken'] for one in results)} of {len(results)}"
    cells = [
        name,
        f"{size:,}",
        told_of(columns[0]),
        told_of(columns[1]),
        taken,
        told_of(columns[2]),
        told_of(columns[3]),
    ]
    return "| " + " | ".join(cells) + " |"


def told_of(parts: list[NDArray[np.float64]]) -> str:
    """A mean difference with its 95 % interval."""
    values = np.concatenate(parts)
    low, high = bootstrap_interval(values)
    return f"{values.mean():+.4f} ({low:+.4f} to {high:+.4f})"


if __name__ == "__main__":
    main()
