"""Laws of choosing, on random small worlds, and beside a slow oracle.

What "no gap twice while another is open" means exactly. Let *required* courses stand first; let a gap be *open* while no chosen
course (required or ranked) serves it; let a course be *affordable* while its hours fit into those that are left. Then for the
finished list:

1. the hours of the ranked courses are within the available ones, and there are at most ``top``;
2. if a ranked course serves a gap that another chosen course serves too, then no affordable course is left that serves an open gap
   and nothing but open gaps (a second course for the same gap is taken only where every course for the open ones would repeat, too);
3. the ranked courses can be put in an order in which each, while an affordable course for an open gap is left, serves an open gap;
4. the list is shorter than ``top`` only where no affordable course is left that serves anything;
5. every gap is served, or unmet, or the list is full and an affordable course for the gap is left: a larger ``top`` would serve it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from model.domain import Candidate, Catalog, Cause, Course, Gap, Limits, Part, Profile, Reason
from model.selection import Needs, Reached, Selected, Selector, choose

MANY = settings(max_examples=400)


@dataclass(frozen=True)
class World:
    catalog: Catalog
    gaps: tuple[Gap, ...]
    reached: tuple[dict[int, float], ...]
    top: int
    hours: float | None

    def select(self) -> Selected:
        person = Profile("P1", hours_available=self.hours)
        selector = Selector(self.catalog, Limits(top=self.top))
        reached = [{row: Reached(value) for row, value in rows.items()} for rows in self.reached]
        needs = Needs(person, None, frozenset(), tuple(self.gaps), (False,) * len(self.gaps))
        return selector.select(needs, reached)

    def served_by(self, course: Course) -> set[Gap]:
        row = self.catalog.row_of[course.id]
        return {gap for gap, rows in zip(self.gaps, self.reached, strict=True) if row in rows}

    def affordable(self, ranked: list[Course]) -> list[Course]:
        """The courses not chosen that still fit into the hours, counted without rounding."""
        left = None if self.hours is None else Fraction(str(self.hours)) - sum(map(length, ranked))
        free = [course for course in self.catalog if not course.required and course not in ranked]
        return [course for course in free if left is None or length(course) <= left]


def length(course: Course) -> Fraction:
    return Fraction(str(course.hours or 0))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    gaps = tuple(
        Gap(f"g{number}", "写作", reason, None, "本人自评", draw(st.sampled_from([0.36, 0.72, 1.0])))
        for number in range(draw(st.integers(1, 5)))
        for reason in [draw(st.sampled_from(Reason))]
    )
    courses = tuple(
        Course(
            f"c{number}",
            "",
            hours=draw(st.sampled_from([None, 0.67, 1.0, 1.5, 2.0])),
            required=draw(st.integers(0, 5)) == 0,
        )
        for number in range(draw(st.integers(0, 7)))
    )
    cell = st.sampled_from([None, None, 0.4, 0.5, 0.9])
    table = [[draw(cell) for _ in courses] for _ in gaps]
    reached = tuple({row: value for row, value in enumerate(line) if value is not None} for line in table)
    hours = draw(st.sampled_from([None, None, 0.0, 1.34, 2.0, 3.5, 5.0]))
    return World(Catalog(courses), gaps, reached, draw(st.integers(0, 5)), hours)


@MANY
@given(worlds())
def test_the_number_and_the_hours_asked_for_are_kept_and_nothing_is_chosen_twice(world: World) -> None:
    ranked = [candidate.course for candidate in world.select().ranked]
    assert len(ranked) <= world.top
    assert len(set(ranked)) == len(ranked)
    assert world.hours is None or sum(map(length, ranked)) <= Fraction(str(world.hours))
    assert not any(course.required for course in ranked)


@MANY
@given(worlds())
def test_no_gap_is_served_twice_while_another_is_open_and_an_affordable_course_for_it_is_left(world: World) -> None:
    selected = world.select()
    ranked = [candidate.course for candidate in selected.ranked]
    chosen = [candidate.course for candidate in (*selected.required, *selected.ranked)]
    served = {gap for course in chosen for gap in world.served_by(course)}
    left = [world.served_by(course) for course in world.affordable(ranked)]
    for course in ranked:
        others = {gap for other in chosen if other is not course for gap in world.served_by(other)}
        if world.served_by(course) & others:
            assert not any(gaps and not gaps & served for gaps in left)


@MANY
@given(worlds())
def test_each_course_in_its_turn_serves_an_open_gap_while_there_is_one_that_can_be_served(world: World) -> None:
    selected = world.select()
    required = {gap for candidate in selected.required for gap in world.served_by(candidate.course)}

    def lawful(order: tuple[Course, ...]) -> bool:
        served = set(required)
        for turn, course in enumerate(order):
            useful = any(world.served_by(other) - served for other in world.affordable(list(order[:turn])))
            if useful and not world.served_by(course) - served:
                return False
            served |= world.served_by(course)
        return True

    assert any(map(lawful, permutations(candidate.course for candidate in selected.ranked)))


@MANY
@given(worlds())
def test_a_list_is_short_only_where_nothing_useful_is_left(world: World) -> None:
    ranked = [candidate.course for candidate in world.select().ranked]
    if len(ranked) < world.top:
        assert not any(map(world.served_by, world.affordable(ranked)))


@MANY
@given(worlds())
def test_every_gap_is_served_or_unmet_or_waits_for_a_larger_top(world: World) -> None:
    selected = world.select()
    served = {part.gap for candidate in (*selected.required, *selected.ranked) for part in candidate.parts}
    unmet = {lost.gap: lost.cause for lost in selected.unmet}
    ranked = [candidate.course for candidate in selected.ranked]
    for gap, rows in zip(world.gaps, world.reached, strict=True):
        left = any(gap in world.served_by(course) for course in world.affordable(ranked))
        if gap in served:
            assert gap not in unmet
        elif left:
            assert gap not in unmet
            assert len(ranked) == world.top
        else:
            assert unmet[gap] is (Cause.HOURS if rows else Cause.NO_COURSE)


@MANY
@given(worlds())
def test_parts_are_the_relevances_of_the_gaps_a_course_serves_and_the_best_course_comes_first(world: World) -> None:
    selected = world.select()
    for candidate in (*selected.required, *selected.ranked):
        row = world.catalog.row_of[candidate.course.id]
        parts = [(gap, rows[row]) for gap, rows in zip(world.gaps, world.reached, strict=True) if row in rows]
        assert [(part.gap, part.relevance) for part in candidate.parts] == parts
    order = [(-candidate.score, candidate.course.id) for candidate in selected.ranked]
    assert order == sorted(order)
    assert [candidate.course for candidate in selected.required] == [c for c in world.catalog if c.required]


def slowly(world: World) -> set[str]:
    """The definition, word for word: one course after the other, each the best of all that may come next."""
    required = [course for course in world.catalog if course.required]
    everything = {gap for course in world.catalog for gap in world.served_by(course) if not course.required}
    open_gaps = everything - {gap for course in required for gap in world.served_by(course)}
    ranked: list[Course] = []
    round_number = 1

    def gives(course: Course, gaps: set[Gap]) -> Fraction:
        parts = {
            gap: rows.get(world.catalog.row_of[course.id]) for gap, rows in zip(world.gaps, world.reached, strict=True)
        }
        return sum((Fraction(str(round(gap.weight * (parts[gap] or 0), 4))) for gap in gaps), Fraction(0))

    while len(ranked) < world.top:
        useful = [course for course in world.affordable(ranked) if world.served_by(course) & open_gaps]
        if not useful:
            if round_number > 1 and open_gaps == everything:
                break
            open_gaps, round_number = set(everything), round_number + 1
            continue
        pure = [course for course in useful if world.served_by(course) <= open_gaps]
        pool = pure if pure and round_number == 1 else useful
        best = min(pool, key=lambda c: (-gives(c, open_gaps), -gives(c, everything), length(c), c.id))
        ranked.append(best)
        open_gaps -= world.served_by(best)
    return {course.id for course in ranked}


@MANY
@given(worlds())
def test_the_choice_is_that_of_the_slow_oracle(world: World) -> None:
    chosen: tuple[Candidate, ...] = world.select().ranked
    assert {candidate.course.id for candidate in chosen} == slowly(world)


@MANY
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_catalog_and_gaps_changes_nothing_that_is_selected(world: World, dice: Random) -> None:
    ids = [course.id for course in world.catalog]
    pairs = list(zip(world.gaps, world.reached, strict=True))
    dice.shuffle(pairs)
    again = World(
        Catalog(tuple(dice.sample(world.catalog.courses, len(ids)))),
        tuple(gap for gap, _ in pairs),
        tuple(rows for _, rows in pairs),
        world.top,
        world.hours,
    )
    first, second = world.select(), again.select()
    for before, after in ((first.required, second.required), (first.ranked, second.ranked)):
        assert [(c.course, c.score, set(c.parts)) for c in before] == [(c.course, c.score, set(c.parts)) for c in after]
    assert set(first.unmet) == set(second.unmet)


WRITING, RISK, SECRETS = (
    Gap(text, text, Reason.LACK, "能力弱项", "本人自评", 1.0) for text in ("写材料", "应急", "保密")
)


def taken(top: int, served: set[Gap], *courses: tuple[Course, dict[Gap, float]]) -> str:
    offers = [Candidate(course, tuple(Part(*part) for part in parts.items())) for course, parts in courses]
    found = {
        "".join(sorted(candidate.course.id for candidate in choose(order, served, top, None)))
        for order in (offers, offers[::-1])
    }
    assert len(found) == 1, "the order of the candidates must not matter"
    return found.pop()


def test_of_equal_courses_the_richer_then_the_shorter_then_the_smaller_id_is_taken() -> None:
    long, short = Course("a", "", hours=4), Course("b", "", hours=2)
    assert taken(1, set(), (long, {WRITING: 0.5}), (short, {WRITING: 0.5})) == "b"
    assert taken(1, set(), (long, {WRITING: 0.5}), (replace(short, hours=4), {WRITING: 0.5})) == "a"
    assert taken(1, {RISK}, (short, {RISK: 0.5, WRITING: 0.5}), (long, {RISK: 0.9, WRITING: 0.5})) == "a"


def test_equal_sums_are_equal_though_their_addends_are_no_binary_fractions() -> None:
    two, one = Course("b", "", hours=2), Course("c", "", hours=1)
    assert taken(1, set(), (two, {WRITING: 0.1, SECRETS: 0.2}), (one, {WRITING: 0.3})) == "c"


def test_a_course_for_an_open_gap_alone_comes_before_a_richer_one_that_repeats() -> None:
    courses = [(Course("a", ""), {WRITING: 0.95}), (Course("b", ""), {WRITING: 0.5, RISK: 0.4})]
    assert taken(2, set(), *courses, (Course("c", ""), {SECRETS: 0.4})) == "ac"
    assert taken(3, set(), *courses, (Course("c", ""), {SECRETS: 0.4})) == "abc"


def test_once_every_gap_is_served_a_course_may_repeat_for_the_sake_of_giving_more() -> None:
    everything = Course("a", ""), {WRITING: 0.9, RISK: 0.9, SECRETS: 0.9}
    second = (Course("b", ""), {WRITING: 0.9}), (Course("c", ""), {WRITING: 0.4, RISK: 0.45})
    assert taken(3, set(), everything, *second, (Course("d", ""), {SECRETS: 0.4})) == "abc"
