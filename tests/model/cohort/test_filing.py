from __future__ import annotations

from collections import Counter

from hypothesis import given

from model.cohort.filing import NO_UNIT, Filing
from model.cohort.nouns import Status
from model.cohort.rules import ClassRules, SplitRules
from tests.filings import FILINGS, SPEECH, STARS, TOURING, WRITING, filed, kept_of, office_demand
from tests.model.cohort.test_class_plan import cohort, course, needs


@given(FILINGS)
def test_every_gap_of_every_person_is_told_once_and_heaviest_first(filing: Filing):
    told = Counter((person, line.gap) for person, lines in filing.lines.items() for line in lines)
    assert told == Counter((own.profile.id, gap) for own in filing.demand.people for gap in own.gaps)
    assert list(filing.lines) == [own.profile.id for own in filing.demand.people]
    for lines in filing.lines.values():
        weights = [line.gap.weight for line in lines]
        assert weights == sorted(weights, reverse=True)
        assert all((line.session is None) == (line.cause is not None) for line in lines)
        assert all((line.session is None) == (line.relevance == 0) for line in lines)


@given(FILINGS)
def test_what_could_be_studied_alone_is_open_to_the_person_and_told_for_open_gaps_only(filing: Filing):
    for person, lines in filing.lines.items():
        for line in lines:
            alone = filing.alone(person, line.gap)
            assert alone is None or line.cause
            if alone:
                assert not {one.id for one in alone.courses} <= filing.own[person].completed


def test_what_could_be_studied_alone_is_what_closes_the_gap_most_surely():
    """One hour is enough for neither of the two courses that would close it."""
    reach = {"写材料": {"c0": 0.6, "c1": 0.9}, "讲话": {"c2": 0.9}}
    courses = [course(0, hours=2), course(1, hours=3), course(2)]
    filing = filed(cohort([needs("P1", WRITING, SPEECH)], courses, reach), ClassRules("专题班", 1))
    assert [line.cause for line in filing.lines["P1"]] == ["学时不足", None]
    alone = filing.alone("P1", WRITING)
    assert alone
    assert alone.id == "c1"
    assert filing.alone("P1", SPEECH) is None


def test_nothing_can_be_studied_alone_where_the_catalog_has_nothing_or_nothing_for_the_person():
    filing = filed(office_demand())
    assert filing.alone("P3", STARS) is None
    assert filing.alone("P5", TOURING) is None, "it is taught in a way that is out of the question"


def test_unit_and_level_that_are_not_known_are_said_to_be_so():
    filing = filed(office_demand())
    assert (filing.unit_of("P3"), filing.level_of("P3")) == (NO_UNIT, "")
    assert (filing.unit_of("P1"), filing.level_of("P1")) == ("甲局", "县处级正职")


def test_everybody_is_in_one_class_of_a_split_and_in_none_where_nothing_is_split():
    split = filed(office_demand(), split=SplitRules(2, 1, 5, 4))
    assert set(split.part_of) == set(split.own)
    assert set(split.part_of.values()) == {0, 1}
    assert filed(office_demand()).part_of == {}


def test_gaps_that_are_gone_are_those_of_the_plan_before_that_the_roster_no_longer_states():
    courses, reach = [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}}
    first = filed(cohort([needs("P1", WRITING, SPEECH), needs("P2", WRITING)], courses, reach))
    assert list(first.gone()) == []
    second = filed(cohort([needs("P1", SPEECH)], courses, reach), before=kept_of(first))
    ((person, _, text, fate),) = second.gone()
    assert (person, text, fate.status, fate.course) == ("P1", "写材料", Status.ARRANGED, "c0")
