"""How long it takes: trainings, a whole city through `quebu recommend`, one text at 10,000 courses beside two baselines; peak memory.

The people are made from real posts (13,740 civil-service posts of Henan) and invented gap texts cut from bundled phrases, so that none has a vector
beforehand; posts and course lists lie beside the repository and are not part of it. Usage: python benchmarks/speed.py [PEOPLE]
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import bm25s
import numpy as np
from sklearn.metrics.pairwise import cosine_similarity

from model.competence import load_phrases
from model.text import character_ngrams, words
from model.versions.registry import Registry

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
QUEBU = Path(sys.executable).with_name("quebu")
DISTINCT_TEXTS = 3_000
ONE_BY_ONE = 300


def posts() -> list[tuple[str, str]]:
    """Unit and post of every real post."""
    found = []
    for year in ("2024", "2026"):
        with (SHARED / "posts" / f"henan_{year}.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                unit = row.get("招录单位") or row.get("招录机关（单位）") or ""
                found.append((unit, row["职位名称"]))
    return found


def unseen_texts() -> list[str]:
    """Gap texts no vector comes with: the halves of two phrases put together."""
    phrases = [phrase.text for split in ("train", "validation") for phrase in load_phrases(split)]
    return [f"{one[: len(one) // 2]}，{other[len(other) // 2 :]}" for one, other in pairwise(phrases)]


def make_courses(count: int, path: Path) -> None:
    """Write a course list: the titles of the real lists, each in as many editions as are needed."""
    titles = []
    for name, column in (("cadre_courses_1380.csv", "title"), ("icourse163_1219.csv", "课程名称")):
        with (SHARED / "courses" / name).open(encoding="utf-8-sig", newline="") as file:
            titles += [row[column] for row in csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["course_id", "title"])
        writer.writerows(
            [f"s{n:05d}", f"{titles[n % len(titles)]}（第{n // len(titles) + 1}期）"] for n in range(count)
        )


def one_text(registry: Path) -> list[tuple[str, str]]:
    """One text at a time against the active version: milliseconds, p50 and p99, beside BM25 and the cosine of TF-IDF."""
    recommender = Registry(registry).load()
    texts = unseen_texts()[-ONE_BY_ONE:]
    titles = [course.title for course in recommender.catalog]
    index = bm25s.BM25()
    index.index([words(title) or [""] for title in titles], show_progress=False)
    vectorizer = character_ngrams()
    courses = vectorizer.fit_transform(titles)
    recommender.answer(["热身"])
    runs: dict[str, Callable[[str], object]] = {
        "quebu, text not seen before": lambda text: recommender.answer([text]),
        "quebu, text seen": lambda text: recommender.answer([text]),
        "bm25s": lambda text: index.get_scores(words(text) or [""]).argsort()[-10:],
        "scikit-learn, cosine of TF-IDF": lambda text: cosine_similarity(
            vectorizer.transform([text]), courses
        ).argsort()[:, -10:],
    }
    rows = []
    for name, run in runs.items():
        times = []
        for text in texts:
            start = time.perf_counter()
            run(text)
            times.append(1000 * (time.perf_counter() - start))
        rows.append(
            (
                f"one text, {len(titles):,} courses: {name}",
                f"{np.median(times):.1f} ms p50, {np.percentile(times, 99):.1f} ms p99",
            )
        )
    return rows


def make_profiles(people: int, path: Path) -> int:
    """Write invented profiles on real posts; return the number of distinct gap texts among them."""
    dice = random.Random(0)
    texts = dice.sample(unseen_texts(), DISTINCT_TEXTS)
    jobs = posts()
    used: set[str] = set()
    with path.open("w", encoding="utf-8") as file:
        for number in range(people):
            unit, post = dice.choice(jobs)
            lacks = dice.sample(texts, dice.randint(1, 3))
            used.update(lacks)
            person = {"id": f"P{number}", "unit": unit, "post": post, "weaknesses": [{"text": text} for text in lacks]}
            file.write(json.dumps(person, ensure_ascii=False) + "\n")
    return len(used)


def timed(*command: str | Path) -> tuple[float, float]:
    """Run a command to its end; seconds and peak resident memory in MiB of that child alone."""
    start = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[1]} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    """Print one table."""
    if not SHARED.is_dir():
        print("skipped: the shared measuring data is not beside the repository")
        return
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        registry, roster = Path(folder) / "registry", Path(folder) / "people.jsonl"
        distinct = make_profiles(people, roster)
        courses = SHARED / "courses" / "cadre_courses_1380.csv"
        many, large = Path(folder) / "10000.csv", Path(folder) / "large"
        make_courses(10_000, many)
        rows = [
            (f"train, {what}", timed(QUEBU, "train", "--courses", listed, "--registry", home, "--activate"))
            for what, listed, home in (
                ("10,000 courses", many, large),
                ("10,000 courses again", many, large),
                ("1,380 courses", courses, registry),
                ("1,380 courses again", courses, registry),
            )
        ]
        for suffix in ("jsonl", "xlsx"):
            out = Path(folder) / f"result.{suffix}"
            run = timed(QUEBU, "recommend", "--roster", roster, "--registry", registry, "--out", out)
            size = out.stat().st_size / 2**20
            rows.append((f"recommend, {people:,} people, {distinct:,} distinct texts, {suffix} ({size:.0f} MB)", run))
        rows.append(
            (
                "match, one text, the command's start included",
                timed(QUEBU, "match", "不会写材料", "--registry", registry),
            )
        )
        single = one_text(large)
    print("| what | seconds | peak MiB |\n|---|--:|--:|")
    for what, (seconds, memory) in rows:
        print(f"| {what} | {seconds:.1f} | {memory:.0f} |")
    print("\n| what | time |\n|---|--:|")
    for what, told in single:
        print(f"| {what} | {told} |")


if __name__ == "__main__":
    main()
