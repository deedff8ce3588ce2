"""How good and how fast class plans are: judged by the development set's grades, and at 20,000 people.

Usage: python benchmarks/plans.py        (python benchmarks/plans.py 2000 for fewer people)
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from speed import QUEBU, SHARED, make_courses, make_profiles, timed

from model.baselines import bm25
from model.choices import choices_of
from model.classes import preset
from model.cohort import ClassProblem, plan_class
from model.cohort_domain import Origin
from model.courselists import read_catalog
from model.demand import demand_of
from model.domain import Limits
from model.judgements import Judgements, read_judgements
from model.lexicon import load_lexicon
from model.program import Effort
from model.rosters import read_roster
from model.selection import Selector
from model.tables import read_sheets
from model.training import train

HOURS, HOURS_PER_DAY, DEFAULT_HOURS = 24.0, 6.0, 1.0


def closed_by_key(judged: Judgements, wanted: Iterable[str], held: set[str]) -> int:
    """How many of the wanted texts have a course of grade 2 or 3 among those held."""
    grades = judged.by_text()
    return sum(any(grades[query].get(course, 0) >= 2 for course in held) for query in wanted)


def judged_plans() -> list[str]:
    """A 24-hour 专题班 for the roster of the development set, and simpler ways to choose it, by the key's grades."""
    home = SHARED / "judged_dev"
    lexicon = load_lexicon()
    catalog, _ = read_catalog(read_sheets(SHARED / "courses" / "cadre_courses_1380.csv"), lexicon)
    judged = read_judgements(catalog, home / "queries.jsonl", home / "qrels.tsv")
    recommender = train(catalog)
    people = read_roster(read_sheets(home / "roster.xlsx"), lexicon).values
    key = [json.loads(line) for line in (home / "roster_key.jsonl").read_text(encoding="utf-8").splitlines()]
    wanted = [query for row in key for query in row["qids"]]
    needs, reach = recommender.needs(people)
    choices = choices_of(catalog, recommender.matcher.teaches, lexicon, DEFAULT_HOURS)
    demand = demand_of(needs, reach, choices, Selector(catalog, Limits()))
    rules = preset("专题班", HOURS, HOURS_PER_DAY)
    problem = ClassProblem(demand, rules)
    plan = plan_class(demand, rules, Effort(), time.perf_counter, Origin("", ""))
    chosen = {"the plan": {course.id for session in plan.sessions for course in session.courses}}
    for name, places in problem.simpler().items():
        chosen[name] = {course.id for place in np.flatnonzero(places) for course in choices[place].courses}
    stated = [gap.text for own in needs for gap in own.gaps if gap.reason == "lack"]
    score = bm25(catalog, stated).sum(axis=0)
    by_words = problem.greedy(lambda _: np.array([score[list(choice.rows)].sum() for choice in choices]))
    chosen["BM25"] = {course.id for place in np.flatnonzero(by_words) for course in choices[place].courses}
    lines = [
        "| 24-hour 专题班, 50 people | stated lacks closed (grade 2 or 3) | share | courses |",
        "|---|--:|--:|--:|",
    ]
    for name, held in chosen.items():
        count = closed_by_key(judged, wanted, held)
        lines.append(f"| {name} | {count} of {len(wanted)} | {count / len(wanted):.1%} | {len(held)} |")
    return lines


def main() -> None:
    """Print the tables."""
    if not SHARED.is_dir():
        print("skipped: the shared measuring data is not beside the repository")
        return
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print(
        "| class plan, 2,000 courses, 3,000 distinct texts, roster to workbook | seconds | of these, solving | gap | peak MiB |"
    )
    print("|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        registry, courses = Path(folder) / "registry", Path(folder) / "courses.csv"
        make_courses(2000, courses)
        timed(QUEBU, "train", "--courses", courses, "--registry", registry, "--activate")
        for people in sorted({max(500, most // 10), most}):
            roster, book, told = (Path(folder) / name for name in ("people.jsonl", "plan.xlsx", "plan.json"))
            make_profiles(people, roster)
            asked = ("plan", "--roster", roster, "--hours", "48", "--registry", registry, "--gap", "0.001", "--out")
            seconds, memory = timed(QUEBU, *asked, book)
            timed(QUEBU, *asked, told)
            found = json.loads(told.read_text(encoding="utf-8"))
            print(f"| {people:,} people | {seconds:.1f} | {found['seconds']:.1f} | {found['gap']:.3%} | {memory:.0f} |")
    # Last, for a child's peak memory counts from what its parent holds when it starts.
    print("\n" + "\n".join(judged_plans()))


if __name__ == "__main__":
    main()
