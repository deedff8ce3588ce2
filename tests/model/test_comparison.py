"""Metrics of one text are pinned in ``test_evaluation.py``; here, who is measured, on what, and how it is put together."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from world import CATALOG, LEXICON, NAMES, PHRASES

from model import training
from model.comparison import PARTS, Rankings, compare, held_out_rankings, per_text, rankings, report
from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions
from model.domain import Catalog, Course
from model.judgements import Judgements
from model.matcher import Judged, Matcher
from model.reader import names_nothing
from model.recommender import Recommender
from model.training import Knowledge
from model.vectors import Vectors

TWELVE = Catalog(tuple(Course(f"c{number:02}", f"课{number}") for number in range(1, 13)))
STYLES = {"q1": "idiom", "q2": "duty", "q3": "idiom", "q4": "", "q5": "duty"}
GRADES = {
    ("q1", "c01"): 3, ("q1", "c02"): 2,
    ("q2", "c03"): 2, ("q2", "c01"): 1,
    ("q3", "c12"): 3,
    ("q4", "c01"): 2, ("q4", "c12"): 2,
    ("q5", "c05"): 1,
}  # fmt: skip
JUDGED = Judgements(TWELVE, {query: f"短板{query}" for query in STYLES}, STYLES, GRADES)
LOG3 = math.log2(3)


def ranked(*first: str) -> list[float]:
    """Relevances that put these courses first, in this order; the others are equal, so they follow by id."""
    return [1 - first.index(course.id) / 20 if course.id in first else 0.1 for course in TWELVE]


RELEVANCE = np.array(
    [
        ranked("c02", "c01"),  # 2 before 3: (3 + 7 / log2 3) / (7 + 3 / log2 3)
        ranked("c07", "c08", "c03"),  # Grade 2 at rank 3, grade 1 at rank 4.
        ranked(),  # All equal: c12 stands twelfth, beyond the first ten.
        ranked("c01"),  # c12 again: one of two found.
        ranked("c05"),  # No text of this kind counts: nothing would help.
    ],
    dtype=np.float32,
)
FIRST = (3 + 7 / LOG3) / (7 + 3 / LOG3)
SECOND = (3 / 2 + 1 / math.log2(5)) / (3 + 1 / LOG3)
FOURTH = 3 / (3 + 3 / LOG3)


def test_each_answerable_text_has_its_metrics_and_its_style():
    assert per_text(JUDGED, RELEVANCE) == [
        {"style": "idiom", "ndcg@10": pytest.approx(FIRST), "recall@10": 1.0, "precision@5": 0.4},
        {"style": "duty", "ndcg@10": pytest.approx(SECOND), "recall@10": 1.0, "precision@5": 0.2},
        {"style": "idiom", "ndcg@10": 0.0, "recall@10": 0.0, "precision@5": 0.0},
        {"style": "unknown", "ndcg@10": pytest.approx(FOURTH), "recall@10": 0.5, "precision@5": 0.2},
    ]


def test_the_report_puts_means_interval_and_styles_together():
    told = report(JUDGED, {"this": RELEVANCE})["this"]
    assert list(told) == ["ndcg@10", "recall@10", "precision@5", "ndcg@10_interval", "ndcg@10_by_style"]
    assert told["ndcg@10"] == pytest.approx((FIRST + SECOND + FOURTH) / 4, abs=5e-5)
    assert (told["recall@10"], told["precision@5"]) == (0.625, 0.2)
    assert told["ndcg@10_by_style"] == {
        "duty": pytest.approx(SECOND, abs=5e-5),
        "idiom": pytest.approx(FIRST / 2, abs=5e-5),
        "unknown": pytest.approx(FOURTH, abs=5e-5),
    }
    low, high = told["ndcg@10_interval"]
    assert 0 <= low < told["ndcg@10"] < high <= FIRST


def test_the_interval_of_texts_that_all_fare_alike_is_one_point():
    one = Judgements(TWELVE, {"q1": "短板"}, {"q1": "duty"}, {("q1", "c01"): 3})
    wrong = ranked(*(course.id for course in TWELVE.courses[1:]))
    told = report(one, {"right": np.array([ranked("c01")]), "wrong": np.array([wrong])})
    assert told["right"]["ndcg@10_interval"] == [1.0, 1.0]
    assert told["wrong"]["ndcg@10_interval"] == [0.0, 0.0]


def test_the_interval_narrows_with_the_number_of_texts():
    widths = []
    for texts in (8, 128):
        queries = {f"q{number}": f"短板{number}" for number in range(texts)}
        judged = Judgements(TWELVE, queries, dict.fromkeys(queries, "duty"), {(query, "c01"): 3 for query in queries})
        relevance = np.array([ranked("c01" if number % 2 else "c02") for number in range(texts)])
        low, high = report(judged, {"half": relevance})["half"]["ndcg@10_interval"]
        assert low < (1 + 1 / LOG3) / 2 < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 3


def test_rankers_are_reported_side_by_side_in_the_order_given_and_every_time_alike():
    found = {"second": RELEVANCE[:, ::-1], "first": RELEVANCE}
    told = report(JUDGED, found)
    assert list(told) == ["second", "first"]
    assert told["first"] == report(JUDGED, {"first": RELEVANCE})["first"]


CALIBRATION = {
    "请示报告分不清": "公文写作",
    "现场指挥没有底": "应急处突",
    "不知道红线在哪": "党纪学习教育",
    "没什么要补": UNANSWERABLE,
    "材料一大堆": UNANSWERABLE,
    "突发奇想": "公文写作",
}
TEXTS = {
    "q1": "写材料没有观点", "q2": "突发事件现场乱成一团", "q3": "纪律红线说不清", "q4": "请示报告写得像流水账",
    "q5": "不会现场指挥处置", "q6": "条例只听过名字", "q7": "一切都好",
}  # fmt: skip
JUDGEMENTS = Judgements(
    CATALOG,
    TEXTS,
    dict.fromkeys(TEXTS, "idiom"),
    {
        ("q1", "c1"): 3, ("q2", "c2"): 3, ("q2", "c1"): 1, ("q3", "c3"): 3, ("q4", "c1"): 2, ("q5", "c2"): 3, ("q6", "c3"): 2,
    },
)  # fmt: skip
BASELINES = {"bm25", "tfidf", "random"}
BY_ENCODER = {"encoder", "tfidf + encoder"}


class Tiny:
    """Each character has a direction of its own, drawn from its hash; a text points where its characters point together."""

    ready = True

    def __init__(self, name: str) -> None:
        self.name = name

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.array([np.sum([self._direction(letter) for letter in text or " "], axis=0) for text in texts])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def _direction(self, letter: str) -> NDArray[np.float64]:
        drawn = hashlib.sha256((self.name + letter).encode()).digest()
        return np.frombuffer(drawn, dtype=np.uint8) - 127.5


@cache
def world(*encoders: str) -> tuple[Recommender, Knowledge]:
    """A version by these encoders and by spelling alone, and what it learnt."""
    phrases = [Phrase(text, (name,), "paraphrase", "a") for text, name in PHRASES.items()]
    calibration = [Phrase(text, (name,), "paraphrase", "b") for text, name in CALIBRATION.items()]
    classifiers = tuple(
        CompetencyClassifier(vectors).fit([*phrases, *definitions(LEXICON)], calibration, NAMES)
        for vectors in (*(Vectors(Tiny(name)) for name in encoders), None)
    )
    matcher = Matcher(classifiers, LEXICON).fit(CATALOG, JUDGEMENTS)
    return Recommender("v1", LEXICON, matcher, CATALOG, 0.5), Knowledge(LEXICON, classifiers, JUDGEMENTS)


def compared(*encoders: str) -> Rankings:
    recommender, known = world(*encoders)
    return rankings(recommender, JUDGEMENTS, known)


def test_the_product_stands_beside_itself_with_parts_taken_away_its_spare_and_the_baselines():
    found = compared("tiny/1")
    assert set(found) == {"quebu", *PARTS, "quebu without any encoder", *BASELINES, *BY_ENCODER}
    assert all(relevance.shape == (len(TEXTS), len(CATALOG)) for relevance in found.values())
    assert np.array_equal(found["quebu"], world("tiny/1")[0].relevance(list(TEXTS.values())))


def test_without_an_encoder_nothing_is_said_of_sentence_vectors():
    found = compared()
    assert set(found) == {"quebu", *PARTS, *BASELINES} - {"without semantic"}


def test_of_several_encoders_each_spare_is_named():
    found = compared("tiny/1", "tiny/2")
    assert {name for name in found if name.startswith("quebu")} == {
        "quebu",
        "quebu by tiny/2",
        "quebu without any encoder",
    }
    assert not np.allclose(found["quebu by tiny/2"], found["quebu"], atol=1e-3)


@pytest.mark.parametrize("encoders", [(), ("tiny/1",)])
def test_a_ranker_with_a_part_taken_away_is_not_the_whole_one(encoders: tuple[str, ...]):
    found = compared(*encoders)
    for name in PARTS:
        if name in found:
            assert not np.allclose(found[name], found["quebu"], atol=1e-3), name
            assert ((found[name] > 0) & (found[name] < 1)).all()


def test_the_ablated_ranker_weighs_what_is_left_as_if_there_were_nothing_else():
    """By hand for one part: weights learnt from the columns that are left, in the same order."""
    recommender, known = world("tiny/1")
    judged = Judged.of(JUDGEMENTS, known.classifiers[0], LEXICON)
    left = [place for place, feature in enumerate(judged.features) if feature != "lexical"]
    assert len(left) == 4
    weights = judged.without("lexical").weights()
    expected = weights.relevance(judged.evidence[0][..., left], recommender.matcher.familiar)
    np.testing.assert_allclose(compared("tiny/1")["without lexical"], expected, atol=1e-6)


def test_the_spare_ranks_as_a_version_trained_without_any_encoder():
    spare = compared("tiny/1")["quebu without any encoder"]
    told = [
        row for row, text in enumerate(TEXTS.values()) if not names_nothing(text)
    ]  # The product's row of the others is nought.
    np.testing.assert_allclose(spare[told], compared()["quebu"][told], atol=1e-6)


def test_held_out_texts_are_ranked_on_the_whole_catalog_and_on_bare_titles():
    _, known = world("tiny/1")
    full, bare = held_out_rankings(known)
    assert set(full) == set(bare) == {"quebu", *PARTS, "quebu without any encoder", *BASELINES, *BY_ENCODER}
    views = Judged.of(JUDGEMENTS, known.classifiers[0], LEXICON).held_out()
    for place, found in enumerate((full, bare)):
        assert np.array_equal(found["quebu"], views[place])
        assert all(relevance.shape == (len(TEXTS), len(CATALOG)) for relevance in found.values())
        assert not any(np.allclose(found[name], found["quebu"], atol=1e-3) for name in PARTS)
    assert not np.allclose(full["quebu"], bare["quebu"], atol=1e-3)
    assert np.array_equal(full["random"], bare["random"])


def test_held_out_without_an_encoder_nothing_is_said_of_sentence_vectors():
    full, _ = held_out_rankings(world()[1])
    assert set(full) == {"quebu", *PARTS, *BASELINES} - {"without semantic"}


def test_a_text_held_out_is_not_ranked_as_one_the_weights_have_seen():
    full, _ = held_out_rankings(world("tiny/1")[1])
    seen = compared("tiny/1")
    assert not np.allclose(full["quebu"], seen["quebu"], atol=1e-3)
    assert np.array_equal(full["bm25"], seen["bm25"]), "a baseline learns nothing from judgements"


def test_in_a_world_this_plain_the_product_beats_chance():
    told = report(JUDGEMENTS, compared("tiny/1"))
    assert told["quebu"]["ndcg@10"] > 0.95
    assert told["quebu"]["ndcg@10"] > told["random"]["ndcg@10"]
    assert told["quebu"]["ndcg@10_by_style"] == {"idiom": told["quebu"]["ndcg@10"]}


def test_the_comparison_counts_the_texts_it_knew_before_and_tells_how_far_its_own_relevance_can_be_trusted():
    recommender, known = world("tiny/1")
    texts = {"q1": TEXTS["q1"], "q2": "公文不会写", "q3": "今天天气不错"}
    judged = Judgements(CATALOG, texts, dict.fromkeys(texts, "idiom"), {("q1", "c1"): 3, ("q2", "c1"): 3})
    told = compare(recommender, judged, known)
    assert {name: told[name] for name in ("texts", "seen_in_training", "courses")} == {
        "texts": 3, "seen_in_training": 1, "courses": 4,
    }  # fmt: skip
    own = told["rankers"]["quebu"]
    assert (own["ndcg@10"], own["answerable_auc"]) == (1.0, 1.0)
    assert 0 < own["ece"] < 0.5
    assert 0 < own["brier"] < 0.25
    assert not any("ece" in row for name, row in told["rankers"].items() if name != "quebu")


def test_the_bundled_version_is_compared_on_texts_of_which_some_were_learnt_from(trained: Recommender):
    known = training.knowledge()
    every = known.judgements
    some = dict(list(every.texts.items())[::20])
    grades = {pair: grade for pair, grade in every.grades.items() if pair[0] in some}
    texts = some | {"new": "一上台讲话就冒汗"}
    judgements = Judgements(every.catalog, texts, every.styles | {"new": "idiom"}, grades)
    told = compare(trained, judgements, known)
    assert (told["texts"], told["seen_in_training"]) == (len(some) + 1, len(some))
    assert told["courses"] == len(every.catalog)
    assert {"quebu", "quebu without any encoder", *BASELINES, *BY_ENCODER, *PARTS} == set(told["rankers"])
    assert {"ece", "brier", "answerable_auc"} <= set(told["rankers"]["quebu"])
    assert told["rankers"]["quebu"]["ndcg@10"] > told["rankers"]["random"]["ndcg@10"] + 0.3
