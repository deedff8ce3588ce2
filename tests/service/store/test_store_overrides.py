"""Rejections in the store: at work at once for whoever answers, visible, and taken back without a trace of them in the answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from postgres import SECRET
from sqlalchemy import select

from model.errors import InputError
from model.overrides import NONE, Overrides, Rejection
from service.settings import load_settings
from service.store import audit, overrides
from service.store.audit import By
from service.store.database import Database, database_of
from service.store.layer import Layer, beside
from service.store.people import pseudonym
from service.store.tables import override

BY = By("key:11112222", "10.0.0.7", "r1")
PERSON = "工号-4711"


@pytest.fixture
def layer(database: Database) -> Layer:
    return Layer(database)


def pairs(layer: Layer) -> dict[str, dict[str, int]]:
    return {text: dict(barred) for text, barred in layer.now().pairs.items()}


def test_a_rejection_is_at_work_at_once_and_after_it_is_reverted_no_more(database: Database, layer: Layer):
    assert layer.now() == NONE
    made = overrides.reject(database, BY, "c1", "写材料慢", reason="不对口")
    assert layer.now() == Overrides.of([Rejection(made.id, "c1", "写材料慢")])
    overrides.revert(database, BY, made.id)
    assert layer.now() == NONE
    again = overrides.reject(database, BY, "c1", "写材料慢", reason="还是不对口")
    assert again.id != made.id
    assert pairs(layer) == {"写材料慢": {"c1": again.id}}


def test_another_worker_notices(database: Database):
    other = Database(database.url, SECRET)
    one, two = Layer(database), Layer(other)
    for number in range(3):
        made = overrides.reject(database, BY, f"c{number}", reason="过时")
        assert one.now() == two.now()
        assert made.id in two.now().numbers
        overrides.revert(other, BY, made.id)
        assert not one.now()
        assert not two.now()
    other.engine.dispose()


def test_who_when_and_why_stay_when_it_is_reverted(database: Database):
    made = overrides.reject(database, BY, "c1", "写材料慢", reason="不对口")
    overrides.revert(database, By("key:33334444"), made.id)
    found = overrides.find(database, made.id)
    assert found
    assert (found.actor, found.reason, found.at, found.reverted_by) == (BY.actor, "不对口", made.at, "key:33334444")
    assert found.reverted_at
    assert found.reverted_at >= found.at
    overrides.revert(database, By("key:55556666"), made.id)
    assert overrides.find(database, made.id) == found, "what was reverted stays as it is"
    with database.reading() as connection:
        done = [(one.action, one.object, one.actor) for one in audit.entries(connection)]
    assert done == [("override.add", "1", BY.actor), ("override.revert", "1", "key:33334444")]


def test_two_that_say_the_same_are_one(database: Database):
    first = overrides.reject(database, BY, "c1", "KPI 怎么定", reason="一")
    assert overrides.reject(database, BY, "c1", "ｋｐｉ怎么定", reason="二") == first
    others = [
        overrides.reject(database, BY, "c1", reason="三"),
        overrides.reject(database, BY, "c1", None, PERSON, "四"),
        overrides.reject(database, BY, "c2", "KPI 怎么定", reason="五"),
    ]
    assert len({first.id, *(one.id for one in others)}) == 4
    assert overrides.reject(database, BY, "c1", None, PERSON, "六") == others[1]


def test_many_at_once_are_all_at_work_and_those_that_say_the_same_are_one(database: Database, layer: Layer):
    def work(number: int) -> None:
        overrides.reject(database, BY, "c0", reason=str(number))
        overrides.reject(database, BY, f"c{number}", "写材料慢", reason=str(number))

    together([lambda number=number: work(number) for number in range(1, 7)])
    assert len(layer.now().numbers) == 7
    assert set(layer.now().courses) == {"c0"}


def together(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_answer_after_a_change_goes_by_what_was_before_it(database: Database, layer: Layer):
    stale: list[int] = []
    stopping = threading.Event()

    def ask() -> None:
        while not stopping.is_set():
            layer.now()

    def change() -> None:
        for number in range(20):
            made = overrides.reject(database, BY, f"c{number}", reason="过时")
            if made.id not in layer.now().numbers:
                stale.append(made.id)
            overrides.revert(database, BY, made.id)
            if made.id in layer.now().numbers:
                stale.append(-made.id)
        stopping.set()

    together([ask, ask, change])
    assert stale == []


def test_a_person_is_known_by_the_id_and_kept_without_it(database: Database, layer: Layer):
    made = overrides.reject(database, BY, "c1", None, PERSON, "本人不宜")
    assert dict(layer.now().for_person(PERSON)) == {"c1": made.id}
    assert dict(layer.now().for_person("工号-4712")) == {}
    assert made.pseudonym == pseudonym(database, PERSON)
    with database.reading() as connection:
        kept = str(connection.execute(select(override)).all())
        done = str(audit.entries(connection))
    assert PERSON not in kept
    assert PERSON not in done
    assert "本人不宜" not in done
    assert layer.now().among([PERSON, "工号-4712"]).people == {PERSON: {"c1": made.id}}


def test_they_are_listed_page_by_page_and_the_reverted_ones_where_asked_for(database: Database):
    made = [overrides.reject(database, BY, f"c{number % 2}", f"短板{number}", reason="。") for number in range(5)]
    overrides.revert(database, BY, made[1].id)
    ids = [one.id for one in made]
    assert [one.id for one in overrides.listed(database, 0, 100)] == [ids[0], *ids[2:]]
    assert [one.id for one in overrides.listed(database, ids[0], 2, reverted=True)] == ids[1:3]
    assert [one.id for one in overrides.listed(database, 0, 100, reverted=True, course="c1")] == [ids[1], ids[3]]
    assert overrides.find(database, 999) is None


def test_one_that_is_forgotten_is_at_work_no_more_even_where_the_next_takes_its_number(
    database: Database, layer: Layer
):
    overrides.reject(database, BY, "c1", None, PERSON, "本人不宜")
    assert layer.now()
    with database.writing() as connection:
        assert overrides.forget(connection, pseudonym(database, PERSON)) == 1
    assert not layer.now()
    overrides.reject(database, BY, "c2", None, "工号-4712", "本人不宜")
    assert dict(layer.now().for_person(PERSON)) == {}
    assert list(layer.now().for_person("工号-4712")) == ["c2"]


def test_a_command_goes_by_the_store_beside_the_registry(tmp_path: Path):
    settings = load_settings({}) | {"REGISTRY": str(tmp_path / "registry")}
    assert beside(settings) == NONE
    assert list(tmp_path.iterdir()) == [], "a command makes no store"
    database = database_of(settings)
    database.prepare()
    made = overrides.reject(database, BY, "c1", None, PERSON, "本人不宜")
    database.engine.dispose()
    assert dict(beside(settings).for_person(PERSON)) == {"c1": made.id}


def test_a_command_does_not_pass_over_a_store_it_cannot_read(tmp_path: Path):
    settings = load_settings({}) | {"REGISTRY": str(tmp_path / "registry")}
    (tmp_path / "quebu.db").write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match="数据库"):
        beside(settings)


def test_a_command_refuses_a_store_whose_persons_it_could_not_know(tmp_path: Path):
    settings = load_settings({}) | {"REGISTRY": str(tmp_path / "registry")}
    database = database_of(settings)
    database.prepare()
    database.engine.dispose()
    with pytest.raises(InputError, match="QUEBU_SECRET"):
        beside(settings | {"SECRET": "another secret, as long as it must be"})
