"""How long a whole city takes: 20,000 profiles against 1,380 courses through `quebu recommend`, time and peak memory.

The people are made from real posts (13,740 civil-service posts of Henan) and the bundled validation and training phrases; both the posts
and the course list lie beside the repository and are not part of it. Usage: python benchmarks/speed.py [PEOPLE]
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
from pathlib import Path

from model.competence import load_phrases

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
QUEBU = Path(sys.executable).with_name("quebu")
DISTINCT_TEXTS = 3_000


def posts() -> list[tuple[str, str]]:
    """Unit and post of every real post."""
    found = []
    for year in ("2024", "2026"):
        with (SHARED / "posts" / f"henan_{year}.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                unit = row.get("招录单位") or row.get("招录机关（单位）") or ""
                found.append((unit, row["职位名称"]))
    return found


def make_profiles(people: int, path: Path) -> int:
    """Write invented profiles on real posts; return the number of distinct gap texts among them."""
    dice = random.Random(0)
    texts = [phrase.text for split in ("train", "validation") for phrase in load_phrases(split)]
    texts = dice.sample(texts, DISTINCT_TEXTS)
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
        rows = [
            ("train, 1,380 courses", timed(QUEBU, "train", "--courses", courses, "--registry", registry, "--activate"))
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
    print("| what | seconds | peak MiB |\n|---|--:|--:|")
    for what, (seconds, memory) in rows:
        print(f"| {what} | {seconds:.1f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
