"""Texts as people write them -> lacks: what is said to be good is set aside, several lacks are told apart, each is named.

不缺写作能力只缺经济知识         -> 缺经济知识
一是不会写材料，二是不懂法律       -> 不会写材料 | 不懂法律
专项债申报、隐性债务化解办法不多    -> one lack
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.curation import NOTHING, Curation
from model.files.cells import is_nothing, several
from model.lexicon import Lexicon, bare

VERY_SURE = 0.8  # A ， ends a lack where both sides name competencies of different areas with this probability …
HEARD = 0.05  # … and the whole text is heard to name both.
SURE = 0.25  # A competency is named for a text from this probability on; below it the gap stays free text.
SURELY_NOTHING = 0.5  # A text names no learnable lack from this probability on.
LONG_RUN = 40  # Characters from which a text with both ， and 、 is read as several lacks in a row.

_PREDICATE = re.compile(
    r"不|没|无|未|弱|差|少|难|缺|怕|慌|乱|慢|低|松|虚|空|浅|窄|旧|老套|滞后|多$|急躁|一般|欠|有待|需要?(加强|提高|提升)|薄|生疏|陌生|吃力|走样|打折|单一"
)
_NOT_A_TERM = re.compile(rf"{_PREDICATE.pattern}|[，。：？]|的|负责|^在")

# Where one clause ends and the next begins, marked or not (不缺写作能力只缺经济知识).
_CLAUSE = re.compile(r"[，,。；;！!\n]+|(?=(?:但是?|可是|只是|而是|却)[^，,。]{2})|(?=只[缺差]|就是[不没缺怕])")
_TURN = re.compile(r"^(?:但是?|可是|只是|而是|就是|不过|然而|却|只|是(?=[不没缺怕]))+")
_ABILITY = "能力|水平|功底|底子|基础|本领|经验|业务|素质|意识|性|力|方面|工作|知识"
# What says that something is good, or not wanted. What is left of a clause without it must not tell of a lack (执行力不强).
_GOOD = re.compile(
    r"不缺(?![席位乏])|不错|不[差弱赖](?!钱)|不成问题|不在话下|难不倒|没有?[他她]?(?:什么|啥|任何|大)*(?:问题(?!意识)|短板|障碍|困难|毛病|不足|不会的|不懂的|要补的|不放心的)|"
    r"(?:无|不存在|未发现)(?:明显|大|什么)*(?:问题|短板|不足|困难)|不(?:需要|用|必|想)(?:再|去|参加)*(?:学习?|补|培训|提高|加强|安排)了?|"
    r"^(?:并|倒|也)?不是[不没缺新外]|(?:从|早就|早已|再也|一点都|也)?不(?:怕(?!事)|慌|怯场|怵|拖拉)|从[没未]出过差错|"
    rf"(?:{_ABILITY}|都|也|还|很|较|比较|非常|十分|挺|蛮|相当|特别)强(?:的|着呢)?$|"
    r"(?:很|较|比较|非常|十分|挺|蛮|相当|特别|都还?|还|素质|又)(?:好|行|可以|熟|稳)(?:的|了)?$|"
    r"(?:扎实|过硬|坚定|熟[练炼]|娴熟|丰富|突出|出色|优秀|精通|拿手|在行|得心应手|游刃有余|没的说|没得说|胜任.*)(?:的|了)?$|^(?:很|最|非常)?擅长"
)
_WISH = re.compile(r"希望|想|要|需|怎么|如何|怎样|提高|提升|加强|增强|应该|多学")
_EXCEPT = re.compile(
    r"^除了?([^，,]{2,20}?)(?:以外|之外|外)?[，,]?(?:别的|其他|其余|其它)[^，,]{0,6}(?:行|好|可以|强|不错|问题|熟练)的?$"
)


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

    def __init__(self, classifier: Classifier, lexicon: Lexicon, curation: Curation = NOTHING) -> None:
        self.classifier, self.lexicon, self.curation = classifier, lexicon, curation
        self._false_friends = {frozenset(map(bare, pair)) for pair in lexicon.false_friends}

    def understand(self, texts: Iterable[str]) -> dict[str, Understanding]:
        """Understand each distinct text once."""
        distinct = sorted(set(texts))
        probabilities = self.classifier.predict_proba(distinct)
        return {text: self._understood(text, row) for text, row in zip(distinct, probabilities, strict=True)}

    def _understood(self, text: str, probabilities: NDArray[np.float64]) -> Understanding:
        exact = self.curation.named(text) or self.lexicon.named.get(bare(text))
        if exact:
            return Understanding(exact, unclear=False)
        best = int(np.argmax(probabilities[:-1]))
        nothing = probabilities[-1]
        if names_nothing(text) or (nothing >= SURELY_NOTHING and nothing > probabilities[best]):
            return Understanding(None, unclear=True)
        return Understanding(
            self.lexicon.competencies[best].name if probabilities[best] >= SURE else None, unclear=False
        )

    def split(self, texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The lacks of each text, in its own words. A text that names none stays as it is (:func:`names_nothing`).

        Line breaks, ；and numbering always separate. ，、 and / both separate lacks (写材料、保密、PPT) and belong to one (专项债申报、隐性债务化解办法
        不多): there a boundary is taken where what stands before it is complete in itself and both sides surely name different competencies.
        """
        marked = {text: _marked(text) for text in set(texts)}
        parts = {part for found in marked.values() for part in found}
        kept = {part: self._without_what_is_good(part) for part in sorted(parts)}
        pieces = {text: _pieces(text) for found in kept.values() for text in found}
        several_pieces = {text: spans for text, spans in pieces.items() if len(spans) > 1}
        # What names no lack is no lack of its own, so only the competencies are looked at.
        probability = dict(
            zip(several_pieces, self.classifier.predict_proba(list(several_pieces))[:, :-1], strict=True)
        )
        for text in [
            text for text, spans in several_pieces.items() if self._about_one_matter(text, spans, probability[text])
        ]:
            # Most texts with a ， in them; they are matched as a whole, so nothing else of them need be encoded.
            pieces[text] = [(0, len(text))]
            del several_pieces[text]
        wanted = sorted({text[start:end] for text, spans in several_pieces.items() for start, end in spans})
        probability |= zip(wanted, self.classifier.predict_proba(wanted)[:, :-1], strict=True)
        split = {
            text: self._joined(text, spans, probability) if len(spans) > 1 else (text,)
            for text, spans in pieces.items()
        }
        return {
            text: tuple(dict.fromkeys(lack for part in found for run in kept[part] for lack in split[run])) or (text,)
            for text, found in marked.items()
        }

    def _without_what_is_good(self, text: str) -> tuple[str, ...]:
        """What a text tells of lacks when what is good (不缺写作能力) is set aside; the whole text where nothing would remain that surely
        names a competency, for then the one explains the other (说起来头头是道，一干就走样)."""
        exception = _EXCEPT.match(text)
        if exception:
            return (exception[1],)
        good = [(span, is_good(text[slice(*span)])) for span in _clauses(text)]
        if len({said for _, said in good}) < 2 or not any(
            self._tells_of_a_lack(text[slice(*span)]) for span, said in good if not said
        ):
            return (text,)
        # Neighbours stay together in the words of the text; what was set aside parts them.
        runs = [[span for span, _ in group] for said, group in groupby(good, key=lambda each: each[1]) if not said]
        lacks = [_TURN.sub("", text[run[0][0] : run[-1][1]]) for run in runs]
        sure = self.classifier.predict_proba(lacks)[:, :-1].max(axis=1) >= SURE
        return tuple(lacks) if sure.any() else (text,)

    def _tells_of_a_lack(self, clause: str) -> bool:
        return any(words.search(clause) for words in (_PREDICATE, _WISH, _TURN)) or bare(clause) in self.lexicon.named

    def _joined(
        self, text: str, spans: Sequence[tuple[int, int]], probability: Mapping[str, NDArray[np.float64]]
    ) -> tuple[str, ...]:
        """Put the pieces of a text together again, except where one lack ends and another begins."""
        pieces = [text[start:end] for start, end in spans]
        # Terms in a row; with ， between them they would be clauses of one complaint (调研走过场，蜻蜓点水).
        listed = not any(len(piece) > 10 or _NOT_A_TERM.search(piece) for piece in pieces)
        starts, ends = [spans[0][0]], []
        for (before, after), (left, right) in zip(pairwise(pieces), pairwise(spans), strict=True):
            mark = text[left[1] : right[0]]
            if "，" in mark and not _AND.match(after):
                apart = self._far_apart(probability[before], probability[after], probability[text])
            else:
                apart = _differ(probability[before], probability[after], listed and "。" not in mark)
            whole = text[starts[-1] : left[1]]
            if (apart and (listed or _complete(whole, after))) or self._known_apart(before, after):
                ends.append(left[1])
                starts.append(right[0])
        ends.append(spans[-1][1])
        return tuple(dict.fromkeys(text[start:end] for start, end in zip(starts, ends, strict=True)))

    def _about_one_matter(self, text: str, spans: Sequence[tuple[int, int]], whole: NDArray[np.float64]) -> bool:
        """Tell whether nothing but ， could part a text, and too little is heard of a second area for any ， to do so."""
        marks = [text[left:right] for (_, left), (right, _) in pairwise(spans)]
        following = [text[start:end] for start, end in spans[1:]]
        if any("，" not in mark or _AND.match(piece) for mark, piece in zip(marks, following, strict=True)):
            return False
        heard = {self.lexicon.competencies[place].area for place in np.flatnonzero(whole >= HEARD)}
        return len(heard) < 2

    def _far_apart(self, left: NDArray[np.float64], right: NDArray[np.float64], whole: NDArray[np.float64]) -> bool:
        """Tell whether two clauses are very surely about matters of different areas, and the whole text about both."""
        first, second = int(np.argmax(left)), int(np.argmax(right))
        areas = self.lexicon.competencies[first].area, self.lexicon.competencies[second].area
        sure = min(left[first], right[second]) >= VERY_SURE and min(whole[first], whole[second]) >= HEARD
        return areas[0] != areas[1] and bool(sure) and _differ(left, right, listed=False)

    def _known_apart(self, before: str, after: str) -> bool:
        """Tell whether the lexicon itself holds two words apart: as two competencies, or as false friends (审批、审计)."""
        first, second = bare(before), bare(after)
        names = self.lexicon.named.get(first), self.lexicon.named.get(second)
        return (None not in names and names[0] != names[1]) or frozenset((first, second)) in self._false_friends


