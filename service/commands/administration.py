"""The commands of whoever runs the service: its store, keys for systems, accounts of people, the audit log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from model.errors import InputError
from service.commands.terminal import out_option, print_json, registry_option, tell, who_runs_this
from service.settings import load_settings
from service.shapes.outputs import check_out, write_lines
from service.store import audit, keys, logins
from service.store.database import Database, database_of, explained
from service.store.roles import ROLE_NAMES, Role

role_option = click.option(
    "--role",
    type=click.Choice(list(Role), case_sensitive=False),
    required=True,
    help="角色，后者包含前者：" + "、".join(f"{role} {name}" for role, name in ROLE_NAMES.items()),
)


@contextmanager
def opened(registry: Path, ready: bool = True) -> Iterator[Database]:
    """The store beside the registry, or the one the settings name."""
    database = database_of(load_settings() | {"REGISTRY": str(registry)})
    try:
        with explained():
            if ready:
                database.prepare()
            yield database
    finally:
        database.engine.dispose()


@click.command(
    "migrate", help="建立数据库的表，或更新到这一版。PostgreSQL 在首次启动和升级之后都要运行；SQLite 自动进行。"
)
@registry_option
def migrate_command(registry: Path) -> None:
    """Bring the tables to their present form."""
    with opened(registry, ready=False) as database:
        before, after = database.migrate()
        database.prepare()
    tell(f"数据库已是最新（{after}）。" if before == after else f"数据库的表已从 {before or '无'} 更新到 {after}。")


@click.group("keys", help="系统用的密钥：发放、查看、吊销。")
def keys_group() -> None:
    """Keys for systems."""


@keys_group.command("create", help="发放一个密钥。标准输出只有密钥本身，且只显示这一次。")
@click.option("--name", required=True, help="哪个系统使用，如 人事系统")
@role_option
@click.option("--days", type=click.IntRange(1, keys.MOST_DAYS), default=keys.DAYS, show_default=True, help="几天后失效")
@registry_option
def create_key(name: str, role: Role, days: int, registry: Path) -> None:
    """Print a new key."""
    with opened(registry) as database:
        local = logins.local(database) is not None
        key = keys.create(database, who_runs_this(), name, role, days)
    tell(f"密钥 {keys.identity(key)}（{ROLE_NAMES[role]}，{days} 天内有效）如下，只显示这一次，请妥善保存。")
    tell("使用时在请求头中写：Authorization: Bearer 密钥")
    _tell_end(local)
    click.echo(key)


@keys_group.command("list", help="列出各个密钥（JSON）；密钥本身不再显示。")
@registry_option
def list_keys(registry: Path) -> None:
    """Print all keys."""
    with opened(registry) as database:
        print_json([key._asdict() for key in keys.listed(database)])


@keys_group.command("revoke", help="吊销一个密钥，立即生效。")
@click.argument("identity", metavar="编号")
@registry_option
def revoke_key(identity: str, registry: Path) -> None:
    """Refuse a key from now on."""
    with opened(registry) as database:
        keys.revoke(database, who_runs_this(), identity)
    tell(f"密钥 {identity} 已吊销。")


@click.group("accounts", help="登录页面用的账号：建立、重设密码、停用、查看。")
def accounts_group() -> None:
    """Accounts of people."""


@accounts_group.command("create", help="建立账号。密码由提示输入两次；不在终端运行时，从标准输入读一行。")
@click.argument("name", metavar="用户名")
@role_option
@registry_option
def create_account(name: str, role: Role, registry: Path) -> None:
    """Make an account."""
    with opened(registry) as database:
        local = logins.local(database) is not None
        logins.create(database, who_runs_this(), name, role, _password())
    tell(f"账号 {name}（{ROLE_NAMES[role]}）已建立。")
    _tell_end(local)


@accounts_group.command("password", help="重设密码，并解除停用；已登录的地方都会退出。")
@click.argument("name", metavar="用户名")
@registry_option
def set_password(name: str, registry: Path) -> None:
    """Give an account a new password."""
    with opened(registry) as database:
        logins.set_password(database, who_runs_this(), name, _password())
    tell(f"账号 {name} 的密码已重设。")


@accounts_group.command("disable", help="停用账号，已登录的地方都会退出。")
@click.argument("name", metavar="用户名")
@registry_option
def disable_account(name: str, registry: Path) -> None:
    """Let an account sign in no more."""
    with opened(registry) as database:
        logins.disable(database, who_runs_this(), name)
    tell(f"账号 {name} 已停用；重设密码可以重新启用。")


@accounts_group.command("enable", help="启用停用的账号，或解除连续输错后的暂停；密码不变。")
@click.argument("name", metavar="用户名")
@registry_option
def enable_account(name: str, registry: Path) -> None:
    """Let an account sign in again."""
    with opened(registry) as database:
        logins.enable(database, who_runs_this(), name)
    tell(f"账号 {name} 可以登录了。")


@accounts_group.command("list", help="列出各个账号（JSON）。")
@registry_option
def list_accounts(registry: Path) -> None:
    """Print all accounts."""
    with opened(registry) as database:
        print_json([one._asdict() for one in logins.listed(database)])


@click.group("audit", help="审计日志：核对、导出。")
def audit_group() -> None:
    """The audit log."""


@audit_group.command("verify", help="核对审计日志是否被改动（JSON）；不完好时退出码为 1。")
@click.option("--last", default=None, help="以前核对时输出的 last；给出后，还核对那之前的末尾没有被截去")
@registry_option
def verify_audit(last: str | None, registry: Path) -> None:
    """Check the chain of digests."""
    with opened(registry) as database:
        broken = audit.broken(database)
        if broken is not None:
            raise InputError(f"审计日志从第 {broken} 条起不完好：这一条被改动过，或它之前有记录被删去。")
        with database.reading() as connection:
            if last is not None and not audit.holds(connection, last):
                raise InputError(f"审计日志里没有 {last} 这一条：它和之后的记录被删去，或这不是同一个数据库。")
            print_json({"whole": True, "last": audit.last(connection)})


@audit_group.command("export", help="导出审计日志，每行一条；导出本身也记入日志。")
@out_option(help="结果文件：.jsonl；不给则直接输出")
@registry_option
def export_audit(out: Path | None, registry: Path) -> None:
    """Write the whole log."""
    check_out(out, (".jsonl",))
    with opened(registry) as database:
        with database.writing() as connection:
            audit.record(database, connection, who_runs_this(), "audit.export", "audit")
        with database.reading() as connection:
            write_lines(out, (done._asdict() for done in audit.every(connection)))
    if out:
        tell(f"已写入 {out}。")


def _tell_end(local: bool) -> None:
    if local:
        tell("· 本机会话已结束，此后访问都要密钥或登录；要用页面，请用 quebu accounts create 建立账号。")


def _password() -> str:
    """A password, typed twice; or the first line of stdin, where that is no terminal. Never an argument: others could see it."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first, second = (
        str(click.prompt(words, hide_input=True, err=True)) for words in ("密码（输入时不显示）", "再输入一次")
    )
    if first != second:
        raise InputError("两次输入的密码不同，没有保存；请重新运行。")
    return first


COMMANDS = (migrate_command, keys_group, accounts_group, audit_group)
