"""The batch: one record out for each record in, in the order given; one that cannot be used fails alone, and tells nothing that was written in it."""

from __future__ import annotations

import gc
import gzip
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from model.domain import Limits
from model.recommender import Recommender
from service.batch import CHUNK, answers, as_lines, lines_in, lines_of, records_of
from service.shapes.jsonl import parse
from service.shapes.listed import find_profiles, profiles_of

SINGLE = "/api/v1/recommendations"
BATCH = f"{SINGLE}/batch"
NDJSON = "application/x-ndjson"
BOM = b"\xef\xbb\xbf"
SECRETS = ("钟离婉", "工号77310", "见了记者就腿软", "云栖街道", "私下里常打麻将")

PEOPLE: tuple[dict[str, Any], ...] = (
    {"id": "P1", "unit": "青溪镇党委", "post": "镇党委书记", "level": "乡科级正职", "weaknesses": [{"text": "一上台讲话就冒汗", "severity": 3}]},
    {"id": "组-2 <b>&😀", "weaknesses": [{"text": "公文写作不规范；不会应急处突"}], "restrictions": ["不能脱产"]},
    {"id": "P3"},
    {"id": "P4", "scores": {"公文写作": 40}, "completed": ["Q0657"], "hours_available": 8},
    {"id": "P5", "post": "会计", "unit": "财政局", "years_in_post": 0.5, "duty": None},
)  # fmt: skip


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def ndjson(client: FlaskClient, data: bytes, query: str = "") -> list[dict[str, Any]]:
    """The records that a body of lines is answered with."""
    response = client.post(BATCH + query, data=data, content_type=NDJSON, buffered=True)
    assert (response.status_code, response.mimetype) == (200, NDJSON)
    assert response.data.endswith(b"\n")
    return [json.loads(line, parse_constant=pytest.fail) for line in response.data.decode().splitlines()]


def listed(client: FlaskClient, profiles: Any, query: str = "") -> list[dict[str, Any]]:
    response = client.post(BATCH + query, json={"profiles": profiles}, buffered=True)
    assert (response.status_code, response.content_type) == (200, "application/json")
    body = json.loads(response.data, parse_constant=pytest.fail)
    assert list(body) == ["model_version", "results"]
    return list(body["results"])


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    return dict(response.get_json())


def assert_failed(record: dict[str, Any], index: int, status: int, identity: str | None = None) -> None:
    assert list(record) == ["index", "id", "error"]
    assert (record["index"], record["id"]) == (index, identity)
    error = record["error"]
    assert list(error)[:5] == ["type", "title", "title_en", "status", "detail"]
    assert (error["type"], error["status"]) == (f"urn:quebu:error:{status}", status)
    assert ("errors" in error) == (status == 422)
    for fault in error.get("errors", []):
        assert list(fault) == ["field", "pointer", "message", "message_en"]
    assert not [secret for secret in SECRETS if secret in json.dumps(error, ensure_ascii=False)]


@pytest.fixture(scope="module")
def single(app: APIFlask) -> list[dict[str, Any]]:
    """What the route for one person answers to each of the people."""
    return [app.test_client().post(SINGLE, json=person).get_json() for person in PEOPLE]


def test_each_person_gets_the_answer_of_the_route_for_one(client: FlaskClient, single: list[dict[str, Any]]):
    assert ndjson(client, b"\n".join(map(encoded, PEOPLE))) == single
    assert listed(client, PEOPLE) == single


def test_the_json_answer_names_the_version_and_holds_the_bytes_of_the_lines(client: FlaskClient):
    body = client.post(BATCH, json={"profiles": PEOPLE}, buffered=True).data.decode()
    lines = client.post(BATCH, data=b"\n".join(map(encoded, PEOPLE)), content_type=NDJSON, buffered=True).data.decode()
    assert json.loads(body)["model_version"] == "v0001"
    assert body.splitlines()[1:-1] == [*(f"{line}," for line in lines.splitlines()[:-1]), lines.splitlines()[-1]]


@pytest.mark.parametrize(
    "query", ["?top=1&explain=codes", "?explain=none&exclude=Q0657&exclude=Q0658", "?level_window=10"]
)
def test_limits_hold_for_everybody(query: str, client: FlaskClient):
    expected = [client.post(SINGLE + query, json=person).get_json() for person in PEOPLE]
    assert ndjson(client, b"\n".join(map(encoded, PEOPLE)), query) == expected
    assert listed(client, PEOPLE, query) == expected


