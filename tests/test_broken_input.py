"""Whatever is handed in, the answer is a Chinese sentence that names the place and what would be right: never a traceback, never a 500.

``tests/data/expected.csv`` tells for each broken file or body which command reads it, whether it is refused, read with faults or read,
and what the message must mention (pieces between bars).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import corpus
import pytest
from apiflask import APIFlask
from click.testing import CliRunner, Result

from model.recommender import Recommender
from model.versions.registry import Registry
from service import create_app
from service.cli import main

DATA = Path(__file__).with_name("data")
with (DATA / "expected.csv").open(encoding="utf-8", newline="") as file:
    EXPECTED = list(csv.DictReader(file))

CHINESE = re.compile("[一-鿿]")
COMMANDS = {
    "roster": ("recommend", "--roster"),
    "courses": ("train", "--check", "--courses"),
    "match": ("match", "--top", "3", "--in"),
}


def cases(*commands: str) -> pytest.MarkDecorator:
    rows = [row for row in EXPECTED if row["command"] in commands]
    return pytest.mark.parametrize("row", rows, ids=[row["file"] for row in rows])


@pytest.fixture(scope="module", autouse=True)
def _one_load() -> Iterator[None]:
    """A hundred commands use one version; reading it from disk once is enough."""
    load, loaded = Registry.load, {}

    def load_once(store: Registry, version: str | None = None) -> Recommender:
        key = (store.folder, version)
        if key not in loaded:
            loaded[key] = load(store, version)
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Registry, "load", load_once)
        yield


@pytest.fixture(scope="module")
def app(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    store = f"sqlite:///{tmp_path_factory.mktemp('store')}/quebu.db"
    return create_app({"REGISTRY": str(registry), "DATABASE_URL": store, "TESTING": True, "LOCAL": True})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("large")


def path_of(name: str, folder: Path) -> Path:
    if name in corpus.LARGE:
        corpus.LARGE[name](folder / name)
        return folder / name
    return DATA / name


def quebu(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    assert all(CHINESE.search(line) for line in result.stderr.splitlines() if line.strip()), result.stderr
    return result


@cases("roster", "courses", "match")
def test_a_broken_file_is_refused_or_its_faults_are_named(row: dict[str, str], registry: Path, folder: Path):
    path = path_of(row["file"], folder)
    result = quebu(*COMMANDS[row["command"]], path, "--registry", registry)
    missing = [piece for piece in row["must_mention"].split("|") if piece not in result.stderr]
    assert not missing, result.stderr
    assert result.exit_code == (1 if row["outcome"] == "refused" else 0)
    assert bool(result.stdout) == (row["outcome"] != "refused")
    named = [line for line in result.stderr.splitlines() if line.startswith("! ")]
    if row["outcome"] == "refused":
        assert "错误：" in result.stderr
    else:
        assert bool(named) == (row["outcome"] == "faults")
    if path.parent == folder:
        path.unlink()


@cases("body")
def test_a_broken_body_is_refused_with_every_faulty_field(row: dict[str, str], app: APIFlask, folder: Path):
    body = path_of(row["file"], folder).read_bytes()
    response = app.test_client().post("/api/v1/recommendations", data=body, content_type="application/json")
    assert 400 <= response.status_code < 500
    assert response.content_type == "application/problem+json"
    problem = response.get_json()
    told = [(error["field"], error["message"]) for error in problem.get("errors", [])]
    assert all(CHINESE.search(message) for _, message in told)
    assert CHINESE.search(problem["detail"])
    text = "\n".join([problem["detail"], *(f"{field} {message}" for field, message in told)])
    missing = [piece for piece in row["must_mention"].split("|") if piece not in text]
    assert not missing, text


def test_the_corpus_is_as_large_as_it_should_be_and_every_file_is_expected_once():
    names = [row["file"] for row in EXPECTED]
    assert len(names) == len(set(names)) >= 45
    assert set(names) == set(corpus.SMALL) | set(corpus.LARGE)
    assert {row["outcome"] for row in EXPECTED} == {"refused", "faults", "read"}


def test_the_files_are_those_their_maker_makes():
    strangers = [name for name, data in corpus.SMALL.items() if (DATA / name).read_bytes() != data]
    assert strangers == []


def test_an_external_entity_brings_no_file_of_the_machine_into_the_answer(registry: Path):
    result = quebu("recommend", "--roster", DATA / "external_entity.xlsx", "--registry", registry)
    assert "root:" not in result.output


def test_a_folder_is_no_roster_without_several_processes(tmp_path: Path, registry: Path):
    result = quebu("recommend", "--registry", registry, "--roster", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--jobs" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        (["--roster", "{missing}/名册.xlsx"], ["名册.xlsx", "找不到文件", "检查路径"]),
        (["--roster", "{roster}", "--out", "{folder}/结果.pdf"], [".pdf", ".xlsx", ".csv", ".jsonl"]),
        (["--roster", "{roster}", "--out", "{folder}/结果"], ["没有后缀", ".xlsx"]),
        (["--roster", "{roster}", "--out", "{missing}/结果.xlsx"], ["目录", "nowhere", "不存在", "建立"]),
        (["--roster", "{roster}", "--out", "{roster}"], ["覆盖", "换一个文件名"]),
        (["--roster", "{roster}", "--version", "../../etc"], ["../../etc", "v0001"]),
        (["--roster", "{roster}", "--version", "v9999"], ["v9999", "现有版本"]),
        (["--roster", "{roster}", "--registry", "{folder}"], ["没有启用的版本", "quebu train"]),
        (["--roster", "{roster}", "--registry", "{missing}"], ["没有启用的版本", "quebu train"]),
    ],
)
def test_a_place_that_cannot_be_used_is_named_with_what_would_be_right(
    arguments: list[str], mentions: list[str], tmp_path: Path, registry: Path
):
    roster = tmp_path / "名册.csv"
    roster.write_bytes(corpus.csv_of(corpus.HEADER, corpus.HAN))
    places = {"folder": tmp_path, "missing": tmp_path / "nowhere", "roster": roster}
    result = quebu("recommend", "--registry", registry, *(argument.format_map(places) for argument in arguments))
    assert (result.exit_code, result.stdout) == (1, "")
    assert all(mention in result.stderr for mention in mentions), result.stderr
    assert roster.read_bytes() == corpus.csv_of(corpus.HEADER, corpus.HAN)
    assert not list(tmp_path.glob(".*"))


DAMAGES = {
    "active names no version": lambda home: (home / "active").write_text("v0007\n"),
    "active is binary": lambda home: (home / "active").write_bytes(b"\xff\xfe\x00v"),
    "active leads elsewhere": lambda home: (home / "active").write_text("../../etc\n"),
    "the card is no JSON": lambda home: (home / "v0001" / "card.json").write_text("{"),
    "the card is a list": lambda home: (home / "v0001" / "card.json").write_text("[]"),
    "the card says nothing": lambda home: (home / "v0001" / "card.json").write_text("{}"),
    "the model is another": lambda home: (home / "v0001" / "model.joblib").write_bytes(b"other"),
    "the model is gone": lambda home: (home / "v0001" / "model.joblib").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_registry_is_named_on_the_command_line_over_http_and_on_the_page(
    damage, tmp_path: Path, registry: Path
):
    (tmp_path / "v0001").mkdir()
    for original in (registry / "v0001").iterdir():
        if original.name == "model.joblib":
            (tmp_path / "v0001" / original.name).symlink_to(original)
        else:
            (tmp_path / "v0001" / original.name).write_bytes(original.read_bytes())
    (tmp_path / "active").write_text("v0001\n")
    if "model" in next(name for name, found in DAMAGES.items() if found is damage):
        (tmp_path / "v0001" / "model.joblib").unlink()
        (tmp_path / "v0001" / "model.joblib").write_bytes(b"to be damaged")
    damage(tmp_path)
    result = quebu("match", "公文写作", "--registry", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.search(r"v0001|v0007", result.stderr)
    client = create_app({"REGISTRY": str(tmp_path), "TESTING": True, "LOCAL": True}).test_client()
    for response in (client.get("/api/v1/health/ready"), client.post("/api/v1/recommendations", json={"id": "P1"})):
        assert response.status_code == 503
        assert response.content_type == "application/problem+json"
        assert response.headers["Retry-After"]
    page = client.get("/")
    assert page.status_code == 200
    assert "服务还不能推荐课程" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("qrels", "mentions"),
    [
        ("q1\tK9\t3\n", ["qrels.tsv", "K9"]),
        ("q1\tK1\n", ["qrels.tsv"]),
        ("q1\tK1\t高\n", ["qrels.tsv"]),
        ("q9\tK1\t3\n", ["qrels.tsv", "queries.jsonl"]),
        ("q1\tK1\t9\n", ["qrels.tsv:1", "0 到 3"]),
        ("", ["qrels.tsv"]),
    ],
    ids=["unknown course", "no grade", "grade no number", "no known query", "grade too high", "empty"],
)
def test_judgements_that_do_not_fit_are_refused(qrels: str, mentions: list[str], tmp_path: Path):
    (tmp_path / "courses.csv").write_bytes(corpus.csv_of(corpus.COURSE_HEADER, corpus.COURSE))
    (tmp_path / "queries.jsonl").write_text('{"qid": "q1", "text": "公文写作"}\n', encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text(qrels, encoding="utf-8")
    files = {name.split(".")[0]: tmp_path / name for name in ("courses.csv", "queries.jsonl", "qrels.tsv")}
    result = quebu("evaluate", *(word for name, path in files.items() for word in (f"--{name}", path)))
    assert (result.exit_code, result.stdout) == (1, "")
    assert all(mention in result.stderr for mention in mentions), result.stderr
