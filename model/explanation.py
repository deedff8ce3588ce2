"""Why: the reasons of a recommendation, read from the parts of its score and from nothing else."""

from __future__ import annotations

from collections.abc import Container

from model.curation import PINNED
from model.domain import Candidate, Explanation, Gap, Part, Reason, Recommendation

DUTY_CODE = "duty_post"
LACK_CODES = {
    "本人自评": "lack_self",
    "组织评价": "lack_appraisal",
    "测试": "lack_test",
    "推断": "lack_inferred",
    "岗位要求": "lack_post",  # A lack that was seen by holding the person against the post.
}

REQUIRED = "必修课：课程目录如此标明。"
PINNED_FOR_ALL = "必修课：由课程目录的管理者指定。"
EVIDENCE = {
    "lexical": "（主要凭词句相同）",
    "competency": "（主要凭所讲能力一致）",
    "expansion": "（主要凭同一能力的常用词）",
    "semantic": "（主要凭意思相近）",
    PINNED: "（由课程目录的管理者指定）",
}


def explain(candidate: Candidate, pinned: Container[str] = ()) -> Recommendation:
    """Give each part of a candidate its sentence, the largest part first; a required course says so first of all. ``pinned`` are the ids of courses
    that are required because somebody said so, not the list."""
    parts = sorted(candidate.parts, key=lambda part: (-part.value, part.gap.text))
    reasons = [Explanation(part.gap.text, part.value, _code(part.gap), _sentence(part)) for part in parts]
    if candidate.course.required:
        told = PINNED_FOR_ALL if candidate.course.id in pinned else REQUIRED
        reasons.insert(0, Explanation(None, 0.0, "required", told))
    return Recommendation(candidate, tuple(reasons))


def _code(gap: Gap) -> str:
    return DUTY_CODE if gap.reason is Reason.DUTY else LACK_CODES[gap.source]


def _sentence(part: Part) -> str:
    gap = part.gap
    # A quotation inside a quotation takes the inner marks.
    text = gap.text.translate({ord("“"): "‘", ord("”"): "’"})
    about = f"，归入“{gap.competency}”" if gap.competency and gap.competency != gap.text else ""
    chance = f"对口的把握约 {min(part.relevance, 0.99):.0%}{EVIDENCE.get(part.evidence, '')}"
    if gap.reason is Reason.DUTY:
        return f"因岗位需要“{text}”{about}：{chance}，计 {part.value:.4f} 分。"
    return f"因短板“{text}”（{gap.source}·{gap.kind}{about}）：{chance}，计 {part.value:.4f} 分。"