def test_a_version_that_is_named_answers_everybody(narrow: APIFlask):
    found = listed(narrow.test_client(), PEOPLE, "?model_version=v0002")
    assert {plan["model_version"] for plan in found} == {"v0002"}
    assert {plan["model_version"] for plan in listed(narrow.test_client(), PEOPLE)} == {"v0001"}


Codec = Callable[[bytes, int], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def answered(trained: Recommender) -> Codec:
    """What the codec answers to a file of lines, each of which has at most so many bytes."""

    def codec(data: bytes, longest: int) -> list[dict[str, Any]]:
        records = records_of(lines_of(BytesIO(data), longest), trained)
        lines = list(as_lines(answers(records, trained, Limits(), "full")))
        assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)
        return [json.loads(line, parse_constant=pytest.fail) for line in lines]

    return codec


# A line, and what is to become of it: a person by number, the status of a problem, or nothing of a blank one.
LONGEST = 6000
OVERLONG = encoded({"id": "P1", "duty": SECRETS[2] * 300})
LINES: list[tuple[bytes, int | None]] = [
    *((encoded(person), number) for number, person in enumerate(PEOPLE)),
    (json.dumps(PEOPLE[0]).encode(), 0),
    (BOM + encoded(PEOPLE[2]), 2),
    (b" \t" + encoded(PEOPLE[3]) + b" \r", 3),
    (b"", None), (b" \t ", None), (b"\r", None), (BOM, None), (b" " * 3 * LONGEST, None),
    (encoded({"id": "X1", "weaknesses": [{"text": SECRETS[2]}]})[:-2], 400),
    (f'{{"id": "X2" "name": "{SECRETS[0]}"}}'.encode(), 400),
    (SECRETS[4].encode(), 400),
    (encoded({"id": "X3", "name": SECRETS[0]}) * 2, 400),
    (encoded({"id": "X4", "unit": SECRETS[3]}).decode().encode("gb18030"), 400),
    (b'{"id": "\xff\xfe"}', 400),
    ('{"id": "X5"}'.encode("utf-16"), 400),
    (b'{"id": "\\ud83d"}', 400),
    (b"[" * 5000, 400), (b'{"id": "X6", "hours_done": ' + b"9" * 5000 + b"}", 400),
    (OVERLONG, 400), (b"x" * (LONGEST + 1), 400), (b" " * 2 * LONGEST + b"x", 400), ("\u3000".encode(), 400), (b"\x00", 400),
    *((encoded(value), 422) for value in (None, True, 7, 1.5, SECRETS[0], [], [PEOPLE[0]], {}, {"id": None}, {"id": 7}, {"id": ["P1"]}, {"id": ""})),
    (b"NaN", 422), (b'{"id": ' + b"9" * 4000 + b"}", 422),
    (encoded({"id": SECRETS[1] * 50}), 422),
]  # fmt: skip
NAMED: list[tuple[bytes, str]] = [
    (encoded({"id": "X7", "level": SECRETS[3]}), "X7"),
    (encoded({"id": "X8", "weaknesses": [{"text": SECRETS[2], "kind": SECRETS[4]}], "name": [SECRETS[0]]}), "X8"),
    (encoded({"id": "X9", "hours_available": float("nan"), "restrictions": [SECRETS[4]], "scores": {"统计": SECRETS[0]}}), "X9"),
]  # fmt: skip


FATES = [*((*line, None) for line in LINES), *((line, 422, name) for line, name in NAMED)]


