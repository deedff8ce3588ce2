"""What the store may suffer: its server restarted under load, its disk full. Nothing is lost, and nobody has to restart the service."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from apiflask import APIFlask
from postgres import SECRET, Postgres
from sqlalchemy import insert

from service import create_app
from service.store import audit, keys
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Role
from service.store.tables import piece


def application(url: str, folder: Path) -> tuple[APIFlask, Database, dict[str, str]]:
    """A service without a trained version, its store, and the headers of an admin."""
    app = create_app({"REGISTRY": str(folder / "registry"), "DATABASE_URL": url, "SECRET": SECRET})
    database: Database = app.extensions["quebu.store"]
    return app, database, {"Authorization": f"Bearer {keys.create(database, By('test'), 'test', Role.ADMIN, 1)}"}


def test_a_server_that_crashes_under_load_is_asked_again_when_it_is_back(postgres: Postgres, made: str, tmp_path: Path):
    app, database, headers = application(postgres.new(made), tmp_path)
    done, answers = Event(), []

    def ask() -> None:
        client = app.test_client()
        while not done.is_set():
            read = client.get("/api/v1/keys", headers=headers)
            written = client.post("/api/v1/keys", json={"name": "x", "role": "reader"}, headers=headers)
            answers.extend([read, written])

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for mode in ("immediate", "fast"):
            seen = len(answers)
            wait_for(lambda seen=seen: len(answers) > seen + 20)
            postgres.restart(mode)
        seen = len(answers)
        wait_for(lambda: len(answers) > seen + 20)
        done.set()
        assert [one.result() for one in asking] == [None] * 4
    assert {answer.status_code for answer in answers} >= {200, 201}
    assert {answer.status_code for answer in answers} <= {200, 201, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.content_type == "application/problem+json"
            assert "Retry-After" in answer.headers
    assert {answer.status_code for answer in answers[-8:]} == {200, 201}
    # Whoever was told 201 finds the key; that of a 503 may be there as well, for the server may have died after it kept it.
    told = {answer.get_json()["id"] for answer in answers if answer.status_code == 201}
    assert told <= {key.id for key in keys.listed(database)}
    assert audit.broken(database) is None
    database.engine.dispose()


def wait_for(condition) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_server_that_is_gone_is_a_problem_that_asks_for_patience(made: str, tmp_path: Path):
    server = Postgres()
    try:
        url = server.new()
        with_tables = Database(url, SECRET)
        with_tables.migrate()
        with_tables.engine.dispose()
        app, database, headers = application(url, tmp_path)
        server.stop()
        for path in ("/api/v1/keys", "/api/v1/courses", "/login"):
            answer = app.test_client().get(path, headers=headers)
            assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
            assert str(server.folder) not in answer.get_data(as_text=True)
        assert app.test_client().get("/api/v1/health/live").status_code == 200
        server.start()
        assert app.test_client().get("/api/v1/keys", headers=headers).status_code == 200
        database.engine.dispose()
    finally:
        server.remove()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_told_and_the_store_stays_whole(small: Path, tmp_path: Path):
    app, database, headers = application(f"sqlite:///{small}/quebu.db", tmp_path)
    client = app.test_client()
    before = {key.id for key in keys.listed(database)}
    filler = small / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    statuses = []
    for _ in range(200):
        answer = client.post("/api/v1/keys", json={"name": "x" * 100, "role": "reader"}, headers=headers)
        statuses.append(answer.status_code)
        if answer.status_code == 201:
            before.add(answer.get_json()["id"])
            continue
        assert (answer.status_code, answer.content_type) == (507, "application/problem+json")
        assert answer.get_json()["detail"].startswith("服务器的磁盘已满")
        break
    assert statuses[-1] == 507
    # What is there can still be read, by those who have a key.
    assert {key["id"] for key in client.get("/api/v1/keys", headers=headers).get_json()["keys"]} == before
    filler.unlink()
    assert client.post("/api/v1/keys", json={"name": "x", "role": "reader"}, headers=headers).status_code == 201
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert audit.broken(database) is None
    database.engine.dispose()


def test_a_content_that_does_not_fit_leaves_nothing_behind(small: Path):
    database = Database(f"sqlite:///{small}/quebu.db", SECRET)
    database.prepare()

    def fill() -> None:
        with database.writing() as connection:
            for number in range(1000):
                connection.execute(insert(piece).values(blob="b", number=number, content=os.urandom(65536)))

    with pytest.raises(Exception, match="full"):
        fill()
    with database.reading() as connection:
        assert connection.execute(piece.select()).all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    database.engine.dispose()
