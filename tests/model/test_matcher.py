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

from model.competence import UNANSWERABLE, CompetencyClassifier, Phrase, definitions
from model.domain import Catalog, Course
from model.evidence import course_text
from model.judgements import Judgements, titles_only
from model.lexicon import Competency, Lexicon
from model.matcher import Judged, Matcher
from model.recommender import Recommender

NAMES = ("公文写作", "应急处突", "党纪学习教育")
WORDS = {
    "公文写作": ("写材料", "请示报告"),
    "应急处突": ("突发事件处置", "现场指挥"),
    "党纪学习教育": ("纪律处分条例", "红线"),
}
PHRASES = {
    "a": {
        "材料写不出来": "公文写作",
        "出了事手忙脚乱": "应急处突",
        "条例没读过": "党纪学习教育",
        "一切都好": UNANSWERABLE,
    },
    "b": {
        "请示报告分不清": "公文写作",
        "现场指挥没有底": "应急处突",
        "不知道红线在哪": "党纪学习教育",
        "没什么要补": UNANSWERABLE,
    },
}
CATALOG = Catalog(
    (
        Course("c1", "公文写作十讲", "讲请示、报告、纪要怎样立意和改稿。"),
        Course("c2", "突发事件现场指挥", "讲先期处置、信息报告和协同。"),
        Course("c3", "《纪律处分条例》逐条读", "讲六大纪律和常见违纪情形。"),
        Course("c4", "插花与茶艺", "学习家庭插花。"),
    )
)
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
    """Three competencies, four courses, seven judged texts; whoever reads them knows the answers."""
    lexicon = Lexicon(
        tuple(Competency(name, "履职能力", "能力", f"会{name}。", (), WORDS[name], ()) for name in NAMES),
        (),
        (),
        (),
        (),
    )
    written = [
        Phrase(text, (name,), "paraphrase", author) for author, texts in PHRASES.items() for text, name in texts.items()
    ]
    first, second = ([phrase for phrase in written if phrase.author == author] for author in PHRASES)
    classifier = CompetencyClassifier().fit([*first, *definitions(lexicon)], second, NAMES)
    return Matcher((classifier,), lexicon), Judgements(CATALOG, TEXTS, {}, GRADES)


MATCHER, JUDGEMENTS = world()


def fitted(catalog: Catalog) -> Matcher:
    return Matcher(MATCHER.classifiers, MATCHER.lexicon).fit(catalog, JUDGEMENTS)


FITTED = fitted(CATALOG)


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
    """Turn every judgement of one text around: its own row stays to the bit, though the fusions of the others change."""
    turned = {
        pair: grade for pair, grade in GRADES.items() if pair[0] != query
    } | {(query, course.id): 3 for course in CATALOG if GRADES.get((query, course.id), 0) < 2}  # fmt: skip
    before = held_out(JUDGEMENTS, 5)
    after = held_out(replace(JUDGEMENTS, grades=turned), 5)
    own = list(TEXTS).index(query)
    assert before[:, own].tobytes() == after[:, own].tobytes()
    assert not np.allclose(np.delete(before, own, axis=1), np.delete(after, own, axis=1), atol=1e-3)


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
        [sys.executable, "-c", program, str(here), str(here.parents[1])],
        env=os.environ | other, capture_output=True, text=True, check=True,
    )  # fmt: skip
    ours = FITTED.relevance(list(TEXTS.values())).ravel()
    np.testing.assert_allclose([float(number) for number in answer.stdout.split()], ours, atol=2e-5)
