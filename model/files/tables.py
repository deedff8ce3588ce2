"""Files -> sheets of text. One of the three modules of ``model/`` that touch files (the others are ``sheets``, which writes them, and ``registry``).

Reading accepts .xlsx, .xls, .et-saved-as-xls and .csv (UTF-8 with or without BOM, UTF-16 with BOM, GB18030), and courses as schema.org has
them in .json and .jsonld. Whatever else it is given, it answers with :class:`UnreadableFile` and a sentence that tells the planner what to do.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import KnowledgeError, UnreadableFile
from model.files.jsonld import listed

MAX_BYTES = 50 * 2**20
MAX_DOCUMENT = 20 * 2**20  # A JSON document takes some twenty times its size in memory.
MAX_UNPACKED = 512 * 2**20
MAX_ROWS = 100_000
MAX_COLUMNS = 500
READER_MEMORY = 2 * 2**30
READER_SECONDS = 60

JSON_SUFFIXES = (".json", ".jsonld")
ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0"
OTHER_KINDS = {
    b"%PDF": "PDF 文件",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"Rar!": "压缩包",
    b"7z\xbc\xaf": "压缩包",
    b"{\\rtf": "RTF 文档",
}

READER_ANSWERS = {
    "encrypted": "文件加了打开密码。请在 Excel 中另存一份不加密的副本再上传。",
    "damaged": "文件已损坏或不是 Excel 工作簿。请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。",
    "too large": "表格范围过大，无法读取。请删除数据区以外的行和列（选中后右键“删除”），另存后再上传。",
}


DAMAGED_TEXT = "文件编码有误，部分字符无法识别。请另存为“CSV UTF-8”或 .xlsx 后再上传。"


@dataclass(frozen=True)
class Sheet:
    """One sheet: rows of text cells, the first row being row 1 of the file. ``merged`` are zero-based corner pairs.

    ``named`` tells what the cell at a row and column (from 0) is called in what was no table to begin with: its JSON path, say.
    """

    name: str
    rows: tuple[tuple[str, ...], ...]
    hidden: bool = False
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    named: Callable[[int, int], str] | None = None


def read_sheets(path: Path) -> tuple[Sheet, ...]:
    """Read every sheet of a workbook, a CSV file as one sheet, or the courses of a JSON-LD document as one; raise :class:`UnreadableFile` if it
    is none of these."""
    refuse_size(path)
    with path.open("rb") as file:
        head = file.read(8)
    for magic, kind in OTHER_KINDS.items():
        if head.startswith(magic):
            raise UnreadableFile(f"{path.name} 是{kind}，不是表格。请提供 .xlsx、.xls 或 .csv 文件。")
    if head.startswith(ZIP_MAGIC):
        _refuse_bombs(path)
        return _read_workbook(path)
    if head.startswith(OLE_MAGIC):
        return _read_workbook(path)
    if path.suffix.lower() in JSON_SUFFIXES:
        return (_read_document(path),)
    return (_read_csv(path),)


def refuse_size(path: Path) -> None:
    """Raise :class:`UnreadableFile` where there is no file, nothing in it, or more than is read at once: before a byte of it is read."""
    if not path.is_file():
        raise UnreadableFile(f"找不到文件 {path.name}。请检查路径。")
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFile(f"{path.name} 是空文件（0 字节）。请检查是否保存成功。")
    if size > MAX_BYTES:
        raise UnreadableFile(f"{path.name} 有 {size // 2**20} MB，超过 {MAX_BYTES // 2**20} MB 的上限。请拆分后再试。")


def _read_document(path: Path) -> Sheet:
    """The courses of a JSON-LD document as a sheet; faults of its cells name their paths in the document."""
    if path.stat().st_size > MAX_DOCUMENT:
        raise UnreadableFile(f"{path.name} 超过 JSON 文件 {MAX_DOCUMENT // 2**20} MB 的上限。请拆分后再试。")
    try:
        document = json.loads(decode(path.read_bytes()))
        json.dumps(
            document, ensure_ascii=False
        ).encode()  # Half characters (\ud800 alone) can be read, but never written again.
        found = listed(document, MAX_ROWS)
    except UnicodeEncodeError:
        raise UnreadableFile(f"{path.name} 有残缺的字符（单独的 \\ud800–\\udfff）。请以 UTF-8 原文重新导出。") from None
    except RecursionError:
        raise UnreadableFile(f"{path.name} 括号嵌套过深，无法读取。请重新导出。") from None
    except json.JSONDecodeError as error:
        raise UnreadableFile(
            f"{path.name} 不是完整的 JSON。请检查第 {error.lineno} 行第 {error.colno} 个字符附近的引号、逗号和括号。"
        ) from None
    except UnreadableFile:
        raise
    except ValueError as error:
        # Python refuses integers of thousands of digits; what is ours is told in Chinese.
        told = "有过长的数字" if str(error).isascii() else str(error)
        raise UnreadableFile(f"{path.name} {told}。请检查后再试。") from None
    return Sheet(
        path.name, (found.headers, *found.rows), named=lambda row, column: f"{path.name} {found.path(row - 1, column)}"
    )


def _refuse_bombs(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableFile(f"{path.name} 已损坏，无法打开。请重新导出或另存为 .xlsx 再上传。") from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableFile(f"{path.name} {READER_ANSWERS['encrypted'].removeprefix('文件')}")
    names = {entry.filename for entry in entries}
    if not names & {"xl/workbook.xml", "xl/workbook.bin"}:
        raise UnreadableFile(f"{path.name} 是压缩包或其他文档，不是 Excel 工作簿。请提供 .xlsx、.xls 或 .csv 文件。")
    if len(entries) > 5_000 or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise UnreadableFile(f"{path.name} 解压后过大，疑为异常文件，已拒绝读取。请另存为新的 .xlsx 再上传。")


def _read_workbook(path: Path) -> tuple[Sheet, ...]:
    limits = [READER_MEMORY, READER_SECONDS, MAX_ROWS, MAX_COLUMNS]
    command = [
        sys.executable,
        "-I",
        str(Path(__file__).with_name("spreadsheet_reader.py")),
        str(path),
        *map(str, limits),
    ]
    try:
        child = subprocess.run(command, capture_output=True, timeout=READER_SECONDS + 10, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile(f"{path.name} 读取超时。{READER_ANSWERS['too large']}") from error
    # A child that was killed (memory, an abort inside the reader) leaves nothing on its standard output.
    answered = child.returncode == 0 and child.stdout
    answer: dict[str, Any] = json.loads(child.stdout) if answered else {"error": "too large"}
    match answer.get("error"):
        case None:
            return tuple(map(_sheet, answer["sheets"]))
        case "rows" | "columns" as what:
            unit, most = ("行", MAX_ROWS) if what == "rows" else ("列", MAX_COLUMNS)
            raise UnreadableFile(
                f"{path.name} 的工作表“{answer['sheet']}”有 {answer['found']:,} {unit}，超过 {most:,} {unit}的上限，"
                f"其中多半是空{unit}。请删除数据区以外的空{unit}，另存后再上传。"
            )
        case code:
            raise UnreadableFile(f"{path.name}：{READER_ANSWERS[code]}")


def place(sheet: str, row: int, column: int) -> str:
    """Name a cell as Excel does: ``place("名册", 6, 1)`` is ``名册!B7`` (row and column count from 0)."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{sheet}!{letters}{row + 1}"


