"""Tiny menus whose best plan can be found by trying every way to seat people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from math import ceil, inf
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from model.cohort.choices import near_duplicates
from model.cohort.demand import Demand
from model.cohort.menu import plan_menu, what_if_menu
from model.cohort.menu_program import MenuProblem
from model.cohort.menu_search import solve
from model.cohort.nouns import CohortPlan, Origin
from model.cohort.program import Effort, Impossible, Program
from model.cohort.rules import MenuRules
from model.cohort.seating import shared_out
from model.cohort.sessions import exempt, kept_away
from model.domain import Cause, Restriction
from tests.model.cohort.test_class_plan import EXACT, cohort, course, gap, needs

LEVELS = {20: "乡科级正职", 40: "县处级正职"}
Seats = list[tuple[int, int]]  # A person and a choice, by their places.


def planned(demand: Demand, rules: MenuRules) -> CohortPlan:
    return plan_menu(demand, rules, EXACT, lambda: 0.0, Origin("v1", "catalog"), LEVELS)


def world(seed: int) -> tuple[Demand, MenuRules]:
    """By chance rather than drawn part by part: the simplest worlds, which are drawn most, ask for nothing."""
    chance = Random(seed)
    twins, series = chance.random() < 0.4, chance.random() < 0.3
    courses = [
        course(
            number,
            hours=chance.choice([0.5, 1.0, 2.0]),
            seats=chance.choice([None, None, 1, 2]),
            mode=chance.choice(["", "", "线下讲授"]),
            levels=chance.choice([frozenset(), frozenset(), frozenset(), frozenset({20})]),
            series="一个系列" if series and number > 1 else "",
            **({"title": "公文写作与处理实务" + "（2）" * number, "provider": f"第{number}家"} if twins and number < 2 else {}),
        )
        for number in range(chance.randint(1, 4))
    ]  # fmt: skip
    ids = [one.id for one in courses]
    texts = [f"t{number}" for number in range(chance.randint(1, 4))]
    reach = {
        text: {identity: chance.choice([0.5, 0.7, 0.9]) for identity in chance.sample(ids, min(len(ids), 2))}
        for text in texts
    }
    people = [
        needs(
            f"P{number}",
            *(gap(text, chance.choice([0.3, 1.0])) for text in chance.sample(texts, chance.randint(0, min(len(texts), 2)))),
            hours_available=chance.choice([None, None, None, 0.0, 1.0]),
            unit=chance.choice([None, "甲局", "乙局"]),
            level=chance.choice([None, 20, 40]),
            completed=chance.sample(ids, chance.choice([0, 0, 0, 1])),
            restrictions=frozenset({Restriction.NOT_OFF_POST} if chance.random() < 0.2 else ()),
        )
        for number in range(chance.randint(2, 6))
    ]  # fmt: skip
    rules = MenuRules(
        chance.choice([1.0, 2.5, 2.5]),
        seats=chance.randint(1, 3),
        least=chance.choice([1, 1, 2]),
        most_sessions=chance.choice([None, None, 1, 2, 3]),
        repeats=chance.choice([1, 1, 2, 3]),
        offered=frozenset(ids[: chance.randint(1, 3)]) if chance.random() < 0.3 else frozenset(),
        pinned=frozenset(chance.sample(ids, min(len(ids), chance.choice([0, 0, 0, 1, 2])))),
        nobody_left=chance.random() < 0.5,
        floor=chance.choice([0.0, 0.0, 0.5, 1.0]),
        level_floor=chance.choice([0.0, 0.0, 0.5]),
    )
    return cohort(people, courses, reach), rules


WORLDS = st.integers(0, 2**32).map(world)


class Told:
    """The rules of a menu written once more, in the plainest way."""

    def __init__(self, demand: Demand, rules: MenuRules) -> None:
        self.demand, self.rules, self.relevance = demand, rules, demand.relevance.toarray()
        self.twins = [set(group) for group in near_duplicates(demand.choices)]
        self.capacity = [
            min([one.seats for one in choice.courses if one.seats is not None] or [rules.seats])
            for choice in demand.choices
        ]
        self.limits = [
            min(rules.hours, inf if own.profile.hours_available is None else own.profile.hours_available)
            for own in demand.people
        ]
        may = {
            (found.person, place)
            for found in demand.open
            for place in range(len(demand.choices))
            if self.relevance[found.group, place] > 0 and self.may(found.person, place)
        }
        wanted = Counter(place for _, place in may)
        self.may_sit = sorted(
            (person, place)
            for person, place in may
            if wanted[place] >= rules.least and self.capacity[place] >= rules.least
        )
        self.people = {person for person, _ in self.may_sit}

    def may(self, person: int, place: int) -> bool:
        own, choice = self.demand.people[person], self.demand.choices[place]
        offered = not self.rules.offered or (self.rules.offered | self.rules.pinned) & choice.ids
        for_others = any(
            one.levels and own.profile.level is not None and own.profile.level not in one.levels
            for one in choice.courses
        )
        fits = choice.hours <= self.limits[person]
        return bool(offered and fits and not for_others and not kept_away(own, choice) and not exempt(own, choice))

    def times(self, seats: Seats) -> dict[int, int]:
        return {
            place: ceil(people / self.capacity[place]) for place, people in Counter(place for _, place in seats).items()
        }

    def keeps(self, seats: Seats) -> bool:
        rules, sizes, times = self.rules, Counter(place for _, place in seats), self.times(seats)
        mine = self.by_person(seats)
        pinned = {place for place, choice in enumerate(self.demand.choices) if choice.ids & rules.pinned}
        held_twins = not rules.offered and any(
            len(group & set(sizes)) > max(1, len(group & pinned)) for group in self.twins
        )
        return (
            pinned <= set(sizes)
            and all(self.hours(places) <= self.limits[person] + 1e-6 for person, places in mine.items())
            and all(
                size >= rules.least * times[place] and times[place] <= rules.repeats for place, size in sizes.items()
            )
            and (rules.most_sessions is None or sum(times.values()) <= rules.most_sessions)
            and not held_twins
            and not any(len(group & set(places)) > 1 for group in self.twins for places in mine.values())
            and self.keeps_floors(set(mine))
        )

    def keeps_floors(self, covered: set[int]) -> bool:
        for attribute, share in (("unit", self.rules.floor), ("level", self.rules.level_floor)):
            groups = defaultdict(set)
            for person in self.people:
                groups[getattr(self.demand.people[person].profile, attribute)].add(person)
            if any(len(group & covered) < share * len(group) - 1e-6 for group in groups.values()):
                return False
        return True

    def by_person(self, seats: Seats) -> dict[int, list[int]]:
        return {person: [place for who, place in seats if who == person] for person, _ in seats}

    def hours(self, places: list[int]) -> float:
        return sum(self.demand.choices[place].hours for place in places)

    def value(self, seats: Seats) -> float:
        mine = self.by_person(seats)
        return sum(
            round(found.gap.weight * max((self.relevance[found.group, p] for p in mine.get(found.person, [])), default=0), 4)
            for found in self.demand.open
        )  # fmt: skip

    def every(self) -> Iterator[Seats]:
        for taken in product([False, True], repeat=len(self.may_sit)):
            seats = [pair for pair, yes in zip(self.may_sit, taken, strict=True) if yes]
            if self.keeps(seats):
                yield seats

    def best(self) -> float | None:
        """With nobody_left the best among those that cover most; None where no way keeps the rules, or there is no seat at all."""
        best: dict[int, float] = {}
        for seats in self.every():
            covered = len(self.by_person(seats)) if self.rules.nobody_left else 0
            best[covered] = max(self.value(seats), best.get(covered, 0.0))
        return best[max(best)] if best and self.may_sit else None


def seats_of(demand: Demand, plan: CohortPlan) -> Seats:
    person_of = {own.profile.id: person for person, own in enumerate(demand.people)}
    place_of = {choice.courses: place for place, choice in enumerate(demand.choices)}
    return [(person_of[who], place_of[one.courses]) for one in plan.sessions for who in one.attendees]


def outcome(demand: Demand, rules: MenuRules) -> CohortPlan | str:
    try:
        return planned(demand, rules)
    except Impossible as error:
        return str(error)


@settings(max_examples=700, deadline=None)
@given(WORLDS)
def test_the_menu_is_the_best_there_is_and_keeps_every_rule_or_there_is_none(drawn: tuple[Demand, MenuRules]):
    demand, rules = drawn
    told = Told(demand, rules)
    assume(len(told.may_sit) <= 10)
    best = told.best()
    plan = outcome(demand, rules)
    if isinstance(plan, str):
        assert best is None
        return
    assert plan.certificate.objective == pytest.approx(best, abs=1e-4)
    assert plan.certificate.bound >= plan.certificate.objective
    assert (plan.certificate.status, plan.certificate.gap < 1e-3) == ("optimal", True)
    seats = seats_of(demand, plan)
    assert len(seats) == len(set(seats))
    assert set(seats) <= set(told.may_sit)
    assert told.keeps(seats)
    # Each choice is held as few times as can be, everybody is in one of its sessions, and these are of one size.
    sizes = defaultdict(list)
    for one in plan.sessions:
        sizes[one.courses].append(len(one.attendees))
    assert {demand.choices[place].courses: times for place, times in told.times(seats).items()} == {
        courses: len(found) for courses, found in sizes.items()
    }
    for courses, found in sizes.items():
        place = next(place for place, choice in enumerate(demand.choices) if choice.courses == courses)
        assert max(found) - min(found) <= 1
        assert rules.least <= min(found) <= max(found) <= told.capacity[place]
    assert all(yard.objective <= plan.certificate.bound + 1e-6 for yard in plan.yardsticks if not yard.breaks)


@settings(max_examples=400, deadline=None)
@given(WORLDS)
def test_the_totals_of_a_plan_reconcile_and_every_cause_is_true(drawn: tuple[Demand, MenuRules]):
    demand, rules = drawn
    plan = outcome(demand, rules)
    if isinstance(plan, str):
        return
    everything = Counter((one.person, one.gap) for one in (*plan.closed, *plan.missed))
    assert everything == Counter((own.profile.id, one) for own in demand.people for one in own.gaps)
    assert sum(one.value for one in plan.closed) == pytest.approx(plan.certificate.objective, abs=1e-6)
    assert sum(session.closes for session in plan.sessions) == pytest.approx(plan.certificate.objective, abs=1e-6)
    for one in plan.closed:
        assert one.person in plan.sessions[one.session].attendees

    told, seats = Told(demand, rules), seats_of(demand, plan)
    taken, times, mine = Counter(place for _, place in seats), told.times(seats), told.by_person(seats)
    causes = {(one.person, one.gap): one.cause for one in plan.missed}
    for found in demand.open:
        attended = mine.get(found.person, [])
        closers = [place for place in range(len(demand.choices)) if told.relevance[found.group, place] > 0]
        cause = causes.get((demand.people[found.person].profile.id, found.gap))
        assert (cause is None) == bool(set(closers) & set(attended))
        if cause is None:
            continue
        left = told.limits[found.person] - told.hours(attended)
        fitting = [place for place in closers if demand.choices[place].hours <= left + 1e-6]
        held = [place for place in fitting if place in taken and (found.person, place) in told.may_sit]
        full = [place for place in held if taken[place] == times[place] * told.capacity[place]]
        assert cause == (Cause.HOURS if not fitting else Cause.SEATS if full else Cause.EXCLUDED)
        # A seat that is left over closes nothing for anybody who might have taken it.
        assert not [place for place in set(held) - set(full) if told.keeps([*seats, (found.person, place)])]


@settings(max_examples=40, deadline=None)
@given(WORLDS)
def test_equal_inputs_give_the_equal_plan(drawn: tuple[Demand, MenuRules]):
    assert outcome(*drawn) == outcome(*drawn)


@settings(max_examples=40, deadline=None)
@given(WORLDS)
def test_nothing_more_ever_closes_less_where_nobody_must_be_covered(drawn: tuple[Demand, MenuRules]):
    demand, rules = drawn[0], replace(drawn[1], nobody_left=False, floor=0.0, level_floor=0.0)
    plan = outcome(demand, rules)
    if not isinstance(plan, str):
        found = what_if_menu(demand, rules, EXACT, lambda: 0.0)
        assert all(one.objective >= plan.certificate.objective - 1e-6 for one in found)


WRITING, SPEECH = gap("写材料"), gap("讲话", 0.4)


def test_a_seat_goes_to_whom_it_helps_most_unless_somebody_would_be_left_without_any():
    people = [needs("P1", WRITING, SPEECH), needs("P2", gap("写材料", 0.5))]
    reach = {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}}
    demand = cohort(people, [course(0), course(1)], reach)
    free = planned(demand, MenuRules(2, seats=1, nobody_left=False))
    assert {one.title: one.attendees for one in free.sessions} == {"甲" * 6: ("P1",), "乙" * 6: ("P1",)}
    fair = planned(demand, MenuRules(2, seats=1))
    assert {one.title: one.attendees for one in fair.sessions} == {"甲" * 6: ("P2",), "乙" * 6: ("P1",)}
    assert [(one.person, one.gap.text, one.cause) for one in fair.missed] == [("P1", "写材料", Cause.SEATS)]


def test_a_session_for_too_few_is_not_held():
    demand = cohort([needs("P1", WRITING)], [course(0)], {"写材料": {"c0": 0.9}})
    with pytest.raises(Impossible, match="最少开班人数"):
        planned(demand, MenuRules(2, least=2))


def test_what_must_be_held_is_held_at_its_price_and_told_of_where_nobody_needs_it():
    people = [needs("P1", WRITING, SPEECH), needs("P2", WRITING)]
    reach = {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}}
    demand = cohort(people, [course(0), course(1), course(2)], reach)
    asked = MenuRules(1, most_sessions=1)
    assert [one.title for one in planned(demand, asked).sessions] == ["甲" * 6]
    pinned = planned(demand, replace(asked, pinned=frozenset({"c1"}), nobody_left=False))
    assert [(one.title, one.attendees) for one in pinned.sessions] == [("乙" * 6, ("P1",))]
    assert ("必须开设的课程", "1 门", "1 门") in [(one.rule, one.asked, one.found) for one in pinned.rules]
    with pytest.raises(Impossible, match=r"《丙丙丙丙丙丙》必须开设.*不要求必须开设《丙丙丙丙丙丙》"):
        planned(demand, replace(asked, pinned=frozenset({"c2"})))
    with pytest.raises(
        Impossible, match=r"《甲甲甲甲甲甲》必须开设；《乙乙乙乙乙乙》必须开设；场次不超过 1 场.*场次增加到 2 场"
    ):
        planned(demand, replace(asked, pinned=frozenset({"c0", "c1"})))


def test_who_has_no_hours_left_misses_for_want_of_hours():
    people = [needs("P1", WRITING, SPEECH), needs("P2", WRITING, hours_available=0.0)]
    demand = cohort(people, [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}})
    plan = planned(demand, MenuRules(1))
    assert {(one.person, one.gap.text, one.cause) for one in plan.missed} == {
        ("P1", "讲话", Cause.HOURS),
        ("P2", "写材料", Cause.HOURS),
    }


@pytest.mark.parametrize(
    "rules",
    [
        MenuRules(9, least=2),
        MenuRules(9, most_sessions=1),
        MenuRules(9, offered=frozenset({"c0"})),
        MenuRules(9, excluded=frozenset({"c1"})),
        MenuRules(9, modes=("线下",)),
    ],
)
def test_what_is_not_held_is_no_lack_of_seats(rules: MenuRules):
    people = [needs("P1", WRITING, SPEECH), needs("P2", WRITING)]
    courses = [course(0, mode="线下讲授"), course(1, mode="网络")]
    plan = planned(cohort(people, courses, {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}}), rules)
    assert [(one.gap.text, one.cause) for one in plan.missed] == [("讲话", Cause.EXCLUDED)]


def test_a_floor_for_each_unit_names_the_unit_that_cannot_reach_it():
    people = [needs("P1", WRITING, unit="甲局"), needs("P2", WRITING, unit="乙局")]
    demand = cohort(people, [course(0)], {"写材料": {"c0": 0.9}})
    with pytest.raises(Impossible, match="甲局至少覆盖 1 人") as error:
        planned(demand, MenuRules(1, seats=1, floor=0.5, nobody_left=False))
    assert set(error.value.remedies) == {"甲局的覆盖人数减为 0 人", "乙局的覆盖人数减为 0 人"}


def test_a_floor_for_each_level_calls_it_by_its_name():
    """Of two people for one seat, each of another level, one is left out."""
    people = [needs("P1", WRITING, level=40), needs("P2", gap("写材料", 0.5), level=20), needs("P3", SPEECH)]
    demand = cohort(people, [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}})
    with pytest.raises(Impossible) as error:
        planned(demand, MenuRules(1, seats=1, level_floor=1.0))
    assert set(error.value.remedies) == {"县处级正职的覆盖人数减为 0 人", "乡科级正职的覆盖人数减为 0 人"}
    plan = planned(demand, MenuRules(1, seats=2, level_floor=1.0))
    assert [(one.asked, one.found) for one in plan.rules if one.rule == "层级覆盖"] == [
        ("每个层级有课可上的人至少 100%", "最低 100%：乡科级正职")
    ]
    lone = cohort([needs("P1", WRITING), needs("P2", WRITING)], [course(0)], {"写材料": {"c0": 0.9}})
    with pytest.raises(Impossible, match="层级未填至少覆盖 2 人"):
        planned(lone, MenuRules(1, seats=1, level_floor=1.0))


def test_parallel_sessions_share_their_people_out_and_keep_units_together():
    units = ["甲局", "乙局", "甲局", "乙局", "乙局", None]
    people = [needs(f"P{number}", WRITING, unit=unit) for number, unit in enumerate(units)]
    demand = cohort(people, [course(0)], {"写材料": {"c0": 0.9}})
    once = planned(demand, MenuRules(1, seats=4))
    assert [one.title for one in once.sessions] == ["甲" * 6]
    assert Counter(one.cause for one in once.missed) == {Cause.SEATS: 2}
    plan = planned(demand, MenuRules(1, seats=4, repeats=3))
    assert [(one.title, one.attendees) for one in plan.sessions] == [
        ("甲" * 6 + "（第1期）", ("P0", "P2", "P5")),
        ("甲" * 6 + "（第2期）", ("P1", "P3", "P4")),
    ]
    assert {one.person: one.session for one in plan.closed} == {"P0": 0, "P1": 1, "P2": 0, "P3": 1, "P4": 1, "P5": 0}
    assert len(planned(demand, MenuRules(1, seats=4, repeats=3, most_sessions=1)).sessions) == 1


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 4))
def test_nobody_is_lost_in_sharing_out_and_no_unit_parted_where_two_sessions_can_do_without(
    units: list[int], times: int
):
    members = [unit for unit, size in enumerate(units) for _ in range(size)]
    shares = shared_out(range(len(members)), members, times)
    assert sorted(person for share in shares for person in share) == list(range(len(members)))
    assert {len(share) for share in shares} <= {len(members) // times, ceil(len(members) / times)}
    assert all(share == sorted(share) for share in shares)
    if times == 2:
        whole = any(
            sum(units[unit] for unit in some) == len(shares[0])
            for size in range(len(units) + 1)
            for some in combinations(range(len(units)), size)
        )
        parted = {members[person] for person in shares[0]} & {members[person] for person in shares[1]}
        assert not (whole and parted)


TWINS = [course(0, title="公文写作与处理实务"), course(1, title="公文写作与处理实务（2）", provider="另一家")]


def test_of_near_duplicates_one_is_held_unless_the_planner_offers_both_and_nobody_sits_in_two():
    people = [needs("P1", WRITING, SPEECH), needs("P2", WRITING)]
    demand = cohort(people, TWINS, {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}})
    plan = planned(demand, MenuRules(9))
    assert [(one.courses[0].id, one.attendees) for one in plan.sessions] == [("c0", ("P1", "P2"))]
    assert [(one.gap, one.cause) for one in plan.missed] == [(SPEECH, Cause.EXCLUDED)]
    both = planned(demand, MenuRules(9, seats=1, offered=frozenset({"c0", "c1"})))
    assert {(one.courses[0].id, one.attendees) for one in both.sessions} == {("c0", ("P2",)), ("c1", ("P1",))}


def test_nobody_attends_a_series_a_part_of_which_is_out_of_the_question_for_them():
    """Who has completed one part still gains from the other."""
    parts = [course(0, series="公文", mode="网络"), course(1, series="公文", mode="线下脱产")]
    people = [
        needs("P1", WRITING, restrictions=frozenset({Restriction.NOT_OFF_POST})),
        needs("P2", WRITING, completed=["c1"]),
        needs("P3", WRITING, completed=["c0", "c1"]),
    ]
    plan = planned(cohort(people, parts, {"写材料": {"c0": 0.9}}), MenuRules(9))
    assert [one.attendees for one in plan.sessions] == [("P2",)]
    assert {(one.person, one.cause) for one in plan.missed} == {("P1", Cause.EXCLUDED), ("P3", Cause.COMPLETED)}


def test_who_comes_first_takes_what_gives_most_an_hour_and_sessions_for_too_few_are_cancelled():
    """All three could sit together in the second course; but P1 and P3 prefer the first, and P2 is left alone."""
    people = [needs("P1", WRITING), needs("P2", gap("讲话"), unit="甲局"), needs("P3", WRITING)]
    demand = cohort(people, [course(0), course(1)], {"写材料": {"c0": 0.9, "c1": 0.8}, "讲话": {"c1": 0.8}})
    plan = planned(demand, MenuRules(1, seats=3, least=2, floor=1.0))
    assert plan.certificate.objective == pytest.approx(2.4)
    assert [(one.objective, one.breaks) for one in plan.yardsticks] == [
        (pytest.approx(1.8), ("甲局至少覆盖 1 人（100%，共 1 人）", "不让一个掉队（少覆盖 1 人）")),
        (pytest.approx(2.4), ()),
    ]


def test_by_demand_everybody_takes_what_gives_most_however_long_it_is():
    """P1 has hours for the long course, which P2 needs, or for the short one."""
    people = [needs("P1", WRITING, SPEECH), needs("P2", gap("写材料", 0.9))]
    demand = cohort(people, [course(0, hours=3), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.9}})
    plan = planned(demand, MenuRules(3, seats=1, nobody_left=False))
    assert plan.certificate.objective == pytest.approx(0.36 + 0.81)
    assert [(one.objective, one.breaks) for one in plan.yardsticks] == [
        (pytest.approx(0.36 + 0.81), ()),
        (pytest.approx(0.9), ()),
    ]


def test_what_one_thing_more_would_close():
    """A seat more lets P2 in; a session more covers P2 as well, for which P1 gives the first up. An hour more helps nobody: one session is held."""
    people = [
        needs("P1", WRITING, SPEECH, unit="甲局", level=20),
        needs("P2", gap("写材料", 0.5), unit="甲局", level=20),
    ]
    demand = cohort(people, [course(0), course(1)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.8}})
    rules = MenuRules(1, seats=1, most_sessions=1, floor=0.5, level_floor=0.5)
    assert planned(demand, rules).certificate.objective == pytest.approx(0.9)
    found = {one.change: one.objective for one in what_if_menu(demand, rules, EXACT, lambda: 0.0)}
    assert found == {
        "每场多 1 个名额（课程另有规定的除外）": pytest.approx(1.35), "每人多 1 学时": pytest.approx(0.9), "多开 1 场": pytest.approx(0.77),
        "不要求不让一个掉队": pytest.approx(0.9), "不要求每个单位覆盖 50%": pytest.approx(0.9), "不要求每个层级覆盖 50%": pytest.approx(0.9),
    }  # fmt: skip


def test_all_phases_together_keep_the_time_limit(monkeypatch: pytest.MonkeyPatch):
    """On a clock on which every program takes all the time it is given."""
    now, limits, really = [0.0], [], Program.solve

    def slow(program: Program, effort: Effort, clock: object) -> object:
        limits.append(effort.seconds)
        now[0] += effort.seconds
        return really(program, replace(effort, seconds=30), lambda: 0.0)

    monkeypatch.setattr(Program, "solve", slow)
    people = [needs(f"P{number}", WRITING, SPEECH) for number in range(4)]
    demand = cohort(people, [course(0), course(1, hours=1.5)], {"写材料": {"c0": 0.9}, "讲话": {"c1": 0.8}})
    solve(MenuProblem(demand, MenuRules(2, seats=3)), Effort(20, 0), lambda: now[0])
    assert len(limits) >= 4
    assert now[0] <= 20
