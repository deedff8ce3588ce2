"""Worlds that several test files share. The bundled knowledge is fitted once a session."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from model import training
from model.lexicon import Competency, Lexicon, PostFamily, Requirement, load_lexicon
from model.recommender import Recommender
from model.versions.durable import alone
from model.versions.registry import Registry

settings.register_profile("quebu", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("quebu")

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared measuring data is not beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return load_lexicon()


def learnt_from() -> str:
    """A digest of everything a version is made of: the libraries, the code and the data."""
    digest = hashlib.sha256((ROOT / "requirements" / "run.txt").read_bytes())
    for path in sorted(
        path for name in ("model", "training_data") for path in (ROOT / name).rglob("*") if path.is_file()
    ):
        if "__pycache__" not in path.parts:
            digest.update(f"{path}{path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry whose active version was trained on the bundled catalog; kept between runs for as long as code and data stay the same."""
    kept = ROOT / "instance" / "tests" / learnt_from()
    kept.parent.mkdir(parents=True, exist_ok=True)
    with alone(kept.parent / ".lock"):  # Of several processes that test at the same time, one trains.
        if not (kept / "active").exists():
            for old in sorted(kept.parent.glob("*"), key=lambda path: path.stat().st_mtime)[:-3]:
                shutil.rmtree(old, ignore_errors=True)
            store = Registry(tmp_path_factory.mktemp("made") / "registry")
            catalog = training.knowledge().judgements.catalog
            card = {"created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": len(catalog), "metrics": {}}
            store.activate(store.save(lambda version: training.train(catalog, version), card))
            draft = kept.with_name(f"{kept.name}-{os.getpid()}")
            shutil.copytree(store.folder, draft)
            draft.rename(kept)
    folder = tmp_path_factory.mktemp("instance") / "registry"
    shutil.copytree(kept, folder)
    return folder


@pytest.fixture(scope="session")
def trained(registry: Path) -> Recommender:
    return Registry(registry).load()


@pytest.fixture
def tiny_lexicon() -> Lexicon:
    """Three competencies, two post families, five level words."""

    def competency(name: str, *aliases: str, branch: str = "履职能力", frameworks: tuple[str, ...] = ()) -> Competency:
        return Competency(name, branch, "领导力与身心", f"会{name}。", frameworks, aliases, ())

    return Lexicon(
        competencies=(
            competency("公文写作", "写材料"),
            competency("应急处突", "突发事件处置", frameworks=("七种能力:应急处突能力",)),
            competency("党纪学习教育", "党规党纪", branch="党性教育"),
        ),
        false_friends=(("审批", "审计"),),
        level_words=(
            ("县处级正职", 40, "领导职务"),
            ("县处级副职", 30, "领导职务"),
            ("乡科级正职", 20, "领导职务"),
            ("乡科级副职", 10, "领导职务"),
            ("科员级", 0, "领导职务"),
            ("四级主任科员", 10, "职级"),
            ("镇长", 20, "职务推断"),
        ),
        families=(
            PostFamily("党政综合", "P01", ("政府办公室",), ("秘书",), ""),
            PostFamily("乡镇街道", "P22", ("镇政府",), ("镇长",), ""),
        ),
        requirements=(
            Requirement("党政综合", "全部", "公文写作", 1.0),
            Requirement("乡镇街道", "乡科级", "应急处突", 0.8),
            Requirement("全部", "全部", "党纪学习教育", 0.5),
        ),
    )
