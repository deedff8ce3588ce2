from __future__ import annotations

import os
import subprocess
import sys
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits
from world import CATALOG, KNITTING, LEXICON, NAMES, PHRASES

from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions
from model.domain import Catalog, Course
from model.encoder import bundled_encoder
from model.evidence import course_text
from model.judgements import Judgements, titles_only
from model.matcher import Judged, Matcher
from model.recommender import Recommender

AUTHORS = {
    "a": PHRASES,
    "b": {
        "请示报告分不清": "公文写作",
        "现场指挥没有底": "应急处突",
        "不知道红线在哪": "党纪学习教育",
        "没什么要补": UNANSWERABLE,
    },
}
TEXTS = {
    "q1": "写材料没有观点", "q2": "突发事件现场乱成一团", "q3": "纪律红线说不清", "q4": "请示报告写得像流水账",
    "q5": "不会现场指挥处置", "q6": "条例只听过名字", "q7": "一切都好",
}  # fmt: skip
GRADES = {
    ("q1", "c1"): 3,
    ("q2", "c2"): 3,
    ("q3", "c3"): 3,
    ("q4", "c1"): 2,
    ("q5", "c2"): 3,
    ("q6", "c3"): 2,
    ("q2", "c1"): 1,
}
ODD = ["", "   ", "，。；", "😀🎉", "写" * 5000, "weak at project management", "\x00\n", "①②③", "3.14", "㊙️ﾊﾝｶｸ"]


def world() -> tuple[Matcher, Judgements]:
    """The world of ``world.py``, its phrases by two authors, and seven judged texts."""
    first, second = (
        [Phrase(text, (name,), "paraphrase", author) for text, name in texts.items()]
        for author, texts in AUTHORS.items()
    )
    classifier = CompetencyClassifier().fit([*first, *definitions(LEXICON)], second, NAMES)
    return Matcher((classifier,), LEXICON), Judgements(CATALOG, TEXTS, {}, GRADES)


MATCHER, JUDGEMENTS = world()


def fitted(catalog: Catalog) -> Matcher:
    return Matcher(MATCHER.classifiers, MATCHER.lexicon).fit(catalog, JUDGEMENTS)


FITTED = fitted(CATALOG)
FAMILIAR = 0.625  # Of the bare titles, for nobody here writes of flowers and tea: 3 of 4, half the way from a half to nine in ten.


def held_out(judgements: Judgements, folds: int) -> NDArray[np.float32]:
    return Judged.of(judgements, MATCHER.classifiers[0], MATCHER.lexicon).held_out(folds)


def relevance(catalog: Catalog, text: str) -> dict[str, float]:
    matcher = FITTED if catalog is CATALOG else fitted(catalog)
    return dict(zip((course.id for course in catalog), matcher.relevance([text])[0].tolist(), strict=True))


@pytest.mark.parametrize(("text", "best"), [("公文写作能力不足", "c1"), ("现场指挥", "c2"), ("违反纪律的情形", "c3")])
def test_the_obvious_course_comes_first(text: str, best: str) -> None:
    found = relevance(CATALOG, text)
    assert max(found, key=found.__getitem__) == best
    assert found["c4"] < found[best] / 2


def test_words_the_lexicon_knows_reach_a_course_that_shares_none_of_them() -> None:
    found = relevance(CATALOG, "写材料")
    assert found["c1"] > 2 * max(found["c2"], found["c3"], found["c4"])


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_relevances_are_probabilities_whatever_the_text(texts: list[str]) -> None:
    found = FITTED.relevance(texts)
    assert found.shape == (len(texts), len(CATALOG))
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("least", [0.0, 0.4, 0.99])
def test_the_courses_that_reach_a_relevance_are_those_whose_scores_do(least: float) -> None:
    texts = [*TEXTS, *ODD]
    for scores, found in zip(FITTED.scores(texts), FITTED.reaching(texts, least), strict=True):
        expected = [(place, *one) for place, one in enumerate(scores.tolist()) if one[0] >= least]
        assert found.tolist() == expected
    assert FITTED.reaching([], least) == []


def test_texts_of_odd_content_are_answered_and_empty_ones_accept_nothing() -> None:
    found = FITTED.relevance(ODD)
    assert np.isfinite(found).all()
    assert (found[:4] < 0.4).all()


def test_no_texts_have_no_relevances() -> None:
    assert FITTED.relevance([]).shape == (0, len(CATALOG))


def test_a_text_is_scored_the_same_alone_and_in_company() -> None:
    texts = [*TEXTS.values(), *ODD]
    together = FITTED.relevance(texts)
    np.testing.assert_allclose(together, np.vstack([FITTED.relevance([text]) for text in texts]), atol=1e-6)


def test_the_last_digits_of_a_text_depend_neither_on_its_company_nor_on_threads(trained: Recommender) -> None:
    texts = [*TEXTS.values(), *ODD, *(f"{text}，想补一补" for text in TEXTS.values()), *PHRASES]
    encoder = bundled_encoder()
    vectors = encoder.encode(texts)
    with threadpool_limits(1):
        np.testing.assert_array_equal(vectors, np.vstack([encoder.encode([text]) for text in texts]))
    for ranker in trained.matcher.rankers_:
        together = ranker.evidence.of(texts)
        with threadpool_limits(1):
            np.testing.assert_array_equal(together, np.vstack([ranker.evidence.of([text]) for text in texts]))


