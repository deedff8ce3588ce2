"""How good the matcher is, beside the baselines in the same run: one table a judged set, with bootstrap intervals.

Sets: the bundled judgements (each text left out of the fusion that scores it), the same catalog as bare titles, and the development set
beside the repository (65 answerable gap texts on 1,380 real titles), on which nothing is fitted. Usage: python benchmarks/quality.py
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.baselines import baselines
from model.courselists import read_catalog
from model.domain import Catalog
from model.encoder import ENCODER, Encoder
from model.evaluation import evaluate_ranking
from model.matcher import Judgements, Matcher, titles_only
from model.tables import read_sheets
from model.training import ACCEPTED, knowledge, measure_phrases, read_judgements, summarise

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
RESAMPLES = 2000


def per_text(judgements: Judgements, relevance: NDArray[Any]) -> pd.DataFrame:
    """One row an answerable text: its style and its metrics."""
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for (query, course), grade in judgements.grades.items():
        grades[query][course] = grade
    ids = [course.id for course in judgements.catalog]
    rows = [
        {"style": judgements.styles[query], **evaluate_ranking(row, ids, grades[query])}
        for query, row in zip(judgements.texts, relevance, strict=True)
        if any(grade >= 2 for grade in grades[query].values())
    ]
    return pd.DataFrame(rows)


def interval(values: NDArray[np.float64]) -> str:
    """The mean with its 95 % bootstrap interval over texts."""
    means = np.random.default_rng(0).choice(values, (RESAMPLES, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():.3f} ({low:.2f}–{high:.2f})"


def with_encoder(encoder: Encoder, catalog: Catalog, texts: list[str]) -> dict[str, NDArray[Any]]:
    """The baselines, and beside them the sentence encoder alone and added to character TF-IDF."""
    found = baselines(catalog, texts)
    courses = encoder.encode([f"{course.title}。{course.summary}" for course in catalog])
    alone = encoder.encode(texts) @ courses.T
    return {**found, "encoder": alone, "tfidf + encoder": 0.3 * found["tfidf"] + 0.7 * alone}


def table(judgements: Judgements, rankers: dict[str, NDArray[Any]]) -> str:
    """Rankers down, nDCG@10 overall and by style, recall@10 and precision@5 across."""
    lines = []
    for name, relevance in rankers.items():
        texts = per_text(judgements, relevance)
        by_style = texts.groupby("style")["ndcg@10"].mean()
        cells = {
            "ranker": name,
            "nDCG@10 (95 %)": interval(texts["ndcg@10"].to_numpy()),
            "recall@10": f"{texts['recall@10'].mean():.3f}",
            "precision@5": f"{texts['precision@5'].mean():.3f}",
            **{
                f"{style} ({count})": f"{by_style[style]:.2f}"
                for style, count in texts["style"].value_counts().sort_index().items()
            },
        }
        lines.append(cells)
    header = list(lines[0])
    rows = [header, ["--"] * len(header), *([line[column] for column in header] for line in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def calibration(judgements: Judgements, relevance: NDArray[Any]) -> str:
    """How far the stated probabilities can be taken at their word, and what the accepted level trades off."""
    metrics = summarise(judgements, relevance)
    accepted = np.array([judgements.accepted(query) for query in judgements.texts])
    known = accepted.any(axis=1)
    lines = [f"ECE {metrics['ece']:.4f}, Brier {metrics['brier']:.4f}, answerable AUC {metrics['answerable_auc']:.3f}."]
    for level in sorted({0.3, 0.4, ACCEPTED}):
        offered = relevance >= level
        lines.append(
            f"At relevance {level}: {accepted[offered].mean():.0%} of offered pairs accepted; {offered.any(axis=1)[known].mean():.0%} of answerable "
            f"texts reached, {(offered & accepted).any(axis=1)[known].mean():.0%} with an accepted course; "
            f"{offered.any(axis=1)[~known].mean():.0%} of the others reached wrongly."
        )
    return "\n".join(lines)


def main() -> None:
    """Print every table."""
    lexicon, classifier, judgements = knowledge()
    encoder = Encoder(np.load(ENCODER))
    matcher = Matcher(classifier, lexicon)
    for title, catalog in (
        ("Bundled catalog, texts left out", judgements.catalog),
        ("Bundled catalog as bare titles, texts left out", titles_only(judgements.catalog)),
    ):
        view = Judgements(catalog, judgements.texts, judgements.styles, judgements.grades)
        held_out = matcher.held_out(catalog, judgements, 5)
        rankers = {"quebu": held_out, **with_encoder(encoder, catalog, list(view.texts.values()))}
        print(f"## {title}\n\n{table(view, rankers)}\n\n{calibration(view, held_out)}\n")
    print(f"## Phrases of the validation pass\n\n{measure_phrases(classifier)}\n")

    if not SHARED.is_dir():
        print("judged_dev skipped: the shared measuring data is not beside the repository")
        return
    catalog, _ = read_catalog(read_sheets(SHARED / "courses" / "cadre_courses_1380.csv"), lexicon)
    judged = read_judgements(catalog, SHARED / "judged_dev" / "queries.jsonl", SHARED / "judged_dev" / "qrels.tsv")
    relevance = matcher.fit(catalog, judgements).relevance(list(judged.texts.values()))
    rankers = {"quebu": relevance, **with_encoder(encoder, catalog, list(judged.texts.values()))}
    print(f"## Development set, 1,380 real titles\n\n{table(judged, rankers)}\n\n{calibration(judged, relevance)}")


if __name__ == "__main__":
    main()