@given(
    chosen=st.lists(st.sampled_from(range(len(FATES))), max_size=12),
    end=st.sampled_from([b"\n", b"\r\n"]),
    closed=st.booleans(),
    marked=st.booleans(),
)  # fmt: skip
@settings(max_examples=60)
def test_whatever_stands_in_the_lines_each_that_is_not_blank_gets_one_record_in_its_order(
    answered: Codec,
    single: list[dict[str, Any]],
    chosen: list[int],
    end: bytes,
    closed: bool,
    marked: bool,
):
    lines: list[tuple[bytes, int | None, str | None]] = [FATES[number] for number in chosen]
    if marked and lines and lines[0][0].startswith(BOM):
        lines = [(lines[0][0], 400, None), *lines[1:]]  # Two marks are one too many.
    data = (BOM if marked else b"") + end.join(line for line, *_ in lines) + (end if closed else b"")
    told = [(fate, name) for _, fate, name in lines if fate is not None]
    records = answered(data, LONGEST)
    assert len(records) == len(told)
    seen: set[int] = set()
    for index, (record, (fate, name)) in enumerate(zip(records, told, strict=True)):
        if fate >= 400:
            assert_failed(record, index, fate, name)
        elif fate in seen:
            assert_failed(record, index, 422, PEOPLE[fate]["id"])
            assert [error["field"] for error in record["error"]["errors"]] == ["id"]
        else:
            seen.add(fate)
            assert record == single[fate]


def is_json(line: bytes) -> bool:
    try:
        parse(line.decode("utf-8-sig"))
    except ValueError:
        return False
    return True


# As they stand in a list: without what belongs to a line alone.
ENTRIES = [line.removeprefix(BOM).strip() for line, *_ in FATES if is_json(line) and len(line) < LONGEST]
BLANKS = st.sampled_from([b"", b" ", b"\n", b"\r\n\t  "])


@given(
    chosen=st.lists(st.sampled_from(range(len(ENTRIES))), min_size=1, max_size=12), blanks=st.lists(BLANKS, min_size=4, max_size=4),
    marked=st.booleans(), chunk=st.integers(1, 200),
)  # fmt: skip
def test_a_list_and_lines_give_the_same_records_byte_by_byte_however_the_list_is_read(
    trained: Recommender, chosen: list[int], blanks: list[bytes], marked: bool, chunk: int
):
    first, between, after, last = blanks
    values = [ENTRIES[number] for number in chosen]
    entries = (between + b"," + after).join(values)
    listed = BytesIO(
        (BOM if marked else b"")
        + first
        + b'{"profiles"'
        + between
        + b":["
        + after
        + entries
        + b"]"
        + last
        + b"}"
        + last
    )
    found = find_profiles(listed, LONGEST, chunk)
    assert found.people == len(chosen)
    forms = (profiles_of(listed, found, LONGEST, chunk), lines_of(BytesIO(b"\n".join(values)), LONGEST))
    by_list, by_line = (list(as_lines(answers(records_of(form, trained), trained, Limits(), "full"))) for form in forms)
    assert by_list == by_line
    assert len(by_list) == len(chosen)


class Dripping(BytesIO):
    """A body that comes in small pieces."""

    def __init__(self, data: bytes, piece: int) -> None:
        super().__init__(data)
        self.piece = piece

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.piece if size is None or size < 0 else min(size, self.piece))

    def readinto(self, buffer: Any, /) -> int:
        return super().readinto(memoryview(buffer)[: self.piece])


@given(
    st.lists(st.sampled_from([encoded(person) for person in PEOPLE] + [b"7", b'{"id": ""}']), min_size=1, max_size=6),
    st.integers(1, 50),
    st.booleans(),
)
@settings(max_examples=25)
def test_it_matters_not_in_which_pieces_a_body_comes(app: APIFlask, chosen: list[bytes], piece: int, packed: bool):
    client = app.test_client()
    headers = {"Content-Encoding": "gzip"} if packed else {}
    for kind, data in (
        (NDJSON, b"\n".join(chosen)),
        ("application/json", b'{"profiles": [' + b",".join(chosen) + b"]}"),
    ):
        whole = client.post(BATCH, data=data, content_type=kind, buffered=True)
        body = gzip.compress(data) if packed else data
        pieces = client.post(BATCH, input_stream=Dripping(body, piece), content_length=len(body), content_type=kind, headers=headers, buffered=True)  # fmt: skip
        assert (pieces.status_code, pieces.data) == (200, whole.data)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400), (b" ", 400), (b"{", 400), (b'{"profiles": [{"id": "P1"}', 400), (b'{"profiles": [{"id": "P1"}]} x', 400), (b'{"profiles": [{"id": "P1"},]}', 400),
        (b'{"profiles": [{"id": "\xff"}]}', 400), ('{"profiles": [{"id": "甲"}]}'.encode("gb18030"), 400), (b'{"profiles": [{"id": "\\ud83d"}]}', 400),
        (b'{"profiles": [' + b"[" * 5000 + b"]" * 5000 + b"]}", 400), (b'{"profiles": [' + b"9" * 5000 + b"]}", 400),
        (b'{"profiles": []}', 422), (b'{"profiles": [1], "profiles": []}', 422),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_read_is_refused_whole_before_anything_is_answered(
    data: bytes, status: int, client: FlaskClient
):
    told = problem(client.post(BATCH, data=data, content_type="application/json"), status)
    if status == 400:
        # As the route for one would have told it.
        alone = client.post(SINGLE, data=data, content_type="application/json").get_json()
        assert told["detail"] == alone["detail"]


