"""Whatever is asked of the documented service, it answers as documented: schemathesis, in a bounded form (``make fuzz`` runs the long one)."""

from __future__ import annotations

import os

import pytest
import schemathesis
from apiflask import APIFlask
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = (
    "live", "ready", "recommend", "gaps", "match", "courses", "course", "competencies", "posts", "models", "model", "recommend_batch", "plan_cohort",
)  # fmt: skip


@pytest.fixture(scope="module")
def operations(app: APIFlask) -> dict[str, schemathesis.schemas.APIOperation]:
    document = schemathesis.openapi.from_wsgi("/openapi.json", app)
    found = (result.ok() for result in document.get_all_operations())
    return {operation.definition.raw["operationId"]: operation for operation in found}


def test_every_operation_is_tried(operations: dict[str, schemathesis.schemas.APIOperation]):
    assert set(operations) == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_of_those_documented(operations: dict[str, schemathesis.schemas.APIOperation], name: str):
    @given(case=operations[name].as_strategy())
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()
