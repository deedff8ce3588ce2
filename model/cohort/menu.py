"""Demand + rules -> a menu plan (菜单选学): which sessions are held, who attends which, what stays open and why, and what simpler ways would close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from model.cohort.demand import TEN_THOUSANDTHS, Demand, Open
from model.cohort.menu_program import NO_NAMES, MenuProblem
from model.cohort.menu_search import Solved, solve
from model.cohort.nouns import Closed, CohortPlan, Kept, Missed, Origin, Session, WhatIf, Yardstick
from model.cohort.program import SAME, Clock, Effort
from model.cohort.rules import MenuRules
from model.cohort.seating import Seating, first_come, shared_out
from model.cohort.sessions import sessions_of, standing
from model.domain import Cause
from model.errors import InputError

MENU = "菜单选学"


def plan_menu(
    demand: Demand,
    rules: MenuRules,
    effort: Effort,
    clock: Clock,
    origin: Origin,
    level_names: Mapping[int, str] = NO_NAMES,
) -> CohortPlan:
    """The best menu for a cohort, with its certificate; raises Impossible where none keeps the rules.

    A gap that stays open has one cause: 学时不足 where no choice that closes it fits the hours the person has left; else 名额已满 where one
    that fits is held and all its seats are taken; else 被排除: what fits is not held (too few people, too many sessions, not on the menu,
    taught in another way, a near-duplicate held instead), or not for this person.
    """
    problem = MenuProblem(demand, rules, level_names)
    solved = solve(problem, effort, clock)
    seating = solved.seating
    held = [
        (place, share, f"（第{number}期）" if len(shares) > 1 else "")
        for place, shares in _shares(seating)
        for number, share in enumerate(shares, start=1)
    ]
    session_of = {(person, place): number for number, (place, share, _) in enumerate(held) for person in share}
    identities = [own.profile.id for own in demand.people]
    closed, missed = [], [Missed(identities[person], gap, cause) for person, gap, cause in demand.hopeless]
    for found in demand.open:
        closers = [
            (relevance, -place)
            for place, relevance in problem.closers_of(found.group)
            if (found.person, place) in session_of
        ]
        if closers:
            relevance, place = max(closers)
            closed.append(Closed(identities[found.person], found.gap, session_of[found.person, -place], relevance))
        else:
            missed.append(Missed(identities[found.person], found.gap, _cause(problem, seating, found)))
    sessions = sessions_of(
        demand, [place for place, _, _ in held], closed, [[demand.people[one] for one in share] for _, share, _ in held]
    )
    sessions = tuple(
        replace(session, title=session.title + term) for session, (_, _, term) in zip(sessions, held, strict=True)
    )
    return CohortPlan(
        MENU,
        solved.certificate,
        sessions,
        tuple(closed),
        tuple(missed),
        _kept(problem, solved, sessions),
        yardsticks(problem, seating),
        origin,
        demand.fingerprint(origin, rules),
    )


def _shares(seating: Seating) -> list[tuple[int, list[list[int]]]]:
    """The choices that are held, and the people of each session of them. People of no known unit belong to nobody."""
    demand = seating.problem.demand
    found = []
    for place, times in sorted(seating.times.items(), key=lambda one: standing(demand.choices[one[0]])):
        people = sorted(seating.sitting[place])
        units = [demand.people[person].profile.unit or person for person in people]
        found.append((place, shared_out(people, units, times)))
    return found


def _cause(problem: MenuProblem, seating: Seating, found: Open) -> Cause:
    """Why a gap stays open."""
    fitting = [place for place, _ in problem.closers_of(found.group) if seating.fits(found.person, place)]
    if not fitting:
        return Cause.HOURS
    full = any((found.person, place) in problem.seat_of and seating.full(place) for place in fitting)
    return Cause.SEATS if full else Cause.EXCLUDED


def _kept(problem: MenuProblem, solved: Solved, sessions: Sequence[Session]) -> tuple[Kept, ...]:
    """Each rule, what it asks for and what the menu does."""
    asked, seating = problem.asked, solved.seating
    sizes, covered = [len(session.attendees) for session in sessions], set(seating.covered)
    hours = max(map(seating.hours, covered), default=0)
    kept = [
        Kept("每人学时", f"不超过 {asked.hours:g} 学时", f"最多 {round(hours, 2):g} 学时"),
        Kept("每场名额", f"未另行规定的不超过 {asked.seats} 人", f"最多 {max(sizes, default=0)} 人"),
        Kept("开班人数", f"不少于 {asked.least} 人", f"最少 {min(sizes, default=0)} 人"),
    ]
    if problem.pinned:
        held = sum(place in seating.times for place in problem.pinned)
        kept.append(Kept("必须开设的课程", f"{len(problem.pinned)} 门", f"{held} 门"))
    if asked.most_sessions is not None:
        kept.append(Kept("场次", f"不超过 {asked.most_sessions} 场", f"{len(sessions)} 场"))
    if asked.repeats > 1:
        kept.append(
            Kept("平行班", f"同一门课不超过 {asked.repeats} 期", f"最多 {max(seating.times.values(), default=0)} 期")
        )
    for floor in problem.floors:
        share, name = min((len(covered & set(group)) / len(group), name) for name, group in floor.groups.items())
        kept.append(
            Kept(
                f"{floor.kind}覆盖",
                f"每个{floor.kind}有课可上的人至少 {floor.share:.0%}",
                f"最低 {share:.0%}：{name}",
            )
        )
    left = f"{len(covered)} 人有课，{len(problem.people) - len(covered)} 人未排上"
    unproved = "" if solved.covers_most else "（到时限为止）"
    wish = "有课可上的人至少一门" if asked.nobody_left else "未要求"
    return (*kept, Kept("不让一个掉队", wish, left + unproved))


def yardsticks(problem: MenuProblem, seating: Seating) -> tuple[Yardstick, ...]:
    """What two simpler ways would close, and which rules they break: first come, first served; and as many of the most wanted choices as are held."""
    wanted: Counter[int] = Counter()
    for _, seat, value in problem.closings:
        wanted[problem.seats[seat][1]] += value
    popular: list[int] = []
    for place in sorted(wanted, key=lambda place: (-wanted[place], place)):
        if problem.asked.offered or not seating.twins.get(place, set()) & set(popular):
            popular.append(place)
    ways = {
        "先到先得（按名册顺序，各选每学时收益最高的）": first_come(
            problem, problem.places, lambda gain, hours: gain / max(hours, SAME)
        ),
        "按需求总量开课，再按名册顺序入座": first_come(problem, popular[: len(seating.times)], lambda gain, _: gain),
    }
    found = []
    for name, other in ways.items():
        x = problem.values(other.times, other.covered)
        breaks = [rule.told for rule in problem.rules if not rule.holds(x)]
        fewer = len(seating.covered) - len(other.covered)
        if problem.asked.nobody_left and fewer > 0:
            breaks.append(f"不让一个掉队（少覆盖 {fewer} 人）")
        found.append(Yardstick(name, round(other.worth / TEN_THOUSANDTHS, 4), tuple(breaks)))
    return tuple(found)


def what_if_menu(demand: Demand, rules: MenuRules, effort: Effort, clock: Clock) -> tuple[WhatIf, ...]:
    """What the best menu would close with one seat, hour or session more, or without one of the demands to cover people; each change is given
    the whole effort.

    More room may cover more people, who have to be covered then, and yet close less; a change for which no plan is found is left out.
    """
    changes = [
        ("每场多 1 个名额（课程另有规定的除外）", replace(rules, seats=rules.seats + 1)),
        ("每人多 1 学时", replace(rules, hours=rules.hours + 1)),
    ]
    if rules.most_sessions is not None:
        changes.append(("多开 1 场", replace(rules, most_sessions=rules.most_sessions + 1)))
    if rules.nobody_left:
        changes.append(("不要求不让一个掉队", replace(rules, nobody_left=False)))
    if rules.floor:
        changes.append((f"不要求每个单位覆盖 {rules.floor:.0%}", replace(rules, floor=0.0)))
    if rules.level_floor:
        changes.append((f"不要求每个层级覆盖 {rules.level_floor:.0%}", replace(rules, level_floor=0.0)))
    found = []
    for change, changed in changes:
        with suppress(InputError):
            found.append(WhatIf(change, solve(MenuProblem(demand, changed), effort, clock).certificate.objective))
    return tuple(found)
