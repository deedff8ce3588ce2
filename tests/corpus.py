"""The broken files and bodies of ``tests/data``, each broken in one way and named for it.

``python tests/corpus.py`` writes the small ones anew; what would weigh more than 200 kB is made for the run of the tests.
What is expected of each stands in ``tests/data/expected.csv``.
"""

from __future__ import annotations

import json
import pickle
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bytes_of import MAIN, ole, patched, sheet_of, workbook_parts, xlsx, zipped

HEADER = ("工号", "姓名", "单位", "职务", "层级", "任现职时间", "可用学时", "公文写作", "短板")
HAN = ("1001", "韩立秋", "青溪镇政府", "副镇长", "乡科级副职", "2023.03", "24", "72", "应急处突经验不足")
JIN = ("1002", "金亦文", "市审计局", "办公室科员", "科员级", "2021年5月", "16", "55", "公文写作不规范")


def changed(person: tuple[str, ...], **cells: str) -> tuple[str, ...]:
    """A row with some cells replaced, by column header."""
    return tuple(cells.get(header, cell) for header, cell in zip(HEADER, person, strict=True))


def csv_of(*rows: tuple[str, ...]) -> bytes:
    return "".join(",".join(row) + "\r\n" for row in rows).encode()


def with_entity(doctype: str, text: str) -> bytes:
    """A roster whose first name is a shared string made of an entity."""
    strings = (
        f'<?xml version="1.0"?>{doctype}<sst xmlns="{MAIN}" count="1" uniqueCount="1"><si><t>{text}</t></si></sst>'
    )
    sheet = sheet_of(HEADER, changed(HAN, 姓名="@")).replace(
        't="inlineStr"><is><t>@</t></is></c>', 't="s"><v>0</v></c>'
    )
    return zipped(workbook_parts(sheet, strings=strings))


def laugh(level: int) -> str:
    return f"&l{level};"


def profile(**fields: object) -> dict[str, object]:
    return {"id": "P1", "post": "副镇长", "level": "乡科级副职", "weaknesses": [{"text": "应急处突经验不足"}], **fields}


def line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# One fault of a JSON profile each. They serve as lines of a roster (before a good line) and as bodies of the service.
BROKEN_PROFILES: dict[str, str] = {
    "array": line([profile()]),
    "string": line("P1"),
    "null": "null",
    "cut_off": line(profile())[:-9],
    "single_quotes": "{'id': 'P1'}",
    "trailing_comma": '{"id": "P1", "post": "副镇长",}',
    "missing_id": line({"post": "副镇长"}),
    "blank_id": line(profile(id="  ")),
    "number_id": line(profile(id=1001)),
    "unknown_field": line(profile(hours_availble=24)),
    "unknown_field_nested": line(profile(weaknesses=[{"text": "应急处突经验不足", "sevrity": 3}])),
    "text_for_a_number": line(profile(years_in_post="三年")),
    "quoted_number": line(profile(hours_available="24")),
    "text_for_a_list": line(profile(completed="c0504")),
    "list_for_an_object": line(profile(scores=[55])),
    "text_for_a_weakness": line(profile(weaknesses=["应急处突经验不足"])),
    "blank_weakness": line(profile(weaknesses=[{"text": "   "}])),
    "unknown_kind": line(profile(weaknesses=[{"text": "应急处突经验不足", "kind": "态度问题"}])),
    "unknown_source": line(profile(weaknesses=[{"text": "应急处突经验不足", "source": "听说"}])),
    "severity_7": line(profile(weaknesses=[{"text": "应急处突经验不足", "severity": 7}])),
    "nan": line(profile(hours_available=float("nan"))),
    "infinity": line(profile(years_in_post=float("inf"))),
    "negative_hours": line(profile(hours_available=-8)),
    "score_101": line(profile(scores={"公文写作": 101})),
    "level_nobody_has": line(profile(level="大王")),
    "unknown_restriction": line(profile(restrictions=["属虎"])),
    "too_many_weaknesses": line(profile(weaknesses=[{"text": f"第{n}项业务不熟"} for n in range(51)])),
    "long_weakness": line(profile(weaknesses=[{"text": "不会" * 251}])),
    "lone_surrogate": '{"id": "P1", "post": "副镇长\\ud83d"}',
    "deep_nesting": '{"id": "P1", "scores": ' + "[" * 20_000 + "]" * 20_000 + "}",
    "huge_number": '{"id": "P1", "hours_available": ' + "9" * 5_000 + "}",
}

