"""gzip on the wire changes nothing of what is said: answers unpack to what others get plain, packed bodies are answered as plain ones."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

JSON = "application/json"
NDJSON = "application/x-ndjson"
GAPS = "/api/v1/gaps"
BATCH = "/api/v1/recommendations/batch"
PERSON = {"id": "P1", "weaknesses": [{"text": "公文写作不规范"}]}
PLAIN = json.dumps(PERSON).encode()
TAKES = {"Accept-Encoding": "gzip, deflate"}
PACKED = ["/openapi.json", "/api/v1/courses?limit=20", "/static/console.css", "/static/swagger-ui/swagger-ui-bundle.js"]


def post(client: FlaskClient, data: bytes, coding: str = "gzip", path: str = GAPS, kind: str = JSON) -> TestResponse:
    return client.post(path, data=data, content_type=kind, headers={"Content-Encoding": coding}, buffered=True)


def told(response: TestResponse) -> tuple[int, Any]:
    """Status and content, without the id that is each request's own."""
    content = response.get_json()
    content.pop("request_id", None)
    return response.status_code, content


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    return dict(response.get_json())


@pytest.mark.parametrize("path", PACKED)
def test_a_packed_answer_unpacks_to_the_plain_one(path: str, client: FlaskClient):
    plain, packed = client.get(path, buffered=True), client.get(path, headers=TAKES, buffered=True)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)
    assert packed.content_type == plain.content_type


@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "br, gzip;q=0"])
@pytest.mark.parametrize("path", PACKED[:3])
def test_who_does_not_take_packed_answers_gets_plain_ones(path: str, accepted: str | None, client: FlaskClient):
    response = client.get(path, headers={} if accepted is None else {"Accept-Encoding": accepted}, buffered=True)
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("headers", [{}, TAKES])
@pytest.mark.parametrize("path", [*PACKED, "/", "/docs", "/nowhere", "/api/v1/health/live"])
def test_every_answer_says_that_it_depends_on_what_is_taken(path: str, headers: dict[str, str], client: FlaskClient):
    assert client.get(path, headers=headers, buffered=True).headers["Vary"].split(", ")[0] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/", "/docs", "/api/v1/health/live", "/nowhere"])
def test_pages_and_what_is_short_are_not_packed(path: str, client: FlaskClient):
    assert "Content-Encoding" not in client.get(path, headers=TAKES, buffered=True).headers


@pytest.mark.parametrize("path", PACKED[1:])
def test_a_tag_is_known_again_packed_or_not(path: str, client: FlaskClient):
    plain, packed = client.get(path, buffered=True), client.get(path, headers=TAKES, buffered=True)
    # The same content in other bytes: the tag is the same, but weak.
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
    for tag in (plain.headers["ETag"], packed.headers["ETag"]):
        for headers in ({}, TAKES):
            again = client.get(path, headers={**headers, "If-None-Match": tag}, buffered=True)
            assert (again.status_code, again.data, again.headers["Vary"]) == (304, b"", "Accept-Encoding")
    other = client.get(path, headers={**TAKES, "If-None-Match": '"other"'}, buffered=True)
    assert (other.status_code, gzip.decompress(other.data)) == (200, plain.data)


def test_a_part_of_a_file_is_a_part_of_its_plain_bytes(client: FlaskClient):
    whole = client.get("/static/console.css", buffered=True).data
    part = client.get("/static/console.css", headers={**TAKES, "Range": "bytes=10-1009"}, buffered=True)
    assert (part.status_code, part.data) == (206, whole[10:1010])
    assert "Content-Encoding" not in part.headers


