"""``quebu models``: the versions of a registry listed, shown, compared, activated, gone back from; and the people they are held against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from threadpoolctl import threadpool_limits

from model.errors import VersionError
from model.files.sheets import write_workbook
from model.versions.gate import FIRST, Report
from model.versions.gate_quality import METRICS
from model.versions.gate_sheets import BUNDLED, report_sheets
from service.commands.terminal import out_option, print_json, registry_option, tell, who_runs_this
from service.settings import load_settings
from service.shapes.gates import dump_report
from service.shapes.outputs import check_out, whole, write_lines
from service.store.database import beside
from service.versions import Activated, Roster, Versions, roster_from

LISTED = ("created", "courses", "metrics")

roster_option = click.option(
    "--roster",
    type=click.Path(path_type=Path),
    default=None,
    help="用这份名册比较；默认为保存的名册（quebu models roster），没有则用随附的样例",
)
reason_option = click.option("--reason", default=None, help="理由，记入审计日志；不要写人名")


@contextmanager
def _versions(registry: Path) -> Iterator[Versions]:
    """The versions, with the store beside the registry (or the one the settings name) if there is one."""
    settings = load_settings() | {"REGISTRY": str(registry)}
    with beside(settings) as database:
        yield Versions.of(settings, database)


@click.group("models", help="各个版本：列出、查看、比较、启用、退回。")
def models_group() -> None:
    """The versions of a registry."""


@models_group.command("list", help="列出各个版本，新的在前（JSON）。")
@registry_option
def list_models(registry: Path) -> None:
    """Print all versions whose card can be read."""
    with _versions(registry) as versions:
        store, found = versions.registry, []
        active = store.pointer()
        for version in reversed(store.versions()):
            try:
                card = store.card(version)
            except VersionError as error:
                tell(f"! {error}")
                continue
            told = {name: card.get(name) for name in LISTED}
            found.append({"version": version, "active": version == active, **told})
    print_json(found)


@models_group.command("show", help="显示一个版本的 card.json，和它启用、停用的经过（JSON）。")
@click.argument("version", metavar="版本号")
@registry_option
def show_model(version: str, registry: Path) -> None:
    """Print a card with what happened to its version."""
    with _versions(registry) as versions:
        card, active = versions.registry.card(version), versions.registry.pointer()
        events = [one for one in versions.registry.history() if version in {one["version"], one.get("from")}]
    print_json({**card, "active": version == active, "history": events})


@models_group.command(
    "compare", help="比较两个版本：如果由第一个换成第二个，名册上的人会有什么变化，能否通过启用前的检查。"
)
@click.argument("first", metavar="原版本号")
@click.argument("second", metavar="新版本号")
@roster_option
@out_option(help="结果文件，按后缀决定格式：.xlsx .json；不给则以 JSON 输出")
@registry_option
def compare_models(first: str, second: str, roster: Path | None, out: Path | None, registry: Path) -> None:
    """Compare, write."""
    check_out(out, (".xlsx", ".json"), roster)
    with _versions(registry) as versions:
        lexicon = versions.load(first).lexicon
        people = _people(versions, first, roster) or versions.roster(lexicon)
        tell(f"正在 {people.name}（{len(people.people)} 人）和评判过的短板上比较……")
        with threadpool_limits(1):
            report = versions.report(first, second, people)
    if out is not None and out.suffix.lower() == ".xlsx":
        with whole(out) as draft:
            write_workbook(draft, report_sheets(report))
    else:
        write_lines(out, [dump_report(report, people.name, ids=roster is not None)], indent=2)
    tell(told(report))
    for finding in report.findings:
        tell(f"! {finding.told}")
    if out:
        tell(f"已写入 {out}。")


def _people(versions: Versions, version: str, roster: Path | None) -> Roster | None:
    """Those of a file, told how many of them; None without a file."""
    return None if roster is None else roster_from(roster, versions.load(version).lexicon)


@models_group.command(
    "activate", help="启用一个版本。先与启用中的版本比较，没有通过检查的不启用，除非用 --reason 写明理由。"
)
@click.argument("version", metavar="版本号")
@reason_option
@roster_option
@registry_option
def activate_model(version: str, reason: str | None, roster: Path | None, registry: Path) -> None:
    """Let a version through the gate and activate it."""
    with _versions(registry) as versions:
        tell("正在与启用中的版本比较……")
        with threadpool_limits(1):
            people = _people(versions, version, roster)
            done = versions.activate(version, who_runs_this(), reason, people)
    if done.note:
        tell(f"· {done.note}")
    for finding in done.findings:
        tell(f"! {finding['told']}")
    tell(f"已启用 {version}{_instead(done)}。退回：quebu models rollback")
    answer = {"version": version, "active": True, "before": done.before, "reason": done.reason}
    print_json(answer | {"findings": done.findings})


@models_group.command("rollback", help="退回上一个启用过的版本，立即生效。")
@reason_option
@registry_option
def rollback_model(reason: str | None, registry: Path) -> None:
    """Go back to what was active before."""
    with _versions(registry) as versions:
        done = versions.roll_back(who_runs_this(), reason)
    tell(f"已退回 {done.version}{_instead(done)}。")
    print_json({"version": done.version, "active": True, "before": done.before, "reason": done.reason})


def _instead(done: Activated) -> str:
    return f"（此前是 {done.before}）" if done.before and done.before != done.version else ""


@models_group.command("sign", help="为一个没有签名、或用旧密钥签名的版本签名；只签自己训练的。")
@click.argument("version", metavar="版本号")
@registry_option
def sign_model(version: str, registry: Path) -> None:
    """Vouch for a version with the signing key."""
    with _versions(registry) as versions:
        versions.registry.sign(version)
    tell(f"版本 {version} 的文件与 card.json 一致，已签名。")


@models_group.command("roster", help="保存一份名册，以后都用它比较版本；只存岗位、短板、成绩等，不存姓名、编号和单位。")
@click.argument("file", metavar="[名册文件]", required=False, type=click.Path(path_type=Path))
@click.option("--bundled", is_flag=True, help="删除保存的名册，改用随附的样例")
@registry_option
def save_roster(file: Path | None, bundled: bool, registry: Path) -> None:
    """Keep the people versions are held against."""
    if (file is None) == (not bundled):
        raise click.UsageError("请给出名册文件，或写 --bundled，二者选一。")
    with _versions(registry) as versions:
        people = None if file is None else roster_from(file, versions.load(versions.registry.active()).lexicon)
        versions.save_roster(people, who_runs_this())
    if people:
        tell(f"已保存 {len(people.people)} 人，今后用来比较版本；没有保存姓名、编号和单位。")
    else:
        tell("已改用随附的名册样例。")


def told(report: Report) -> str:
    """What would change, in two sentences for the terminal."""
    quality, share = report.quality, report.changed / report.people if report.people else 0.0
    return (
        f"{report.before} → {report.after}：{METRICS[quality.metric]} {quality.before.mean:.3f} → {quality.after.mean:.3f}"
        f"（变化 {quality.difference.mean:+.3f}，95% 区间 {quality.difference.low:+.3f} 到 {quality.difference.high:+.3f}；{BUNDLED}）。"
        f"名册 {report.people:,} 人中 {report.changed:,} 人（{share:.1%}）的前 {FIRST} 门课程会变；"
        f"{report.newly_unmet:,} 条短板变成没有课，{report.newly_met:,} 条变成有课。"
        + (f"必修课从 {report.required[0]} 门变为 {report.required[1]} 门。" if len(set(report.required)) > 1 else "")
        + ("没有通过启用前的检查：" if report.findings else "通过启用前的检查。")
    )
