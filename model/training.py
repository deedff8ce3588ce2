"""Catalog -> a trained, evaluated version. Everything it learns from stands in ``training_data/``."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from model.baselines import baselines
from model.competence import UNANSWERABLE, CompetencyClassifier, definitions, load_phrases
from model.courselists import read_catalog
from model.domain import Catalog
from model.errors import InputError
from model.evaluation import area_under_curve, evaluate_ranking, expected_calibration_error
from model.lexicon import TRAINING_DATA, Lexicon, load_lexicon
from model.matcher import ACCEPTED_GRADE, Judgements, Matcher, titles_only
from model.recommender import Recommender
from model.tables import read_lines, read_sheets

ACCEPTED = 0.5  # A course is offered where a planner would more likely accept it than not; see docs/architecture.md.
FOLDS = 5


def knowledge(folder: Path = TRAINING_DATA) -> tuple[Lexicon, CompetencyClassifier, Judgements]:
    """Lexicon, fitted classifier and judgements; the same for every catalog, so fitted once a process."""
    return _fitted(folder)


@lru_cache(maxsize=2)  # Beneath the default value, for to the cache knowledge() and knowledge(TRAINING_DATA) are two.
def _fitted(folder: Path) -> tuple[Lexicon, CompetencyClassifier, Judgements]:
    lexicon = load_lexicon(folder)
    phrases = load_phrases("train", folder) + definitions(lexicon)
    classifier = CompetencyClassifier().fit(phrases, [competency.name for competency in lexicon.competencies])
    return lexicon, classifier, load_judgements(lexicon, folder)


def load_judgements(lexicon: Lexicon, folder: Path = TRAINING_DATA) -> Judgements:
    """The bundled gap texts judged against the bundled catalog."""
    catalog, _ = read_catalog(read_sheets(folder / "courses.csv"), lexicon)
    return read_judgements(catalog, folder / "judgements" / "queries.jsonl", folder / "judgements" / "qrels.tsv")


def read_judgements(catalog: Catalog, queries: Path, qrels: Path) -> Judgements:
    """Read queries (``{"qid", "text", "style"}`` a line) and judgements (qid, course id, grade 0 to 3, tab-separated).

    Raises InputError naming the first faulty line; a grade for an unknown text or course would silently change every figure.
    """
    texts: dict[str, str] = {}
    styles: dict[str, str] = {}
    for number, line in enumerate(read_lines(queries), start=1):
        if line.strip():
            identity, text, style = _query(line, f"{queries.name}:{number}")
            if identity in texts:
                raise InputError(f"{queries.name}:{number}: qid “{identity}”重复；每条短板应有自己的 qid。")
            texts[identity], styles[identity] = text, style
    grades: dict[tuple[str, str], int] = {}
    for number, row in enumerate(csv.reader(read_lines(qrels), delimiter="\t"), start=1):
        if row:
            grades[tuple(row[:2])] = _grade(row, f"{qrels.name}:{number}", texts, catalog, queries.name)  # type: ignore[index]
    if not any(grade >= ACCEPTED_GRADE for grade in grades.values()):
        raise InputError(f"按 {qrels.name}，{queries.name} 里没有一条短板有可用的课程（等级 2 以上），无法评价。")
    return Judgements(catalog, MappingProxyType(texts), MappingProxyType(styles), MappingProxyType(grades))


def _query(line: str, place: str) -> tuple[str, str, str]:
    try:
        query = json.loads(line)
        identity, text, style = query["qid"], query["text"], query.get("style") or ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        identity = text = style = None
    if not isinstance(identity, str) or not isinstance(text, str) or not isinstance(style, str):
        raise InputError(f'{place}: 格式不对；每行应为 {{"qid": "…", "text": "…", "style": "…"}}。')
    return identity, text, style


def _grade(row: list[str], place: str, texts: Mapping[str, str], catalog: Catalog, queries: str) -> int:
    if len(row) != 3 or row[2] not in {"0", "1", "2", "3"}:
        raise InputError(f"{place}: 格式不对；每行应为 qid、课程编号、等级（0 到 3），用制表符隔开。")
    if row[0] not in texts:
        raise InputError(f"{place}: {queries} 里没有 qid “{row[0]}”；请核对。")
    if row[1] not in catalog.row_of:
        raise InputError(f"{place}: 课程表里没有编号 “{row[1]}”；请核对。")
    return int(row[2])


def train(catalog: Catalog, version: str = "untrained", folder: Path = TRAINING_DATA) -> Recommender:
    """Train on a catalog: fit the matcher's fusion on the judgements, make the catalog ready to be matched."""
    lexicon, classifier, judgements = knowledge(folder)
    matcher = Matcher(classifier, lexicon).fit(catalog, judgements)
    return Recommender(version, lexicon, matcher, catalog, ACCEPTED)