GOOD_LINE = line({**profile(id="P2"), "unit": "青溪镇政府"})

COURSE_HEADER = ("课程编号", "课程名称", "学时", "必修", "名额", "年度")
COURSE = ("K1", "公文写作实务", "4", "否", "50", "2025")
COURSE_2 = ("K2", "突发事件应对", "3", "否", "30", "2025")
COURSE_JSON = {"@type": "Course", "name": "公文写作实务"}
QUESTION = {"id": "q1", "text": "公文写作不规范"}

SMALL: dict[str, bytes] = {
    # No table at all
    "empty.xlsx": b"",
    "empty.csv": b"",
    "empty.jsonl": b"",
    "blanks_only.csv": b" \r\n,,\r\n \r\n",
    "blank_lines_only.jsonl": b"\n\n   \n",
    "picture.xlsx": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "photo.csv": b"\xff\xd8\xff\xe0" + bytes(64),
    "document.xlsx": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "letter.xls": b"{\\rtf1\\ansi \\'b9\\'ab\\'ce\\'c4}",
    "archive.xlsx": zipped({"名册.txt": "见附件"}),
    "archive.xls": b"Rar!\x1a\x07\x01\x00" + bytes(32),
    "seven.xlsx": b"7z\xbc\xaf\x27\x1c" + bytes(32),
    "gzip.csv": b"\x1f\x8b\x08\x00" + bytes(32),
    "word.xlsx": zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w:document/>"}),
    "text.xlsx": "请各单位于本周五前报送名册。\r\n联系人见附件。\r\n".encode(),
    "web_page.xls": "<html><body><table><tr><th>工号</th><th>姓名</th></tr></table></body></html>".encode(),
    "binary.csv": bytes(range(256)) * 8,
    "nul.csv": csv_of(HEADER, changed(HAN, 姓名="韩\0立秋")),
    # Damaged workbooks
    "truncated.xlsx": xlsx(HEADER, HAN, JIN)[:1500],
    "sheet_xml_cut_off.xlsx": zipped(workbook_parts(sheet_of(HEADER, HAN)[:-60])),
    "sheet_xml_garbage.xlsx": zipped(workbook_parts("<<<<")),
    "sheet_missing.xlsx": zipped({k: v for k, v in workbook_parts(sheet_of(HEADER, HAN)).items() if "sheet1" not in k}),
    "no_sheets.xlsx": zipped(workbook_parts()),
    "encrypted.xlsx": ole("EncryptionInfo", "EncryptedPackage"),
    "encrypted_zip.xlsx": patched(xlsx(HEADER, HAN), flag=1),
    "ole_garbage.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 4,
    "ole_without_a_workbook.xls": ole("WordDocument"),
    # Attacks
    "bomb_declared.xlsx": patched(xlsx(HEADER, HAN), size=0x7FFFFFFF),
    "far_cell.xlsx": zipped(
        workbook_parts(
            sheet_of(HEADER, HAN).replace(
                "</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
            )
        )
    ),
    "columns_16384.xlsx": xlsx(HEADER, HAN + ("",) * 16_374 + ("末",)),
    "columns_20000.csv": csv_of(HEADER + ("",) * 19_991, HAN + ("",) * 19_991),
    "external_entity.xlsx": with_entity('<!DOCTYPE sst [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
    "billion_laughs.xlsx": with_entity(
        '<!DOCTYPE sst [<!ENTITY l0 "哈">'
        + "".join(f'<!ENTITY l{n} "{laugh(n - 1) * 10}">' for n in range(1, 10))
        + "]>",
        "&l9;",
    ),
    # CSV files
    "unclosed_quote.csv": csv_of(HEADER, changed(HAN, 短板='"应急处突经验不足'), JIN),
    "big5.csv": "工號,姓名,單位,職務\r\n1001,韓立秋,青溪鎮政府,副鎮長\r\n1002,龐德,市審計局,辦公室科員\r\n".encode(
        "big5"
    ),
    "utf16_without_bom.csv": csv_of(HEADER, HAN).decode().encode("utf-16-le"),
    "gb18030_cut_off.csv": csv_of(HEADER, HAN, JIN).decode().encode("gb18030")[:-3],
    "two_encodings.csv": csv_of(HEADER, HAN) + csv_of(JIN).decode().encode("gb18030"),
    # Rosters that are tables
    "blank_sheet.xlsx": xlsx(),
    "hidden_roster.xlsx": zipped(workbook_parts(sheet_of(HEADER, HAN), sheet_of(("请填写",)), hidden=(1,))),
    "no_header.xlsx": xlsx(HAN, JIN),
    "header_only.xlsx": xlsx(HEADER),
    "names_missing.xlsx": xlsx(HEADER, changed(HAN, 工号="", 姓名=""), JIN),
    "all_names_missing.xlsx": xlsx(HEADER, changed(HAN, 工号="", 姓名=""), changed(JIN, 工号="", 姓名="")),
    "bad_date.xlsx": xlsx(HEADER, changed(HAN, 任现职时间="去年"), JIN),
    "bad_hours.csv": csv_of(HEADER, HAN, changed(JIN, 可用学时="很多")),
    "negative_hours.csv": csv_of(HEADER, HAN, changed(JIN, 可用学时="-8")),
    "bad_level.xlsx": xlsx(HEADER, HAN, changed(JIN, 层级="大王")),
    "bad_score.csv": csv_of(HEADER, HAN, changed(JIN, 公文写作="一百二")),
    "score_120.csv": csv_of(HEADER, HAN, changed(JIN, 公文写作="120")),
    "one_id_two_names.csv": csv_of(HEADER, HAN, changed(JIN, 工号="1001")),
    "ditto_of_nothing.csv": csv_of(HEADER, changed(HAN, 短板="同上"), JIN),
    # Rosters of JSON lines
    **{f"{name}.jsonl": f"{text}\n{GOOD_LINE}\n".encode() for name, text in BROKEN_PROFILES.items()},
    "duplicate_id.jsonl": f"{line(profile())}\n{line(profile())}\n".encode(),
    "pretty_printed.jsonl": json.dumps(profile(), ensure_ascii=False, indent=2).encode(),
    "not_utf8.jsonl": b'{"id": "\xff\xfe\xfa"}\n',
    "every_line_faulty.jsonl": f"{line({'post': '副镇长'})}\n{line({'post': '科员'})}\n".encode(),
    # Course lists
    "courses_no_title_column.csv": csv_of(("课程编号", "学时"), ("K1", "4")),
    "courses_without_titles.csv": csv_of(COURSE_HEADER, ("K1", "", "4", "否", "50", "2025")),
    "courses_one_without_title.csv": csv_of(COURSE_HEADER, COURSE, ("K2", "", "4", "否", "50", "2025")),
    "courses_duplicate_id.csv": csv_of(COURSE_HEADER, COURSE, ("K1", *COURSE_2[1:])),
    "courses_all_required.csv": csv_of(COURSE_HEADER, *((*row[:3], "是", *row[4:]) for row in (COURSE, COURSE_2))),
    "courses_all_stopped.csv": csv_of((*COURSE_HEADER, "状态"), (*COURSE, "停开"), (*COURSE_2, "停开")),
    "courses_bad_hours.csv": csv_of(COURSE_HEADER, COURSE, (*COURSE_2[:2], "一上午", *COURSE_2[3:])),
    "courses_bad_required.csv": csv_of(COURSE_HEADER, COURSE, (*COURSE_2[:3], "看情况", *COURSE_2[4:])),
    "courses_bad_seats.csv": csv_of(COURSE_HEADER, COURSE, (*COURSE_2[:4], "若干", COURSE_2[5])),
    "courses_bad_year.csv": csv_of(COURSE_HEADER, COURSE, (*COURSE_2[:5], "建党百年")),
    "courses_broken_line.jsonl": f'{{"title": "公文写作实务"\n{line({"title": "突发事件应对"})}\n'.encode(),
    "courses_bad_hours.jsonl": f"{line({'title': '公文写作实务'})}\n{line({'title': '突发事件应对', 'hours': '一上午'})}\n".encode(),
    "courses_without_titles.jsonl": f"{line({'hours': 4})}\n".encode(),
    "courses_two_title_columns.csv": csv_of((*COURSE_HEADER, "课程名称"), (*COURSE, "办会"), (*COURSE_2, "保密")),
    "courses_formulas.csv": csv_of(COURSE_HEADER, ("=1+1", "=cmd|'/C calc'!A0", "+4", "@x", "-1", "=A1"), COURSE_2),
    "courses_big5.csv": "課程名稱,學時\r\n公文寫作實務,4\r\n突發事件應對,3\r\n龐雜問題剖析,1\r\n".encode("big5"),
    "courses_utf16.csv": csv_of(COURSE_HEADER, COURSE, COURSE_2).decode().encode("utf-16"),
    "courses_two_encodings.csv": csv_of(COURSE_HEADER, COURSE) + csv_of(COURSE_2).decode().encode("gb18030"),
    "courses_pickle.xlsx": pickle.dumps([COURSE_HEADER, COURSE], 5),
    "courses_pickle_in_letters.xlsx": pickle.dumps([COURSE_HEADER, COURSE], 0),
    "courses_moodle.csv": b"fullname,shortname,startdate,visible\r\nWriting,w1,soon,1\r\n,w2,0,1\r\n",
    "courses_deep.jsonld": b"[" * 20_000 + b"]" * 20_000,
    "courses_cut_off.json": b'[{"@type": "Course", "name": "x"}',
    "courses_bad_duration.jsonld": line({"@graph": [COURSE_JSON, {**COURSE_JSON, "timeRequired": "说不准"}]}).encode(),
    "courses_without_titles.json": line([{**COURSE_JSON, "name": None, "description": "改稿"}]).encode(),
    "courses_no_course.json": line({"@type": "Person", "name": "韩立秋"}).encode(),
    # Gap texts
    "questions_broken_line.jsonl": f'{{"id": "q0", "text"\n{line(QUESTION)}\n'.encode(),
    "questions_without_text.jsonl": f"{line({'id': 'q0', 'txt': '公文写作'})}\n".encode(),
    "questions_blank_text.jsonl": f"{line({'id': 'q0', 'text': ' '})}\n{line(QUESTION)}\n".encode(),
    "questions_text_a_number.jsonl": f"{line({'id': 'q0', 'text': 7})}\n{line(QUESTION)}\n".encode(),
    "questions_id_an_object.jsonl": f"{line({'id': {}, 'text': '公文写作'})}\n{line(QUESTION)}\n".encode(),
    "questions_array.jsonl": f"{line([QUESTION])}\n".encode(),
    # Bodies of POST /api/v1/recommendations
    **{f"{name}.json": text.encode() for name, text in BROKEN_PROFILES.items()},
    "empty.json": b"",
    "gb18030.json": line(profile()).encode("gb18030"),
    "utf16.json": line(profile()).encode("utf-16"),
    "unknown_field_of_halves.json": b'{"id": "P1", "\\ud83d": 1}',
    "many_unknown_fields.json": line({"id": "P1", **{f"x{n}": n for n in range(500)}}).encode(),
}


def _large_sheet(path: Path, rows: Iterator[str]) -> None:
    parts = workbook_parts("")
    del parts["xl/worksheets/sheet1.xml"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
        head, tail = sheet_of(HEADER, HAN).split("</sheetData>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(head.encode())
            for chunk in rows:
                sheet.write(chunk.encode())
            sheet.write(f"</sheetData>{tail}".encode())


def million_blank_rows(path: Path) -> None:
    """Rows with nothing but a format, as a planner gets by formatting whole columns."""
    _large_sheet(path, (f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(3, 1_000_001)))


def million_rows_of_blanks(path: Path) -> None:
    """Rows that hold a blank each."""
    _large_sheet(
        path,
        (f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t xml:space="preserve"> </t></is></c></row>' for n in range(3, 1_000_001)),
    )  # fmt: skip


def million_courses(path: Path) -> None:
    """Rows that hold a course each."""
    cell = '<c r="{}{}" t="inlineStr"><is><t>{}</t></is></c>'
    _large_sheet(
        path,
        (f'<row r="{n}">{cell.format("A", n, n)}{cell.format("B", n, "公文写作")}</row>' for n in range(3, 1_000_001)),
    )


def sparse(path: Path, size: int) -> None:
    """A file that is as long as it says and takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


def bomb(path: Path) -> None:
    """600 MB of blanks in a file of 3 MB."""
    _large_sheet(path, (" " * 2**20 for _ in range(600)))


def lying_bomb(path: Path) -> None:
    """The same, with headers that speak of a thousand bytes."""
    bomb(path)
    path.write_bytes(patched(path.read_bytes(), size=1000))


LARGE: dict[str, Callable[[Path], object]] = {
    "million_blank_rows.xlsx": million_blank_rows,
    "million_rows_of_blanks.xlsx": million_rows_of_blanks,
    "bomb.xlsx": bomb,
    "lying_bomb.xlsx": lying_bomb,
    "rows_150000.csv": lambda path: path.write_bytes(csv_of(HEADER, HAN) * 75_000),
    "bytes_60_million.csv": lambda path: path.write_bytes(csv_of(HEADER, HAN) + b" " * 60_000_000),
    "courses_rows_million.csv": lambda path: path.write_bytes(csv_of(COURSE_HEADER) + csv_of(COURSE) * 1_000_000),
    "courses_rows_million.xlsx": million_courses,
    "courses_2_gb.xlsx": lambda path: sparse(path, 2 * 2**30),
    "courses_2_gb.jsonl": lambda path: sparse(path, 2 * 2**30),
    "cell_5_million.csv": lambda path: path.write_bytes(csv_of(HEADER, changed(HAN, 短板="不会" * 2_500_000))),
    "cell_5_million.xlsx": lambda path: path.write_bytes(xlsx(HEADER, changed(HAN, 短板="不会" * 2_500_000), JIN)),
    "text_5_million.jsonl": lambda path: path.write_text(
        f"{line(profile(weaknesses=[{'text': '不会' * 2_500_000}]))}\n{GOOD_LINE}\n", encoding="utf-8"
    ),
    "text_5_million.json": lambda path: path.write_text(line(profile(name="x" * 5_000_000)), encoding="utf-8"),
    "bytes_11_million.json": lambda path: path.write_text(line(profile(name="x" * 11_000_000)), encoding="utf-8"),
}


if __name__ == "__main__":
    folder = Path(__file__).with_name("data")
    for name, data in SMALL.items():
        (folder / name).write_bytes(data)
    sys.stdout.write(f"{len(SMALL)} files written to {folder}\n")