def names_nothing(text: str) -> bool:
    """Tell whether a text names no lack by its form: it only says what is good (公文写作能力强), or has no word in it (123456)."""
    clauses = [text[start:end] for start, end in _clauses(text)]
    good = [is_good(clause) for clause in clauses]
    silent = (
        said or not (_PREDICATE.search(clause) or _WISH.search(clause))
        for said, clause in zip(good, clauses, strict=True)
    )
    return is_nothing(text) or not re.search(r"[^\W\d_]", text) or (any(good) and all(silent))


def is_good(clause: str) -> bool:
    """Tell whether a clause says that something is good or not wanted, and nothing of a lack."""
    said = _TURN.sub("", clause)
    rest = _GOOD.sub("", said)
    return rest != said and not _PREDICATE.search(rest) and not _WISH.search(rest)


_COUNTED = re.compile(
    r"(?:^|(?<=[。；;，,：:、\s]))\s*(?:首先|其次|再次|最后|第[一二三四五六]|[一二三四五六]是|其[一二三四]|[a-e][.．、])[，,、：:]?\s*"
)


def _marked(text: str) -> tuple[str, ...]:
    """What the writer marked as separate, by lines, ；, numbers or words that count (首先, 其次); of these, what is good left out.

    What stands before the first number only announces (存在以下不足：).
    """
    counted = _COUNTED.split(text)
    lacks = counted[1:] if len(counted) > 2 and (len(counted[0]) <= 6 or counted[0].rstrip()[-1:] in "：:") else counted
    parts = [part for lack in (lacks if len(counted) > 2 else [text]) for part in several(lack)]
    return tuple(part for part in parts if not names_nothing(part)) or tuple(parts) or (text,)


