"""Profiles + what the posts require -> Gaps.

Two reasons are kept apart: the duty of the post asks for it (干什么学什么), or this person lacks it (缺什么补什么). Stated lacks are
understood once for each distinct text, however many people share it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.domain import GAP_SOURCES, Gap, Profile, Reason, Weakness
from model.lexicon import Lexicon, bare

SURE = 0.25  # A competency is named for a text from this probability on; below it the gap stays free text.
SURELY_NOTHING = 0.5  # A text names no learnable lack from this probability on.

SEVERITY_WEIGHTS = {1: 0.6, 2: 0.8, 3: 1.0}
SOURCE_WEIGHTS = {"组织评价": 1.0, "测试": 1.0, "本人自评": 0.9, "岗位要求": 0.45, "推断": 0.5}
DEFAULT_SOURCE = "本人自评"
PASS_MARK = 60.0  # A test result below it is a lack (seed: 以考促学); a setting of the house, not a national rule.
NEW_IN_POST_YEARS = 1.0
NEW_IN_POST_FACTOR = 1.25  # In the first year the post asks for more (任职培训 within one year of taking the post).
STATED_DUTY_WEIGHT = 0.8
LONG_RUN = 40  # Characters from which a text with both ， and 、 is read as several lacks in a row.

_PREDICATE = re.compile(
    r"不|没|无|未|弱|差|少|难|缺|怕|慌|乱|慢|低|松|虚|空|浅|窄|旧|老套|滞后|多$|急躁|一般|欠|有待|需要?(加强|提高|提升)|薄|生疏|陌生|吃力|走样|打折"
)
_NOT_A_TERM = re.compile(rf"{_PREDICATE.pattern}|[，。：？]|的|负责|^在")
_KIND_WORDS = {
    "经验盲区": re.compile(
        r"没经验|经验(少|不足|欠缺|缺乏)|没干过|没处理过|没经历|没做过|新任|刚调|刚到|刚下派|经历单一|第一次"
    ),
    "知识空白": re.compile(r"知识|不懂|不了解|不清楚|不熟|政策|看不懂|法规|吃不透|测试|考试|得分|没学过|是什么|说不清"),
}


@dataclass(frozen=True, slots=True)
class Understanding:
    """What one gap text was understood to be: the competency it surely names (or None), or that it names no lack at all."""

    competency: str | None
    unclear: bool


class Classifier(Protocol):
    """What tells the competencies of texts: a CompetencyClassifier, or a matcher that holds several."""

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities of the competencies in the order of the lexicon, then of naming no lack; one row a text."""


class Reader:
    """Understands gap texts: splits those that tell of several lacks, names the competency of each."""

    def __init__(self, classifier: Classifier, lexicon: Lexicon) -> None:
        self.classifier, self.lexicon = classifier, lexicon
        self._false_friends = {frozenset(map(bare, pair)) for pair in lexicon.false_friends}

    def understand(self, texts: Iterable[str]) -> dict[str, Understanding]:
        """Understand each distinct text once."""
        distinct = sorted(set(texts))
        probabilities = self.classifier.predict_proba(distinct)
        return {text: self._understood(text, row) for text, row in zip(distinct, probabilities, strict=True)}

    def _understood(self, text: str, probabilities: NDArray[np.float64]) -> Understanding:
        exact = self.lexicon.named.get(bare(text))
        if exact:
            return Understanding(exact, unclear=False)
        best = int(np.argmax(probabilities[:-1]))
        nothing = probabilities[-1]
        if nothing >= SURELY_NOTHING and nothing > probabilities[best]:
            return Understanding(None, unclear=True)
        return Understanding(
            self.lexicon.competencies[best].name if probabilities[best] >= SURE else None, unclear=False
        )

    def split(self, texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Split each text into its lacks.

        ，、 and / both separate lacks (写材料、保密、PPT) and belong to one (专项债申报、隐性债务化解办法不多). A boundary is taken where what
        stands before it is complete in itself and both sides surely name different competencies.
        """
        spans = {text: _pieces(text) for text in set(texts)}
        several = {text: found for text, found in spans.items() if len(found) > 1}
        wanted = sorted({text[start:end] for text, found in several.items() for start, end in found})
        # What names no lack is no lack of its own, so only the competencies are looked at.
        probability = dict(zip(wanted, self.classifier.predict_proba(wanted)[:, :-1], strict=True))
        return {
            text: self._joined(text, found, probability) if text in several else (text,)
            for text, found in spans.items()
        }

    def _joined(
        self, text: str, spans: Sequence[tuple[int, int]], probability: Mapping[str, NDArray[np.float64]]
    ) -> tuple[str, ...]:
        """Put the pieces of a text together again, except where one lack ends and another begins."""
        pieces = [text[start:end] for start, end in spans]
        listed = not any(len(piece) > 10 or _NOT_A_TERM.search(piece) for piece in pieces)
        starts, ends = [spans[0][0]], []
        for (before, after), (left, right) in zip(pairwise(pieces), pairwise(spans), strict=True):
            differ = _differ(probability[before], probability[after], listed) and (listed or _complete(before, after))
            if differ or self._known_apart(before, after):
                ends.append(left[1])
                starts.append(right[0])
        ends.append(spans[-1][1])
        return tuple(dict.fromkeys(text[start:end] for start, end in zip(starts, ends, strict=True)))

    def _known_apart(self, before: str, after: str) -> bool:
        """Tell whether the lexicon itself holds two words apart: as two competencies, or as false friends (审批、审计)."""
        first, second = bare(before), bare(after)
        names = self.lexicon.named.get(first), self.lexicon.named.get(second)
        return (None not in names and names[0] != names[1]) or frozenset((first, second)) in self._false_friends


def _differ(left: NDArray[np.float64], right: NDArray[np.float64], listed: bool) -> bool:
    """Tell whether two pieces are about different matters: in a bare list unless they overlap, else only where both are sure."""
    first, second = int(np.argmax(left)), int(np.argmax(right))
    overlap = first == second or max(left[second], right[first]) >= SURE / 2
    return not overlap and (listed or min(left[first], right[second]) >= SURE)


def _pieces(text: str) -> list[tuple[int, int]]:
    """Cut a text at every 、 and / (and at ， before 也/还/又), except inside brackets and quotation marks; (start, end) of each piece."""
    hidden = re.sub(r"（[^）]*）|\([^)]*\)|“[^”]*”|《[^》]*》", lambda match: "※" * len(match[0]), text)
    # 、 binds closer than ，: beside a ， it lists within one clause, unless the cell is a long run of whole lacks.
    listing = "、|(?<![A-Za-z0-9])/|," if "，" not in hidden or len(text) >= LONG_RUN else "(?!)"
    cuts = [match.span() for match in re.finditer(rf"{listing}|，(?=(也|还|又|而且|另外)[不没缺怕])", hidden)]
    edges = [0, *(edge for span in cuts for edge in span), len(text)]
    found = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        piece = text[start:end]
        if piece.strip():
            found.append((start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())))
    return found or [(0, len(text))]


def _complete(piece: str, following: str) -> bool:
    """Tell whether a piece could stand alone before the next one, or only begins a list (专项债申报、隐性债务化解办法不多)."""
    last = re.split(r"[，,]", piece)[-1]
    return len(following) >= 4 and (bool(_PREDICATE.search(last)) or (last != piece and len(last) >= 9))


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
