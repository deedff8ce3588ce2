"""Learning from feedback: what honest words bring, what keeps others from spoiling it, and that nothing is measured on what was learnt from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray
from world import CATALOG, KNITTING, LEXICON, NAMES, PHRASES

from model import feedback, learning
from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions
from model.feedback import Kind, Piece, lesson
from model.fusion import Said
from model.judgements import Judgements
from model.learning import Learnt, compared, errors, graded, learn, ndcgs, near, said, worths
from model.matcher import Judged, Matcher
from model.training import summarise

TEXTS = {
    "q1": "写材料没有观点", "q2": "突发事件现场乱成一团", "q3": "纪律红线说不清", "q4": "请示报告写得像流水账",
    "q5": "不会现场指挥处置", "q6": "条例只听过名字", "q7": "一切都好",
}  # fmt: skip
GRADES = {("q1", "c1"): 3, ("q2", "c2"): 3, ("q3", "c3"): 3, ("q4", "c1"): 2, ("q5", "c2"): 3, ("q6", "c3"): 2}
SAID = {
    "文稿立意不深": "c1", "讲话稿写不出来": "c1", "纪要改稿改不好": "c1", "应急处置慌": "c2", "突发情况不会报告": "c2",
    "先期处置没经验": "c2", "党规没学过": "c3", "六大纪律背不全": "c3", "违纪情形分不清": "c3", "处分的种类不懂": "c3",
}  # fmt: skip
AT = datetime(2026, 3, 1, tzinfo=UTC)


def world() -> tuple[Matcher, Judgements, Judged]:
    phrases = [Phrase(text, (name,), "paraphrase", "a") for text, name in PHRASES.items()]
    more = {
        "请示报告分不清": "公文写作",
        "现场指挥没有底": "应急处突",
        "不知道红线在哪": "党纪学习教育",
        "没什么": UNANSWERABLE,
    }
    others = [Phrase(text, (name,), "paraphrase", "b") for text, name in more.items()]
    classifier = CompetencyClassifier().fit([*phrases, *definitions(LEXICON)], others, NAMES)
    judgements = Judgements(CATALOG, TEXTS, {}, GRADES)
    judged = Judged.of(judgements, classifier, LEXICON)
    return Matcher((classifier,), LEXICON).ready([judged.weights()], CATALOG), judgements, judged


MATCHER, JUDGEMENTS, JUDGED = world()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody in this small world writes of flowers and tea, and by seven texts hardly anything can be told."""
    monkeypatch.setattr(learning, "KNOWN_MATTERS", 0.0)
    monkeypatch.setattr(learning, "TOLERANCE", {"ndcg@10": 0.1, "brier_top10": 0.1})


def pieces(right: Mapping[str, str] = SAID, *, honest: bool = True, planners: str = "甲乙") -> list[Piece]:
    """Every planner's word on every course for every text."""
    return [
        Piece(text, course.id, Kind.ACCEPTED if (course.id == fits) is honest else Kind.REJECTED, planner, AT)
        for text, fits in right.items()
        for course in CATALOG
        for planner in planners
    ]


def learnt(given: list[Piece], matcher: Matcher = MATCHER) -> Learnt:
    return learn(lesson(given, CATALOG.row_of), matcher, [JUDGED], JUDGEMENTS, CATALOG.row_of)


def relevance(found: Learnt) -> NDArray[np.float32]:
    assert found.weights is not None
    return MATCHER.weighing(found.weights).relevance(list(SAID))


def test_honest_feedback_is_taken_and_brings_the_courses_nearer_that_were_accepted():
    found = learnt(pieces())
    assert found.told["taken"]
    fits = np.array([[course.id == right for course in CATALOG] for right in SAID.values()])
    before, after = MATCHER.relevance(list(SAID)), relevance(found)
    assert np.mean((after - fits) ** 2) < np.mean((before - fits) ** 2)


def test_what_is_told_is_plain_json_with_the_weights_and_the_quality_before_and_after():
    told = learnt(pieces()).told
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["pairs"], told["texts"], told["planners"]) == (40, 10, 2)
    assert told["pieces"] == {"accepted": 20, "rejected": 60}
    names = {"lack", "lexical", "competency", "expansion", "offset"}
    assert set(told["weights"]["before"]) == set(told["weights"]["after"]) == names
    assert told["weights"]["before"] == worths(JUDGED.features, MATCHER.shipped[0]) != told["weights"]["after"]
    for name in ("ndcg@10", "brier_top10"):
        one = told["quality"][name]
        assert one["difference"] == pytest.approx(one["after"] - one["before"], abs=2e-4)
        assert one["interval"][0] <= one["difference"] <= one["interval"][1]


def test_inverted_feedback_of_many_is_not_taken_and_it_is_said_why():
    found = learnt(pieces(honest=False, planners="甲乙丙"))
    assert found.weights is None
    assert not found.told["taken"]
    assert set(found.told["why"]) <= set(learning.WORSE.values())
    assert found.told["why"]


def test_too_little_feedback_is_not_taken_and_nothing_is_measured():
    found = learnt(pieces(dict([*SAID.items()][:3])))
    assert found.weights is None
    assert found.told["why"] == ["至少要有 30 组“短板—课程”的判断，现有 12 组", "至少要有 10 条不同的短板，现有 3 条"]
    assert "quality" not in found.told


