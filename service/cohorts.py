"""What is asked for many people at once, and its answers: the same whether they are given at once or by a job."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from marshmallow import ValidationError

from model.cohort.diagnosis import Person, diagnosed
from model.cohort.nouns import CohortPlan, Filed
from model.cohort.rival import compare
from model.domain import Limits, Profile, Reading
from model.errors import InputError, TableError
from model.lexicon import Lexicon
from model.recommender import Recommender
from model.selection import Selector
from service.planning import filing_of, make_plan
from service.shapes.asked import Asked
from service.shapes.diagnosis import dump_diagnosis
from service.shapes.filed import masked
from service.shapes.files import AS_SENT, Mended, dump_reading, roster_in
from service.shapes.outputs import PlanResults, Results, plan_sheets, plan_writer, writer
from service.shapes.people import load_read
from service.shapes.plans import dump_cohort, load_cohort
from service.shapes.schemas import ProfileIn, dump_plan
from service.shapes.sheets import dump_sheet

JSON = "application/json"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHUNK = 500  # People answered together: enough that texts are shared, few enough to be held.
LISTED = ".json"  # The suffix, so to speak, of people who came as a JSON list,
READ = ".read"  # and of those who were read before, and are kept as they were read.
ON_THE_DESK = "desk"  # The type, so to speak, of an answer that goes onto the desk of the console.

Month = tuple[int, int]


class Roster(NamedTuple):
    """People as they were sent: a file with its suffix, and what was mended of it, or the JSON list of a body."""

    suffix: str
    content: bytes
    mended: Mended = AS_SENT

    @property
    def name(self) -> str:
        """What its file is called while it is read, and in what is said of it: the name a client gave its file is never used."""
        return f"roster{self.suffix}"

    def read(self, lexicon: Lexicon, month: Month | None = None) -> Reading[Profile]:
        """The people on it; InputError or ValidationError where they cannot be used."""
        if self.suffix == LISTED:
            return reading_of(json.loads(self.content), lexicon)
        if self.suffix == READ:
            return load_read(json.loads(self.content))
        with TemporaryDirectory() as folder:
            path = Path(folder) / self.name
            path.write_bytes(self.content)
            return roster_in(path, lexicon, month, self.mended)


def reading_of(people: list[Any], lexicon: Lexicon) -> Reading[Profile]:
    """People as the body of a request has them; ValidationError names every faulty field from ``/people`` on."""
    try:
        profiles = ProfileIn(lexicon).load(people, many=True)
    except ValidationError as error:
        raise ValidationError({"people": error.messages}) from error
    twice = len(profiles) - len({person.id for person in profiles})
    if twice:
        raise InputError(f"有 {twice} 人的 id 与别人重复；请给每人各自的编号。")
    return Reading(tuple(profiles), len(profiles), 0, {})


def people_lacking(recommender: Recommender, reading: Reading[Profile], limits: Limits) -> list[Person]:
    """The people of a roster with all they lack, and of each gap whether some course would close it."""
    selector = Selector(recommender.catalog, limits)
    return diagnosed(*recommender.needs(reading.values), selector, recommender.lexicon)


def diagnosis_as_json(
    recommender: Recommender, reading: Reading[Profile], limits: Limits, share: float, *, from_file: bool
) -> bytes:
    """Who lacks what, with the maps and needs that are counted from it."""
    told = {
        "model_version": recommender.version,
        "reading": dump_reading(reading) if from_file else None,
        **dump_diagnosis(people_lacking(recommender, reading, limits), share),
    }
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


def plan_for(
    recommender: Recommender,
    reading: Reading[Profile],
    asked: Asked,
    settings: Mapping[str, Any],
    deadline: str,
    before: Filed | None,
) -> PlanResults:
    """One plan for all; InputError names what cannot be."""
    plan, demand = make_plan(recommender, reading.values, asked, settings, time.monotonic)
    filing = filing_of(recommender, plan, demand, asked, settings, time.monotonic, deadline, before)
    comparison = compare(before, load_cohort(dump_cohort(filing))) if before else None
    return PlanResults(filing, reading, comparison, _unknown(recommender, reading))


def tried(recommender: Recommender, people: Sequence[Profile], asked: Asked, settings: Mapping[str, Any]) -> CohortPlan:
    """The plan alone, without what is told beside it: for who only wants to see what a change would bring. InputError names what cannot be."""
    return make_plan(recommender, people, replace(asked, what_if=False), settings, time.monotonic)[0]


def plan_told(results: PlanResults, *, from_file: bool) -> dict[str, Any]:
    """A plan by the contract, with the comparison it was asked for and the account of the file it was made from."""
    return dump_cohort(results.filing) | {
        "comparison": None if results.comparison is None else asdict(results.comparison),
        "reading": dump_reading(results.reading) if from_file else None,
    }


def plan_with_sheets(results: PlanResults) -> dict[str, Any]:
    """The same, and the sheets of its workbook without anybody's name, as the console keeps them."""
    return {
        "plan": plan_told(results, from_file=True),
        "sheets": [dump_sheet(sheet) for sheet in plan_sheets(masked(results))],
    }


