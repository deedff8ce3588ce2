"""The commands that give out keys and accounts and look after the store: what is to be captured on stdout, what is to be read on stderr."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from postgres import SECRET, Postgres

from service.cli import main
from service.store import keys, logins
from service.store.audit import By
from service.store.database import Database, head
from service.store.roles import Principal, Role

PASSWORD = "一句好记的话，比符号安全"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEBU_SECRET", SECRET)


@pytest.fixture
def registry(tmp_path: Path) -> str:
    return str(tmp_path / "instance" / "registry")


def run(registry: str, *words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, [*words, "--registry", registry], input=typed)


def done(registry: str, *words: str, typed: str | None = None) -> Result:
    result = run(registry, *words, typed=typed)
    assert result.exit_code == 0, result.stderr
    return result


def store(registry: str) -> Database:
    database = Database(f"sqlite:///{Path(registry).parent}/quebu.db", SECRET)
    database.prepare()
    return database


def actions(registry: str) -> list[str]:
    lines = done(registry, "audit", "export").stdout.splitlines()
    return [json.loads(line)["action"] for line in lines]


def test_a_new_key_stands_alone_on_stdout_and_works(registry: str):
    result = done(registry, "keys", "create", "--name", "人事系统", "--role", "planner", "--days", "7")
    (key,) = result.stdout.splitlines()
    assert key not in result.stderr
    assert "只显示这一次" in result.stderr
    database = store(registry)
    assert keys.find(database, key) == Principal(f"key:{keys.identity(key)}", Role.PLANNER)
    (told,) = json.loads(done(registry, "keys", "list").stdout)
    assert (told["id"], told["name"], told["role"]) == (keys.identity(key), "人事系统", "planner")
    assert told["created_by"].startswith("command:")
    assert key not in json.dumps(told)
    database.engine.dispose()


def test_a_key_is_revoked_by_its_number(registry: str):
    key = done(registry, "keys", "create", "--name", "x", "--role", "reader").stdout.strip()
    done(registry, "keys", "revoke", str(keys.identity(key)))
    database = store(registry)
    assert keys.find(database, key) is None
    database.engine.dispose()
    result = run(registry, "keys", "revoke", "00000000")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "没有这个编号" in result.stderr


def test_the_first_key_tells_that_the_local_session_has_ended(registry: str):
    database = store(registry)
    logins.open_local(database)
    database.engine.dispose()
    words = ("keys", "create", "--name", "x", "--role", "reader")
    assert "本机会话已结束" in done(registry, *words).stderr
    assert "本机会话" not in done(registry, *words).stderr


def test_an_account_is_made_with_a_password_from_stdin_and_can_sign_in(registry: str):
    result = done(registry, "accounts", "create", "zhang", "--role", "curator", typed=PASSWORD + "\n")
    assert PASSWORD not in result.output
    database = store(registry)
    assert logins.sign_in(database, By(""), "zhang", PASSWORD)
    assert json.loads(done(registry, "accounts", "list").stdout) == [
        {"name": "zhang", "role": "curator", "disabled": False, "locked": False}
    ]
    done(registry, "accounts", "disable", "zhang")
    assert logins.sign_in(database, By(""), "zhang", PASSWORD) is None
    done(registry, "accounts", "enable", "zhang")
    assert logins.sign_in(database, By(""), "zhang", PASSWORD)
    done(registry, "accounts", "password", "zhang", typed="another sentence\r\n")
    assert logins.sign_in(database, By(""), "zhang", "another sentence")
    database.engine.dispose()


@pytest.mark.parametrize(("second", "code"), [(PASSWORD, 0), (PASSWORD + "x", 1)])
def test_on_a_terminal_a_password_is_typed_twice_and_not_shown(registry: str, second: str, code: int):
    ended, told = on_a_terminal(
        [PASSWORD, second], "accounts", "create", "zhang", "--role", "reader", "--registry", registry
    )
    assert ended == code
    assert PASSWORD not in told
    assert ("已建立" in told, "两次输入的密码不同" in told) == (code == 0, code == 1)
    database = store(registry)
    assert logins.usable(database) == (code == 0)
    database.engine.dispose()


def on_a_terminal(typed: list[str], *words: str) -> tuple[int, str]:
    """Run a command on a terminal, answering its prompts; its exit code and all that was to be seen."""
    terminal, other = pty.openpty()
    command = [sys.executable, "-m", "service.cli", *words]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        command, stdin=other, stdout=other, stderr=other, env=environment, start_new_session=True
    )
    os.close(other)
    shown = b""
    with open(terminal, "r+b", buffering=0) as screen, suppress(OSError):  # Its end is an error on Linux.
        while part := screen.read(1):
            shown += part
            if shown.endswith(b": ") and typed:
                screen.write(typed.pop(0).encode() + b"\n")
    return process.wait(60), shown.decode()


@pytest.mark.parametrize(
    ("words", "typed", "message"),
    [
        (("accounts", "create", "zhang", "--role", "reader"), "short\n", "12 到 200"),
        (("accounts", "create", "zhang", "--role", "reader"), "", "12 到 200"),
        (("accounts", "create", "a b", "--role", "reader"), PASSWORD, "用户名"),
        (("accounts", "password", "nobody"), PASSWORD, "没有这个用户名"),
        (("accounts", "disable", "nobody"), None, "没有这个用户名"),
        (("accounts", "enable", "nobody"), None, "没有这个用户名"),
        (("keys", "create", "--name", " ", "--role", "reader"), None, "名称"),
        (("audit", "verify", "--last", "1:abc"), None, "1:abc"),
        (("audit", "export", "--out", "log.xlsx"), None, ".jsonl"),
    ],
)
def test_what_cannot_be_done_is_told_in_chinese(registry: str, words: tuple[str, ...], typed: str | None, message: str):
    result = run(registry, *words, typed=typed)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("错误：")
    assert message in result.stderr
    assert PASSWORD not in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["keys", "create", "--name", "x"], "缺少 --role。"),
        (
            ["keys", "create", "--name", "x", "--role", "boss"],
            "--role 的值不对，应为 reader、planner、curator、admin 之一。",
        ),
        (
            ["keys", "create", "--name", "x", "--role", "reader", "--days", "0"],
            "--days 的值不对，应为 1 到 3650 的整数。",
        ),
        (["keys", "revoke"], "缺少 编号。"),
        (["accounts", "create", "--role", "reader"], "缺少 用户名。"),
        (["accounts", "create", "zhang", "--role", "reader", "--password", "x"], "没有选项 --password"),
        (["keys", "creat"], "没有命令 creat，是否想写 create？"),
    ],
)
def test_a_misuse_is_told_in_chinese(words: list[str], message: str):
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_the_log_is_whole_until_somebody_changes_it(registry: str):
    done(registry, "keys", "create", "--name", "x", "--role", "reader")
    kept: dict[str, Any] = json.loads(done(registry, "audit", "verify").stdout)
    assert kept["whole"] is True
    done(registry, "keys", "create", "--name", "y", "--role", "reader")
    assert json.loads(done(registry, "audit", "verify", "--last", kept["last"]).stdout)["last"] != kept["last"]
    database = store(registry)
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.exec_driver_sql("UPDATE audit SET actor = 'command:nobody' WHERE id = 1")
    database.engine.dispose()
    result = run(registry, "audit", "verify")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "第 1 条" in result.stderr


def test_the_log_is_exported_with_the_row_that_tells_of_it(registry: str, tmp_path: Path):
    done(registry, "keys", "create", "--name", "x", "--role", "reader")
    result = done(registry, "audit", "export", "--out", str(tmp_path / "log.jsonl"))
    assert result.stdout == ""
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["action"] for row in rows] == ["key.create", "audit.export"]
    assert set(rows[0]) == {"id", "at", "actor", "action", "object", "detail", "address", "request_id"}
    assert actions(registry) == ["key.create", "audit.export", "audit.export"]


def test_migrating_makes_the_store_or_says_that_it_is_there(registry: str):
    assert f"从 无 更新到 {head()}" in done(registry, "migrate").stderr
    assert f"已是最新（{head()}）" in done(registry, "migrate").stderr


def test_on_postgresql_the_tables_are_made_by_the_command_alone(
    registry: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("QUEBU_DATABASE_URL", postgres.new())
    result = run(registry, "keys", "create", "--name", "x", "--role", "reader")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "quebu migrate" in result.stderr
    done(registry, "migrate")
    key = done(registry, "keys", "create", "--name", "x", "--role", "reader").stdout.strip()
    assert json.loads(done(registry, "keys", "list").stdout)[0]["id"] == keys.identity(key)
    assert not Path(registry).parent.exists()


def test_a_database_that_cannot_be_reached_is_told(registry: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUEBU_DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/d")
    for words in (("migrate",), ("keys", "list"), ("audit", "verify")):
        result = run(registry, *words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("错误：连不上数据库")
        assert "hunter2" not in result.stderr
