"""``quebu plan``: one plan for everybody on a roster, with its certificate, as JSON or as the workbook a planner files."""

from __future__ import annotations

import time
from datetime import datetime
from math import isnan
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from model.cohort.nouns import CohortPlan
from model.cohort.pairing import Between
from model.cohort.rival import compare
from model.cohort.rules import CLASS_TYPES, preset
from service.commands.terminal import (
    as_of_option,
    level_window_option,
    out_option,
    registry_option,
    roster_of,
    roster_option,
    stdout_kept,
    tell,
    tell_overridden,
    unknown_completed,
    version_at_work,
    version_option,
)
from service.planning import filing_of, make_plan
from service.settings import load_settings
from service.shapes.asked import Asked, asked_again
from service.shapes.outputs import PlanResults, check_out, plan_writer, write_comparison
from service.shapes.plans import dump_cohort, load_cohort, read_filed


class Finite(click.FloatRange):
    """A number within a range; that which is none (nan) is outside of all."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse nan, which no comparison would."""
        number = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value!r} is not a valid number.", param, ctx)
        return number


def _again(ctx: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    """Take what a kept plan was asked for as the defaults of all other options."""
    if path is not None:
        asked, _settings = asked_again(read_filed(path).origin.parameters)
        asked["as_of"] = asked["as_of"].isoformat() if asked["as_of"] else None
        ctx.default_map = {name: value for name, value in asked.items() if value is not None}
    return path


def _shape(command: Any) -> Any:
    """The options that say what kind of plan, each with what it means."""
    options = (
        click.option("--hours", type=Finite(0.25, 10_000), default=None, help="总学时；菜单选学时为每人学时上限"),
        click.option("--days", type=Finite(0.25, 1000), default=None, help="天数，代替 --hours；每天学时见设置 QUEBU_HOURS_PER_DAY"),
        click.option("--type", "kind", default="专题班", show_default=True, help=f"班次类型：{'、'.join(CLASS_TYPES)}"),
        click.option("--share", multiple=True, help="类别学时比例下限，如 党性教育=0.2，可多次给出；给出后代替班次类型自带的比例"),
        click.option("--require", multiple=True, help="必须安排的课程编号，可多次给出"),
        click.option("--exclude", multiple=True, help="不安排的课程编号，可多次给出"),
        click.option("--catalog-required/--no-catalog-required", default=True, show_default=True, help="目录中标为必修的课程是否必须安排"),
        click.option("--mode", multiple=True, help="只用这些授课方式，如 线下讲授，可多次给出"),
        click.option("--max-courses", type=click.IntRange(1, 10_000), default=None, help="最多安排几门课程"),
        click.option("--budget", type=Finite(0), default=None, help="经费上限（元）"),
        click.option("--fit", type=Finite(0, 1), default=0.5, show_default=True, help="课程适用对象至少覆盖全班的比例"),
        click.option("--classes", type=click.IntRange(1, 100), default=1, show_default=True, help="分成几个班（分班）"),
        click.option("--class-size", type=click.IntRange(1, 100_000), default=None, help="每班最多几人；默认比平均多两成"),
        click.option("--class-min", type=click.IntRange(1, 100_000), default=None, help="每班最少几人；默认为平均的一半"),
        click.option("--theory", type=click.IntRange(0, 100), default=None, help="至少几门党的创新理论课程；默认按班次类型"),
        click.option("--practice", type=click.IntRange(0, 100), default=None, help="至少几门实践教学；默认按班次类型"),
        click.option("--level-span", type=click.IntRange(0, 20), default=None, help="同班人员层级最多相差几级；默认 2，安排不下时自动放宽"),
        click.option("--menu", is_flag=True, help="菜单选学：开多场，每人只参加对自己有用的"),
        click.option("--seats", type=click.IntRange(1, 100_000), default=50, show_default=True, help="菜单选学每场名额；课程另有规定的从其规定"),
        click.option("--min-size", type=click.IntRange(1, 100_000), default=1, show_default=True, help="菜单选学每场最少开班人数"),
        click.option("--sessions", type=click.IntRange(1, 10_000), default=None, help="菜单选学最多开几场"),
        click.option("--repeats", type=click.IntRange(1, 100), default=1, show_default=True, help="菜单选学同一门课最多开几期（平行班）"),
        click.option("--floor", type=Finite(0, 1), default=0.0, show_default=True, help="菜单选学中每个单位有课上的人至少占的比例"),
        click.option("--level-floor", type=Finite(0, 1), default=0.0, show_default=True, help="菜单选学中每个层级有课上的人至少占的比例"),
        click.option("--offer", multiple=True, help="菜单选学只从这些课程编号中开，可多次给出"),
        click.option("--pairs", type=click.Choice([kind.value for kind in Between]), default=Between.UNITS.value, show_default=True, help="结对共建在单位之间（units）还是人员之间（people）"),
        click.option("--what-if", is_flag=True, help="再算多 1 学时、多 1 门课、放宽比例等各能多补多少"),
        click.option("--time-limit", type=Finite(1, 3600), default=60.0, show_default=True, help="求解最多用几秒"),
        click.option("--gap", type=Finite(0, 0.5), default=1e-4, show_default=True, help="离最优多近就可以停（相对差距）"),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command("plan", help="为名册上的全体人员排班：选哪些课、补上哪些短板、还漏下谁，并证明方案离最优有多远。")
@roster_option
@_shape
@level_window_option
@as_of_option
@click.option("--deadline", default="", help="三张清单里的时限，如 2026年12月底前")
@click.option(
    "--previous", type=click.Path(path_type=Path), default=None, help="原方案（.json）：与它比较，并接续各条短板的状态"
)
@click.option(
    "--again",
    type=click.Path(path_type=Path),
    default=None,
    is_eager=True,
    callback=_again,
    help="按原方案（.json）的参数重排，并与它比较；另给的选项优先",
)
@out_option(help="结果文件，按后缀决定格式：.xlsx .json；不给则以 JSON 输出")
@registry_option
@version_option
def plan_command(
    roster: Path,
    as_of: datetime | None,
    deadline: str,
    previous: Path | None,
    again: Path | None,
    out: Path | None,
    registry: Path,
    version: str | None,
    **given: Any,
) -> None:
    """Read the roster, plan, write."""
    stated = click.get_current_context().get_parameter_source
    for one, other in (("hours", "days"), ("days", "hours")):
        # What is asked for anew counts, whichever of the two the kept plan had.
        if again and stated(one) is ParameterSource.COMMANDLINE and stated(other) is ParameterSource.DEFAULT_MAP:
            given[other] = None
    asked = Asked(as_of=as_of.date() if as_of else None, **given)
    settings = load_settings()
    check_out(out, (".xlsx", ".json"), roster)
    # What can be told to be wrong is told before the work begins.
    kept = read_filed(again) if again else None
    before = read_filed(previous) if previous else kept
    if kept:
        settings |= asked_again(kept.origin.parameters)[1]
    preset(asked.kind, asked.total_hours(settings["HOURS_PER_DAY"]), settings["HOURS_PER_DAY"])
    recommender = version_at_work(registry, version)
    reading = roster_of(roster, recommender.lexicon, asked.month)
    unknown = unknown_completed(recommender, reading)
    with stdout_kept():
        plan, demand = make_plan(recommender, reading.values, asked, settings, time.monotonic)
    filing = filing_of(recommender, plan, demand, asked, settings, time.monotonic, deadline, before)
    comparison = compare(before, load_cohort(dump_cohort(filing))) if before else None
    plan_writer(out)(PlanResults(filing, reading, comparison, unknown))
    tell_overridden(recommender, demand.overridden)
    tell(told(plan))
    if comparison:
        tell(comparison.told)
    if out:
        tell(f"已写入 {out}。")


@click.command("compare-plans", help="并排比较两份方案（quebu plan 写出的 .json）：数字、课程、各自补上的短板、参数。")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@out_option(help="结果文件，按后缀决定格式：.xlsx .json；不给则以 JSON 输出")
def compare_plans_command(first: Path, second: Path, out: Path | None) -> None:
    """Read both, compare, write."""
    check_out(out, (".xlsx", ".json"), first)
    check_out(out, (".xlsx", ".json"), second)
    found = compare(read_filed(first), read_filed(second))
    write_comparison(out, found)
    tell(found.told)


def told(found: CohortPlan) -> str:
    """What came out, in two sentences for the terminal."""
    certificate = found.certificate
    gaps = len(found.closed) + len(found.missed)
    hours = sum(session.hours for session in found.sessions)
    courses = len({session.courses[0].id for session in found.sessions})
    proof = "已证明最优" if certificate.gap <= 1e-9 else f"与理论上限相差不超过 {certificate.gap:.2%}"
    if found.classes and certificate.gap > 1e-9:
        proof = f"是反复调整得到的最好分班（上限 {certificate.bound:,.2f} 按全部课程人人可上计算，通常达不到）"
        if found.yardsticks:
            other = found.yardsticks[-1]
            proof += f"；{other.name}只有 {other.objective:,.2f}"
    parts = f"分 {len(found.classes)} 个班，" if found.classes else ""
    hours_of_all = "各班合计" if found.classes else "共"
    return (
        f"{found.kind}：{parts}{courses} 门课程，{hours_of_all} {round(hours, 2):g} 学时，补上 {len(found.closed):,} 条短板和岗位需要，"
        f"漏下 {len(found.missed):,} 条（共 {gaps:,} 条）。目标值 {certificate.objective:,.2f}，{proof}。"
    )
