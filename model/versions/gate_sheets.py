"""What would change between two versions -> the sheets a planner reads it from."""

from __future__ import annotations

from model.files.sheets import SheetOut
from model.versions.gate import FIRST, Report
from model.versions.gate_quality import METRICS, Quality

# What a planner would else take for a judgement on the course list.
BUNDLED = "在随附的评判数据上比较，只看匹配方法，与这份课程表无关"


def report_sheets(report: Report) -> list[SheetOut]:
    """变更报告, 课程进出, 短板变化, 变化最大的人员."""
    return [_overall(report), _courses(report), _gaps(report), _people(report)]


def _overall(report: Report) -> SheetOut:
    rows: list[list[str | float | None]] = [
        line for found in (report.quality, report.own) if found for line in _quality(found)
    ]
    rows += [
        ["名册人数", report.people, report.people, "", ""],
        [f"前 {FIRST} 门课程有变化的人数", "", report.changed, _share(report.changed, report.people), ""],
        ["新进入前列的课程门数", "", report.entering, "", ""],
        ["不再进入前列的课程门数", report.vanishing, "", "", ""],
        [
            "必修课门数",
            *report.required,
            report.required[1] - report.required[0],
            "必修课排在每个人清单的最前面，不算在前 5 门里",
        ],
        ["两个版本都看到的短板和岗位需要", report.gaps, report.gaps, "", ""],
        ["原来有课、现在没有课", "", report.newly_unmet, _share(report.newly_unmet, report.gaps), ""],
        ["原来没有课、现在有课", "", report.newly_met, _share(report.newly_met, report.gaps), ""],
    ]
    rows += [["未通过的检查", "", "", "", one.told] for one in report.findings] or [
        ["各项检查", "", "", "", "全部通过"]
    ]
    header = ["项目", report.before, report.after, "变化", "说明"]
    title = f"版本变更报告：{report.before} → {report.after}"
    return SheetOut("变更报告", title, header, rows, [34, 14, 14, 14, 80], ())


def _quality(found: Quality) -> list[list[str | float | None]]:
    told = (
        f"{found.cases} 例；{BUNDLED}；两个版本都学过这些评判，数值偏高，只宜看差别"
        if found.metric == "ndcg@10"
        else f"{found.cases} 例，按人工反馈；版本若学过这些反馈，数值偏高"
    )
    difference = found.difference
    interval = f"差别的 95% 区间 {difference.low:+.4f} 到 {difference.high:+.4f}；{told}"
    return [[METRICS[found.metric], found.before.mean, found.after.mean, difference.mean, interval]]


def _courses(report: Report) -> SheetOut:
    rows: list[list[str | float | None]] = [
        [one.course_id, one.title, one.before, one.after, one.after - one.before] for one in report.shifts
    ]
    header = ["课程编号", "课程名称", f"{report.before} 人数", f"{report.after} 人数", "增减"]
    return SheetOut("课程进出", "进入或退出个人前列最多的课程", header, rows, [16, 50, 14, 14, 10], ())


def _gaps(report: Report) -> SheetOut:
    rows: list[list[str | float | None]] = []
    for kind, turns in (("变成没有课", report.unmet), ("变成有课", report.met)):
        rows += [[kind, one.need, one.cause, one.gaps, one.people] for one in turns]
    return SheetOut(
        "短板变化", "有课与没有课之间变化的短板", ["变化", "短板（能力）", "没有课的原因", "条数", "人数"], rows, [14, 34, 16, 10, 10], ()
    )  # fmt: skip


def _people(report: Report) -> SheetOut:
    rows: list[list[str | float | None]] = [
        [one.row, one.id, one.distance, "\n".join(one.before), "\n".join(one.after), "\n".join(f"{title}：{why}" for title, why in one.reasons)]
        for one in report.largest
    ]  # fmt: skip
    header = ["名册行次", "编号", "进出门数", report.before, report.after, "新课程的理由"]
    return SheetOut("变化最大的人员", "变化最大的人员（不列姓名）", header, rows, [10, 16, 10, 44, 44, 80], ())


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""
