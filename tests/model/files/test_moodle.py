"""A course export of Moodle."""

from __future__ import annotations

import pytest

from model.domain import Catalog, Course, Reading
from model.files.courselists import read_catalog
from model.files.moodle import LONGEST, prepared, shown
from model.files.tables import Sheet
from model.lexicon import Lexicon

HEADER = (
    "id",
    "shortname",
    "fullname",
    "idnumber",
    "category",
    "category_path",
    "summary",
    "visible",
    "startdate",
    "lang",
)
ROW = ("17", "GW01", "公文写作 &amp; 处理", "K7", "5", "培训中心 / 党性教育", "<p>改<b>三</b>篇</p><script>x()</script>", "1", "1740787200", "zh_cn")  # fmt: skip


def read(lexicon: Lexicon, *rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> tuple[Catalog, Reading[Course]]:
    return read_catalog([Sheet("courses", (header, *rows))], lexicon)


def test_a_course_of_moodle_becomes_a_course(lexicon: Lexicon):
    catalog, reading = read(lexicon, ROW)
    assert catalog.courses == (Course("K7", "公文写作 & 处理", "改三篇", category="培训中心 / 党性教育", year=2025),)
    assert {one.header: one.field for one in reading.headings if one.field} == {
        "shortname": "code", "fullname": "title", "idnumber": "course_id", "category_path": "category", "summary": "summary",
        "visible": "status", "startdate": "year",
    }  # fmt: skip
    assert lexicon.categories.read(catalog.courses[0].category).branch == "党性教育"


def test_without_an_idnumber_the_shortname_is_the_number(lexicon: Lexicon):
    row = tuple("" if head == "idnumber" else cell for head, cell in zip(HEADER, ROW, strict=True))
    assert list(read(lexicon, row)[0].row_of) == ["GW01"]


def test_a_hidden_course_is_one_that_was_stopped(lexicon: Lexicon):
    hidden = ("18", "GW02", "保密", "K8", "5", "", "", "0", "0", "")
    catalog, reading = read(lexicon, ROW, hidden)
    assert (list(catalog.row_of), reading.skipped["已停开"]) == (["K7"], 1)


def test_a_category_that_is_a_bare_number_says_nothing(lexicon: Lexicon):
    header = ("shortname", "fullname", "category")
    numbered, _ = read(lexicon, ("a", "公文写作", "5"), header=header)
    named, _ = read(lexicon, ("a", "公文写作", "知识"), header=header)
    assert [catalog.courses[0].category for catalog in (numbered, named)] == ["", "知识"]


@pytest.mark.parametrize(
    ("date", "year"), [("1740787200", 2025), ("0", None), ("31.01.2012", 2012), ("2021-03-01", 2021), ("", None)]
)
def test_a_start_in_any_form_tells_its_year(lexicon: Lexicon, date: str, year: int | None):
    ((course,), reading) = read(lexicon, ("a", "公文写作", date), header=("shortname", "fullname", "startdate"))
    assert (course.year, reading.faults) == (year, ())


def test_faults_name_the_cell_of_the_export(lexicon: Lexicon):
    rows = (("a", "公文写作", "开春"), ("b", "", "0"))
    _, reading = read(lexicon, *rows, header=("shortname", "fullname", "startdate"))
    assert [fault.place for fault in reading.faults] == ["courses!C2", "courses!B3"]


def test_a_list_that_is_no_export_of_moodle_is_left_as_it_is():
    sheet = Sheet("课程", (("课程名称", "简介", "visible"), ("公文写作", "a < b 且 b > c", "0")))
    assert prepared([sheet, Sheet("空", ())]) == ([sheet, Sheet("空", ())], {})


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>一</p><p>二<br>三</p>", "一\n二\n三"), ("<style>p{}</style>正文", "正文"), ("a &lt; b", "a < b"), ("没有标签", "没有标签"),
        ("<b>没有关上", "没有关上"), ("<scr<script>ipt>", "ipt>"), ("</script>后面", "后面"), ("1 < 2", "1 < 2"),
    ],
)  # fmt: skip
def test_html_becomes_what_it_shows(html: str, text: str):
    assert shown(html) == text


def test_html_of_a_whole_document_is_left_for_the_reader_of_tables_to_refuse(lexicon: Lexicon):
    long = "<p>" * LONGEST
    assert shown(long) == long
    _, reading = read(lexicon, ("a", "公文写作", long), header=("shortname", "fullname", "summary"))
    assert "内容过长" in reading.faults[0].problem