def _masked(text: str) -> str:
    """The text with what stands in brackets, quotation marks and titles made unreadable, character by character."""
    return re.sub(r"（[^）]*）|\([^)]*\)|“[^”]*”|《[^》]*》", lambda match: "※" * len(match[0]), text)


def _between(text: str, marks: re.Pattern[str]) -> list[tuple[int, int]]:
    """(start, end) of what stands between marks, blanks at the ends left out; the whole text where nothing does."""
    edges = [0, *(edge for match in marks.finditer(_masked(text)) for edge in match.span()), len(text)]
    found = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        piece = text[start:end]
        if piece.strip():
            found.append((start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())))
    return found or [(0, len(text))]


def _clauses(text: str) -> list[tuple[int, int]]:
    return _between(text, _CLAUSE)


_AND = re.compile("(也|还|又|而且|另外|且|同时)[不没缺怕有]?")
_SENTENCE = re.compile("[，。！!]|(?=又[不没缺怕])")
_LISTED = re.compile("、|(?<![A-Za-z0-9])/|,|(?=又[不没缺怕])")
_RUN = re.compile(f"{_SENTENCE.pattern}|{_LISTED.pattern}")


def _pieces(text: str) -> list[tuple[int, int]]:
    """Cut a text where a lack may end; (start, end) of each piece. 、 binds closer than ，: beside a ， it lists within one clause,
    unless the cell is a long run of whole lacks."""
    if not re.search("[，。]", _masked(text)):
        return _between(text, _LISTED)
    return _between(text, _RUN if len(text) >= LONG_RUN else _SENTENCE)


def _differ(left: NDArray[np.float64], right: NDArray[np.float64], listed: bool) -> bool:
    """Tell whether two pieces are about different matters: in a bare list unless they overlap, else only where both are sure."""
    first, second = int(np.argmax(left)), int(np.argmax(right))
    overlap = first == second or max(left[second], right[first]) >= SURE / 2
    return not overlap and (listed or min(left[first], right[second]) >= SURE)


def _complete(piece: str, following: str) -> bool:
    """Tell whether a piece could stand alone before the next one, or only begins a list (专项债申报、隐性债务化解办法不多)."""
    last = re.split(r"[，,]", piece)[-1]
    stands = bool(_PREDICATE.search(last)) or (last != piece and len(last) >= 9)
    return len(following) >= 4 and stands
