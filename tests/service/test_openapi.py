"""The document and the service agree. The document itself is checked by hand: there is no validator among the dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document(app: APIFlask) -> Json:
    return dict(app.test_client().get("/openapi.json").get_json())


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else ())
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def validator(document: Json, name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def test_the_document_has_the_parts_that_openapi_asks_for(document: Json):
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version", "description"} <= set(document["info"])
    assert document["paths"]
    for _, _, operation in operations(document):
        assert operation["summary"]
        assert all(response["description"] for response in operation["responses"].values())
        assert all({"name", "in", "schema"} <= set(parameter) for parameter in operation["parameters"])
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert sorted(names) == ["ready", "recommend"]


def test_every_schema_is_one_and_every_reference_leads_to_one(document: Json):
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) == known


def test_every_address_of_the_service_is_documented_and_no_other(app: APIFlask, document: Json):
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, method, _ in operations(document)}


def test_a_body_is_required_where_there_is_one(document: Json):
    bodies = {
        path: operation["requestBody"] for path, _, operation in operations(document) if "requestBody" in operation
    }
    assert list(bodies) == ["/api/v1/recommendations"]
    assert bodies["/api/v1/recommendations"]["required"] is True
    assert list(bodies["/api/v1/recommendations"]["content"]) == ["application/json"]


def test_every_error_is_documented_as_a_problem_and_every_success_as_its_own_shape(document: Json):
    for _, _, operation in operations(document):
        assert "200" in operation["responses"]
        for status, response in operation["responses"].items():
            (kind, content), *others = response["content"].items()
            assert others == []
            problem = content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert (kind, problem) == (
                ("application/json", False) if status == "200" else ("application/problem+json", True)
            )


PLAN = {"id": "P1", "weaknesses": [{"text": "公文写作不规范"}]}
REQUESTS: list[tuple[int, Json]] = [
    (200, {"json": PLAN}),
    (400, {"data": "{", "content_type": "application/json"}),
    (413, {"data": b" " * (11 * 2**20), "content_type": "application/json"}),
    (415, {"data": "{}", "content_type": "text/plain"}),
    (422, {"json": {}}),
]


@pytest.mark.parametrize(("status", "sent"), REQUESTS, ids=[str(status) for status, _ in REQUESTS])
def test_every_answer_the_service_gives_is_documented_and_keeps_its_schema(
    status: int, sent: Json, client: FlaskClient, document: Json
):
    response = client.post("/api/v1/recommendations", **sent)
    assert response.status_code == status
    documented = document["paths"]["/api/v1/recommendations"]["post"]["responses"][str(status)]
    schema = documented["content"][response.content_type]["schema"]["$ref"].rsplit("/", 1)[1]
    validator(document, schema).validate(response.get_json())


def test_an_unready_service_answers_as_documented(client: FlaskClient, untrained: FlaskClient, document: Json):
    ready = document["paths"]["/api/v1/health/ready"]["get"]["responses"]
    assert set(ready) == {"200", "500", "503"}
    validator(document, "ReadyOut").validate(client.get("/api/v1/health/ready").get_json())
    validator(document, "Problem").validate(untrained.get("/api/v1/health/ready").get_json())
    assert untrained.post("/api/v1/recommendations", json=PLAN).status_code == 503


def test_an_answer_always_has_all_its_keys(document: Json):
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Out"):
            assert schema["required"] == list(schema["properties"])
            assert schema["additionalProperties"] is False


def test_the_example_of_the_document_is_valid_and_answered(client: FlaskClient, document: Json):
    content = document["paths"]["/api/v1/recommendations"]["post"]["requestBody"]["content"]["application/json"]
    validator(document, "ProfileIn").validate(content["example"])
    assert client.post("/api/v1/recommendations", json=content["example"]).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"id": "P1", "name": None, "weaknesses": None, "scores": None, "completed": None, "restrictions": None},
        {"id": "P1", "scores": {"公文写作": 55}, "hours_available": 2.5},
        {},
        {"id": ""},
        {"id": 7},
        {"id": "P1", "hours_available": "24"},
        {"id": "P1", "hours_available": -1},
        {"id": "P1", "hours_done": 0, "online_hours_done": None, "five_year_hours_done": 2100},
        {"id": "P1", "online_hours_done": 2001},
        {"id": "P1", "stranger": 1},
        {"id": "P1", "weaknesses": [{"text": "怕讲话", "severity": 4}]},
        {"id": "P1", "weaknesses": [{"text": "怕讲话", "kind": None, "source": "听说"}]},
        {"id": "P1", "weaknesses": [{}]},
        {"id": "P1", "scores": {"公文写作": 101}},
        {"id": "P1", "completed": ["x" * 501]},
        [],
    ],
)  # fmt: skip
def test_the_document_and_the_service_accept_the_same_bodies(body: Any, client: FlaskClient, document: Json):
    accepted = client.post("/api/v1/recommendations", json=body).status_code == 200
    assert validator(document, "ProfileIn").is_valid(body) == accepted
