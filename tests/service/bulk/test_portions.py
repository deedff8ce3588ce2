from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import InputError, UnreadableFile
from service.bulk.portions import files_of, ids_of, lines_in, source_of
from service.shapes.jsonl import read_json_lines

LINES = st.lists(st.sampled_from(['{"id": "甲"}', '{"id": "b"}', "", "  ", "{", '"\u2028"']), min_size=1, max_size=12)


@given(LINES, st.integers(1, 13), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_portions_hold_each_line_of_the_file_once_under_its_number(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], most: int, end: str, ended: bool, bom: bool
):
    path = tmp_path_factory.mktemp("cut") / "r.jsonl"
    content = ("\ufeff" if bom else "") + '{"id": "first"}' + end + end.join(lines) + (end if ended else "")
    path.write_bytes(content.encode())
    source = source_of(path, most)
    assert [line for portion in source.portions for line in lines_in(portion)] == read_json_lines(path)[0]
    assert source.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert all(portion.rows <= most for portion in source.portions)
    assert [portion.first for portion in source.portions] == list(range(1, source.rows + 1, most))


def test_a_portion_of_a_file_that_was_changed_is_refused(tmp_path: Path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b"}\n', encoding="utf-8")
    first, second = source_of(path, 1).portions
    path.write_text('{"id": "a"}\n{"id": "c"}\n', encoding="utf-8")
    assert [line.value for line in lines_in(first)] == [{"id": "a"}]
    with pytest.raises(InputError, match="不是同一份文件，或中途被改动"):
        lines_in(second)
    with pytest.raises(InputError, match="读不到名册"):
        lines_in(replace(first, file=str(tmp_path / "gone.jsonl")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": "a"}\n{"id": "韩"}\n'.encode("gb18030"), "第 2 行不是 UTF-8 编码"),
        ('{"id": "a"}\n'.encode("utf-16"), "第 1 行不是 UTF-8 编码"),
        (b'{"id": "a"}\n"\xe9\x9f', "第 2 行不是 UTF-8 编码"),
        (b"\n[" + b" " * 2**24 + b"]", "第 2 行过长"),
    ],
)
def test_what_cannot_be_cut_is_refused_with_the_line(content: bytes, message: str, tmp_path: Path):
    (tmp_path / "r.jsonl").write_bytes(content)
    with pytest.raises(UnreadableFile, match=message):
        source_of(tmp_path / "r.jsonl", 10)


def test_the_files_of_a_folder_come_in_the_order_of_their_names_without_what_programs_leave_there(tmp_path: Path):
    for name in ("b.jsonl", "a.PARQUET", "_SUCCESS", ".a.parquet.crc", "_meta.parquet", "readme.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in files_of(tmp_path)] == ["a.PARQUET", "b.jsonl"]
    assert files_of(tmp_path / "b.jsonl") == [tmp_path / "b.jsonl"]
    for wrong, message in (("readme.txt", "只读 .jsonl、.parquet"), ("c.jsonl", "找不到文件 c.jsonl")):
        with pytest.raises(InputError, match=message):
            files_of(tmp_path / wrong)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"没有 \.jsonl 或 \.parquet 文件"):
        files_of(tmp_path / "empty")


def test_ids_are_read_whether_or_not_their_lines_can_be_used(tmp_path: Path):
    lines = ['{"id": "a", "level": "大王"}', "{", "", "[1]", '{"id": 3}', "[" * 100_000, json.dumps({"id": "乙"})]
    (tmp_path / "r.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert list(ids_of([tmp_path / "r.jsonl"])) == ["a", "乙"]
