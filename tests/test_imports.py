"""The rules of the house that can be read off the source: who may import whom, and who may touch the world."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Every file of model/ may import those before it, never those after it.
ORDER = (
    "errors", "domain", "files.jsonld", "files.tables", "files.sheets", "files.headers", "files.mapping", "files.moodle", "files.cells", "files.categories", "lexicon", "files.rows", "files.posts", "files.rosters", "files.courserows", "files.courselists",
    "titles", "series", "files.sources", "changes", "files.withheld", "files.annotated", "curation", "text", "encoder", "vectors",
    "competence", "judgements", "feedback", "evidence", "fusion", "reader", "gaps", "matcher", "overrides", "selection", "explanation", "recommender", "enrichment", "coverage", "reports",
    "cohort.nouns", "cohort.choices", "cohort.demand", "cohort.rules", "cohort.sessions", "cohort.program", "cohort.class_plan", "cohort.placing", "cohort.split",
    "cohort.menu_program", "cohort.seating", "cohort.menu_search", "cohort.menu", "cohort.timetable", "cohort.quotas", "cohort.pairing", "cohort.follow", "closing", "cohort.rival",
    "cohort.filing", "cohort.need_reports", "cohort.diagnosis", "cohort.care_reports", "cohort.plan_reports", "baselines", "evaluation", "learning", "training", "comparison", "versions.gate_quality", "versions.gate", "versions.gate_sheets",
    "versions.durable", "versions.history", "versions.cards", "versions.shelf", "versions.registry",
)  # fmt: skip
ALONE = {
    "__init__",
    "cohort.__init__",
    "files.__init__",
    "versions.__init__",
    "files.spreadsheet_reader",
}  # Nothing inside, and a program of its own that is never imported.
EDGES = {"tables", "sheets", "durable", "shelf", "registry", "spreadsheet_reader"}

# Globbing and joining names reads a folder's list, never a file's content; it is not among these.
FILE_METHODS = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "rmdir", "unlink", "rename", "touch",
    "symlink_to", "read_csv", "read_excel", "to_csv", "to_excel", "savez", "memmap", "tofile", "fromfile", "loadtxt",
}  # fmt: skip
FILE_MODULES = {"os", "io", "shutil", "tempfile", "subprocess", "sqlite3", "zipfile", "pickle", "joblib", "fileinput"}
WEB_MODULES = {"flask", "apiflask", "click", "werkzeug", "gunicorn", "requests", "urllib", "http", "socket"}
CHANCE_MODULES = {"random", "secrets", "uuid"}
CLOCK_METHODS = {"now", "utcnow", "today", "perf_counter", "monotonic", "time_ns"}

Rule = Callable[[ast.Module], Iterator[ast.AST]]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs; what stands under ``if TYPE_CHECKING`` is for the type checker only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from running(node)


def imported(node: ast.AST) -> list[str]:
    """The dotted modules an import names; ``from model import cells`` names ``model.files.cells``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        # From a package a module is imported, from a module what stands in it.
        if node.module and (ROOT / node.module.replace(".", "/")).is_dir():
            return [f"{node.module}.{alias.name}" for alias in node.names]
        return ["." * node.level + (node.module or "")]
    return []


def called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def importing(*tops: str) -> Rule:
    return lambda tree: (node for node in running(tree) if {name.split(".")[0] for name in imported(node)} & set(tops))


def touching_files(tree: ast.Module) -> Iterator[ast.AST]:
    yield from importing(*FILE_MODULES)(tree)
    for node in running(tree):
        name = called(node)
        method = name.rpartition(".")[2]
        if method in FILE_METHODS or name in {"np.load", "np.save", "numpy.load", "numpy.save"}:
            yield node


def printing(tree: ast.Module) -> Iterator[ast.AST]:
    return (
        node
        for node in running(tree)
        if called(node) in {"print", "input"} or ast.unparse(node) in {"sys.stdout", "sys.stderr"}
    )


def reading_the_clock(tree: ast.Module) -> Iterator[ast.AST]:
    yield from importing("time")(tree)
    yield from (node for node in running(tree) if called(node).rpartition(".")[2] in CLOCK_METHODS)


