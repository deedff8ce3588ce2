from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from model.errors import InputError, TableError, UnreadableFile
from model.lexicon import Lexicon
from service.bulk.portions import lines_in, source_of
from service.shapes.jsonl import read_profiles
from service.shapes.parquet import ids_in, read_parquet, rows_in

PEOPLE: list[dict[str, Any]] = [
    {
        "id": "P1", "name": "韩立秋", "unit": "青溪镇政府", "post": "镇长", "level": "乡科级正职", "years_in_post": 2.5, "hours_available": 12,
        "weaknesses": [{"text": "怕讲话", "severity": 3}, {"text": "不会写材料"}], "scores": {"公文写作": 55.0, "应急处突": 80.0},
        "completed": ["c1", "c2"], "restrictions": ["不能脱产"],
    },
    {"id": "P2", "post": "秘书", "weaknesses": [], "hours_available": 3},
    {"id": "P3"},
]  # fmt: skip


def as_json(people: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [one | {name: json.dumps(one[name]) if name in one else "" for name in names} for one in people]


def as_pandas(path: Path) -> None:
    pd.DataFrame(as_json(PEOPLE, "scores")).to_parquet(path)


def as_lists_and_maps(path: Path) -> None:
    scores = pa.array(
        [list(one.get("scores", {}).items()) or None for one in PEOPLE], pa.map_(pa.string(), pa.float32())
    )
    table = pa.Table.from_pylist([{name: value for name, value in one.items() if name != "scores"} for one in PEOPLE])
    parquet.write_table(table.append_column("scores", scores), path)


def as_structs(path: Path) -> None:
    parquet.write_table(pa.Table.from_pylist(PEOPLE), path, row_group_size=1)


def as_json_texts(path: Path) -> None:
    rows = as_json(PEOPLE, "weaknesses", "scores", "completed", "restrictions")
    table = pa.Table.from_pylist(rows)
    hours = pa.array([Decimal(one.get("hours_available", 0)) or None for one in PEOPLE], pa.decimal128(9, 2))
    posts = table["post"].dictionary_encode()
    for name, column in (("hours_available", hours), ("post", posts)):
        table = table.set_column(table.schema.get_field_index(name), name, column)
    parquet.write_table(table, path)


@pytest.mark.parametrize("write", [as_pandas, as_lists_and_maps, as_structs, as_json_texts])
def test_people_are_those_of_the_same_roster_in_lines(write: Any, tmp_path: Path, tiny_lexicon: Lexicon):
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, PEOPLE)), encoding="utf-8")
    write(tmp_path / "r.parquet")
    reading = read_parquet(tmp_path / "r.parquet", tiny_lexicon)
    assert reading == read_profiles(tmp_path / "r.jsonl", tiny_lexicon)
    assert list(ids_in(tmp_path / "r.parquet")) == ["P1", "P2", "P3"]


@given(st.integers(0, 30), st.integers(1, 12), st.integers(1, 35))
def test_any_rows_can_be_read_alone_however_the_file_is_divided(
    tmp_path_factory: pytest.TempPathFactory, rows: int, group: int, most: int
):
    path = tmp_path_factory.mktemp("rows") / "r.parquet"
    ids = [f"P{number}" for number in range(1, rows + 1)]
    parquet.write_table(pa.table({"id": pa.array(ids, pa.string())}), path, row_group_size=group)
    source = source_of(path, most)
    found = [line for portion in source.portions for line in lines_in(portion)]
    assert [(line.number, line.value) for line in found] == [(n, {"id": f"P{n}"}) for n in range(1, rows + 1)]
    assert source.rows == rows
    assert [line.number for line in rows_in(path, most, 2)] == [n for n in (most, most + 1) if n <= rows]


def test_faulty_rows_are_named_by_row_and_field_and_the_others_go_on(tmp_path: Path, tiny_lexicon: Lexicon):
    rows = [
        {"id": "P1", "hours_available": 3.0, "completed": "c1、c2"},
        {"id": None, "hours_available": -1.0, "completed": None},
        {"id": "P3", "hours_available": None, "completed": '{"a": 1}'},
        {"id": "P4", "hours_available": None, "completed": '["c1"]'},
        {"id": "P4", "hours_available": None, "completed": None},
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "r.parquet")
    reading = read_parquet(tmp_path / "r.parquet", tiny_lexicon)
    assert [person.completed for person in reading.values] == [("c1",)]
    assert (reading.read, reading.rejected, reading.rows) == (1, 4, 5)
    assert [str(fault) for fault in reading.faults] == [
        "r.parquet:1 completed: 不是完整的 JSON；请检查第 1 个字符附近的引号、逗号和括号",
        "r.parquet:2 id: 缺少这一项；请补上",
        "r.parquet:2 hours_available: “-1.0”，不符合要求；应在 0 到 2000 之间",
        "r.parquet:3 completed: 不符合要求；应为列表 […]",
        "r.parquet:5 id: “P4”，与第 4 行重复；请给每人各自的编号",
    ]


def test_columns_that_cannot_be_are_all_named_at_once(tmp_path: Path, tiny_lexicon: Lexicon):
    columns = {
        "ID": ["P1"],
        "posts": ["镇长"],
        "level": [20],
        "hours_available": ["3"],
        "completed": [3],
        "zzz": [None],
    }
    parquet.write_table(pa.table(columns), tmp_path / "r.parquet")
    with pytest.raises(InputError) as refused:
        read_parquet(tmp_path / "r.parquet", tiny_lexicon)
    assert str(refused.value).splitlines() == [
        "r.parquet 的列有误：",
        "列 ID：没有这个字段；是否想写 id？",
        "列 posts：没有这个字段；是否想写 post？",
        "列 level：类型应为文本，现为 int64。",
        "列 hours_available：类型应为数字，现为 string。",
        "列 completed：类型应为列表、对象，或写成 JSON 的文本，现为 int64。",
        "列 zzz：没有这个字段；请检查拼写，或去掉这一列。",
        "列 id：缺少这一列；请补上每人的编号。",
    ]


def test_a_file_that_is_damaged_empty_or_not_there_is_told_as_such(tmp_path: Path, tiny_lexicon: Lexicon):
    path = tmp_path / "r.parquet"
    with pytest.raises(UnreadableFile, match=r"找不到文件 r\.parquet"):
        read_parquet(path, tiny_lexicon)
    parquet.write_table(pa.table({"id": pa.array([f"P{n}" for n in range(2000)])}), path)
    whole = path.read_bytes()
    for damaged in (b"", b"PAR1", whole[: len(whole) // 2], whole[:100] + bytes(2000) + whole[2100:]):
        path.write_bytes(damaged)
        with pytest.raises(UnreadableFile, match="已损坏，或不是 Parquet 文件"):
            read_parquet(path, tiny_lexicon)
    parquet.write_table(pa.table({"id": pa.array([], pa.string())}), path)
    with pytest.raises(UnreadableFile, match="没有内容"):
        read_parquet(path, tiny_lexicon)
    parquet.write_table(pa.table({"id": ["", " "]}), path)
    with pytest.raises(TableError, match="没有一个可用的人员"):
        read_parquet(path, tiny_lexicon)
