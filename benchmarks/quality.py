"""How good the matcher is, beside itself with parts taken away and beside the baselines, in one run: a table a judged set.

Sets: the bundled judgements (each text left out of the fusion that scores it), the same catalog as bare titles, the development set
beside the repository (65 answerable gap texts on 1,380 real titles) and keyword → abstract retrieval on CSL dev, on neither of which anything is
fitted. Usage: python benchmarks/quality.py
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from model.comparison import held_out_rankings, rankings, report
from model.domain import Catalog, Course
from model.files.courselists import read_catalog
from model.files.tables import read_sheets
from model.judgements import Judgements, read_judgements, titles_only
from model.reader import Reader, names_nothing
from model.training import ACCEPTED, Knowledge, knowledge, measure_phrases, summarise, train

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def table(judgements: Judgements, found: dict[str, NDArray[Any]]) -> str:
    """Rankers down, nDCG@10 overall and by style, recall@10 and precision@5 across."""
    told = report(judgements, found)
    styles = list(told["quebu"]["ndcg@10_by_style"])
    header = ["ranker", "nDCG@10 (95 %)", "recall@10", "precision@5", *styles]
    lines = [header, ["--"] * len(header)]
    for name, row in told.items():
        low, high = row["ndcg@10_interval"]
        by_style = [f"{row['ndcg@10_by_style'][style]:.2f}" for style in styles]
        whole = [f"{row['ndcg@10']:.3f} ({low:.2f}–{high:.2f})", f"{row['recall@10']:.3f}", f"{row['precision@5']:.3f}"]
        lines.append([name, *whole, *by_style])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def calibration(judgements: Judgements, relevance: NDArray[Any]) -> str:
    """How far the stated probabilities can be taken at their word, and what the accepted level trades off."""
    metrics = summarise(judgements, relevance)
    accepted = judgements.accepted()
    known = accepted.any(axis=1)
    lines = [
        f"ECE {metrics['ece']:.4f}, among the ten best of each text {metrics['ece_top10']:.3f}, Brier {metrics['brier']:.4f}, answerable AUC {metrics['answerable_auc']:.3f}."
    ]
    edges = [0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 1.0]
    told = []
    for low, high in pairwise(edges):
        inside = (relevance >= low) & (relevance < high)
        if inside.any():
            told.append(f"{relevance[inside].mean():.2f} → {accepted[inside].mean():.2f} ({inside.sum()})")
    lines.append(f"Reliability (stated → observed, pairs): {', '.join(told)}.")
    for level in sorted({0.3, 0.4, ACCEPTED}):
        offered = relevance >= level
        lines.append(
            f"At relevance {level}: {accepted[offered].mean():.0%} of offered pairs accepted; {offered.any(axis=1)[known].mean():.0%} of answerable "
            f"texts reached, {(offered & accepted).any(axis=1)[known].mean():.0%} with an accepted course; "
            f"{offered.any(axis=1)[~known].mean():.0%} of the others reached wrongly."
        )
    return "\n".join(lines)


def keywords(path: Path) -> Judgements:
    """CSL: each keyword that does not stand literally in its abstract, and that abstract as the one right answer."""
    papers = json.loads(path.read_text(encoding="utf-8"))
    catalog = Catalog(tuple(Course(paper["id"], paper["abstract"]) for paper in papers))
    pairs = [
        (keyword, paper["id"])
        for paper in papers
        for keyword in paper["keywords"].split("_")
        if keyword and keyword.lower() not in paper["abstract"].lower()
    ]
    texts = {f"{number}": keyword for number, (keyword, _) in enumerate(pairs)}
    grades = {(f"{number}", paper): 3 for number, (_, paper) in enumerate(pairs)}
    return Judgements(catalog, texts, dict.fromkeys(texts, "keyword"), grades)


def noted(queries: Path, note: str) -> set[str]:
    """The ids of the texts that carry a note."""
    lines = queries.read_text(encoding="utf-8").splitlines()
    return {query["qid"] for line in lines if (query := json.loads(line)).get("note") == note}


def among(judgements: Judgements, chosen: set[str]) -> Judgements:
    """Some of the texts, with their grades."""
    texts = {query: text for query, text in judgements.texts.items() if query in chosen}
    grades = {pair: grade for pair, grade in judgements.grades.items() if pair[0] in chosen}
    return replace(judgements, texts=texts, grades=grades)


def reading(known: Knowledge) -> str:
    """How many of the texts of readings.jsonl are read into as many lacks as they tell of, by kind."""
    lines = (Path(__file__).parent / "readings.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    split = Reader(known.classifiers[0], known.lexicon).split([one["text"] for one in told])
    right: dict[str, list[bool]] = defaultdict(list)
    for one in told:
        lacks = [lack for lack in split[one["text"]] if not names_nothing(lack)]
        right[one["kind"]].append(len(lacks) == len(one["lacks"]))
    return ", ".join(f"{kind} {sum(found)} of {len(found)}" for kind, found in sorted(right.items()))


def on(judgements: Judgements, known: Knowledge) -> dict[str, NDArray[Any]]:
    """Every ranker on judged texts of a catalog of its own."""
    return rankings(train(judgements.catalog), judgements, known)


def main() -> None:
    """Print every table."""
    known = knowledge()
    bundled = known.judgements
    views = held_out_rankings(known)
    for title, catalog, found in zip(
        ("Bundled catalog, texts left out", "Bundled catalog as bare titles, texts left out"),
        (bundled.catalog, titles_only(bundled.catalog)),
        views,
        strict=True,
    ):
        view = Judgements(catalog, bundled.texts, bundled.styles, bundled.grades)
        print(f"## {title}\n\n{table(view, found)}\n\n{calibration(view, found['quebu'])}\n")
    print(f"## Phrases of the validation pass\n\n{measure_phrases(known.classifiers[0])}\n")

    print(f"## Texts read into as many lacks as they tell of\n\n{reading(known)}\n")

    if not SHARED.is_dir():
        print("the development set and CSL skipped: the shared measuring data is not beside the repository")
        return
    catalog, _ = read_catalog(read_sheets(SHARED / "courses" / "cadre_courses_1380.csv"), known.lexicon)
    judged = read_judgements(catalog, SHARED / "judged_dev" / "queries.jsonl", SHARED / "judged_dev" / "qrels.tsv")
    found = on(judged, known)
    print(f"## Development set, 1,380 real titles\n\n{table(judged, found)}\n\n{calibration(judged, found['quebu'])}\n")
    hard = among(judged, noted(SHARED / "judged_dev" / "queries.jsonl", "hard_negative"))
    rows = [row in hard.texts for row in judged.texts]
    few = {name: relevance[rows] for name, relevance in found.items()}
    print(f"## Of these, the texts whose words mislead\n\n{table(hard, few)}\n")
    papers = keywords(SHARED / "public_benchmarks" / "csl_dev.json")
    print(f"## CSL dev, keyword → abstract\n\n{table(papers, on(papers, known))}")


if __name__ == "__main__":
    main()
