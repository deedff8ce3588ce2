"""Profiles + what the posts require -> Gaps.

Two reasons are kept apart: the duty of the post asks for it (干什么学什么), or this person lacks it (缺什么补什么). Stated lacks are
understood once for each distinct text, however many people share it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from model.domain import GAP_SOURCES, Gap, Profile, Reason, Weakness
from model.lexicon import Lexicon, bare
from model.reader import Understanding

SEVERITY_WEIGHTS = {1: 0.6, 2: 0.8, 3: 1.0}
SOURCE_WEIGHTS = {"组织评价": 1.0, "测试": 1.0, "本人自评": 0.9, "岗位要求": 0.45, "推断": 0.5}
DEFAULT_SOURCE = "本人自评"
PASS_MARK = 60.0  # A test result below it is a lack (seed: 以考促学); a setting of the house, not a national rule.
NEW_IN_POST_YEARS = 1.0
NEW_IN_POST_FACTOR = 1.25  # In the first year the post asks for more (任职培训 within one year of taking the post).
STATED_DUTY_WEIGHT = 0.8

_KIND_WORDS = {
    "经验盲区": re.compile(
        r"没经验|经验(少|不足|欠缺|缺乏)|没干过|没处理过|没经历|没做过|新任|刚调|刚到|刚下派|经历单一|第一次"
    ),
    "知识空白": re.compile(r"知识|不懂|不了解|不清楚|不熟|政策|看不懂|法规|吃不透|测试|考试|得分|没学过|是什么|说不清"),
}


def kind_of(text: str) -> str:
    """Tell the kind of a lack from its words: 经验盲区, 知识空白, else 能力弱项."""
    return next((kind for kind, words in _KIND_WORDS.items() if words.search(text)), "能力弱项")


def texts_of(profile: Profile) -> list[str]:
    """The texts of a profile that have to be understood beside the stated lacks: subjects of failed tests, stated duties."""
    return [subject for subject, score in profile.scores if score < PASS_MARK] + duty_texts(profile)


def duty_texts(profile: Profile) -> list[str]:
    """What the stated duty (分管安全生产、应急管理) names, one text a subject."""
    if not profile.duty:
        return []
    found = re.split(r"[、，,；;。\n]+", profile.duty)
    subjects = (
        re.sub(r"^(分管|负责|主管|协管|联系|协助|承担|主持)+|等?(工作|方面)?$", "", text.strip()) for text in found
    )
    return [subject for subject in dict.fromkeys(subjects) if len(subject) > 1]


def gaps_of(
    profile: Profile,
    family: str | None,
    lexicon: Lexicon,
    lacks: Mapping[str, Sequence[str]],
    understood: Mapping[str, Understanding],
) -> tuple[Gap, ...]:
    """The gaps of one person, heaviest first: stated lacks, failed tests, then what duty and level ask for.

    ``family`` is the post family of the person, ``lacks`` tells how each stated text splits, ``understood`` what each of its lacks and each of ``texts_of`` means.
    """
    gaps = [gap for weakness in profile.weaknesses for gap in _lacks(weakness, lacks, understood)]
    for subject, score in profile.scores:
        if score < PASS_MARK:
            weight = round(0.6 + 0.4 * (PASS_MARK - score) / PASS_MARK, 2)
            gaps.append(Gap(subject, understood[subject].competency, Reason.LACK, "知识空白", "测试", weight))
    gaps += _duties(profile, dict(lexicon.duties_of(family, profile.level)), understood)

    def order(gap: Gap) -> tuple[float, bool, str, str, int, str]:
        branch = lexicon.by_name[gap.competency].branch if gap.competency else ""
        political = branch in {"理论教育", "党性教育"}
        return (-gap.weight, not political, gap.reason, gap.text, GAP_SOURCES.index(gap.source), gap.kind or "")

    # What is stated twice (by the person and by the appraisal) is one gap, and counts as the heavier statement says.
    distinct: dict[tuple[Reason, str], Gap] = {}
    for gap in sorted(gaps, key=order):
        distinct.setdefault((gap.reason, bare(gap.text)), gap)
    return tuple(distinct.values())


def _lacks(
    weakness: Weakness, lacks: Mapping[str, Sequence[str]], understood: Mapping[str, Understanding]
) -> list[Gap]:
    source = weakness.source or DEFAULT_SOURCE
    weight = round(SEVERITY_WEIGHTS[weakness.severity] * SOURCE_WEIGHTS[source], 2)
    return [
        Gap(text, understood[text].competency, Reason.LACK, weakness.kind or kind_of(text), source, weight)
        for text in lacks[weakness.text]
    ]


def _duties(profile: Profile, required: Mapping[str, float], understood: Mapping[str, Understanding]) -> list[Gap]:
    newcomer = profile.years_in_post is not None and profile.years_in_post < NEW_IN_POST_YEARS
    factor = SOURCE_WEIGHTS["岗位要求"] * (NEW_IN_POST_FACTOR if newcomer else 1.0)
    meant = [(text, understood[text].competency) for text in duty_texts(profile)]
    # A stated duty that the post asks for anyway never weighs less for having been stated.
    stated = [(text, name, max(STATED_DUTY_WEIGHT, required.get(name or "", 0.0))) for text, name in meant]
    named = {name for _, name in meant}
    asked = stated + [(name, name, weight) for name, weight in required.items() if name not in named]
    return [
        Gap(text, competency, Reason.DUTY, None, "岗位要求", round(min(1.0, weight * factor), 2))
        for text, competency, weight in asked
        if competency is not None
    ]
