"""One person's plan as lines of text, for the demonstration on the command line."""

from __future__ import annotations

from model.domain import Course, Gap, Plan, Reason, Recommendation
from model.reports import CAUSE_ADVICE


def story(plan: Plan) -> str:
    """Who, what is lacking, what to learn and why, what stays open. Required courses share one paragraph: they are the same for many."""
    person = plan.profile
    place = " ".join(filter(None, [person.unit, person.post]))
    duties = [gap.text for gap in plan.gaps if gap.reason is Reason.DUTY]
    lines = [f"■ {person.name or person.id}" + (f"（{place}）" if place else "")]
    lines += [f"  短板：{_lack(gap)}" for gap in plan.gaps if gap.reason is Reason.LACK]
    lines += [f"  岗位需要：{'、'.join(duties)}"] if duties else []
    required = [found for found in plan.recommendations if found.candidate.course.required]
    lines += _required(required) if required else []
    for found in plan.recommendations:
        if not found.candidate.course.required:
            lines.append(f"  ▸ {_course(found.candidate.course)}")
            lines += [f"      {reason.text}" for reason in found.reasons]
    if not plan.recommendations:
        lines.append("  （没有可推荐的课程）" if plan.gaps else "  （未填短板，岗位也无法识别，请补充后再推荐）")
    lines += [f"  ✕ {unmet.gap.text}：{unmet.cause}。{CAUSE_ADVICE[unmet.cause]}" for unmet in plan.unmet]
    return "\n".join(lines) + "\n"


def _lack(gap: Gap) -> str:
    named = f"（归入“{gap.competency}”）" if gap.competency and gap.competency != gap.text else ""
    return gap.text + named


def _course(course: Course) -> str:
    return f"{_titled(course.title)}（{'，'.join(filter(None, [course.mode, _hours(course)]))}）"


def _titled(title: str) -> str:
    """A title in its marks; a title within it takes the inner ones."""
    return f"《{title.translate({ord('《'): '〈', ord('》'): '〉'})}》"


def _hours(course: Course) -> str:
    return f"{course.hours:g} 学时" if course.hours is not None else "学时待定"


def _required(required: list[Recommendation]) -> list[str]:
    hours = [found.candidate.course.hours for found in required]
    stated = sum(hour for hour in hours if hour is not None)
    total = f"{stated:g} 学时" + ("，另有学时待定" if None in hours else "")
    titles = "、".join(_titled(found.candidate.course.title) for found in required)
    served = {reason.gap: found.candidate.course.title for found in required for reason in found.reasons if reason.gap}
    lines = [f"  ▸ 必修 {len(required)} 门（{total}）：{titles}"]
    return lines + [f"      其中{_titled(title)}也对应“{gap}”。" for gap, title in served.items()]
