"""The kits of the pages: unchanged files of their packages, with their licences."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "service" / "static"
KITS = sorted(path.parent for path in STATIC.glob("*/SHA256SUMS"))


def test_every_folder_of_static_files_is_a_kit_with_its_sums():
    assert sorted(path for path in STATIC.iterdir() if path.is_dir()) == KITS


@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.name)
def test_its_files_are_those_of_the_package(kit: Path):
    listed = [line.split("  ") for line in (kit / "SHA256SUMS").read_text(encoding="ascii").splitlines()]
    assert {name: digest for digest, name in listed} == {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in kit.iterdir()
        if path.name not in {"SHA256SUMS", "README.md"}
    }
    assert "LICENSE" in {name for _, name in listed}
