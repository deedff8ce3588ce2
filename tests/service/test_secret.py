"""The secret comes from the environment or a file; without either, one is made for its owner alone."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from model.errors import InputError
from service.secret import SHORTEST, secret_of
from service.settings import load_settings

LONG = "x" * SHORTEST


def settings(tmp_path: Path, **given: Any) -> dict[str, Any]:
    return load_settings({}) | {"REGISTRY": str(tmp_path / "instance" / "registry")} | given


def test_without_one_a_secret_is_made_beside_the_registry_and_used_again(tmp_path: Path):
    made = secret_of(settings(tmp_path))
    file = tmp_path / "instance" / "secret"
    assert len(made) >= SHORTEST
    assert file.read_text(encoding="utf-8").strip() == made == secret_of(settings(tmp_path))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret"]


def test_no_two_services_make_the_same_secret(tmp_path: Path):
    assert len({secret_of(settings(tmp_path / str(number))) for number in range(5)}) == 5


def test_of_several_that_make_one_at_once_all_use_the_same(tmp_path: Path):
    for number in range(10):
        with ThreadPoolExecutor(8) as pool:
            made = set(pool.map(secret_of, [settings(tmp_path / str(number))] * 8))
        assert len(made) == 1


def test_what_the_environment_says_goes_before_the_file(tmp_path: Path):
    (tmp_path / "key").write_text("y" * SHORTEST + "\n", encoding="utf-8")
    given = settings(tmp_path, SECRET_FILE=str(tmp_path / "key"))
    assert secret_of(given) == "y" * SHORTEST
    assert secret_of(given | {"SECRET": LONG}) == LONG


def test_a_file_that_is_named_but_not_there_is_made(tmp_path: Path):
    given = settings(tmp_path, SECRET_FILE=str(tmp_path / "etc" / "key"))
    assert secret_of(given) == (tmp_path / "etc" / "key").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("given", ["x", "x" * (SHORTEST - 1)])
def test_a_secret_that_is_too_short_is_refused_and_not_repeated(tmp_path: Path, given: str):
    with pytest.raises(InputError, match=str(SHORTEST)) as refused:
        secret_of(settings(tmp_path, SECRET=given))
    assert given not in str(refused.value).replace("QUEBU", "")
    (tmp_path / "key").write_text(given, encoding="utf-8")
    with pytest.raises(InputError, match=str(SHORTEST)):
        secret_of(settings(tmp_path, SECRET_FILE=str(tmp_path / "key")))


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00" * 20])
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(InputError, match="密钥文件"):
        secret_of(settings(tmp_path, SECRET_FILE=str(tmp_path / "key")))


def test_a_place_where_no_file_can_be_made_is_told(tmp_path: Path):
    (tmp_path / "plain").write_text("", encoding="utf-8")
    for path in (tmp_path, tmp_path / "plain" / "key"):
        with pytest.raises(InputError, match="QUEBU_SECRET_FILE"):
            secret_of(settings(tmp_path, SECRET_FILE=str(path)))
