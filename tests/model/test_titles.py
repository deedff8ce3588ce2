from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz, process

from model.domain import Catalog, Course
from model.titles import ALIKE, TitleIndex, alike, part_of, plain_title


@pytest.fixture(scope="module")
def titles() -> TitleIndex:
    return TitleIndex(
        Catalog(
            tuple(
                Course(f"c{number}", title)
                for number, title in enumerate(
                    (
                        "公文写作方法", "《优化营商环境条例》解读：一网通办怎么办", "专项债券全流程（上）：申报", "专项债券全流程（下）：监管",
                        "领导干部心理调适（上）", "领导干部心理调适（下）", "产业链招商、区域招商的战略战术", "乡村振兴产业怎么选", "全面推进乡村振兴",
                    )
                )
            )
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("c0", {"c0"}), ("公文写作方法", {"c0"}), ("《公文写作方法》", {"c0"}), ("公文写作方法（县里培训）", {"c0"}), ("产业链招商、区域招商的战路战术", {"c6"}),
        ("《优化营商环境条例》解读", {"c1"}), ("专项债券全流程（上）", {"c2"}), ("专项债券全流程（下）", {"c3"}),
        ("领导干部心理调适（下）", {"c5"}), ("领导干部心理调适", {"c4", "c5"}), ("产业链招商、区域招商的战略战术", {"c6"}),
        ("《公文写作方法》《全面推进乡村振兴》", {"c0", "c8"}), ("公文写作方法、全面推进乡村振兴", {"c0", "c8"}),
        ("公文写作方法专题班", {"c0"}), ("乡村振兴产业", {"c7"}), ("区域招商的战略战术", {"c6"}),
    ],
)  # fmt: skip
def test_a_completed_course_is_found_by_id_title_or_shortened_title(titles: TitleIndex, text: str, ids: set[str]):
    assert titles.resolve([text]) == (ids, ())


@pytest.mark.parametrize("text", ["乡村振兴", "写作", "量子计算导论", "c99", "（县里培训）"])
def test_what_names_no_single_course_is_reported_instead_of_guessed(titles: TitleIndex, text: str):
    assert titles.resolve([text]) == (frozenset(), (text,))


def test_only_the_unknown_part_of_a_list_is_reported(titles: TitleIndex):
    assert titles.resolve(["《公文写作方法》、《量子计算导论》"]) == ({"c0"}, ("《量子计算导论》",))


WORDS = st.text("公文写作党史教育实务一二", max_size=14)


@given(st.lists(WORDS, max_size=12), st.sampled_from([80, ALIKE]))
def test_alike_titles_are_all_found_and_each_pair_once(words: list[str], least: float):
    ratios = process.cdist(words, words, scorer=fuzz.ratio) if words else np.zeros((0, 0))
    wanted = {(one, other) for one, other in np.argwhere(ratios >= least).tolist() if one < other}
    found = [(one, other) for one, other, _ in alike(words, least=least)]
    assert len(found) == len(set(found))
    assert set(found) == wanted
    across = {(one, other) for one, other, _ in alike(words, words, least)}
    assert across == {(one, other) for one, other in np.argwhere(ratios >= least).tolist()}


def test_titles_are_found_alike_across_the_edges_of_blocks():
    many = [f"{number:04d}" * 3 for number in range(1500)] + ["公文写作与处理实务", "公文写作和处理实务"]
    assert (1500, 1501) in {(one, other) for one, other, _ in alike(many, least=80)}


@pytest.mark.parametrize(
    ("title", "part"),
    [
        ("心理调适（上）", 0),
        ("心理调适（下）", 2),
        ("党史第三讲", 3),
        ("微积分（二）", 2),
        ("两论之三：实践", 3),
        ("公文写作", None),
        ("第12集 水", 12),
    ],
)
def test_the_part_a_title_names(title: str, part: int | None):
    assert part_of(title) == part


def test_a_plain_title_has_no_marks_and_no_part():
    assert plain_title("《公文 写作》（上）") == plain_title("公文写作(下)") == "公文写作"