def spot(name: str) -> tuple[int, int] | None:
    """The row and column (from 0) that a name as B7 stands for; None where it is none."""
    found = re.fullmatch(r"([A-Z]{1,3})([0-9]+)", name)
    if not found:
        return None
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - 64
    return int(found[2]) - 1, column - 1


def _sheet(answer: dict[str, Any]) -> Sheet:
    merged = tuple((tuple(first), tuple(last)) for first, last in answer["merged"])
    return Sheet(answer["name"], tuple(map(tuple, answer["rows"])), answer["hidden"], merged)


def decode(data: bytes) -> str:
    """Decode text that a planner saved: UTF-8 or UTF-16 by their BOM, then strict UTF-8, then strict GB18030."""
    for bom, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(bom):
            return _strictly(data, encoding)
    if b"\0" in data[:4096]:
        raise UnreadableFile("这是二进制文件，不是文本表格。请提供 .xlsx、.xls 或 .csv 文件。")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = _strictly(data, "gb18030")
    # One damaged character must not turn a whole UTF-8 file into the wrong Chinese characters.
    lossy = data.decode("utf-8", errors="replace")
    beyond_ascii = len(lossy) - len(lossy.encode("ascii", errors="ignore"))
    if beyond_ascii > 2 * lossy.count("\ufffd"):
        raise UnreadableFile(DAMAGED_TEXT)
    # Big5 and arbitrary bytes often decode as GB18030 too, but then into private or unassigned code points.
    if any(unicodedata.category(char) in {"Co", "Cn"} for char in set(text)):
        raise UnreadableFile("无法判断文件编码。请用 Excel 或 WPS 另存为“CSV UTF-8”后再上传。")
    return text


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableFile(DAMAGED_TEXT) from error


