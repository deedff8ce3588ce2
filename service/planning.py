"""``quebu plan``: one plan for everybody on a roster, with its certificate, as JSON or as the workbook a planner files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from model.choices import choices_of
from model.classes import CLASS_TYPES, Budget, ClassRules, MenuRules, Share, preset
from model.cohort import plan_class, what_if
from model.cohort_domain import CohortPlan, Origin
from model.demand import Demand, demand_of
from model.domain import Limits
from model.errors import InputError
from model.lexicon import BRANCHES
from model.menu import plan_menu
from model.program import Effort
from model.recommender import Recommender
from model.selection import Selector
from service.outputs import PlanResults, check_out, plan_writer
from service.settings import load_settings
from service.terminal import (
    as_of_option,
    level_window_option,
    out_option,
    registry_option,
    roster_of,
    roster_option,
    store_of,
    tell,
    unknown_completed,
    version_option,
)

CLASS_ONLY = {
    "--share": "share", "--require": "require", "--max-courses": "max_courses", "--budget": "budget", "--what-if": "what_if",
}  # fmt: skip
SHARE_FORM = "请写成 党性教育=0.2 或 理论教育+党性教育=70%"


def share_of(text: str) -> Share:
    """Read 党性教育=0.2 or 理论教育+党性教育=70%; raises InputError."""
    names, _, least = text.replace("＋", "+").replace("＝", "=").partition("=")
    branches = tuple(name.strip() for name in names.split("+"))
    try:
        value = float(least.strip().rstrip("%％")) / (100 if least.strip()[-1:] in "%％" else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1 or not set(branches) <= set(BRANCHES):
        raise InputError(
            f"--share “{text}”读不懂。{SHARE_FORM}；类别只能是 {'、'.join(BRANCHES)}，比例在 0 到 1 之间。"
        )
    return Share(branches, value)


def menu_rules(asked: dict[str, Any], recommender: Recommender) -> MenuRules:
    """The rules of a menu as the options ask for them; raises InputError naming the option that cannot be."""
    known_courses(recommender, {"--offer": asked["offer"], "--exclude": asked["exclude"]})
    return MenuRules(
        asked["hours"],
        seats=asked["seats"],
        least=asked["min_size"],
        most_sessions=asked["sessions"],
        offered=frozenset(asked["offer"]),
        excluded=frozenset(asked["exclude"]),
        modes=tuple(asked["mode"]),
        floor=asked["floor"],
    )


def known_courses(recommender: Recommender, options: dict[str, Sequence[str]]) -> None:
    """InputError naming the ids that no course of the catalog has."""
    for option, ids in options.items():
        strangers = sorted(set(ids) - set(recommender.catalog.row_of))
        if strangers:
            raise InputError(f"{option} 中的编号不在课程目录里：{'、'.join(strangers)}。")


def class_rules(
    asked: dict[str, Any], settings: dict[str, Any], recommender: Recommender, demand: Demand
) -> ClassRules:
    """The rules of a class as the options ask for them; raises InputError naming the option that cannot be."""
    required, excluded = frozenset(asked["require"]), frozenset(asked["exclude"])
    known_courses(recommender, {"--require": asked["require"], "--exclude": asked["exclude"]})
    if required & excluded:
        raise InputError(
            f"课程 {'、'.join(sorted(required & excluded))} 既在 --require 又在 --exclude 中，请只留一处。"
        )
    if asked["catalog_required"]:
        # What the catalog requires of an audience is pinned where the cohort is that audience.
        required |= {
            course.id
            for choice, fits in zip(demand.choices, demand.fits, strict=True)
            for course in choice.courses
            if course.required and fits >= asked["fit"] and course.id not in excluded
        }
    budget = None
    if asked["budget"] is not None:
        budget = Budget(
            asked["budget"], settings["COST_PER_HOUR"], settings["COST_PER_PERSON_DAY"], settings["HOURS_PER_DAY"]
        )
    rules = preset(asked["kind"], asked["hours"], settings["HOURS_PER_DAY"])
    return replace(
        rules,
        shares=tuple(map(share_of, asked["share"])) or rules.shares,
        pinned=required,
        excluded=excluded,
        modes=tuple(asked["mode"]),
        most_courses=asked["max_courses"],
        budget=budget,
        fit=asked["fit"],
    )


@click.command("plan", help="为名册上的全体人员排一个班：选哪些课、补上哪些短板、还漏下谁，并证明方案离最优有多远。")
@roster_option
@click.option("--hours", type=click.FloatRange(0.25, 10_000), required=True, help="班次总学时")
@click.option("--type", "kind", default="专题班", show_default=True, help=f"班次类型：{'、'.join(CLASS_TYPES)}")
@click.option(
    "--share", multiple=True, help="类别学时比例下限，如 党性教育=0.2，可多次给出；给出后代替班次类型自带的比例"
)
@click.option("--what-if", is_flag=True, help="再算多 1 学时、多 1 门课、放宽比例各能多补多少")
@click.option("--menu", is_flag=True, help="菜单选学：开多场，每人只参加对自己有用的，--hours 为每人学时上限")
@click.option(
    "--seats",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="菜单选学每场名额；课程另有规定的从其规定",
)
@click.option(
    "--min-size", type=click.IntRange(1, 100_000), default=1, show_default=True, help="菜单选学每场最少开班人数"
)
@click.option("--sessions", type=click.IntRange(1, 10_000), default=None, help="菜单选学最多开几场")
@click.option(
    "--floor",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="菜单选学中每个单位有课上的人至少占的比例",
)
@click.option("--offer", multiple=True, help="菜单选学只从这些课程编号中开，可多次给出")
@click.option("--require", multiple=True, help="必须安排的课程编号，可多次给出")
@click.option("--exclude", multiple=True, help="不安排的课程编号，可多次给出")
@click.option(
    "--catalog-required/--no-catalog-required", default=True, show_default=True, help="目录中标为必修的课程是否必须安排"
)
@click.option("--mode", multiple=True, help="只用这些授课方式，如 线下讲授，可多次给出")
@click.option("--max-courses", type=click.IntRange(1, 10_000), default=None, help="最多安排几门课程")
@click.option("--budget", type=click.FloatRange(0), default=None, help="经费上限（元）")
@click.option(
    "--fit", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="课程适用对象至少覆盖全班的比例"
)
@level_window_option
@as_of_option
@click.option("--time-limit", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="求解最多用几秒")
@click.option(
    "--gap", type=click.FloatRange(0, 0.5), default=1e-4, show_default=True, help="离最优多近就可以停（相对差距）"
)
@out_option(help="结果文件，按后缀决定格式：.xlsx .json；不给则以 JSON 输出")
@registry_option
@version_option
def plan_command(
    roster: Path,
    as_of: datetime | None,
    level_window: int,
    time_limit: float,
    gap: float,
    out: Path | None,
    registry: Path,
    version: str | None,
    **asked: Any,
) -> None:
    """Read the roster, plan, write."""
    settings = load_settings()
    check_out(out, (".xlsx", ".json"), roster)
    # What can be told to be wrong is told before the work begins.
    preset(asked["kind"], asked["hours"], settings["HOURS_PER_DAY"])
    idle = [option for option, name in CLASS_ONLY.items() if asked["menu"] and asked[name]]
    if idle:
        raise InputError(f"{'、'.join(idle)} 只用于排一个班，不用于菜单选学（--menu），请去掉其中一边。")
    for share in asked["share"]:
        share_of(share)
    recommender = store_of(registry).load(version)
    reading = roster_of(roster, recommender.lexicon, (as_of.year, as_of.month) if as_of else None)
    unknown = unknown_completed(recommender, reading)
    needs, reach = recommender.needs(reading.values)
    choices = choices_of(
        recommender.catalog, recommender.matcher.teaches, recommender.lexicon, float(settings["DEFAULT_HOURS"])
    )
    selector = Selector(recommender.catalog, Limits(level_window=level_window, excluded=frozenset(asked["exclude"])))
    demand = demand_of(needs, reach, choices, selector)
    effort, origin = Effort(time_limit, gap), Origin(recommender.version, recommender.catalog.fingerprint)
    if asked["menu"]:
        found = plan_menu(demand, menu_rules(asked, recommender), effort, time.monotonic, origin)
    else:
        rules = class_rules(asked, settings, recommender, demand)
        found = plan_class(demand, rules, effort, time.monotonic, origin)
        if asked["what_if"]:
            found = replace(found, what_if=what_if(demand, rules, effort, time.monotonic))
    plan_writer(out)(PlanResults(found, demand, recommender.lexicon, reading, unknown))
    tell(told(found))
    if out:
        tell(f"已写入 {out}。")


def told(found: CohortPlan) -> str:
    """What came out, in two sentences for the terminal."""
    certificate = found.certificate
    gaps = len(found.closed) + len(found.missed)
    hours = sum(session.hours for session in found.sessions)
    proof = "已证明最优" if certificate.gap <= 1e-9 else f"与理论上限相差不超过 {certificate.gap:.2%}"
    return (
        f"{found.kind}：{len(found.sessions)} 门课程，共 {round(hours, 2):g} 学时，补上 {len(found.closed):,} 条短板和岗位需要，"
        f"漏下 {len(found.missed):,} 条（共 {gaps:,} 条）。目标值 {certificate.objective:,.2f}，{proof}。"
    )