def test_numbers_that_are_none_spoil_one_record_alone(client: FlaskClient, single: list[dict[str, Any]]):
    data = b'{"profiles": [NaN, {"id": "X1", "hours_done": NaN}, {"id": "X2", "hours_done": 1e400}, %s]}' % encoded(
        PEOPLE[0]
    )
    answer = client.post(BATCH, data=data, content_type="application/json", buffered=True).get_json()["results"]
    for index, name in enumerate((None, "X1", "X2")):
        assert_failed(answer[index], index, 422, name)
    assert answer[3] == single[0]


def test_of_two_lists_of_one_name_the_last_counts(client: FlaskClient, single: list[dict[str, Any]]):
    data = b'{"profiles": [{"id": "X1"}, {"id": "X2"}], "profiles": [%s]}' % encoded(PEOPLE[0])
    answer = client.post(BATCH, data=data, content_type="application/json", buffered=True)
    assert answer.get_json()["results"] == single[:1]


def test_an_entry_longer_than_the_body_of_one_request_is_told(narrow: APIFlask):
    data = encoded({"profiles": [PEOPLE[0], {"id": "P2", "duty": SECRETS[2] * 50_000}]})
    assert (
        " 1 MB" in problem(narrow.test_client().post(BATCH, data=data, content_type="application/json"), 413)["detail"]
    )


def test_a_line_longer_than_the_body_of_one_request_fails_alone(narrow: APIFlask, single: list[dict[str, Any]]):
    overlong = encoded({"id": "P1", "duty": SECRETS[2] * 50_000})
    assert len(overlong) > 2**20
    records = ndjson(narrow.test_client(), b"\n".join([encoded(PEOPLE[1]), overlong, encoded(PEOPLE[0])]))
    assert [records[0], records[2]] == [single[1], single[0]]
    assert_failed(records[1], 1, 400)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PEOPLE[0], "x", "text"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(
    st.lists(
        st.sampled_from(PEOPLE) | JSON | st.builds(dict, st.just({"id": "P1"}), level=JSON), min_size=1, max_size=8
    )
)
@settings(max_examples=40)
def test_lines_and_json_agree_and_each_error_is_that_of_the_route_for_one(app: APIFlask, values: list[Any]):
    client = app.test_client()
    found = ndjson(client, b"\n".join(map(encoded, values)))
    assert listed(client, values) == found
    seen: set[str] = set()
    for record, value in zip(found, values, strict=True):
        alone = client.post(SINGLE, data=encoded(value), content_type="application/json")
        if alone.status_code == 200 and alone.get_json()["id"] not in seen:
            seen.add(alone.get_json()["id"])
            assert record == alone.get_json()
        elif alone.status_code != 200:
            expected = alone.get_json()
            del expected["request_id"]
            assert record["error"] == expected


@given(
    st.lists(st.binary(max_size=30) | st.sampled_from([b"\n", b"\r\n", BOM, b'{"id": "a"}', b'{"id": "b"}\n', b" ", b"x" * 41]), max_size=25)
)  # fmt: skip
def test_whatever_the_bytes_are_there_is_a_record_for_each_line_that_is_not_blank(answered: Codec, parts: list[bytes]):
    data, longest = b"".join(parts), 40
    lines = [line for line in data.split(b"\n") if line.removeprefix(BOM).strip()]
    assert len(list(lines_in(BytesIO(data), longest))) == len(lines)
    found = answered(data, longest)
    assert len(found) == len(lines)
    for index, (record, line) in enumerate(zip(found, lines, strict=True)):
        if "error" in record:
            assert record["index"] == index
        else:
            assert json.loads(line.removeprefix(BOM))["id"] == record["id"]


