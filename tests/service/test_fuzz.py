"""Whatever is asked of the documented service, it answers as documented: schemathesis, in a bounded form (``make fuzz`` runs the long one)."""

from __future__ import annotations

import os
from pathlib import Path

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

from service import create_app
from service.store import keys
from service.store.audit import By
from service.store.roles import Role

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = (
    "live", "ready", "metrics", "recommend", "gaps", "match", "courses", "course", "competencies", "coverage", "posts", "models", "model", "compare_models", "activate_model", "rollback_model", "check_courses", "train_model", "recommend_batch", "plan_cohort",
    "recommend_cohort", "diagnose_cohort", "jobs", "job", "job_result", "delete_job",
    "give_feedback", "feedback", "learning", "course_outcomes", "gap_states", "make_override", "overrides", "revert_override", "course_reviews",
    "save_plan", "saved_plans", "saved_plan", "delete_plan", "erase_names", "erase_person", "create_key", "keys", "revoke_key", "audit",
)  # fmt: skip


@pytest.fixture(scope="module")
def fuzzed(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    """An application with a store of its own: what is asked here makes keys, and rejects courses."""
    store = f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/quebu.db"
    config = {"REGISTRY": str(registry), "DATABASE_URL": store, "SECRET": "x" * 32, "RATE_LIMIT": 10_000_000}
    return create_app({**config, "TESTING": True})


@pytest.fixture(scope="module")
def callers(fuzzed: APIFlask) -> dict[str, dict[str, str]]:
    """Who asks, by what they send. The client of the fuzzer asks for compressed answers, and cannot read them."""
    plain = {"Accept-Encoding": "identity"}
    key = keys.create(fuzzed.extensions["quebu.store"], By("test"), "fuzz", Role.ADMIN, 1)
    return {"with a key": {**plain, "Authorization": f"Bearer {key}"}, "without": plain}


@pytest.fixture(scope="module")
def operations(fuzzed: APIFlask) -> dict[str, schemathesis.schemas.APIOperation]:
    document = schemathesis.openapi.from_wsgi("/openapi.json", fuzzed)
    found = (result.ok() for result in document.get_all_operations())
    return {operation.definition.raw["operationId"]: operation for operation in found}


def test_every_operation_is_tried(operations: dict[str, schemathesis.schemas.APIOperation]):
    assert set(operations) == set(OPERATIONS)


@pytest.mark.parametrize("caller", ["with a key", "without"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_of_those_documented(
    operations: dict[str, schemathesis.schemas.APIOperation], callers: dict[str, dict[str, str]], name: str, caller: str
):
    operation, headers = operations[name], callers[caller]
    examples = EXAMPLES if "Authorization" in headers else EXAMPLES // 5  # Without a key there is little to be found.

    @given(case=operation.as_strategy())
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS, headers=headers)

    ask()
