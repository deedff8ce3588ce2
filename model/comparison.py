"""The product's ranker on judged texts, beside itself with parts taken away and beside the rankers it has to beat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.baselines import baselines
from model.competence import CompetencyClassifier
from model.evaluation import bootstrap_interval, evaluate_ranking
from model.judgements import ACCEPTED_GRADE, Judgements, titles_only
from model.matcher import Judged
from model.recommender import Recommender
from model.training import Knowledge, summarise

# What is taken away together: the lexicon's words are sought for the competencies, so they go with them.
PARTS = {
    "without semantic": ("semantic",),
    "without competency": ("competency", "expansion"),
    "without expansion": ("expansion",),
    "without lexical": ("lexical",),
    "without lack": ("lack",),
}

Rankings = dict[str, NDArray[np.floating]]


def rankings(recommender: Recommender, judgements: Judgements, known: Knowledge) -> Rankings:
    """Relevance of the catalog's courses to each judged text, shape (texts, courses), by each ranker.

    The ablated rankers are fitted on the bundled judgements as the whole one was; the last ranker of a matcher reads without an encoder.
    """
    texts = list(judgements.texts.values())
    ranker = recommender.matcher.rankers_[0]
    found: Rankings = {"quebu": recommender.relevance(texts)}
    judged = Judged.of(known.judgements, ranker.classifier, known.lexicon)
    evidence = ranker.evidence.of(texts)
    for name, parts in PARTS.items():
        if set(parts) <= set(judged.features):
            kept = [place for place, feature in enumerate(judged.features) if feature not in parts]
            weights = judged.without(*parts).weights()
            found[name] = weights.relevance(evidence[..., kept], ranker.evidence.familiar)
    for spare in recommender.matcher.rankers_[1:]:
        found[_spare(spare.classifier)] = spare.scores(texts)["relevance"]
    return found | baselines(judgements.catalog, texts, ranker.classifier.vectors)


def held_out_rankings(known: Knowledge) -> tuple[Rankings, Rankings]:
    """The same for the bundled judgements, whole catalog and bare titles, each text left out of the weights that score it."""
    best, *spare = [Judged.of(known.judgements, classifier, known.lexicon) for classifier in known.classifiers]
    whole = {"quebu": best.held_out()}
    for name, parts in PARTS.items():
        if set(parts) <= set(best.features):
            whole[name] = best.without(*parts).held_out()
    whole |= {_spare(reader): judged.held_out() for reader, judged in zip(known.classifiers[1:], spare, strict=True)}
    texts = list(known.judgements.texts.values())
    full, bare = (
        {name: relevance[place] for name, relevance in whole.items()}
        | baselines(catalog, texts, known.classifiers[0].vectors)
        for place, catalog in enumerate((known.judgements.catalog, titles_only(known.judgements.catalog)))
    )
    return full, bare


def _spare(reader: CompetencyClassifier) -> str:
    return f"quebu by {reader.vectors.name}" if reader.vectors else "quebu without any encoder"


def per_text(judgements: Judgements, relevance: NDArray[np.floating]) -> list[dict[str, Any]]:
    """For each answerable text its style and its metrics."""
    ids, grades = [course.id for course in judgements.catalog], judgements.by_text()
    return [
        {"style": judgements.styles[query] or "unknown", **evaluate_ranking(row, ids, grades[query])}
        for query, row in zip(judgements.texts, relevance, strict=True)
        if any(grade >= ACCEPTED_GRADE for grade in grades[query].values())
    ]


def report(judgements: Judgements, found: Mapping[str, NDArray[np.floating]]) -> dict[str, dict[str, Any]]:
    """For each ranker its means over the answerable texts, the 95 % interval of nDCG@10, and nDCG@10 by style."""
    told: dict[str, dict[str, Any]] = {}
    for name, relevance in found.items():
        rows = per_text(judgements, relevance)
        styles: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            styles[row["style"]].append(row["ndcg@10"])
        means = {metric: _mean([row[metric] for row in rows]) for metric in ("ndcg@10", "recall@10", "precision@5")}
        interval = [round(edge, 4) for edge in bootstrap_interval(np.array([row["ndcg@10"] for row in rows]))]
        by_style = {style: _mean(values) for style, values in sorted(styles.items())}
        told[name] = {**means, "ndcg@10_interval": interval, "ndcg@10_by_style": by_style}
    return told


def compare(recommender: Recommender, judgements: Judgements, known: Knowledge) -> dict[str, Any]:
    """``quebu evaluate``: the report on judged texts, with calibration and answerability of the product's own relevance.

    ``known`` is what the recommender was trained with.
    """
    found = rankings(recommender, judgements, known)
    # The weights were learnt from the bundled judgements: figures on texts among them flatter it, so the report counts them.
    seen = set(judgements.texts.values()) & set(known.judgements.texts.values())
    told = report(judgements, found)
    own = summarise(judgements, found["quebu"])
    told["quebu"] |= {key: own[key] for key in ("ece", "ece_top10", "brier", "answerable_auc")}
    counts = {"texts": len(judgements.texts), "seen_in_training": len(seen), "courses": len(judgements.catalog)}
    return {**counts, "rankers": told}


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 4) if values else 0.0
