from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from model import domain, training
from model.cohort import nouns
from model.evidence import FEATURES
from service.cli import main
from service.settings import SETTINGS

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    "README.md",
    "README.zh-CN.md",
    *(
        f"docs/{name}.md"
        for name in (
            "api",
            "architecture",
            "course-lists",
            "glossary",
            "how-to-change",
            "operations",
            "scaling",
            "versions",
        )
    ),
]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_architecture_lists_every_setting_with_its_default():
    rows = re.findall(r"^\| `QUEBU_(\w+)` \| `([^`]*)` \|", text("docs/architecture.md"), re.MULTILINE)
    assert rows == [(setting.name, str(setting.default)) for setting in SETTINGS]


def test_the_readme_lists_every_command():
    documented = set(re.findall(r"`quebu ([\w-]+)", text("README.md")))
    assert documented == set(main.commands)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_and_make_targets_named_in_a_document_exist(name: str):
    body = text(name)
    paths = re.findall(
        r"`((?:model|service|tests|training_data|docs|benchmarks|notebooks|requirements)/[\w./-]*)`", body
    )
    missing = [path for path in paths if not (ROOT / path).exists()]
    targets = set(re.findall(r"`?make (\w+)`?", body)) - {"alone", "on"}
    unknown = {target for target in targets if not re.search(rf"^{target}:", text("Makefile"), re.MULTILINE)}
    assert (missing, unknown) == ([], set())


def test_the_architecture_names_every_module_of_the_model():
    table = text("docs/architecture.md").split("## The arrows")[1].split("```")[0]
    named = set(re.findall(r"`(\w+)`", table))
    modules = {path.stem for path in (ROOT / "model").rglob("*.py")} - {"__init__"}
    assert modules <= named


def test_the_glossary_names_the_nouns_of_the_domain():
    named = set(re.findall(r"`([A-Z]\w+)`", text("docs/glossary.md")))
    assert {
        "Profile",
        "Weakness",
        "Gap",
        "Course",
        "Catalog",
        "Candidate",
        "Recommendation",
        "Plan",
        "Unmet",
        "Cause",
    } <= named
    elsewhere = {"Lexicon", "Choice", "Demand", "Pair", "Quota"}
    assert all(hasattr(domain, name) or hasattr(nouns, name) for name in named - elsewhere)


def test_the_glossary_lists_the_causes_as_the_code_has_them():
    assert "、".join(cause.value for cause in domain.Cause) in text("docs/glossary.md").replace(", ", "、")


def test_the_architecture_names_the_evidence_and_the_accepted_level_of_the_code():
    body = text("docs/architecture.md")
    assert all(f"*{name}*" in body for name in FEATURES)
    assert f"relevance of {training.ACCEPTED} on" in body


def test_the_data_card_counts_what_is_there():
    card = text("training_data/README.md")
    for name in ("competencies", "false_friends", "levels", "posts", "post_requirements", "categories", "courses"):
        with (ROOT / "training_data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = sum(1 for _ in csv.DictReader(file))
        assert re.search(rf"\| `{name}\.csv` \| {rows:,} \|", card), f"{name}: {rows}"
    for folder in sorted((ROOT / "training_data").glob("p[ah]*s/*")):
        kind, split = folder.parts[-2:]
        passes = rf"`{{}}`{' .pairs.' if kind == 'pairs' else ''}"
        total = 0
        for path in sorted(folder.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                rows = sum(1 for _ in csv.DictReader(file))
            line = rf"^\| {passes.format(path.stem)} \| {split} \|.*\| {rows:,} \|$"
            assert re.search(line, card, re.MULTILINE), f"{path.stem}: {rows}"
            total += rows
        assert re.search(rf"\| `{kind}/{split}/[\w*.]+` \| {total:,} \|", card), f"{kind}/{split}: {total}"


def test_the_test_command_of_the_readme_is_the_one_ci_calls():
    script = [line for line in text(".ci/run").splitlines() if line and not line.startswith("#")]
    assert script[-1] == "make test"
    assert "make test" in text("README.md")
