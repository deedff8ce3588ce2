"""What the card of a version must say, and whether these libraries can read what it vouches for. Without the files themselves."""

from __future__ import annotations

import hmac
import json
import platform
import re
from hashlib import sha256
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import Any, NamedTuple

from model.errors import VersionError

VERSION = re.compile(r"v[0-9]{4,9}")
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")  # A name within the folder of the version, never a path.
CARD, SEAL, MODEL, CATALOG = "card.json", "card.seal", "model.joblib", "catalog.json"
# A pickle is read by the code of these; another minor release of one may read it as something else.
LIBRARIES = ("quebu", "scikit-learn", "numpy", "scipy")
PYTHON = "python"


class Vouched(NamedTuple):
    """A file as its card has it; versions of before did not tell the size."""

    sha256: str
    size: int | None = None


def read_card(content: bytes, version: str) -> dict[str, Any]:
    """The card of a version; ValueError, KeyError or TypeError where it is damaged, does not vouch for the model, or is that of another."""
    card: dict[str, Any] = json.loads(content)
    # A folder copied under another number, or a card that does not vouch for the model, is no version.
    if card["version"] != version or MODEL not in vouched(card) or not card["libraries"]:
        raise ValueError(version)
    if not all(isinstance(one, str) for pair in card["libraries"].items() for one in pair):
        raise TypeError(version)
    return card


def vouched(card: dict[str, Any]) -> dict[str, Vouched]:
    """The files a card vouches for; ValueError, KeyError or TypeError where it names anything but files of its folder."""
    files = {}
    for name, told in card["files"].items():
        one = Vouched(told) if isinstance(told, str) else Vouched(told["sha256"], told["bytes"])
        if not FILE.fullmatch(name) or name in {CARD, SEAL} or not isinstance(one.sha256, str) or not one.sha256:
            raise ValueError(name)
        if not isinstance(one.size, int | None):
            raise TypeError(name)
        files[name] = one
    return files


def installed() -> dict[str, str]:
    """The releases a version made now is bound to."""
    return {**{name: package_version(name) for name in LIBRARIES}, PYTHON: platform.python_version()}


def check_libraries(card: dict[str, Any]) -> None:
    """VersionError where a library, or Python, is of another minor release than at training."""
    for name, trained in card["libraries"].items():
        try:
            now = platform.python_version() if name == PYTHON else package_version(name)
        except (PackageNotFoundError, ValueError):
            now = "未安装"
        if now.split(".")[:2] != trained.split(".")[:2]:
            raise VersionError(
                f"版本 {card['version']} 是用 {name[:40]} {trained[:40]} 训练的，现为 {now}。请重新训练。"
            )


def seal(key: bytes, content: bytes) -> str:
    """What only a holder of the key can make of a card, and with it of the digests of all files: HMAC-SHA256."""
    return hmac.new(key, b"quebu version\n" + content, sha256).hexdigest()


def check_seal(key: bytes, version: str, content: bytes, found: str | None) -> None:
    """VersionError unless the card was sealed with the key."""
    if found is None:
        raise VersionError(
            f"版本 {version} 没有签名，而设置了签名密钥（QUEBU_SIGNING_KEY），已拒绝加载。"
            f"如确认它是自己训练的，请运行：quebu models sign {version}；否则请重新训练。"
        )
    if not hmac.compare_digest(seal(key, content).encode(), found.encode("utf-8", "replace")):
        raise VersionError(
            f"版本 {version} 的签名与 card.json 不符：文件被改动过，或是用另一个密钥签的，已拒绝加载。"
            f"请核对 QUEBU_SIGNING_KEY；如只是换了密钥，请运行：quebu models sign {version}；否则请重新训练。"
        )
