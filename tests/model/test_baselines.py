from __future__ import annotations

import numpy as np
import pytest

from model.baselines import baselines, bm25, chance, tfidf
from model.domain import Catalog, Course

CATALOG = Catalog(
    (
        Course("c1", "公文写作十讲", "讲请示、报告、纪要的写法。"),
        Course("c2", "突发事件现场指挥", "讲先期处置和信息报告。"),
        Course("c3", "纪律处分条例导读"),
    )
)
ODD = ["", "无", "，。！", "😀", "写" * 5000, "project management", "量子引力"]


@pytest.mark.parametrize("ranker", [bm25, tfidf])
def test_a_ranker_finds_the_course_that_shares_the_words(ranker) -> None:
    texts = ["公文写作能力不足", "突发事件处置", "纪律条例"]
    assert ranker(CATALOG, texts).argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["bm25", "tfidf", "random"])
def test_every_ranker_answers_odd_texts_with_finite_numbers(name: str) -> None:
    for catalog in (CATALOG, Catalog(CATALOG.courses[:1])):
        found = baselines(catalog, ODD)[name]
        assert found.shape == (len(ODD), len(catalog))
        assert found.dtype == np.float32
        assert np.isfinite(found).all()


@pytest.mark.parametrize("ranker", [bm25, tfidf])
def test_a_text_without_words_prefers_no_course(ranker) -> None:
    assert not ranker(CATALOG, ["", "，。"]).any()


def test_courses_whose_titles_hold_no_word_can_stand_in_the_catalog() -> None:
    catalog = Catalog((*CATALOG.courses, Course("c4", "礼")))
    assert bm25(catalog, ["公文写作"]).argmax() == 0


def test_chance_is_the_same_every_time_and_another_for_each_text() -> None:
    first = chance(CATALOG, ["甲", "乙"])
    assert first.tobytes() == chance(CATALOG, ["甲", "乙"]).tobytes()
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("name", ["bm25", "tfidf"])
def test_the_order_of_the_catalog_file_changes_no_baseline(name: str) -> None:
    turned = Catalog(CATALOG.courses[::-1])
    np.testing.assert_array_equal(baselines(CATALOG, ODD)[name], baselines(turned, ODD)[name])
