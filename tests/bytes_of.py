"""Workbooks and compound files by their bytes, so that tests can break them in one place."""

from __future__ import annotations

import io
import struct
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def letters(column: int) -> str:
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def sheet_of(*rows: tuple[str, ...]) -> str:
    def cell(column: int, row: int, text: str) -> str:
        return f'<c r="{letters(column)}{row}" t="inlineStr"><is><t>{text}</t></is></c>' if text else ""

    body = "".join(
        f'<row r="{number}">{"".join(cell(column, number, text) for column, text in enumerate(row, start=1))}</row>'
        for number, row in enumerate(rows, start=1)
    )
    return f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'


def workbook_parts(*sheets: str, hidden: tuple[int, ...] = (), strings: str | None = None) -> dict[str, str | bytes]:
    """The parts of a smallest workbook with 名册 as the first sheet."""
    count = range(1, len(sheets) + 1)
    names = ["名册", *(f"表{n}" for n in count[1:])]
    state = ['state="hidden"' if n in hidden else "" for n in count]
    named = "".join(f'<sheet name="{names[n - 1]}" sheetId="{n}" {state[n - 1]} r:id="rId{n}"/>' for n in count)
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in count
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{related}'
        f'<Relationship Id="rId99" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": strings or f'<sst xmlns="{MAIN}" count="0" uniqueCount="0"/>',
    }
    for n, sheet in zip(count, sheets, strict=True):
        parts[f"xl/worksheets/sheet{n}.xml"] = sheet
    return parts


def zipped(parts: dict[str, str | bytes]) -> bytes:
    """Stored, not compressed, so that the bytes are the same wherever they are made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), body)
    return buffer.getvalue()


def xlsx(*rows: tuple[str, ...]) -> bytes:
    return zipped(workbook_parts(sheet_of(*rows)))


def ole(*streams: str) -> bytes:
    """A compound file of one sector of table, one of directory, and streams that are named but empty."""
    end, free, fat = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<10I", 0, 1, 1, 0, 4096, end, 0, end, 0, 0)
    head += struct.pack("<I", free) * 108
    table = struct.pack("<II", fat, end) + struct.pack("<I", free) * 126

    def entry(name: str, kind: int, left: int, right: int, child: int) -> bytes:
        raw = (name + "\0").encode("utf-16-le")
        links = struct.pack("<III", left, right, child)
        return (
            raw.ljust(64, b"\0")
            + struct.pack("<HBB", len(raw), kind, 1)
            + links
            + bytes(36)
            + struct.pack("<IQ", end, 0)
        )

    entries = [entry("Root Entry", 5, free, free, 1)]
    for number, name in enumerate(streams, start=1):
        entries.append(entry(name, 2, free, number + 1 if number < len(streams) else free, free))
    directory = b"".join(entries).ljust(512, b"\0")
    return head + table + directory


def patched(data: bytes, flag: int | None = None, size: int | None = None) -> bytes:
    """A zip whose headers say something else of every entry: its flags, or its unpacked size."""
    out = bytearray(data)
    for magic, flags, length in ((b"PK\x03\x04", 6, 22), (b"PK\x01\x02", 8, 24)):
        start = out.find(magic)
        while start >= 0:
            if flag is not None:
                out[start + flags : start + flags + 2] = struct.pack("<H", flag)
            if size is not None:
                out[start + length : start + length + 4] = struct.pack("<I", size)
            start = out.find(magic, start + 4)
    return bytes(out)
