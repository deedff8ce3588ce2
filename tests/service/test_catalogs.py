"""A new list beside the version at work: read, checked, compared, and remembered. On small lists with known answers, and on real ones."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from model.errors import InputError, TableError, UnreadableFile
from model.files.sources import Source, sources_of
from model.files.tables import MAX_ROWS
from model.lexicon import Lexicon
from model.recommender import Recommender
from model.versions.registry import Registry
from service.catalogs import Base, Draft, Import, draft
from service.shapes.courselists import course_list

HEADER = "课程编号,课程名称,类别,学时\n"
REAL = ("cadre_courses_1380.csv", "platform_export_287.csv", "icourse163_1219.csv")


def after(drafted: Draft, trained: Recommender) -> Base:
    """The version that would be trained on a draft: what its card tells has been through JSON."""
    card = json.loads(json.dumps(drafted.card(), ensure_ascii=False))
    return Base("v0009", replace(trained, catalog=drafted.catalog), sources_of(drafted.catalog, card), card)


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lists")
    files = {
        "甲.csv": HEADER + "1,公文写作实务,政治理论,2\n2,突发事件应对,经信类,3\n",
        "乙.csv": "课程编号,讲什么,类别\n2,数字经济前沿,经信类\n3,公文写作实务,网络培训\n",
        "乙2.csv": "课程编号,讲什么,类别\n2,数字经济前沿讲座,经信类\n1,信访工作,经信类\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def two(lists: Path, lexicon: Lexicon, trained: Recommender) -> Base:
    """甲, and 乙 after it, whose header was corrected and whose label was answered."""
    first = after(draft(Import(lists / "甲.csv", "甲"), None, lexicon), trained)
    given = {"headers": (("讲什么", "课程名称"),), "categories": (("经信类", "履职能力"),)}
    return after(draft(Import(lists / "乙.csv", "乙", **given), first, lexicon), trained)


def test_two_lists_form_one_catalog_and_a_number_both_have_is_told_apart(two: Base):
    courses = {course.id: (course.title, course.source, course.category) for course in two.recommender.catalog}
    assert courses == {
        "1": ("公文写作实务", "甲", "政治理论"), "2": ("突发事件应对", "甲", "经信类"), "3": ("公文写作实务", "乙", ""),
        "乙/2": ("数字经济前沿", "乙", "履职能力/经信类"),
    }  # fmt: skip
    assert [(one.name, one.courses) for one in two.sources] == [("甲", 2), ("乙", 2)]


def test_a_list_that_is_replaced_is_read_with_what_was_said_of_the_one_before(two: Base, lists: Path, lexicon: Lexicon):
    again = draft(Import(lists / "乙2.csv", "乙"), two, lexicon)
    assert {course.id: course.category for course in again.catalog if course.source == "乙"} == {
        "乙/1": "履职能力/经信类", "乙/2": "履职能力/经信类",
    }  # fmt: skip
    assert again.sources[1].headers == {"讲什么": "title"}
    assert again.sources[1].file == "乙2.csv"
    assert again.sources[0] == two.sources[0]
    changes = again.changes
    assert [pair.after.title for pair in changes.renamed] == ["数字经济前沿讲座"]
    assert ([one.id for one in changes.added], [one.id for one in changes.removed]) == (["乙/1"], ["3"])
    assert "有 2 门课程的编号与其他来源的课程相同，已改为“乙/编号”。" in again.notes


def test_a_list_may_be_taken_away_and_the_others_stay_as_they_were(two: Base, lexicon: Lexicon):
    left = draft(Import(without=("甲",)), two, lexicon)
    assert set(left.catalog.row_of) == {"3", "乙/2"}
    assert ([one.name for one in left.sources], left.read) == (["乙"], None)
    assert left.told()["changes"]["counts"]["removed"] == 2


def test_a_list_without_a_source_is_the_whole_catalog_and_the_planner_is_told(two: Base, lists: Path, lexicon: Lexicon):
    whole = draft(Import(lists / "甲.csv"), two, lexicon)
    assert (set(whole.catalog.row_of), [one.name for one in whole.sources]) == ({"1", "2"}, [""])
    assert any("由几份课程表组成（甲、乙）" in note for note in whole.notes)


def test_a_list_beside_a_catalog_without_names_leaves_its_courses_alone(
    trained: Recommender, lists: Path, lexicon: Lexicon
):
    card = {"source": "courses.csv", "reading": {"rows": 715}}
    base = Base("v0001", trained, sources_of(trained.catalog, card), card)
    beside = draft(Import(lists / "甲.csv", "甲"), base, lexicon)
    assert len(beside.catalog) == len(trained.catalog) + 2
    assert [(one.name, one.file) for one in beside.sources] == [("", "courses.csv"), ("甲", "甲.csv")]
    assert (beside.changes.unchanged, len(beside.changes.added)) == (len(trained.catalog), 2)
    left = draft(Import(without=("（未命名）",)), after(beside, trained), lexicon)
    assert set(left.catalog.row_of) == {"1", "2"}


def test_near_duplicates_across_lists_are_told_and_kept(two: Base, lists: Path, lexicon: Lexicon):
    again = draft(Import(lists / "甲.csv", "甲"), two, lexicon)
    assert [(pair.before.id, pair.after.id) for pair in again.changes.duplicates] == [("1", "3")]


def test_labels_nobody_knows_are_asked_with_a_proposal_from_the_version_at_work(
    trained: Recommender, lists: Path, lexicon: Lexicon
):
    base = Base("v0001", trained, (), {})
    told = draft(Import(lists / "甲.csv"), base, lexicon).told()
    assert told["categories"] == [{"label": "经信类", "courses": 1, "proposed": "履职能力"}]
    alone = draft(Import(lists / "甲.csv"), None, lexicon).told()
    assert alone["categories"] == [{"label": "经信类", "courses": 1, "proposed": None}]
    assert json.dumps(told, ensure_ascii=False)
    assert (told["base"], alone["base"]) == ("v0001", None)


def test_what_was_read_as_what_is_told_in_planners_words(lists: Path, lexicon: Lexicon):
    told = draft(Import(lists / "甲.csv"), None, lexicon).told()
    assert told["headers"][:2] == [
        {"sheet": "甲", "header": "课程编号", "field": "course_id", "meaning": "课程编号"},
        {"sheet": "甲", "header": "课程名称", "field": "title", "meaning": "课程名称"},
    ]


@pytest.mark.parametrize(
    ("asked", "mentions"),
    [
        (Import(), ["--courses", "--without"]),
        (Import(without=("丙",)), ["丙", "甲、乙"]),
        (Import(without=("甲", "乙")), ["一门课程也没有"]),
        (Import(Path("甲.csv"), "甲", without=("甲",)), ["甲", "不能既导入又去掉"]),
        (Import(Path("甲.csv"), without=("甲",)), ["--without"]),
        (Import(Path("甲.csv"), "a/b"), ["来源名"]),
        (Import(Path("甲.csv"), headers=(("讲甚么", "课程名称"),)), ["讲甚么", "现有表头：课程编号、课程名称"]),
        (Import(Path("甲.csv"), headers=(("课程名称", "题目"),)), ["题目", "课程名称", "学时"]),
        (Import(Path("甲.csv"), categories=(("经信类", "经信"),)), ["经信类=经信", "理论教育"]),
        (Import(Path("甲.csv"), categories=(("不存在类", "知识"),)), ["不存在类", "经信类"]),
        (Import(Path("没有.csv"), "甲"), ["没有.csv", "找不到文件"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_what_there_is(
    asked: Import, mentions: list[str], two: Base, lists: Path, lexicon: Lexicon
):
    with pytest.raises(InputError) as refused:
        draft(replace(asked, path=lists / asked.path) if asked.path else asked, two, lexicon)
    assert all(mention in str(refused.value) for mention in mentions), refused.value


def test_a_header_that_is_corrected_wrongly_leaves_no_table_and_this_is_said(lists: Path, lexicon: Lexicon):
    with pytest.raises(TableError, match="讲=课程名称"):
        draft(Import(lists / "乙.csv", headers=(("讲", "课程名称"),)), None, lexicon)


@pytest.mark.parametrize("suffix", ["xlsx", "csv", "jsonl", "json"])
def test_a_file_that_claims_two_gigabytes_is_refused_before_a_byte_of_it_is_read(
    suffix: str, tmp_path: Path, lexicon: Lexicon
):
    path = tmp_path / f"课程.{suffix}"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)  # Takes no room on the disk.
    with pytest.raises(UnreadableFile, match="2048 MB"):
        course_list(path, lexicon)


def test_lines_beyond_what_a_table_may_have_are_refused_before_any_is_read(tmp_path: Path, lexicon: Lexicon):
    path = tmp_path / "课程.jsonl"
    path.write_bytes(b"x\n" * (MAX_ROWS + 1))
    with pytest.raises(UnreadableFile, match="100,001 行"):
        course_list(path, lexicon)


@pytest.mark.parametrize("name", REAL)
def test_a_real_list_is_checked_row_by_row(name: str, shared: Path, lexicon: Lexicon, trained: Recommender):
    path = shared / "courses" / name
    told = draft(Import(path), Base("v0001", trained, (), {}), lexicon).told()
    account = told["reading"]
    assert account["read"] + account["rejected"] + sum(account["skipped"].values()) == account["rows"]
    counts = told["changes"]["counts"]
    assert counts["after"] == told["courses"] == account["read"]
    assert counts["unchanged"] + counts["changed"] + counts["added"] == counts["after"]
    assert counts["unchanged"] + counts["changed"] + counts["removed"] == counts["before"] == len(trained.catalog)


def test_two_real_lists_form_one_catalog_and_each_is_replaceable_on_its_own(
    shared: Path, lexicon: Lexicon, trained: Recommender
):
    courses = shared / "courses"
    platform = draft(Import(courses / REAL[1], "平台"), None, lexicon)
    both = draft(Import(courses / REAL[2], "慕课"), after(platform, trained), lexicon)
    assert (len(platform.catalog), len(both.catalog)) == (284, 284 + 1219)
    ours = {course for course in both.catalog if course.source == "平台"}
    assert ours == set(platform.catalog)
    renamed = [course for course in both.catalog if course.id.startswith("慕课/")]
    assert renamed
    assert {course.id.removeprefix("慕课/") for course in renamed} <= set(platform.catalog.row_of)
    again = draft(Import(courses / REAL[1], "平台"), after(both, trained), lexicon)
    assert again.catalog.fingerprint == both.catalog.fingerprint
    left = draft(Import(without=("平台",)), after(both, trained), lexicon)
    assert set(left.catalog) == set(both.catalog) - ours


def test_a_changed_real_list_differs_by_exactly_the_changes_that_were_made(
    shared: Path, tmp_path: Path, lexicon: Lexicon, trained: Recommender
):
    with (shared / "courses" / REAL[0]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    base = after(draft(Import(shared / "courses" / REAL[0]), None, lexicon), trained)
    gone = {rows[10]["id"], rows[20]["id"]}
    rows[30]["title"] = f"新编{rows[30]['title']}"
    rows[40]["category_label_inferred"] = "履职能力"
    rows[50]["hours"] = "9.5"
    new = dict.fromkeys(rows[0], "") | {"id": "n1", "title": "量子计算与地方产业布局"}
    changed = [row for row in rows if row["id"] not in gone] + [new]
    with (tmp_path / "改.csv").open("w", encoding="gb18030", newline="", errors="replace") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(changed)
    found = draft(Import(tmp_path / "改.csv"), base, lexicon).changes
    assert [course.id for course in found.added] == ["n1"]
    assert {course.id for course in found.removed} == gone
    assert [pair.after.id for pair in found.renamed] == [rows[30]["id"]]
    assert [pair.after.id for pair in found.recategorised] == [rows[40]["id"]]
    assert [(pair.after.id, pair.after.hours) for pair in found.retimed] == [(rows[50]["id"], 9.5)]
    assert (found.others, found.unchanged, found.renumbered) == ({}, 1380 - 2 - 3, ())


def test_lists_of_newer_versions_that_are_not_active_are_told_for_they_are_not_in_the_draft(
    two: Base, lists: Path, lexicon: Lexicon
):
    first, second = two.sources
    newer = (
        ("v0012", (first, Source("序"))),
        ("v0011", (replace(first, sha256="0"), second, Source("序"), Source("跋"))),
    )
    base = replace(two, newer=newer)
    beside = draft(Import(lists / "乙2.csv", "乙"), base, lexicon)
    assert [note for note in beside.notes if "未启用" in note] == [
        "更新的 v0012（未启用）里还有来源“序”，不在新目录里；要从它出发，请先启用它。",
        "更新的 v0011（未启用）里还有来源“跋”，不在新目录里；要从它出发，请先启用它。",
    ]
    other = replace(two, newer=(("v0011", (replace(first, sha256="0"), second)),))
    (note,) = draft(Import(without=("乙",)), other, lexicon).notes[:1]
    assert note.startswith("更新的 v0011（未启用）里还有另一份“甲”，"), "that 乙 goes is what was asked for"
    whole = draft(Import(lists / "甲.csv"), base, lexicon)
    assert "未启用" not in "".join(whole.notes), "the planner says what the catalog is"


def test_a_new_list_goes_on_from_the_active_version_else_from_the_newest_that_can_be_loaded(
    versions: Path, tmp_path: Path
):
    assert Base.of(Registry(tmp_path / "none")) is None
    shutil.copytree(versions, tmp_path / "versions", copy_function=os.link)
    store = Registry(tmp_path / "versions")
    active = Base.of(store)
    assert active is not None
    assert (active.version, [one.name for one in active.sources]) == ("v0001", [""])
    assert [version for version, _ in active.newer] == [v for v in reversed(store.versions()) if v != "v0001"]
    (tmp_path / "versions" / "v0001" / "model.joblib").unlink()
    newest = Base.of(store)
    assert newest is not None
    assert (newest.version, newest.newer) == ("v0002", ())
