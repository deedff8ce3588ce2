"""What a page counts from a plan's JSON is what the reports count."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from model.cohort.filing import NO_UNIT, Filing
from model.cohort.menu import MENU
from model.cohort.need_reports import common_needs
from model.cohort.plan_reports import cohort_sheets
from service.shapes.filed import Called
from service.shapes.outcome import Outcome, titles_by_person
from service.shapes.plans import dump_cohort
from service.shapes.sheets import dump_sheet, load_sheet
from service.shapes.unit_lists import LONGEST, by_unit, unit_sheets, unit_table
from tests.filings import FILINGS, filed, office_demand, rows


def outcome(filing: Filing) -> Outcome:
    return Outcome(json.loads(json.dumps(dump_cohort(filing), ensure_ascii=False)))


@given(FILINGS)
def test_needs_are_counted_as_the_report_counts_them(filing: Filing):
    told = {one.need: (one.people, one.served, one.left) for one in outcome(filing).needs}
    assert told == {
        row["短板（能力）"]: (row["需要人数"], row["补上人数"], row["仍缺人数"]) for row in rows(common_needs(filing))
    }


@given(FILINGS)
def test_what_is_covered_and_what_is_missed_make_all_of_it(filing: Filing):
    found = outcome(filing)
    covered = found.covered
    weights = [gap.weight for own in filing.demand.people for gap in own.gaps]
    assert covered.of_weight == pytest.approx(sum(weights))
    assert covered.of_gaps == len(weights) == covered.gaps + sum(one.gaps for one in found.missed)
    assert covered.weight + sum(one.weight for one in found.missed) == pytest.approx(covered.of_weight, abs=0.05)
    assert covered.people + covered.missed == covered.of_people == sum(bool(own.gaps) for own in filing.demand.people)
    assert 0 <= covered.share <= 1 + 1e-9


@given(FILINGS)
def test_sessions_tell_who_attends_and_what_they_close(filing: Filing):
    found = outcome(filing)
    assert [one.attending for one in found.sessions] == [len(one.attendees) for one in filing.plan.sessions]
    assert sum(one.closes for one in found.sessions) == pytest.approx(filing.plan.certificate.objective)
    attended = {person: len(titles) for person, titles in titles_by_person(found).items()}
    assert sum(attended.values()) == sum(len(one.attendees) for one in filing.plan.sessions)
    assert all(bool(one.part) == bool(filing.plan.classes) for one in found.sessions)


@given(FILINGS)
def test_who_is_missed_is_known_by_the_place_among_the_people(filing: Filing):
    found = outcome(filing)
    told = {(one.cause, found.plan["people"][place]["id"]) for one in found.missed for place in one.people}
    assert told == {(one.cause.value, one.person) for one in filing.plan.missed}


@given(FILINGS)
def test_the_days_have_all_hours_of_a_class_and_a_menu_has_none(filing: Filing):
    found = outcome(filing)
    hours = sum(day.hours for _, days in found.days for day in days)
    assert hours == pytest.approx(0 if filing.plan.kind == MENU else found.hours, abs=0.01)
    assert len(found.days) == (0 if filing.plan.kind == MENU else len({one.part for one in filing.plan.sessions}))
    assert all(day.hours <= 6 + 1e-6 for _, days in found.days for day in days)


@given(FILINGS)
def test_everybody_stands_on_the_list_of_one_unit(filing: Filing):
    sheets = [load_sheet(dump_sheet(sheet)) for sheet in cohort_sheets(filing)]
    found = outcome(filing)
    people = [Called(own.profile.name or own.profile.id) for own in filing.demand.people]
    header, units = by_unit(sheets, found, people)
    assert {unit: len(listed) for unit, listed in units.items()} == {
        unit: sum((own.profile.unit or NO_UNIT) == unit for own in filing.demand.people) for unit in units
    }
    assert sum(map(len, units.values())) == len(filing.demand.people)
    assert all(len(row) == len(header) for listed in units.values() for row in listed)
    book = unit_sheets(sheets, found, people)
    assert [sheet.name for sheet in book[1:]] == [row[3] for row in book[0].rows]
    assert all(len(row) == len(sheet.header) == len(sheet.widths) for sheet in book for row in sheet.rows)
    table = unit_table(sheets, found, people)
    assert len(table.rows) == len(filing.demand.people)


def test_units_whose_names_no_sheet_can_have_get_sheets_of_their_own(filing_of_units: Filing):
    sheets, found = cohort_sheets(filing_of_units), outcome(filing_of_units)
    names = [sheet.name for sheet in unit_sheets(sheets, found, [Called("甲")] * len(found.plan["people"]))]
    assert len({name.lower() for name in names}) == len(names)
    assert all(0 < len(name) <= LONGEST and not set(name) & set("[]:*?/\\'") for name in names)


@pytest.fixture
def filing_of_units() -> Filing:
    awkward = ["某市/某局:一处", "某市 某局 一处", "很" * 40 + "甲", "很" * 40 + "乙", "[]", "history"]
    filing = filed(office_demand())
    people = tuple(
        replace(own, profile=replace(own.profile, unit=unit))
        for own, unit in zip(filing.demand.people, awkward, strict=True)
    )
    return replace(filing, demand=replace(filing.demand, people=people))