@settings(max_examples=10)
@given(st.permutations(CATALOG.courses))
def test_the_order_of_the_catalog_changes_no_relevance(courses: list[Course]) -> None:
    """Neither the order of the rows nor, with other ids, the order within the matrices."""
    expected = relevance(CATALOG, "写材料没有观点")
    assert relevance(Catalog(tuple(courses)), "写材料没有观点") == pytest.approx(expected, abs=1e-6)
    renamed = Catalog(tuple(replace(course, id=f"x{place}") for place, course in enumerate(courses)))
    found = relevance(renamed, "写材料没有观点").values()
    assert dict(zip((course.id for course in courses), found, strict=True)) == pytest.approx(expected, abs=1e-6)


def test_the_competency_named_first_counts_most(trained: Recommender) -> None:
    plain = Course("c0", "周四下午的工作坊", "两小时，带上手头的活。")
    named = [(), ("国际传播", "调查研究", "公文写作"), ("国际传播", "公文写作"), ("公文写作",)]
    catalog = Catalog(tuple(replace(plain, id=f"c{place}", competencies=names) for place, names in enumerate(named)))
    matcher = copy(trained.matcher).for_catalog(catalog)
    found = matcher.relevance(["公文写作能力不足"])[0].tolist()
    assert found == sorted(found)
    assert found[0] < 0.1 < found[3]


def test_a_catalog_of_one_course_can_be_matched() -> None:
    found = relevance(Catalog(CATALOG.courses[:1]), "公文写作能力不足")
    assert 0.3 < found["c1"] < 1


def test_a_course_without_a_summary_is_found_by_its_title() -> None:
    found = relevance(titles_only(CATALOG), "突发事件现场指挥")
    assert max(found, key=found.__getitem__) == "c2"


def test_a_course_whose_title_says_nothing_harms_nobody() -> None:
    courses = (*CATALOG.courses, Course("c0", "——"), Course("c9", "😀"))
    found = relevance(Catalog(courses), "公文写作能力不足")
    assert max(found, key=found.__getitem__) == "c1"


def test_courses_alike_have_the_same_relevance() -> None:
    twin = replace(CATALOG.courses[0], id="c1b", provider="另一家", hours=8)
    found = relevance(Catalog((*CATALOG.courses, twin)), "写材料没有观点")
    assert found["c1"] == found["c1b"]


def test_a_bare_title_list_keeps_ids_and_titles_only() -> None:
    assert titles_only(CATALOG).courses[0] == Course("c1", "公文写作十讲")
    assert course_text(Course("c1", "公文写作十讲")) == "公文写作十讲。公文写作十讲。"


@pytest.mark.parametrize("query", TEXTS)
def test_the_held_out_relevance_of_a_text_does_not_know_its_own_judgements(query: str) -> None:
    """Turn every judgement of one text around: its own row stays to the bit, though the others' weights change."""
    turned = {
        pair: grade for pair, grade in GRADES.items() if pair[0] != query
    } | {(query, course.id): 3 for course in CATALOG if GRADES.get((query, course.id), 0) < 2}  # fmt: skip
    before = held_out(JUDGEMENTS, 5)
    after = held_out(replace(JUDGEMENTS, grades=turned), 5)
    own = list(TEXTS).index(query)
    assert before[:, own].tobytes() == after[:, own].tobytes()
    assert not np.allclose(np.delete(before, own, axis=1), np.delete(after, own, axis=1), atol=1e-3)


def test_held_out_relevances_are_by_weights_learnt_from_the_other_texts_as_far_as_each_view_is_familiar() -> None:
    """By hand for one text of seven, which is the only one of its fold."""
    judged = replace(Judged.of(JUDGEMENTS, MATCHER.classifiers[0], LEXICON), familiar=(0.75, 0.25))
    others = np.delete(np.arange(len(TEXTS)), 2)
    for view, familiar in enumerate((0.75, 0.25)):
        expected = judged.weights(others).relevance(judged.evidence[view, [2]], familiar)
        assert judged.held_out(len(TEXTS))[view, [2]].tobytes() == expected.tobytes()


def test_each_view_of_the_judged_catalog_is_as_familiar_as_that_catalog_is() -> None:
    judged = Judged.of(JUDGEMENTS, MATCHER.classifiers[0], LEXICON)
    assert judged.familiar == (fitted(CATALOG).familiar, fitted(titles_only(CATALOG)).familiar) == (1.0, FAMILIAR)
    assert judged.without("lexical").familiar == judged.familiar


def test_every_text_gets_a_held_out_relevance() -> None:
    found = held_out(JUDGEMENTS, 3)
    assert found.shape == (2, len(TEXTS), len(CATALOG))
    assert ((found > 0) & (found < 1)).all()


def test_a_course_is_accepted_from_grade_2_on_and_unlisted_pairs_are_not() -> None:
    assert JUDGEMENTS.accepted()[3].tolist() == [True, False, False, False]
    assert JUDGEMENTS.accepted()[1].tolist() == [False, True, False, False]


