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
from typing import Any

import numpy as np
from speed import QUEBU, SHARED, make_courses, make_profiles, timed

from model.baselines import bm25
from model.cohort.choices import choices_of
from model.cohort.class_plan import ClassProblem, plan_class
from model.cohort.demand import demand_of
from model.cohort.nouns import Origin
from model.cohort.program import Effort
from model.cohort.rules import preset
from model.domain import Limits
from model.files.courselists import read_catalog
from model.files.rosters import read_roster
from model.files.tables import read_sheets
from model.judgements import Judgements, read_judgements
from model.lexicon import load_lexicon
from model.selection import Selector
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


def other_plans(registry: Path, folder: Path) -> list[str]:
    """Menus for 500 people: 60 courses offered, all held if wanted; and at most 60 sessions of the whole catalog. Classes for 50."""
    roster, told = folder / "menu.jsonl", folder / "menu.json"
    make_profiles(500, roster)
    named = ("plan", "--registry", registry, "--gap", "0.01", "--out", told, "--roster")
    menu = (*named, roster, "--menu", "--hours", "8", "--seats", "30", "--min-size", "5")
    lines = [
        "| plan | seconds | of these, solving | gap | objective | simpler ways |",
        "|---|--:|--:|--:|--:|---|",
    ]
    timed(QUEBU, *menu, "--sessions", "60")
    offered = [word for one in read_plan(told)["sessions"] for word in ("--offer", one["course_id"])]
    judged = SHARED / "judged_dev" / "roster.xlsx"
    for name, asked in (
        (f"menu, 500 people, {len(offered) // 2} courses offered", (*menu, *offered)),
        ("menu, 500 people, at most 60 sessions of 2,000 courses", (*menu, "--sessions", "60")),
        ("three classes of 24 hours, 50 people", (*named, judged, "--hours", "24", "--classes", "3")),
    ):
        seconds, _ = timed(QUEBU, *asked)
        found = read_plan(told)
        others = "; ".join(f"{other['name']} {other['objective']:.0f}" for other in found["yardsticks"])
        lines.append(
            f"| {name} | {seconds:.1f} | {found['seconds']:.1f} | {found['gap']:.2%} | {found['objective']:.1f} | {others} |"
        )
    return lines


def read_plan(path: Path) -> dict[str, Any]:
    """A plan that was written as JSON."""
    plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return plan


def main() -> None:
    """Print the tables."""
    if not SHARED.is_dir():
        print("skipped: the shared measuring data is not beside the repository")
        return
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print(
        "| class plan, 2,000 courses, roster to workbook | distinct gaps | seconds | of these, solving | gap | peak MiB |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        registry, courses = Path(folder) / "registry", Path(folder) / "courses.csv"
        make_courses(2000, courses)
        timed(QUEBU, "train", "--courses", courses, "--registry", registry, "--activate")
        for people in sorted({max(500, most // 10), max(500, most // 4), most}):
            roster, book, told = (Path(folder) / name for name in ("people.jsonl", "plan.xlsx", "plan.json"))
            make_profiles(people, roster)
            asked = ("plan", "--roster", roster, "--hours", "48", "--registry", registry, "--gap", "0.001", "--out")
            seconds, memory = timed(QUEBU, *asked, book)
            timed(QUEBU, *asked, told)
            found = read_plan(told)
            gaps = len({one["gap"] for one in (*found["closed"], *found["missed"])})
            print(
                f"| {people:,} people | {gaps:,} | {seconds:.1f} | {found['seconds']:.1f} | {found['gap']:.3%} | {memory:.0f} |"
            )
        print("\n" + "\n".join(other_plans(registry, Path(folder))))
    # Last, for a child's peak memory counts from what its parent holds when it starts.
    print("\n" + "\n".join(judged_plans()))


if __name__ == "__main__":
    main()