def measure(folder: Path = TRAINING_DATA) -> dict[str, Any]:
    """The metrics of a version's card: the ranking of judged texts left out of the fusion, with and without summaries, and the
    naming of competencies in phrases of an author nobody trained on."""
    lexicon, classifier, judgements = knowledge(folder)
    matcher = Matcher(classifier, lexicon)
    metrics: dict[str, Any] = {"texts": len(judgements.texts)}
    for name, catalog in (("full", judgements.catalog), ("titles", titles_only(judgements.catalog))):
        metrics[name] = summarise(judgements, matcher.held_out(catalog, judgements, FOLDS))
    return metrics | {"phrases": measure_phrases(classifier, folder)}


def summarise(judgements: Judgements, relevance: np.ndarray[Any, Any]) -> dict[str, float | None]:
    """Means over the judged texts of one relevance matrix (texts x courses): ranking, calibration, answerability."""
    ids = [course.id for course in judgements.catalog]
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for (query, course), grade in judgements.grades.items():
        grades[query][course] = grade
    answerable = [any(grade >= 2 for grade in grades[query].values()) for query in judgements.texts]
    rows = [
        evaluate_ranking(row, ids, grades[query])
        for query, row, known in zip(judgements.texts, relevance, answerable, strict=True)
        if known
    ]
    accepted = np.array([judgements.accepted(query) for query in judgements.texts])
    best = relevance.max(axis=1)
    return {
        **{name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]},
        "ece": round(expected_calibration_error(relevance.ravel(), accepted.ravel()), 4),
        "brier": round(float(np.mean((relevance - accepted) ** 2)), 5),
        "answerable_auc": _separation(
            [value for value, known in zip(best, answerable, strict=True) if known],
            [value for value, known in zip(best, answerable, strict=True) if not known],
        ),
    }


def measure_phrases(classifier: CompetencyClassifier, folder: Path = TRAINING_DATA) -> dict[str, float | None]:
    """On the validation phrases: how often the most probable competency, or one of the three most probable, is a right one."""
    phrases = load_phrases("validation", folder)
    probabilities = classifier.predict_proba([phrase.text for phrase in phrases])
    nothing = probabilities[:, -1]
    named = [row for row, phrase in enumerate(phrases) if UNANSWERABLE not in phrase.competencies]
    order = np.argsort(-probabilities[:, :-1], axis=1, kind="stable")[:, :3]
    hits = [[classifier.classes_[place] in phrases[row].competencies for place in order[row]] for row in named]
    return {
        "texts": len(named),
        "top1": round(float(np.mean([hit[0] for hit in hits])), 4),
        "top3": round(float(np.mean([any(hit) for hit in hits])), 4),
        "unanswerable_auc": _separation(
            [nothing[row] for row in range(len(phrases)) if row not in set(named)], [nothing[row] for row in named]
        ),
    }


def compare(recommender: Recommender, judgements: Judgements) -> dict[str, Any]:
    """The product's ranker beside the baselines on judged texts: means over all answerable texts, then nDCG@10 by style."""
    texts = list(judgements.texts.values())
    rankers = {"quebu": recommender.matcher.relevance(texts), **baselines(judgements.catalog, texts)}
    ids = [course.id for course in judgements.catalog]
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for (query, course), grade in judgements.grades.items():
        grades[query][course] = grade
    seen = set(texts) & set(knowledge()[2].texts.values())
    # The fusion was fitted on the bundled judgements: figures on texts among them flatter it, so the report counts them.
    report: dict[str, Any] = {"texts": len(texts), "seen_in_training": len(seen), "courses": len(ids), "rankers": {}}
    for name, relevance in rankers.items():
        by_style: dict[str, list[dict[str, float]]] = defaultdict(list)
        for query, row in zip(judgements.texts, relevance, strict=True):
            if any(grade >= 2 for grade in grades[query].values()):
                metrics = evaluate_ranking(row, ids, grades[query])
                by_style["all"].append(metrics)
                by_style[judgements.styles[query] or "unknown"].append(metrics)
        overall = {metric: _mean(by_style["all"], metric) for metric in ("ndcg@10", "recall@10", "precision@5")}
        styles = {style: _mean(rows, "ndcg@10") for style, rows in sorted(by_style.items()) if style != "all"}
        report["rankers"][name] = {**overall, "ndcg@10_by_style": styles}
    report["rankers"]["quebu"] |= {
        key: value
        for key, value in summarise(judgements, rankers["quebu"]).items()
        if key in {"ece", "brier", "answerable_auc"}
    }
    return report


def _separation(positives: list[float], negatives: list[float]) -> float | None:
    """The area under the curve, or None where one side is empty: a card is JSON, which knows no NaN."""
    return round(area_under_curve(positives, negatives), 4) if positives and negatives else None


def _mean(rows: list[dict[str, float]], metric: str) -> float:
    return round(float(np.mean([row[metric] for row in rows])), 4) if rows else 0.0
