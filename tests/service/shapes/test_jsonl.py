from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import TableError, UnreadableFile
from model.lexicon import Lexicon
from service.shapes.jsonl import parse, read_courses, read_profiles, read_questions


def written(path: Path, *lines: Any) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def test_good_lines_go_on_and_every_faulty_field_is_named_by_line(tmp_path: Path, tiny_lexicon: Lexicon):
    path = written(
        tmp_path / "people.jsonl",
        {"id": "P1"},
        "{",
        "",
        {"id": "P2", "hours_available": -1, "level": "大王"},
        {"id": "P1"},
        {"id": "P3"},
    )
    reading = read_profiles(path, tiny_lexicon)
    assert [person.id for person in reading.values] == ["P1", "P3"]
    assert [str(fault) for fault in reading.faults] == [
        "people.jsonl:2: 不是完整的 JSON；请检查第 2 个字符附近的引号、逗号和括号",
        "people.jsonl:4 hours_available: “-1”，不符合要求；应在 0 到 2000 之间",
        "people.jsonl:4 level: “大王”，不认识这个层级；可写 县处级正职、乡科级副职、四级主任科员 等，没有层级就去掉这一项",
        "people.jsonl:5 id: “P1”，与第 1 行重复；请给每人各自的编号",
    ]
    assert (reading.read, reading.rejected, reading.skipped, reading.rows) == (2, 3, {"空行": 1}, 6)


@given(
    st.lists(
        st.sampled_from(['{"id": "a"}', '{"id": "b"}', '{"id": "c"}', "", "{", "[]", '{"id": 1}', '{"i": "x"}']),
        max_size=9,
    )
)
def test_every_line_is_read_rejected_or_skipped(tmp_path_factory: pytest.TempPathFactory, lines: list[str]):
    path = written(tmp_path_factory.mktemp("lines") / "people.jsonl", *lines)
    try:
        reading = read_profiles(path, Lexicon((), (), (), (), ()))
    except (TableError, UnreadableFile):
        assert not any('"id": "' in line for line in lines)
    else:
        assert reading.read + reading.rejected + sum(reading.skipped.values()) == reading.rows == len(lines)
        assert (reading.rejected > 0) == (len(reading.faults) > 0)


def test_a_long_or_compound_value_is_not_repeated_in_the_fault(tmp_path: Path, tiny_lexicon: Lexicon):
    path = written(tmp_path / "p.jsonl", {"id": "P1"}, {"id": "P2", "post": "长" * 600, "completed": {"a": 1}})
    told = [str(fault) for fault in read_profiles(path, tiny_lexicon).faults]
    assert told == [
        f"p.jsonl:2 post: “{'长' * 30}…”，不符合要求；不能超过 500 个字",
        "p.jsonl:2 completed: 不符合要求；应为列表 […]",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encodings_planners_save_in_are_read(encoding: str, tmp_path: Path, tiny_lexicon: Lexicon):
    (tmp_path / "p.jsonl").write_text('{"id": "韩立秋"}\r\n', encoding=encoding)
    assert [person.id for person in read_profiles(tmp_path / "p.jsonl", tiny_lexicon).values] == ["韩立秋"]


def test_json_written_over_many_lines_is_told_as_such(tmp_path: Path, tiny_lexicon: Lexicon):
    path = written(tmp_path / "p.jsonl", json.dumps({"id": "P1", "post": "科员"}, indent=2))
    with pytest.raises(TableError, match="每行一个 JSON 对象"):
        read_profiles(path, tiny_lexicon)


def test_questions_keep_their_order_and_ids_and_faulty_ones_are_named(tmp_path: Path):
    path = written(
        tmp_path / "q.jsonl",
        {"id": "b", "text": "怕讲话"},
        {"id": "a"},
        {"text": "不会写"},
        {"id": 3, "text": "怕讲话"},
    )
    asked, faults = read_questions(path)
    assert asked == [("b", "怕讲话"), (None, "不会写"), (3, "怕讲话")]
    assert [str(fault) for fault in faults] == ["q.jsonl:2 text: 缺少这一项；请补上"]


def test_a_course_list_in_lines_is_read_as_the_same_list_in_a_table(tmp_path: Path, tiny_lexicon: Lexicon):
    path = written(
        tmp_path / "c.jsonl",
        {"id": "K2", "title": "公文写作", "hours": 4, "required": True, "competencies": ["公文写作", "应急处突"]},
        "",
        {"id": "K1", "title": "应急处突", "hours": 2.5, "levels": "乡科级", "seats": None},
    )
    catalog, reading, _ = read_courses(path, tiny_lexicon)
    assert [(course.id, course.title, course.hours, course.required) for course in catalog] == [
        ("K1", "应急处突", 2.5, False),
        ("K2", "公文写作", 4.0, True),
    ]
    assert catalog.courses[1].competencies == ("公文写作", "应急处突")
    assert (reading.read, reading.rejected, reading.skipped, reading.rows) == (2, 0, {"空行": 1}, 3)


def test_faults_of_a_course_list_in_lines_are_named_by_line_and_field(tmp_path: Path, tiny_lexicon: Lexicon):
    path = written(
        tmp_path / "c.jsonl", "", {"title": "公文写作"}, "{", [], {"title": "应急处突", "hours": "一上午"}, {"hours": 2}
    )
    catalog, reading, _ = read_courses(path, tiny_lexicon)
    assert len(catalog) == 2
    assert [fault.place for fault in reading.faults] == ["c.jsonl:3", "c.jsonl:4", "c.jsonl:5 hours", "c.jsonl:6 title"]
    assert reading.read + reading.rejected + sum(reading.skipped.values()) == reading.rows == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "是空的"),
        ('{"a": 1,}', "第 1 行第 9 个字符"),
        ('{\n"a" 1}', "第 2 行第 5 个字符"),
        ("[" * 100_000, "嵌套过深"),
        ("9" * 5000, "过长的数字"),
        ('"\\ud83d"', "残缺的字符"),
        ('{"\\udc00": 1}', "残缺的字符"),
    ],
)
def test_a_text_that_is_no_json_is_refused_with_the_place_and_the_remedy(text: str, message: str):
    with pytest.raises(ValueError, match=message) as refused:
        parse(text)
    assert len(str(refused.value).split("；")) == 2


def test_a_character_written_in_two_halves_is_whole():
    assert parse('"\\ud83d\\ude00 \\\\ud83d"') == "😀 \\ud83d"