def test_of_a_catalog_about_other_matters_nothing_is_learnt(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learning, "KNOWN_MATTERS", 0.5)
    strange = MATCHER.for_catalog(KNITTING)
    given = [
        Piece(text, course.id, kind, planner, AT)
        for text in SAID
        for course, kind in zip(KNITTING, (Kind.ACCEPTED, Kind.REJECTED, Kind.REJECTED), strict=False)
        for planner in "甲乙"
    ]
    rows = KNITTING.row_of
    monkeypatch.setattr(feedback, "LEAST_PAIRS", 1)
    assert learn(lesson(given, rows), strange, [JUDGED], JUDGEMENTS, rows).told["why"] == [learning.FOREIGN]


def test_one_planner_with_very_much_to_say_is_outweighed():
    loud = [
        Piece(text + tail, course.id, Kind.ACCEPTED if course.id != fits else Kind.REJECTED, "丙", AT)
        for text, fits in SAID.items()
        for tail in ("", "啊", "呀", "了", "吧", "呢", "嘛", "哦")
        for course in CATALOG
    ]
    alone, beside = learnt(pieces()), learnt([*pieces(), *loud])
    assert beside.told["planners_capped"] == 1
    taught = lesson([*pieces(), *loud], CATALOG.row_of)
    honest = lesson(pieces(), CATALOG.row_of)
    for pair, worth in honest.pairs.items():
        assert np.sign(taught.pairs[pair]) == np.sign(worth)
    assert alone.told["taken"]


def test_the_same_feedback_in_another_order_gives_the_same_weights_to_the_bit():
    one, other = learnt(pieces()), learnt([*reversed(pieces()), *pieces()])
    assert relevance(one).tobytes() == relevance(other).tobytes()


def test_a_version_goes_back_to_the_weights_it_had_to_the_bit():
    found = learnt(pieces())
    assert found.weights is not None
    taught = MATCHER.weighing(found.weights)
    assert taught.shipped == MATCHER.shipped
    again = taught.weighing(found.weights).for_catalog(CATALOG)
    texts = [*SAID, *TEXTS.values()]
    assert again.relevance(texts).tobytes() == MATCHER.relevance(texts).tobytes()
    assert taught.relevance(texts).tobytes() != MATCHER.relevance(texts).tobytes()


def test_nothing_is_measured_with_what_was_said_of_the_text_itself_or_one_near_to_it():
    """Feedback on the very texts that are measured on, all of it wrong: were any of it learnt from, the held-out relevances would change."""
    wrong = {TEXTS[query]: "c4" for query in TEXTS}
    found = lesson(pieces(wrong), CATALOG.row_of)
    more = said(found, MATCHER.rankers_[0], CATALOG.row_of)
    close = near(found.texts, list(TEXTS.values()), None)
    place = {text: row for row, text in enumerate(found.texts)}
    close = close[[place[text] for text, _ in found.pairs]]
    assert close.any(axis=1).all()
    one_out = len(TEXTS)
    seen = JUDGED.held_out(one_out, more)
    apart = JUDGED.held_out(one_out, more, close)
    for row in range(one_out):
        others = more.among(~close[:, row])
        own = np.array([place for place in range(one_out) if place != row])
        weights = JUDGED.weights(own, others)
        expected = weights.relevance(JUDGED.evidence[0, row], JUDGED.familiar[0])
        np.testing.assert_allclose(apart[0, row], expected, atol=1e-6)
    assert not np.allclose(seen, apart)


@pytest.mark.parametrize(
    ("text", "is_near"),
    [
        ("写材料没有观点", True),
        ("写材料没有观点。", True),
        ("写 材料没有观点", True),
        ("写材料没有新观点", True),
        ("不会织毛衣", False),
    ],
)
def test_near_is_what_is_written_nearly_alike(text: str, is_near: bool):
    assert near([text], ["写材料没有观点"], None).tolist() == [[is_near]]


def test_near_is_also_what_means_the_same():
    class Alike:
        def of(self, texts: list[str]) -> NDArray[np.float32]:
            return np.array([[1.0, 0.0] if "公文" in text or "材料" in text else [0.0, 1.0] for text in texts])

    assert near(["公文不会写", "怕讲话"], ["材料写不出"], Alike()).tolist() == [[True], [False]]  # type: ignore[arg-type]


def test_the_ranking_metric_is_that_of_the_card():
    relevance = JUDGED.held_out(3)
    answerable = JUDGEMENTS.accepted().any(axis=1)
    for view in relevance:
        mean = float(ndcgs(view[None], graded(JUDGEMENTS))[answerable].mean())
        assert mean == pytest.approx(summarise(JUDGEMENTS, view)["ndcg@10"], abs=1e-4)


def test_perfect_relevances_have_no_error_and_do_not_differ_from_themselves():
    perfect = np.stack([JUDGEMENTS.accepted().astype(np.float32)] * 2)
    assert errors(perfect, JUDGEMENTS.accepted()).max() == 0
    same = compared(JUDGEMENTS, perfect, perfect)
    assert same["ndcg@10"] == {"before": 1.0, "after": 1.0, "difference": 0.0, "interval": [0.0, 0.0]}


def test_what_was_said_of_no_pair_changes_no_weight():
    none = Said(np.zeros((0, 4)), np.zeros(0, dtype=bool), np.zeros(0))
    one, other = JUDGED.weights(), JUDGED.weights(more=none)
    assert one.learnt.weights_.coef_.tobytes() == other.learnt.weights_.coef_.tobytes()
    assert one.learnt.offset == other.learnt.offset
