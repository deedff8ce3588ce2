"""Rosters as files over HTTP: read as on the command line, told by cell, refused where they are none, and never kept."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from click.testing import CliRunner
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from werkzeug.datastructures import MultiDict

from model.lexicon import TRAINING_DATA
from service.cli import main

PLAN = "/api/v1/cohorts/plan"
LISTS = "/api/v1/cohorts/recommendations"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SAMPLE = TRAINING_DATA / "roster_sample.xlsx"
PEOPLE = [{"id": f"P{number}", "weaknesses": [{"text": text}]} for number, text in enumerate(("怕讲话", "公文写作"))]
TABLE = "工号,姓名,职务层次,短板,已完成学时\nA1,钟离婉,乡科级正职,公文写作,8\nA2,欧阳询,大将军,怕讲话,很多\n"


def send(
    client: FlaskClient,
    path: str,
    content: bytes | str,
    name: str = "名册.csv",
    more: MultiDict[str, Any] | None = None,
    **parts: Any,
) -> Any:
    data = content.encode() if isinstance(content, str) else content
    form = MultiDict([("roster", (io.BytesIO(data), name)), *parts.items()])
    form.update(more or {})
    return client.post(path, data=form, content_type="multipart/form-data", buffered=True)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where temporary files lie while there are any."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_the_recommendations_are_those_of_the_command(client: FlaskClient, registry: Path, temporary: Path):
    lines = CliRunner().invoke(main, ["recommend", "--roster", str(SAMPLE), "--registry", str(registry), "--top", "2"])
    response = send(client, f"{LISTS}?top=2", SAMPLE.read_bytes(), "C:\\名册\\花名册.XLSX")
    assert response.status_code == 200
    answer = response.get_json()
    assert answer["results"] == [json.loads(line) for line in lines.stdout.splitlines()]
    assert answer["reading"]["read"] == len(answer["results"])
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("path", [LISTS, PLAN])
def test_the_workbook_is_that_of_the_command(client: FlaskClient, registry: Path, tmp_path: Path, path: str):
    out = tmp_path / "out.xlsx"
    command = ["recommend"] if path == LISTS else ["plan", "--hours", "16"]
    words = [*command, "--roster", str(SAMPLE), "--registry", str(registry), "--out", str(out)]
    assert CliRunner().invoke(main, words).exit_code == 0
    parts = {} if path == LISTS else {"plan": json.dumps({"hours": 16})}
    form = {"roster": (io.BytesIO(SAMPLE.read_bytes()), "roster.xlsx"), **parts}
    response = client.post(path, data=form, headers={"Accept": WORKBOOK}, buffered=True)
    assert response.content_type == WORKBOOK
    sent, written = CalamineWorkbook.from_filelike(io.BytesIO(response.data)), CalamineWorkbook.from_path(out)
    assert sent.sheet_names == written.sheet_names
    assert sent.get_sheet_by_name("读取说明").to_python() == written.get_sheet_by_name("读取说明").to_python()


def test_a_plan_is_made_for_whoever_can_be_read_and_the_rest_is_told_by_cell(client: FlaskClient):
    kept = client.post(PLAN, json={"people": PEOPLE, "plan": {"hours": 6, "catalog_required": False}}).get_json()
    response = send(
        client,
        PLAN,
        TABLE,
        plan=json.dumps({"hours": 6, "catalog_required": False}),
        previous=json.dumps(kept),
        deadline="年底前",
    )
    assert response.status_code == 200, response.get_json()
    plan = response.get_json()
    assert plan["reading"]["rows"] == plan["reading"]["read"] + plan["reading"]["rejected"] + sum(
        plan["reading"]["skipped"].values()
    )
    assert any(fault["place"].endswith("!E3") for fault in plan["reading"]["faults"])
    assert "很多" not in json.dumps(plan["reading"], ensure_ascii=False)
    assert plan["comparison"]
    assert {one["id"] for one in plan["people"]} == {"A1", "A2"}


def test_people_in_json_have_no_reading(client: FlaskClient):
    assert client.post(LISTS, json={"people": PEOPLE}).get_json()["reading"] is None


def test_lines_of_json_are_a_roster_too(client: FlaskClient):
    lines = "\n".join([json.dumps(PEOPLE[0]), "{", json.dumps({"id": "x", "level": "大将军"})])
    answer = send(client, LISTS, lines, "people.jsonl").get_json()
    assert [one["id"] for one in answer["results"]] == ["P0"]
    assert [fault["place"] for fault in answer["reading"]["faults"]] == ["roster.jsonl:2", "roster.jsonl:3 level"]


def many_entries() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(5001):
            archive.writestr("xl/workbook.xml" if number == 0 else f"{number}", b"")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.xlsx", b"", "空文件"),
        ("a.xlsx", b"%PDF-1.7", "PDF"),
        ("a.xlsx", many_entries(), "异常文件"),
        ("a.xlsx", SAMPLE.read_bytes()[:2000], "损坏"),
        ("a.csv", b"\xff\x00\x01" * 100, ""),
        ("a.jsonl", b"[1, 2]", "没有一个可用的人员"),
        ("a.csv", "名字\n钟离婉\n".encode(), ""),
    ],
)
def test_a_file_that_is_no_roster_is_refused_with_a_sentence(
    client: FlaskClient, temporary: Path, name: str, content: bytes, told: str
):
    response = send(client, LISTS, content, name)
    assert response.status_code == 422
    body = response.get_json()
    assert told in body["detail"]
    assert str(temporary) not in response.get_data(as_text=True)
    assert "钟离婉" not in response.get_data(as_text=True)
    assert list(temporary.iterdir()) == []


def test_a_table_without_one_usable_row_names_its_cells_and_not_what_stands_in_them(client: FlaskClient):
    lines = "\n".join(json.dumps({"id": "", "name": "钟离婉", "level": "大将军"}) for _ in range(3))
    response = send(client, LISTS, lines, "people.jsonl")
    assert response.status_code == 422
    assert {"roster.jsonl:1 id", "roster.jsonl:3 level"} <= {error["field"] for error in response.get_json()["errors"]}
    assert all(error["message"] and error["message_en"] for error in response.get_json()["errors"])
    assert "钟离婉" not in response.get_data(as_text=True)
    assert "大将军" not in response.get_data(as_text=True)


@pytest.mark.parametrize("name", ["roster", "a.exe", "a.csv.html", ".csv/..", "a.csv ", "名册"])
def test_only_the_suffixes_of_rosters_are_taken(client: FlaskClient, name: str):
    response = send(client, LISTS, TABLE, name)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.get_json()["errors"]] == ["/roster"]


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd.csv", "/root/x.csv", "..\\x.csv", "\x00.csv", "a" * 300 + ".csv"]
)
def test_the_name_a_client_gives_its_file_names_nothing_here(client: FlaskClient, temporary: Path, name: str):
    assert send(client, LISTS, TABLE, name).status_code == 200
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({}, "/plan"),
        ({"plan": "{"}, "/plan"),
        ({"plan": "[]"}, "/plan"),
        ({"plan": json.dumps({"hours": -1})}, "/plan/hours"),
        ({"plan": json.dumps({"hours": 8}), "stranger": "x"}, "/stranger"),
        ({"plan": json.dumps({"hours": 8}), "people": "[]"}, "/people"),
        ({"plan": json.dumps({"hours": 8}), "previous": "7"}, "/previous"),
        ({"plan": json.dumps({"hours": 8}), "deadline": "x" * 101}, "/deadline"),
    ],
)
def test_a_part_that_cannot_be_is_named(client: FlaskClient, parts: dict[str, str], pointer: str):
    response = send(client, PLAN, TABLE, **parts)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize("path", [LISTS, PLAN])
@pytest.mark.parametrize(
    ("parts", "pointers"),
    [
        ([("roster", "second.csv")], ["/roster"]),
        ([("roster", None)], ["/roster"]),
        ([("plan", None), ("plan", None)], ["/plan"]),
        ([("plan", None), ("plan", "plan.json")], ["/plan"]),
        ([("plan", "one.json"), ("plan", "two.json")], ["/plan"]),
        ([("stranger", None), ("stranger", None), ("roster", "second.csv")], ["/stranger", "/roster"]),
    ],
)
def test_a_part_that_comes_twice_is_refused_by_its_name(
    client: FlaskClient, path: str, parts: list[tuple[str, str | None]], pointers: list[str]
):
    text = json.dumps({"hours": 8})
    sent = MultiDict([(name, (io.BytesIO(text.encode()), file) if file else text) for name, file in parts])
    response = send(client, path, TABLE, more=sent)
    assert response.status_code == 422
    errors = response.get_json()["errors"]
    assert sorted(error["pointer"] for error in errors) == sorted(pointers)
    assert all("只能有一个" in error["message"] and "once" in error["message_en"] for error in errors)


def test_a_form_without_a_roster_is_told_so(client: FlaskClient):
    for form in ({"roster": "text"}, {"file": (io.BytesIO(b"x"), "x.csv")}, {}):
        response = client.post(LISTS, data=form, content_type="multipart/form-data")
        assert response.status_code == 422
        assert response.get_json()["errors"]


def test_a_body_of_another_kind_or_too_large_is_refused(client: FlaskClient, narrow: APIFlask):
    assert client.post(LISTS, data="x", content_type="text/plain").status_code == 415
    assert client.post(LISTS, data=b"x", content_type="multipart/form-data; boundary=x").status_code in {400, 422}
    body = b'--x\r\nContent-Disposition: form-data; name="roster"; filename="a.csv"\r\n\r\n' + b"x" * (3 << 20)
    response = narrow.test_client().post(LISTS, data=body, content_type="multipart/form-data; boundary=x")
    assert response.status_code == 413
    assert "2 MB" in response.get_json()["detail"]


def test_the_month_that_time_in_post_is_counted_to_can_be_given(client: FlaskClient):
    table = "工号,姓名,单位及职务,任现职时间,短板\nA1,钟离婉,青溪镇党委书记,2024.03,公文写作\n"
    assert send(client, f"{LISTS}?as_of=2026-11-01", table).status_code == 200
    response = send(client, f"{LISTS}?as_of=soon", table)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.get_json()["errors"]] == ["/query/as_of"]
