from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest

from model.errors import InputError
from service.shapes.outputs import check_out, whole, write_lines


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path):
    out = tmp_path / "清单.jsonl"

    def cut_off():
        yield {"id": 1}
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_lines(out, cut_off())
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_complete(tmp_path: Path):
    out = tmp_path / "清单.csv"
    out.write_text("old", encoding="utf-8")
    with suppress(RuntimeError), whole(out) as draft:
        draft.write_text("half", encoding="utf-8")
        raise RuntimeError("power cut")
    assert out.read_text(encoding="utf-8") == "old"
    with whole(out) as draft:
        draft.write_text("new", encoding="utf-8")
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [("清单.csv", "new")]


def test_a_fault_of_the_disk_names_the_file_and_not_the_draft(tmp_path: Path):
    with pytest.raises(OSError, match="No such file") as failed, whole(tmp_path / "gone" / "清单.csv") as draft:
        draft.write_text("new", encoding="utf-8")
    assert failed.value.filename == str(tmp_path / "gone" / "清单.csv")


@pytest.mark.parametrize("name", ["清单.XLSX", "清单.xlsx", "a.b.xlsx"])
def test_the_suffix_decides_whatever_its_case(name: str, tmp_path: Path):
    check_out(tmp_path / name, (".xlsx",))


@pytest.mark.parametrize(
    ("name", "suffixes", "message"),
    [
        ("清单.pdf", (".xlsx", ".csv", ".jsonl"), "不支持写出 .pdf 文件；--out 的后缀可为 .xlsx、.csv 或 .jsonl。"),
        ("清单", (".jsonl",), "不支持写出 没有后缀的 文件；--out 的后缀可为 .jsonl。"),
        ("nowhere/清单.jsonl", (".jsonl",), "不存在，请先建立。"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(
    name: str, suffixes: tuple[str, ...], message: str, tmp_path: Path
):
    with pytest.raises(InputError, match=re.escape(message)):
        check_out(tmp_path / name, suffixes)


def test_the_file_that_is_read_is_never_written_over(tmp_path: Path):
    roster = tmp_path / "名册.xlsx"
    roster.touch()
    (tmp_path / "link.xlsx").symlink_to(roster)
    for out in (roster, tmp_path / "link.xlsx", tmp_path / "." / "名册.xlsx"):
        with pytest.raises(InputError, match="覆盖"):
            check_out(out, (".xlsx",), roster)
    check_out(tmp_path / "other.xlsx", (".xlsx",), roster)