def plan_as_json(results: PlanResults, *, from_file: bool) -> bytes:
    """A plan as the interface answers it."""
    return json.dumps(plan_told(results, from_file=from_file), ensure_ascii=False).encode() + b"\n"


def plan_as_workbook(results: PlanResults) -> bytes:
    """A plan as ``quebu plan`` writes it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan.xlsx"
        plan_writer(path)(results)
        return path.read_bytes()


def lists_as_workbook(recommender: Recommender, reading: Reading[Profile], limits: Limits) -> bytes:
    """The recommendations for all, as ``quebu recommend`` writes them."""
    plans = recommender.plans(reading.values, limits)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "recommendations.xlsx"
        writer(path, path)(Results(plans, recommender.lexicon, reading, _unknown(recommender, reading)))
        return path.read_bytes()


def lists_as_json(
    recommender: Recommender,
    reading: Reading[Profile],
    limits: Limits,
    explain: str,
    *,
    from_file: bool,
    first: int = 0,
) -> Iterator[tuple[bytes, int]]:
    """The recommendations for all as the parts of one JSON object, from part ``first`` on; with each, how many people are answered by then."""
    people = reading.values
    for start in range(first * CHUNK, len(people), CHUNK):
        chunk = people[start : start + CHUNK]
        told = [json.dumps(dump_plan(plan, explain), ensure_ascii=False) for plan in recommender.plans(chunk, limits)]
        head, tail = ",\n", ""
        if not start:
            beside = {
                "model_version": recommender.version,
                "reading": dump_reading(reading) if from_file else None,
            }
            head = json.dumps(beside, ensure_ascii=False).removesuffix("}") + ', "results": [\n'
        done = start + len(chunk)
        if done == len(people):
            tail = "\n]}\n"
        yield (head + ",\n".join(told) + tail).encode(), done


def asked_of(limits: Limits) -> dict[str, Any]:
    """Limits as a job keeps them."""
    return {"top": limits.top, "level_window": limits.level_window, "exclude": sorted(limits.excluded)}


def limits_in(asked: Mapping[str, Any]) -> Limits:
    """Limits as a job kept them."""
    return Limits(asked["top"], asked["level_window"], frozenset(asked["exclude"]))


def in_words_of_the_request(error: Exception) -> str:
    """The sentences name the options of the command; here they are fields. Of a table's faults only the head: the others quote cells."""
    told = str(error).splitlines()[0] if isinstance(error, TableError) else str(error)
    return re.sub(r"--([a-z-]+)", lambda option: option[1].replace("-", "_"), told)


def _unknown(recommender: Recommender, reading: Reading[Profile]) -> tuple[tuple[Profile, str], ...]:
    """Completed courses that the catalog does not know."""
    return tuple((person, text) for person in reading.values for text in recommender.unknown_completed(person))