def test_a_matcher_without_a_catalog_says_so() -> None:
    with pytest.raises(NotFittedError):
        Matcher(MATCHER.classifiers, MATCHER.lexicon).relevance(["写材料"])


def test_a_matcher_is_as_familiar_with_a_catalog_as_the_evidence_it_answers_by() -> None:
    assert FITTED.familiar == 1
    strange = FITTED.for_catalog(KNITTING)
    assert (strange.familiar, FITTED.familiar) == (0, 1)
    assert strange.familiar == strange.rankers_[0].evidence.familiar


def test_a_matcher_that_cannot_answer_is_familiar_with_nothing() -> None:
    assert Matcher((), LEXICON).fit(CATALOG, JUDGEMENTS).familiar == 0


@pytest.mark.parametrize("catalog", [CATALOG, titles_only(CATALOG), KNITTING])
def test_relevances_are_by_the_weights_as_far_as_the_catalog_is_familiar(catalog: Catalog) -> None:
    matcher = FITTED.for_catalog(catalog)
    (ranker,) = matcher.rankers_
    texts = [*TEXTS.values(), "毛衣绞花"]
    expected = ranker.weights.relevance(ranker.evidence.of(texts), matcher.familiar)
    np.testing.assert_allclose(matcher.relevance(texts), expected, atol=1e-6)


def test_weights_learnt_elsewhere_match_as_those_learnt_here() -> None:
    learnt = Judged.of(JUDGEMENTS, MATCHER.classifiers[0], LEXICON).weights()
    ready = Matcher(MATCHER.classifiers, LEXICON).ready([learnt], CATALOG)
    assert ready.relevance([*TEXTS.values()]).tobytes() == FITTED.relevance([*TEXTS.values()]).tobytes()


def test_on_an_unfamiliar_catalog_a_competency_recognised_by_chance_does_not_beat_shared_words() -> None:
    """报告 and 材料 belong to 公文写作 in this world; in a knitting club they mean a lecture hall and yarn."""
    text, chance, meant = "绞花的材料", Course("k9", "报告厅开放日"), "k2"
    catalog = Catalog((*KNITTING.courses, chance))
    matcher = FITTED.for_catalog(catalog)
    (ranker,) = matcher.rankers_
    assert matcher.familiar < 0.5
    learnt = dict(zip(catalog.row_of, ranker.weights.relevance(ranker.evidence.of([text]))[0], strict=True))
    assert learnt[chance.id] > 2 * learnt[meant], "else this test tests nothing"
    found = dict(zip(catalog.row_of, matcher.relevance([text])[0], strict=True))
    assert max(found, key=found.__getitem__) == meant
    assert found[meant] > 2 * found[chance.id]


@pytest.mark.skipif(bundled_encoder() is None, reason="the bundled encoder is not here")
def test_the_bundled_knowledge_tells_its_own_matters_from_others(trained: Recommender) -> None:
    assert trained.matcher.familiar == 1
    assert copy(trained.matcher).for_catalog(KNITTING).familiar < 0.5


FALSE_FRIENDS = [
    ("审批", "审计"), ("国家安全", "安全生产"), ("心理健康", "卫生健康"), ("统战", "统计"), ("科技", "科级"), ("扶持", "扶贫"),
]  # fmt: skip


@pytest.mark.skipif(bundled_encoder() is None, reason="the bundled encoder is not here")
def test_of_false_friends_the_one_that_is_meant_comes_first(trained: Recommender) -> None:
    courses = [Course(f"c{word}", f"{word}工作实务") for pair in FALSE_FRIENDS for word in pair]
    matcher = copy(trained.matcher).for_catalog(Catalog(tuple(courses)))
    asked = [word for pair in FALSE_FRIENDS for word in pair]
    rows = matcher.relevance([f"{word}工作不熟悉" for word in asked])
    ids = list(matcher.rankers_[0].evidence.course_texts)
    assert [ids[row.argmax()] for row in rows] == [f"{word}工作实务" for word in asked]


@pytest.mark.parametrize("kernels", ["", "Prescott"])
def test_another_process_with_other_hashes_and_kernels_gives_the_same_relevances(kernels: str) -> None:
    """OPENBLAS_CORETYPE makes the linear algebra that of an older processor; it is ignored where it means nothing."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]; from test_matcher import *;"
        "print(*FITTED.relevance(list(TEXTS.values())).ravel().round(5).tolist())"
    )
    here = Path(__file__).parent
    other = {"PYTHONHASHSEED": "7", "OPENBLAS_NUM_THREADS": "1"} | ({"OPENBLAS_CORETYPE": kernels} if kernels else {})
    answer = subprocess.run(
        [sys.executable, "-c", program, str(here), str(here.parents[1]), str(here.parent)],
        env=os.environ | other, capture_output=True, text=True, check=True,
    )  # fmt: skip
    ours = FITTED.relevance(list(TEXTS.values())).ravel()
    np.testing.assert_allclose([float(number) for number in answer.stdout.split()], ours, atol=2e-5)
