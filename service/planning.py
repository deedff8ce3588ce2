"""What was asked for a cohort -> the plan, and all that its reports tell beside it. The command line, the interface, jobs and pages plan by this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from model.cohort.choices import choices_of
from model.cohort.class_plan import plan_class, what_if
from model.cohort.demand import Demand, demand_of
from model.cohort.filing import Filing
from model.cohort.follow import follow
from model.cohort.menu import plan_menu, what_if_menu
from model.cohort.nouns import CohortPlan, Filed, Origin
from model.cohort.pairing import Between, pair_up
from model.cohort.program import Clock, Effort
from model.cohort.rules import Budget, ClassRules, MenuRules, SplitRules, even_split, preset
from model.cohort.split import plan_split, what_if_split
from model.domain import Cause, Limits, Profile
from model.errors import InputError
from model.recommender import Recommender
from model.selection import Selector
from service.required import taken_out, telling
from service.shapes.asked import Asked, parameters_of, share_of
from service.shapes.filed import sheets_beside

PAIRING_SECONDS = 20.0  # Pairs of units are a matter of seconds; three hundred units take three.


def make_plan(
    recommender: Recommender, people: Sequence[Profile], asked: Asked, settings: Mapping[str, Any], clock: Clock
) -> tuple[CohortPlan, Demand]:
    """The plan asked for, and the demand it answers; raises InputError naming the option that cannot be, Impossible naming the rules."""
    hours = asked.total_hours(settings["HOURS_PER_DAY"])
    preset(asked.kind, hours, settings["HOURS_PER_DAY"])  # An unknown kind is told before the work begins.
    for option, ids in (("--require", asked.require), ("--exclude", asked.exclude), ("--offer", asked.offer)):
        strangers = sorted(set(ids) - set(recommender.catalog.row_of))
        if strangers:
            raise InputError(f"{option} 中的编号不在课程目录里：{'、'.join(strangers)}。")
    stopped = recommender.overrides.courses.keys() & recommender.catalog.row_of.keys()
    for option, ids in (("--require", asked.require), ("--offer", asked.offer)):
        if stopped & set(ids):
            raise InputError(
                f"{option} 中的课程已被人工停用：{'、'.join(sorted(stopped & set(ids)))}。请先撤销停用（/api/v1/overrides），或去掉这些编号。"
            )
    needs, reach = recommender.needs(people)
    choices = choices_of(
        recommender.catalog, recommender.matcher.teaches, recommender.lexicon, float(settings["DEFAULT_HOURS"])
    )
    limits = Limits(level_window=asked.level_window, excluded=frozenset(asked.exclude))
    demand = demand_of(needs, reach, choices, Selector(recommender.catalog, limits))
    if not demand.open and not demand.hopeless:
        raise InputError("名册上没有一条可补的短板，岗位和层级也看不出需要什么；请补充“短板”或“职务”后再排。")
    effort = Effort(asked.time_limit, asked.gap)
    origin = Origin(recommender.version, recommender.catalog.fingerprint, parameters_of(asked, settings))
    levels = recommender.lexicon.level_names
    out = 0
    if asked.catalog_required and asked.exclude and not asked.menu:
        everything = Selector(recommender.catalog, replace(limits, excluded=frozenset()))
        out = taken_out(demand, everything, frozenset(asked.exclude), asked.fit)
    # The plan carries what was asked; what is held keeps to the rejections as well.
    asked = replace(asked, exclude=tuple(sorted({*asked.exclude, *stopped})))
    if asked.menu:
        menu = menu_rules(asked, hours)
        found = plan_menu(demand, menu, effort, clock, origin, levels)
        return (replace(found, what_if=what_if_menu(demand, menu, effort, clock)) if asked.what_if else found), demand
    rules = class_rules(asked, hours, settings, demand)
    if asked.classes > 1:
        split = even_split(len(people), asked.classes)
        split = SplitRules(
            asked.classes,
            split.least if asked.class_min is None else asked.class_min,
            split.most if asked.class_size is None else asked.class_size,
            asked.level_span,
        )
        found = telling(plan_split(demand, rules, split, effort, clock, origin, levels), out)
        if asked.what_if:
            found = replace(found, what_if=what_if_split(found, demand, rules, split, effort, clock))
        return found, demand
    found = telling(plan_class(demand, rules, effort, clock, origin), out)
    return (replace(found, what_if=what_if(demand, rules, effort, clock)) if asked.what_if else found), demand


def filing_of(
    recommender: Recommender,
    plan: CohortPlan,
    demand: Demand,
    asked: Asked,
    settings: Mapping[str, Any],
    clock: Clock,
    deadline: str = "",
    before: Filed | None = None,
) -> Filing:
    """A plan with all that its reports tell beside it; ``before`` is the plan whose gaps it carries on."""
    dated = [course.year for course in recommender.catalog if course.year is not None]
    pairs = None
    with suppress(InputError):  # Too many to be paired: the plan is not held up by that.
        pairs = pair_up(demand.people, recommender.lexicon, Between(asked.pairs), Effort(PAIRING_SECONDS, 0.0), clock)
    texts = {one.gap.text for one in plan.missed if one.cause is Cause.NO_COURSE}
    return Filing(
        plan,
        demand,
        recommender.lexicon,
        follow(plan, demand, before),
        nearest=recommender.nearest(texts),
        teaches=recommender.teaches,
        year=asked.as_of.year if asked.as_of else max(dated, default=None),
        deadline=deadline,
        pairs=pairs,
        more=sheets_beside(plan, demand.people, recommender.lexicon, pairs, settings),
    )


def menu_rules(asked: Asked, hours: float) -> MenuRules:
    """The rules of a menu."""
    return MenuRules(
        hours,
        seats=asked.seats,
        least=asked.min_size,
        most_sessions=asked.sessions,
        offered=frozenset(asked.offer),
        pinned=frozenset(asked.require),
        excluded=frozenset(asked.exclude),
        modes=asked.mode,
        floor=asked.floor,
        level_floor=asked.level_floor,
        repeats=asked.repeats,
    )


def class_rules(asked: Asked, hours: float, settings: Mapping[str, Any], demand: Demand) -> ClassRules:
    """The rules of a class: those of its kind, with what was asked otherwise."""
    required, excluded = frozenset(asked.require), frozenset(asked.exclude)
    if asked.catalog_required:
        # What the catalog requires of an audience is pinned where the cohort is that audience.
        required |= {
            course.id
            for choice, fits in zip(demand.choices, demand.fits, strict=True)
            for course in choice.courses
            if course.required and fits >= asked.fit and course.id not in excluded
        }
    budget = None
    if asked.budget is not None:
        budget = Budget(
            asked.budget, settings["COST_PER_HOUR"], settings["COST_PER_PERSON_DAY"], settings["HOURS_PER_DAY"]
        )
    rules = preset(asked.kind, hours, settings["HOURS_PER_DAY"])
    return replace(
        rules,
        shares=tuple(map(share_of, asked.share)) or rules.shares,
        pinned=required,
        excluded=excluded,
        modes=asked.mode,
        most_courses=asked.max_courses,
        budget=budget,
        fit=asked.fit,
        theory=rules.theory if asked.theory is None else asked.theory,
        practice=rules.practice if asked.practice is None else asked.practice,
    )
