"""The local session: whoever sits at the machine of a service just installed sees the product without a key. What `quebu serve` may do before
there is one, and after."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from typing import Any

from model.errors import InputError
from service.store import keys, logins
from service.store.database import Database


def is_local(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(address[0]).split("%")[0]).is_loopback for *_, address in found)


def may_be_local(host: str, settings: Mapping[str, Any]) -> bool:
    """Whether the service that listens on ``host`` may have a local session: not where a proxy speaks for others."""
    return is_local(host) and not settings["TRUSTED_PROXIES"]


def check_may_bind(host: str, database: Database) -> None:
    """InputError where others could reach a service that nobody has been given a key or an account for."""
    if not is_local(host) and not keys.usable(database) and not logins.usable(database):
        raise InputError(
            f"{host} 可以从别的机器访问，但还没有可用的密钥或账号，没有启动。请先发放一个管理密钥：\n"
            "  quebu keys create --name 管理 --role admin\n"
            "或建立账号：quebu accounts create 用户名 --role admin；只在本机使用时，请用 --host 127.0.0.1。"
        )


def introduction(database: Database) -> str | None:
    """What is told when the service starts with a local session; None without one."""
    if logins.local(database) is None:
        return None
    return (
        f"· 本机会话：在这台机器上访问不需要密钥，有全部权限，{logins.LOCAL_DAYS} 天内有效（每次启动重新计算）。"
        "发放第一个密钥（quebu keys create）或建立第一个账号（quebu accounts create）后，它立即结束，此后都要密钥或登录。"
    )