@pytest.mark.parametrize(("length", "fits"), [(39, True), (40, True), (41, False), (42, False), (81, False)])
@pytest.mark.parametrize("next_line", [b"", b"\n", b'\n{"id": "b"}', b'\n\n{"id": "b"}\n'])
def test_a_line_is_too_long_from_one_byte_more_on_and_the_next_is_read(length: int, fits: bool, next_line: bytes):
    line = b"1" * (length - (1 if next_line else 0))  # The end of the line counts.
    expected = [fits, True] if b"id" in next_line else [fits]
    assert [found is not None for found in lines_in(BytesIO(line + next_line), 40)] == expected


class Watched(BytesIO):
    """A file that knows the longest piece that was ever read of it."""

    most = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.most = max(self.most, len(line))
        return line


def test_of_a_line_that_never_ends_no_more_is_held_than_a_line_may_have():
    file = Watched(b"x" * 100_000 + b'\n{"id": "a"}')
    assert [isinstance(value, ValueError) for value in lines_of(file, 1000)] == [True, False]
    assert file.most <= 1001


def test_no_more_than_a_chunk_is_read_ahead_of_the_answers(trained: Recommender):
    read = 0

    def people() -> Iterator[dict[str, Any]]:
        nonlocal read
        for read in range(1, 3 * CHUNK):
            yield {"id": str(read)}

    for number, _ in enumerate(answers(records_of(people(), trained), trained, Limits(top=1), "none")):
        assert read <= (number // CHUNK + 1) * CHUNK


def test_order_is_kept_and_ids_are_known_across_chunks(client: FlaskClient):
    people = [{"id": str(number)} for number in range(CHUNK + 5)] + [{"id": "0"}, {"id": 1}, {"id": "last"}]
    found = ndjson(client, b"\n".join(map(encoded, people)), "?explain=none")
    assert [record["id"] for record in found] == [*map(str, range(CHUNK + 5)), "0", None, "last"]
    assert [place for place, record in enumerate(found) if "error" in record] == [CHUNK + 5, CHUNK + 6]
    assert_failed(found[CHUNK + 5], CHUNK + 5, 422, "0")
    assert_failed(found[CHUNK + 6], CHUNK + 6, 422)


def test_of_two_with_one_id_the_first_that_can_be_used_is_answered(client: FlaskClient, single: list[dict[str, Any]]):
    broken = {"id": "P1", "level": "大王"}
    first, second, third = listed(client, [broken, PEOPLE[0], PEOPLE[0]])
    assert_failed(first, 0, 422, "P1")
    assert second == single[0]
    assert_failed(third, 2, 422, "P1")
    (error,) = third["error"]["errors"]
    assert (error["field"], error["pointer"]) == ("id", "/id")
    assert "重复" in error["message"]
    assert "Duplicate" in error["message_en"]


def test_a_broken_line_is_told_by_its_place_in_the_line_alone(client: FlaskClient):
    (record,) = ndjson(client, b'\n\n{"id": "P1" "x"}')
    assert "第 13 个字符" in record["error"]["detail"]
    assert "行第" not in record["error"]["detail"]


def test_of_very_many_faults_of_one_record_the_first_are_listed(client: FlaskClient):
    (record,) = listed(client, [{"id": "P1", **{f"x{n}": 1 for n in range(500)}}])
    assert len(record["error"]["errors"]) == 100
    assert "共 500 处" in record["error"]["detail"]


def test_who_fits_into_a_request_alone_fits_into_a_line(narrow: APIFlask):
    client = narrow.test_client()
    person = {"id": "P1", "weaknesses": [{"text": "怕讲话"}], "scores": {f"{n:04}{'考' * 90}": 99 for n in range(1000)}}
    line = json.dumps(person).encode()
    assert 2**19 < len(line) < 2**20
    assert ndjson(client, line) == [client.post(SINGLE, data=line, content_type="application/json").get_json()]


@pytest.mark.parametrize("count", [0, 41])
def test_too_many_people_or_none_are_told_the_limit(count: int, narrow: APIFlask):
    client, people = narrow.test_client(), [{"id": str(n)} for n in range(count)]
    for response in (
        client.post(BATCH, json={"profiles": people}),
        client.post(BATCH, data=b"\n\r\n \n" + b"\n\n".join(map(encoded, people)), content_type=NDJSON),
    ):
        told = problem(response, 422)["detail"]
        assert not count or {"40", "41"} <= set(re.findall(r"\d+", told))


def test_as_many_as_may_be_are_answered_and_blank_lines_are_not_counted(narrow: APIFlask):
    people = [{"id": str(n)} for n in range(40)]
    assert len(listed(narrow.test_client(), people)) == 40
    assert len(ndjson(narrow.test_client(), b"\n\n \r\n".join(map(encoded, people)) + b"\n\n")) == 40


@pytest.mark.parametrize(
    "body", [[], None, 7, "P1", {}, {"profiles": None}, {"profiles": {}}, {"profiles": "P1"}, {"profile": []}, {"profiles": [], "x": 1}, [{"id": "P1"}]]
)  # fmt: skip
def test_a_body_of_another_shape_is_told_the_right_one(body: Any, client: FlaskClient):
    assert "profiles" in problem(client.post(BATCH, data=encoded(body), content_type="application/json"), 422)["detail"]


def test_a_byte_order_mark_is_no_fault(client: FlaskClient, single: list[dict[str, Any]]):
    data = BOM + encoded({"profiles": [PEOPLE[0]]})
    response = client.post(BATCH, data=data, content_type="application/json", buffered=True)
    assert response.get_json()["results"] == single[:1]
    assert ndjson(client, BOM + b"\r\n" + BOM + encoded(PEOPLE[0]) + b"\r\n") == single[:1]


@pytest.mark.parametrize("content_type", [NDJSON, f"{NDJSON}; charset=utf-8", NDJSON.upper()])
def test_the_type_of_lines_is_known_however_it_is_written(content_type: str, client: FlaskClient):
    response = client.post(BATCH, data=encoded(PEOPLE[2]), content_type=content_type, buffered=True)
    assert (response.status_code, response.mimetype) == (200, NDJSON)


def test_a_batch_may_be_larger_than_the_body_for_one_but_not_than_its_own_limit(narrow: APIFlask):
    padded = encoded(PEOPLE[2]) + b" " * (2**20 - 100)
    assert len(ndjson(narrow.test_client(), padded + b"\n" + encoded(PEOPLE[3]) + b" " * 2**19)) == 2
    told = problem(narrow.test_client().post(BATCH, data=b"\n" * (2 * 2**20 + 1), content_type=NDJSON), 413)
    assert " 2 MB" in told["detail"]


def open_files() -> int:
    gc.collect()
    return len(os.listdir("/dev/fd"))


def abandoned(client: FlaskClient, *, packed: bool = False) -> None:
    """Ask, take the first piece of the answer, and hang up."""
    headers = {"Accept-Encoding": "gzip"} if packed else {}
    response = client.post(BATCH, data=b"\n".join(map(encoded, PEOPLE)), content_type=NDJSON, headers=headers)
    next(iter(response.response))
    response.close()


def sent(data: bytes, content_type: str, query: str = "") -> Callable[[FlaskClient], object]:
    return lambda client: client.post(BATCH + query, data=data, content_type=content_type, buffered=True)


@pytest.mark.parametrize(
    "ask",
    [
        sent(encoded(PEOPLE[0]), NDJSON),
        sent(encoded({"profiles": PEOPLE}), "application/json"),
        sent(b"{", "application/json"),
        sent(b"\xff", "application/json"),
        sent(b"[]", "application/json"),
        sent(b"\n", NDJSON),
        sent(b"1\n" * 41, NDJSON),
        sent(b" " * (2 * 2**20 + 1), NDJSON),
        sent(b"{}", NDJSON, "?top=0"),
        abandoned,
        partial(abandoned, packed=True),
        sent(b'{"profiles": [1, "' + b"x" * 2**20 + b'"]}', "application/json"),
    ],
    ids=[
        "lines",
        "json",
        "broken",
        "latin",
        "shape",
        "nobody",
        "many",
        "large",
        "query",
        "abandoned",
        "abandoned packed",
        "long",
    ],
)
def test_the_file_of_a_request_is_gone_when_the_request_is(ask: Callable[[FlaskClient], object], narrow: APIFlask):
    client = narrow.test_client()
    sent(encoded(PEOPLE[0]), NDJSON)(client)  # What is opened once a process is open from here on.
    before = open_files()
    held: Iterable[object] = [ask(client) for _ in range(3)]
    assert held
    assert open_files() == before
