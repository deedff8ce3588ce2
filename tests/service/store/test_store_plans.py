"""The sheets of a saved plan: kept with it, apart from whom it is about, and gone with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from service.shapes.plans import dump_cohort
from service.store import plans
from service.store.audit import By
from service.store.database import Database, now
from service.store.tables import piece, saved_plan
from tests.filings import filed, office_demand

SHEETS = [{"name": "参训名单", "rows": [["⟦0⟧", "甲局 ⟦0:职务⟧"]]}]


@pytest.fixture
def plan() -> dict[str, Any]:
    return dump_cohort(filed(office_demand()))


def keep(database: Database, plan: dict[str, Any], sheets: Any = SHEETS) -> str:
    return plans.save(database, By("test"), "秋季班", plan, {"P1": "王三"}, 30, sheets).id


def blobs(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(connection.scalars(select(piece.c.blob)))


def test_the_sheets_of_a_plan_come_back_as_they_were(database: Database, plan: dict[str, Any]):
    assert plans.sheets_of(database, keep(database, plan)) == SHEETS


def test_a_plan_that_was_kept_without_sheets_has_none(database: Database, plan: dict[str, Any]):
    assert plans.sheets_of(database, keep(database, plan, None)) is None
    assert plans.sheets_of(database, "nowhere") is None


def test_the_sheets_are_deleted_with_the_plan(database: Database, plan: dict[str, Any]):
    identity, other = keep(database, plan), keep(database, plan)
    plans.remove(database, By("test"), identity)
    assert plans.sheets_of(database, identity) is None
    assert plans.sheets_of(database, other) == SHEETS
    assert not [blob for blob in blobs(database) if identity in blob]


def test_the_sheets_expire_with_the_plan(database: Database, plan: dict[str, Any]):
    identity = keep(database, plan)
    with database.writing() as connection:
        connection.execute(update(saved_plan).values(expires_at=now() - timedelta(seconds=1)))
    assert plans.expire(database) == 1
    assert not [blob for blob in blobs(database) if identity in blob]


def test_forgetting_the_people_leaves_the_sheets_which_name_nobody(database: Database, plan: dict[str, Any]):
    identity = keep(database, plan)
    plans.erase_names(database, By("test"), identity)
    assert plans.sheets_of(database, identity) == SHEETS
    told, names = plans.opened(database, By("test"), identity)
    assert names == {}
    assert {one["id"][:2] for one in told["people"]} == {"p_"}
