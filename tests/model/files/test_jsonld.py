"""Courses as schema.org has them, read by the reader of tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.domain import Catalog, Course, Reading
from model.errors import TableError, UnreadableFile
from model.files.courselists import read_catalog
from model.files.jsonld import FIELDS, listed
from model.files.tables import read_sheets
from model.lexicon import Lexicon

WRITING = {
    "@context": "https://schema.org",
    "@type": "Course",
    "@id": "https://example.invalid/course/7",
    "name": {"@value": "公文写作实务", "@language": "zh"},
    "description": "改三篇真稿",
    "courseCode": "K7",
    "provider": {"@type": "Organization", "name": "市委党校"},
    "about": [{"@type": "DefinedTerm", "name": "履职能力"}],
    "keywords": "请示，报告",
    "teaches": ["立意", {"name": "改稿"}],
    "educationalLevel": "Beginner",
    "audience": {"@type": "EducationalAudience", "educationalRole": "乡科级干部"},
    "timeRequired": "PT90M",
    "courseMode": "Online",
    "dateCreated": "2025-03-01T08:00:00Z",
    "inLanguage": "zh",
}


def read(folder: Path, document: Any, lexicon: Lexicon) -> tuple[Catalog, Reading[Course]]:
    path = folder / "课程.jsonld"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return read_catalog(read_sheets(path), lexicon)


def course(number: int, **fields: Any) -> dict[str, Any]:
    return {"@type": "Course", "courseCode": f"K{number}", "name": f"第{number}课", **fields}


def test_a_course_of_schema_org_becomes_a_course(tmp_path: Path, lexicon: Lexicon):
    catalog, reading = read(tmp_path, WRITING, lexicon)
    assert catalog.courses == (
        Course(
            "K7", "公文写作实务", "改三篇真稿。请示，报告、立意、改稿", category="履职能力", hours=2.0, mode="网络课程", levels=frozenset({10, 20}),
            provider="市委党校", year=2025,
        ),
    )  # fmt: skip
    assert (reading.rows, reading.read, reading.skipped, reading.faults) == (1, 1, {}, ())


@pytest.mark.parametrize(
    "document",
    [
        [course(1), course(2)],
        {"@context": "https://schema.org", "@graph": [course(1), {"@type": "Person", "name": "某人"}, course(2)]},
        {
            "@type": "ItemList",
            "itemListElement": [{"@type": "ListItem", "position": n, "item": course(n)} for n in (1, 2)],
        },
        {"@type": "ItemList", "itemListElement": [course(1), course(2)]},
        {"@type": "WebPage", "mainEntity": {"@type": "ItemList", "itemListElement": [course(1), [course(2)]]}},
        [course(1), {**course(2), "@type": ["Thing", "https://schema.org/Course"]}],
    ],
    ids=["array", "graph", "list items", "list", "page", "several types"],
)
def test_courses_are_found_wherever_documents_keep_them(document: Any, tmp_path: Path, lexicon: Lexicon):
    assert list(read(tmp_path, document, lexicon)[0].row_of) == ["K1", "K2"]


@pytest.mark.parametrize(
    ("fields", "hours"),
    [
        ({"timeRequired": "PT45M"}, 1), ({"timeRequired": "PT2H"}, 2.67), ({"timeRequired": "PT120M"}, 2.67), ({"timeRequired": "P2D"}, 16),
        ({"timeRequired": "P1DT45M"}, 9), ({"timeRequired": "P3W"}, None), ({"timeRequired": "4学时"}, 4), ({}, None),
        ({"hasCourseInstance": {"courseWorkload": "PT45M"}}, 1), ({"hasCourseInstance": [{"name": "一班"}, {"courseWorkload": "PT90M"}]}, 2),
    ],
)  # fmt: skip
def test_durations_become_hours_of_45_minutes(fields: dict, hours: float | None, tmp_path: Path, lexicon: Lexicon):
    ((found,), reading) = read(tmp_path, course(1, **fields), lexicon)
    assert (found.hours, reading.faults) == (hours, ())


def test_faults_name_the_path_in_the_document(tmp_path: Path, lexicon: Lexicon):
    document = {
        "@graph": [
            course(1, timeRequired="说不准"),
            course(2, name=" "),
            course(3, hasCourseInstance=[{}, {"startDate": "开春"}]),
        ]
    }
    _, reading = read(tmp_path, document, lexicon)
    assert [(fault.place, fault.value) for fault in reading.faults] == [
        ("课程.jsonld $.@graph[0].timeRequired", "说不准"),
        ("课程.jsonld $.@graph[1].name", ""),
        ("课程.jsonld $.@graph[2].hasCourseInstance[1].startDate", "开春"),
    ]
    assert (reading.rows, reading.read, reading.rejected) == (3, 2, 1)


def test_a_blank_node_gives_no_number(tmp_path: Path, lexicon: Lexicon):
    ((found,), _) = read(tmp_path, {"@type": "Course", "@id": "_:b0", "name": "党史"}, lexicon)
    assert found.id.startswith("t")
    ((found,), _) = read(tmp_path, {"@type": "Course", "identifier": {"value": 12}, "name": "党史"}, lexicon)
    assert found.id == "12"


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ('{"@type": "Course"', "第 1 行"), ("[" * 100_000 + "]" * 100_000, "嵌套过深"), ('{"a":' * 100_000, "嵌套过深"), ("[]", "没有课程"), ("7", "没有课程"),
        ('{"@type": "Person", "name": "x"}', "没有课程"), ('{"@type": "Course", "name": "\\ud83d"}', "残缺的字符"), ("[" + "9" * 5_000 + "]", "过长的数字"),
        ("[" * 30 + '{"@type": "Course", "name": "x"}' + "]" * 30, "没有课程"), ('{"name": ' * 900 + "1" + "}" * 900, "没有课程"),
        ('{"@type": "Course", "name": ' + '{"name": ' * 900 + "1" + "}" * 901, "嵌套过深"),
    ],
    ids=["cut off", "deep arrays", "deep objects", "nothing", "number", "no course", "half", "long", "too deep", "deep name", "deep course"],
)  # fmt: skip
def test_a_document_that_cannot_be_used_is_refused_in_words(text: str, mentions: str, tmp_path: Path):
    path = tmp_path / "课程.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFile, match=mentions) as refused:
        read_sheets(path)
    assert "课程.json" in str(refused.value)


def test_a_course_without_a_title_is_no_course(tmp_path: Path, lexicon: Lexicon):
    with pytest.raises(TableError) as refused:
        read(tmp_path, [course(1, name=None)], lexicon)
    assert refused.value.faults[0].place == "课程.jsonld $[0].name"


def test_a_course_that_says_nothing_at_all_is_told_as_a_fault_and_not_as_a_blank_row(tmp_path: Path, lexicon: Lexicon):
    _, reading = read(tmp_path, [course(1), {"@type": "Course", "name": ""}, course(2, name="合计")], lexicon)
    assert (reading.rows, reading.read, reading.rejected, reading.skipped) == (3, 2, 1, {})
    assert [(fault.place, fault.problem) for fault in reading.faults] == [
        ("课程.jsonld $[1].name", "缺少课程名称，这一行没有读取")
    ]


def test_more_courses_than_are_read_at_once_are_refused():
    assert len(listed([course(n) for n in range(3)], 3).rows) == 3
    with pytest.raises(ValueError, match="超过 2 门"):
        listed([course(n) for n in range(3)], 2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["@type", "name", "@graph", "item", "timeRequired", "hasCourseInstance", "about", "@value"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_whatever_stands_in_a_course_becomes_text_with_a_path_for_every_cell(value: Any):
    found = listed([{"@type": "Course", "name": value, "timeRequired": value, "hasCourseInstance": value}, value], 100)
    assert all(len(row) == len(FIELDS) and all(isinstance(cell, str) for cell in row) for row in found.rows)
    for row in range(len(found.rows)):
        assert all(found.path(row, column).startswith("$") for column in range(len(FIELDS)))
