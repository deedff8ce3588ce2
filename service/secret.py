"""The secret that keys digests and signs cookies: from the environment, from a file, or made once beside the registry."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.errors import InputError

SHORTEST = 32


def secret_of(settings: Mapping[str, Any]) -> str:
    """The secret of this service; InputError where the file cannot be read or made, or the secret is too short."""
    given = str(settings["SECRET"])
    if not given:
        path = Path(settings["SECRET_FILE"] or Path(settings["REGISTRY"]).parent / "secret")
        try:
            given = path.read_text(encoding="utf-8").strip() if path.exists() else _made(path)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                "密钥文件不能读写。请检查 QUEBU_SECRET_FILE，或用环境变量 QUEBU_SECRET 给出密钥。"
            ) from error
    if len(given) < SHORTEST:
        raise InputError(f"QUEBU_SECRET（或密钥文件的内容）太短，应至少 {SHORTEST} 个字符。")
    return given


def signing_key_of(settings: Mapping[str, Any]) -> bytes | None:
    """The key that versions are sealed with, None where none is wanted; InputError where its file cannot be read, or it is too short."""
    given, name = str(settings["SIGNING_KEY"]), "QUEBU_SIGNING_KEY"
    if not given and settings["SIGNING_KEY_FILE"]:
        name = "QUEBU_SIGNING_KEY_FILE"
        try:
            given = Path(settings["SIGNING_KEY_FILE"]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError("签名密钥的文件不能读取。请检查 QUEBU_SIGNING_KEY_FILE 和文件的权限。") from error
    elif not given:
        return None
    if len(given) < SHORTEST:
        raise InputError(f"{name} 给出的签名密钥太短，应至少 {SHORTEST} 个字符。")
    return given.encode()


def _made(path: Path) -> str:
    """Write a new secret for the owner alone; of several services that start at once, one does and the others read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="utf-8").strip()