@pytest.mark.parametrize("kind", [JSON, NDJSON])
def test_a_batch_is_packed_as_it_is_answered(kind: str, client: FlaskClient):
    people = [{"id": sha256(bytes([number % 256, number // 256])).hexdigest()} for number in range(2500)]
    data = json.dumps({"profiles": people}) if kind == JSON else "\n".join(map(json.dumps, people))
    plain = client.post(BATCH, data=data, content_type=kind, buffered=True)
    packed = client.post(BATCH, data=data, content_type=kind, headers=TAKES)
    parts = list(packed.iter_encoded())
    packed.close()
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(parts)) == plain.data
    assert len(parts) > 3
    assert max(map(len, parts)) < sum(map(len, parts)) / 2


SAYINGS = st.sampled_from(
    [PLAIN, b"\xef\xbb\xbf" + PLAIN, b"", b" ", b"{", b"[]", b"\xff", '{"id": "甲"}'.encode("gb18030"), b'{"id": "\\ud83d"}', b"[" * 5000]
)  # fmt: skip


@given(data=SAYINGS | st.binary(max_size=200), level=st.integers(0, 9), cut=st.integers(0, 200))
def test_a_packed_body_is_answered_as_the_plain_one(app: APIFlask, data: bytes, level: int, cut: int):
    client = app.test_client()
    plain = told(client.post(GAPS, data=data, content_type=JSON))
    assert told(post(client, gzip.compress(data, level))) == plain
    # A stream may have several members, as that of a log that was appended to.
    assert told(post(client, gzip.compress(data[:cut], level) + gzip.compress(data[cut:]))) == plain


@pytest.mark.parametrize("coding", ["gzip", "GZIP", " gzip ", "x-gzip"])
def test_the_coding_is_known_however_it_is_written(coding: str, client: FlaskClient):
    assert post(client, gzip.compress(PLAIN), coding).status_code == 200


@pytest.mark.parametrize("coding", ["", "identity"])
def test_a_body_that_says_that_it_is_plain_is(coding: str, client: FlaskClient):
    assert post(client, PLAIN, coding).status_code == 200


@pytest.mark.parametrize("kind", [JSON, NDJSON])
def test_a_batch_may_come_packed(kind: str, client: FlaskClient):
    data = json.dumps({"profiles": [PERSON]}).encode() if kind == JSON else PLAIN
    plain = client.post(BATCH, data=data, content_type=kind, buffered=True)
    assert post(client, gzip.compress(data), "gzip", BATCH, kind).data == plain.data


WHOLE = gzip.compress(PLAIN, mtime=0)  # Packed with the time of day, the tests would have other names in each process.


@given(st.integers(1, len(WHOLE) - 1))
def test_a_packed_body_that_was_cut_off_is_refused_with_the_remedy(app: APIFlask, length: int):
    assert "gzip" in problem(post(app.test_client(), WHOLE[:length]), 400)["detail"]


@pytest.mark.parametrize(
    "data",
    [PLAIN, WHOLE + b"junk", WHOLE[:-8] + b"\0" * 8, WHOLE[:12] + b"\xff" * 8 + WHOLE[20:]],
    ids=["not packed", "more behind it", "another checksum", "damaged within"],
)
@pytest.mark.parametrize(("path", "kind"), [(GAPS, JSON), (BATCH, JSON), (BATCH, NDJSON)])
def test_damage_is_told_as_what_it_is(data: bytes, path: str, kind: str, client: FlaskClient):
    assert "gzip" in problem(post(client, data, "gzip", path, kind), 400)["detail"]


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "compress", "gzip, gzip", "gzip;q=1", "x"])
@pytest.mark.parametrize(("path", "kind"), [(GAPS, JSON), (BATCH, NDJSON)])
def test_another_coding_is_refused_and_the_right_one_told(coding: str, path: str, kind: str, client: FlaskClient):
    response = post(client, WHOLE, coding, path, kind)
    assert "gzip" in problem(response, 415)["detail"]
    assert response.headers["Accept-Encoding"] == "gzip"


def test_a_coding_of_what_is_not_read_is_nobodys_concern(client: FlaskClient):
    assert client.get("/api/v1/health/live", headers={"Content-Encoding": "br"}).status_code == 200
    assert post(client, WHOLE, "br", "/api/v1/nowhere").status_code == 404


@pytest.mark.parametrize(("path", "kind", "limit"), [(GAPS, JSON, 1), (BATCH, NDJSON, 2), (BATCH, JSON, 2)])
def test_the_limit_of_a_route_is_that_of_the_unpacked_body(path: str, kind: str, limit: int, narrow: APIFlask):
    client = narrow.test_client()
    data = json.dumps({"profiles": [PERSON]}).encode() if (path, kind) == (BATCH, JSON) else PLAIN
    # Within a line there may be as much as in the body for one.
    padding = b"\n" if kind == NDJSON else b" "
    full = data + padding * (limit * 2**20 - len(data))
    assert post(client, gzip.compress(full), "gzip", path, kind).status_code == 200
    refused = problem(post(client, gzip.compress(full + padding), "gzip", path, kind), 413)
    assert f" {limit} MB" in refused["detail"]
    assert "解压" in refused["detail"]


@pytest.mark.parametrize(("path", "kind"), [(GAPS, JSON), (BATCH, NDJSON), (BATCH, JSON)])
def test_a_bomb_is_refused_without_being_unpacked(path: str, kind: str, narrow: APIFlask):
    bomb = BytesIO(gzip.compress(bytes(2**20)) * 150)  # 150 MB in 150 kB.
    client, size = narrow.test_client(), len(bomb.getvalue())
    post(client, WHOLE, "gzip", path, kind)
    tracemalloc.start()
    try:
        response = client.post(
            path, input_stream=bomb, content_length=size, content_type=kind, headers={"Content-Encoding": "gzip"}
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    problem(response, 413)
    assert bomb.tell() < size / 2
    assert peak < 6 * 2**20


def test_a_packed_request_that_is_repeated_gets_its_first_answer(client: FlaskClient):
    first, again = (
        client.post(GAPS, data=WHOLE, content_type=JSON, headers={"Content-Encoding": "gzip", "Idempotency-Key": "packed-1", **takes}, buffered=True)
        for takes in (TAKES, {})
    )  # fmt: skip
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.get_json() == again.get_json()
