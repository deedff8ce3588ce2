from __future__ import annotations

import datetime
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import InputError, KnowledgeError, UnreadableFile
from model.files.tables import (
    MAX_COLUMNS,
    MAX_ROWS,
    decode,
    place,
    read_knowledge,
    read_lines,
    read_sheets,
    spot,
)

ROWS = (
    ("姓名", "单位", "短板"),
    ("韩立秋", "青溪镇", "应急处突，一急就乱；写材料"),
    ("金亦文", "县财政局", "“零基”预算\n绩效"),
)
READABLE = Path(__file__).parents[2] / "data" / "readable"


def written(folder: Path, text: str, encoding: str, name: str = "名册.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def as_text(rows: tuple[tuple[str, ...], ...], mark: str) -> str:
    return "\r\n".join(mark.join(f'"{cell}"' if "\n" in cell else cell for cell in row) for row in rows) + "\r\n"


def workbook(folder: Path, *rows: tuple[object, ...]) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "名册"
    for row in rows:
        book.active.append(row)
    book.save(folder / "名册.xlsx")
    return folder / "名册.xlsx"


@pytest.mark.parametrize("mark", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_text_table_reads_the_same_in_every_encoding_and_with_every_delimiter(
    tmp_path: Path, encoding: str, mark: str
):
    (sheet,) = read_sheets(written(tmp_path, as_text(ROWS, mark), encoding))
    assert (sheet.name, sheet.rows) == ("名册", ROWS)


def test_marks_inside_quoted_cells_do_not_count_as_delimiters(tmp_path: Path):
    path = written(tmp_path, '姓名,短板\n韩立秋,"写材料;\n办会;\n保密;\n督查;"\n金亦文,无\n', "utf-8")
    assert read_sheets(path)[0].rows[1] == ("韩立秋", "写材料;\n办会;\n保密;\n督查;")


def test_a_workbook_reads_as_the_text_a_person_sees(tmp_path: Path):
    path = workbook(
        tmp_path,
        ("工号", "时间", "学时", "必修", "证件"),
        ("00012", datetime.date(2024, 9, 1), 24.0, True, 110101199001011234),
        (7, datetime.datetime(2024, 9, 1, 8, 30), 42.5, False, None),
    )
    (sheet,) = read_sheets(path)
    assert sheet.rows[1] == ("00012", "2024-09-01", "24", "是", sheet.rows[1][4])
    assert sheet.rows[1][4].isdigit()
    assert len(sheet.rows[1][4]) == 18
    assert sheet.rows[2] == ("7", "2024-09-01", "42.5", "否", "")


def test_an_old_xls_workbook_reads_with_its_dates_merges_and_hidden_sheet():
    first, second = read_sheets(READABLE / "roster.xls")
    assert first.rows[2][:5] == ("1", "韩立秋", "青溪县财政局", "副局长", "2024-09-01")
    assert ((2, 2), (3, 2)) in first.merged
    assert (second.name, second.hidden) == ("底稿", True)


def test_the_first_row_of_a_sheet_is_row_1_even_where_it_is_blank(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active["B3"] = "姓名"
    book.save(tmp_path / "a.xlsx")
    assert read_sheets(tmp_path / "a.xlsx")[0].rows == (("", ""), ("", ""), ("", "姓名"))


def test_a_damaged_character_in_a_utf8_file_is_refused_instead_of_read_as_another_language(tmp_path: Path):
    path = tmp_path / "people.jsonl"
    path.write_bytes('{"id": "P1", "name": "韩立秋'.encode()[:-1] + '"}\n{"id": "P2", "name": "金亦文"}'.encode())
    with pytest.raises(UnreadableFile, match="编码有误"):
        read_lines(path)


def test_lines_end_only_where_a_file_ends_them(tmp_path: Path):
    path = written(tmp_path, '{"text": "一\u2028二\x85三"}\r\n\n{}\n', "utf-8", "a.jsonl")
    assert read_lines(path) == ['{"text": "一\u2028二\x85三"}', "", "{}"]
    assert read_lines(written(tmp_path, "", "utf-8", "b.jsonl")) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "空文件"), (b"%PDF-1.7", "PDF"), (b"\x89PNG\r\n", "图片"), (b"PK\x03\x04broken", "已损坏"),
        (b"\xd0\xcf\x11\xe0broken", "已损坏"), (b"a\0b", "二进制"), (b'"a,b\n', "引号不成对"), (b" , \n,,", "没有内容"),
        ("繁體中文資料表格，測試。".encode("big5"), "编码"), (b"a\n" * (MAX_ROWS + 1), "100,001 行"), (b"," * MAX_COLUMNS, "501 列"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value[:8]),
)  # fmt: skip
def test_what_is_no_table_is_refused_with_what_to_do(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UnreadableFile, match=message) as refused:
        read_sheets(tmp_path / "a.csv")
    assert "请" in str(refused.value) or message == "没有内容"


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(UnreadableFile, match=r"找不到文件 a\.xlsx"):
        read_sheets(tmp_path / "a.xlsx")


@given(st.binary(max_size=300))
def test_bytes_are_decoded_or_refused_never_anything_else(data: bytes):
    with suppress(InputError):
        assert isinstance(decode(data), str)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=4))
def test_chinese_text_survives_the_encodings_it_is_saved_in(text: str):
    line = f"姓名,{text}"
    assert decode(line.encode("utf-8")) == decode(line.encode("utf-8-sig")) == line
    assert decode(line.encode("utf-16")) == line
    assert decode(f"姓名和单位及职务,{text}".encode("gb18030")) == f"姓名和单位及职务,{text}"


def test_a_knowledge_file_with_another_header_is_refused_by_line(tmp_path: Path):
    path = written(tmp_path, "a,b\n1,2\n", "utf-8", "levels.csv")
    assert read_knowledge(path, ["a", "b"]) == [{"a": "1", "b": "2"}]
    with pytest.raises(KnowledgeError, match=r"levels\.csv 第 2 行的列应为 a,c"):
        read_knowledge(path, ["a", "c"])


@given(st.integers(0, 10**6), st.integers(0, 16_000))
def test_a_cell_is_found_by_the_name_it_is_given(row: int, column: int):
    assert spot(place("表", row, column).removeprefix("表!")) == (row, column)


def test_what_is_no_name_of_a_cell_is_none():
    assert [spot(name) for name in ("7", "B", "b7", "课.json $[0]", "")] == [None] * 5
