"""Who sits at the machine needs no key as long as nobody has one; from elsewhere nobody gets in without."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from running import answered, ask, free_port, serving, until

from model.errors import InputError
from service.cli import main
from service.serving.local import check_may_bind, introduction, is_local, may_be_local
from service.store import keys, logins
from service.store.audit import By
from service.store.database import Database
from service.store.roles import Role

NEAR = ["127.0.0.1", "127.9.9.9", "localhost", "::1"]
FAR = ["0.0.0.0", "::", "192.0.2.7", "", "nowhere.invalid", "2001:db8::1"]
BY = By("test")


@pytest.mark.parametrize("host", NEAR)
def test_a_loopback_address_is_reached_from_this_machine_alone(host: str):
    assert is_local(host)
    assert may_be_local(host, {"TRUSTED_PROXIES": 0})


@pytest.mark.parametrize("host", FAR)
def test_any_other_may_be_reached_from_elsewhere(host: str):
    assert not is_local(host)
    assert not may_be_local(host, {"TRUSTED_PROXIES": 0})


def test_behind_a_proxy_nobody_is_at_this_machine():
    assert not may_be_local("127.0.0.1", {"TRUSTED_PROXIES": 1})


@pytest.mark.parametrize("host", NEAR)
def test_a_loopback_address_needs_no_key(host: str, database: Database):
    check_may_bind(host, database)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_any_other_address_needs_a_key_or_an_account_that_can_be_used(host: str, database: Database):
    def refused() -> None:
        with pytest.raises(InputError, match="quebu keys create --name 管理 --role admin"):
            check_may_bind(host, database)

    refused()
    key = keys.create(database, BY, "x", Role.READER, 1)
    check_may_bind(host, database)
    keys.revoke(database, BY, str(keys.identity(key)))
    refused()
    logins.create(database, BY, "zhang", Role.READER, "correct horse battery")
    check_may_bind(host, database)
    logins.disable(database, BY, "zhang")
    refused()


def test_the_local_session_introduces_itself_and_says_how_it_ends(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/quebu.db", "x" * 32)
    database.prepare()
    assert introduction(database) is None
    logins.open_local(database)
    told = introduction(database)
    assert told
    assert "quebu keys create" in told
    assert "quebu accounts create" in told
    assert "30 天" in told
    keys.create(database, BY, "x", Role.READER, 1)
    assert introduction(database) is None
    database.engine.dispose()


def test_a_service_that_others_could_reach_does_not_start_until_there_is_a_key(tmp_path: Path):
    registry, port, log = tmp_path / "instance" / "registry", free_port(), tmp_path / "log"
    with serving(registry, port, log, "--host", "0.0.0.0") as process:
        assert process.wait(60) == 1
    told = log.read_text(encoding="utf-8")
    assert "quebu keys create --name 管理 --role admin" in told
    assert "Traceback" not in told
    made = CliRunner().invoke(main, ["keys", "create", "--name", "x", "--role", "admin", "--registry", str(registry)])
    assert made.exit_code == 0
    with serving(registry, port, log, "--host", "0.0.0.0"):
        answered(port, "/api/v1/health/live", 200)
        assert ask(port, "/api/v1/models")[0] == 401


def test_a_first_start_needs_no_key_and_says_so_until_somebody_gets_one(tmp_path: Path):
    registry, port, log = tmp_path / "instance" / "registry", free_port(), tmp_path / "log"
    with serving(registry, port, log):
        answered(port, "/api/v1/health/live", 200)
        assert ask(port, "/api/v1/models")[0] == 200
        until(lambda: "本机会话" in log.read_text(encoding="utf-8"), "it does not say what the local session is")
        words = ["keys", "create", "--name", "x", "--role", "reader", "--registry", str(registry)]
        assert CliRunner().invoke(main, words).exit_code == 0
        assert ask(port, "/api/v1/models")[0] == 401