def rolling_dice(tree: ast.Module) -> Iterator[ast.AST]:
    yield from importing(*CHANCE_MODULES)(tree)
    for node in running(tree):
        if not isinstance(node, ast.Call):
            continue
        seeds = [*node.args, *(word.value for word in node.keywords if word.arg in {"seed", "random_state"})]
        seeded = any(isinstance(seed, ast.Constant) and isinstance(seed.value, int) for seed in seeds)
        shuffles = any(word.arg == "shuffle" and ast.unparse(word.value) == "True" for word in node.keywords)
        draws = re.fullmatch(r"(np|numpy)\.random\.\w+", called(node))
        if (draws or shuffles) and not seeded:
            yield node


def keeping_state(tree: ast.Module) -> Iterator[ast.AST]:
    return (
        node
        for node in running(tree)
        if isinstance(node, ast.Global) or ast.unparse(node) in {"os.environ", "os.getenv"}
    )


RULES: dict[str, tuple[Rule, set[str], str]] = {
    "the service is not imported": (importing("service"), set(), "from service.cli import main"),
    "the web is not known": (importing(*WEB_MODULES), set(), "import flask"),
    "files are touched at the edges only": (touching_files, EDGES, "Path('x').read_text()"),
    "nothing is printed": (printing, {"spreadsheet_reader"}, "def f():\n    print(1)"),
    "the clock is not read": (reading_the_clock, set(), "import datetime\nx = datetime.date.today()"),
    "chance is seeded": (rolling_dice, set(), "import numpy as np\nrng = np.random.default_rng()"),
    "no global is changed and no environment read": (keeping_state, set(), "def f():\n    global x"),
}
MODULES = sorted((ROOT / "model").rglob("*.py"))


def test_every_file_of_model_stands_in_the_written_order() -> None:
    names = {".".join(path.relative_to(ROOT / "model").with_suffix("").parts) for path in MODULES}
    assert names - ALONE == set(ORDER)
    assert len(ORDER) == len(set(ORDER))


@pytest.mark.parametrize("name", ORDER)
def test_a_file_of_model_imports_only_those_before_it(name: str) -> None:
    modules = [
        module for node in running(parse(ROOT / "model" / f"{name.replace('.', '/')}.py")) for module in imported(node)
    ]
    assert not [module for module in modules if module.startswith(".")], "imports are absolute"
    inside = {module.removeprefix("model.") for module in modules if module.split(".")[0] == "model"}
    assert inside <= set(ORDER[: ORDER.index(name)])


@pytest.mark.parametrize("rule", RULES)
def test_model_keeps_the_rule(rule: str) -> None:
    broken, excepted, _ = RULES[rule]
    bound = [path for path in MODULES if path.stem not in excepted]
    assert [f"{path.name}:{node.lineno}: {ast.unparse(node)}" for path in bound for node in broken(parse(path))] == []


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_would_notice_a_breach(rule: str) -> None:
    broken, _, breach = RULES[rule]
    assert list(broken(ast.parse(breach)))


@pytest.mark.parametrize(
    "breach",
    [
        "open('x')", "path.open('rb')", "joblib.dump(1, 'x')\nimport joblib", "np.save('x', a)", "from os import replace",
        "frame.to_csv('x')", "def f():\n    import tempfile",
    ],
)  # fmt: skip
def test_the_file_rule_would_notice(breach: str) -> None:
    assert list(touching_files(ast.parse(breach)))


@pytest.mark.parametrize(
    "fine",
    [
        "folder.glob('*.csv')",
        "KFold(5, shuffle=True, random_state=0)",
        "schema.load(row)",
        "np.random.default_rng(0).random(3)",
    ],
)
def test_what_the_rules_allow(fine: str) -> None:
    assert not [node for broken, _, _ in RULES.values() for node in broken(ast.parse(fine))]


def test_the_service_reads_no_trained_file_past_the_registry() -> None:
    handing_out_work = {"Parallel", "delayed", "parallel_config", "register_parallel_backend", "DaskDistributedBackend"}
    for path in sorted((ROOT / "service").rglob("*.py")):
        found = [
            node
            for node in importing("joblib", "pickle")(parse(path))
            if not {alias.name for alias in getattr(node, "names", [])} <= handing_out_work
        ]
        assert not found, path.name