def _read_csv(path: Path) -> Sheet:
    text = decode(path.read_bytes())
    # What stands in quotation marks may hold any mark and any number of lines.
    lines = re.sub('"[^"]*"', "", text[:100_000]).splitlines()[:20]
    delimiter = max(",\t;|", key=lambda mark: sum(mark in line for line in lines) - 0.5 * (mark != ","))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = tuple(tuple(row) for row in islice(reader, MAX_ROWS))
        more = sum(1 for _ in reader)
    except csv.Error as error:
        if "field larger" in str(error):
            raise UnreadableFile(
                f"{path.name} 有一格内容过长（超过 {csv.field_size_limit():,} 个字），或引号不成对。请检查后再试。"
            ) from error
        raise UnreadableFile(f"{path.name} 的引号不成对，无法按 CSV 读取。请另存为 .xlsx 再上传。") from error
    if more:
        raise UnreadableFile(
            f"{path.name} 有 {MAX_ROWS + more:,} 行，超过 {MAX_ROWS:,} 行的上限。请删除空行或拆分后再试。"
        )
    if max(map(len, rows), default=0) > MAX_COLUMNS:
        raise UnreadableFile(
            f"{path.name} 有 {max(map(len, rows)):,} 列，超过 {MAX_COLUMNS:,} 列的上限。请删除空列后再试。"
        )
    if not any(cell.strip() for row in rows for cell in row):
        raise UnreadableFile(f"{path.name} 里没有内容。")
    return Sheet(path.stem, rows)


def read_lines(path: Path) -> list[str]:
    """Read the lines of a .jsonl file, whatever encoding it was saved in."""
    if not path.is_file():
        raise UnreadableFile(f"找不到文件 {path.name}。请检查路径。")
    # Not splitlines(): JSON text may hold U+2028 and U+0085, which end no line of a file.
    text = decode(path.read_bytes()).replace("\r\n", "\n").removesuffix("\n")
    return text.split("\n") if text else []


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of an .npz file of ``training_data/``; raise :class:`KnowledgeError` where it is missing or damaged."""
    try:
        with np.load(path) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise KnowledgeError(f"{path.name} 缺失或已损坏，请重新安装。") from error


def read_knowledge(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV file of ``training_data/``; raise :class:`KnowledgeError` unless its header is exactly ``columns``."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, restkey="extra"))
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{path}: 无法读取（{error}）。") from error
    for number, row in enumerate(rows, start=2):
        if list(row) != list(columns) or None in row.values():
            raise KnowledgeError(f"{path.name} 第 {number} 行的列应为 {','.join(columns)}。")
    return rows
