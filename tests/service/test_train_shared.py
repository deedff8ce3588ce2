"""A training beside another: refused at once, with nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import InputError
from model.lexicon import Lexicon
from model.versions.registry import Registry
from service.catalogs import Import, draft
from service.settings import load_settings
from service.training import trained


def test_a_training_beside_another_is_refused_before_it_begins(tmp_path: Path, lexicon: Lexicon):
    (tmp_path / "甲.csv").write_text("课程编号,课程名称\n1,公文写作实务\n", encoding="utf-8")
    drafted = draft(Import(tmp_path / "甲.csv"), None, lexicon)
    registry = Registry(tmp_path / "registry")
    heard: list[str] = []
    with registry.training(), pytest.raises(InputError, match="另一个训练正在进行；请等它结束再训练"):
        trained(
            drafted,
            load_settings({}) | {"REGISTRY": str(registry.folder)},
            {},
            (),
            tell=heard.append,
            reached=lambda stage, *_: heard.append(stage),
        )
    assert (registry.versions(), heard) == ([], [])
    assert not list(registry.folder.glob("v*"))
