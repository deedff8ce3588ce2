"""A roster in portions: by a real scheduler and two worker processes, one of which is killed; and by processes of this machine."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet
from test_fallback import matcher_by
from threadpoolctl import threadpool_limits
from world import CATALOG, LEXICON

from model.domain import Limits
from model.errors import InputError, QuebuError
from model.overrides import Overrides, Rejection
from model.recommender import Recommender
from model.versions.registry import Registry
from service.bulk.cluster import on_dask
from service.bulk.piecework import work
from service.bulk.pinned import Pinned
from service.bulk.portions import ids_of, source_of
from service.cli import main

WAIT = 60  # Seconds; only a failing test waits so long.
LACKS = ("公文写作能力不足", "不会处置突发事件", "纪律处分条例没学透")


def registry_in(folder: Path, accepted: float) -> Path:
    """A registry with one version of the tiny world, which reads by spelling alone."""
    store = Registry(folder / "registry")
    card = {"created": "2026-01-01T00:00:00Z", "source": "courses.csv", "courses": len(CATALOG), "metrics": {}}
    store.activate(store.save(lambda version: Recommender(version, LEXICON, matcher_by(), CATALOG, accepted), card))
    return store.folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    registry_in(folder, 0.3)
    return folder


def person(number: int, **more: Any) -> dict[str, Any]:
    """Every three people state the same lacks, and so does every portion of them: the last digit of a score may depend on the texts scored along with it."""
    return {"id": f"P{number}", "weaknesses": [{"text": LACKS[number % 3]}, {"text": LACKS[0]}], **more}


def lines_of(*people: dict[str, Any] | str) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)) + "\n" for one in people)


def awkward() -> str:
    """37 lines: three that are wrong in one way each, a blank one, people who stand twice, a course nobody knows."""
    people: list[dict[str, Any] | str] = [person(number) for number in range(36)]
    people[4] = "{"
    people[7] = person(7, hours_available=-1)
    people[11] = ""
    people[14] = person(2)  # Stands in the portion before.
    people[15] = person(2)
    people[17] = person(16)  # Stands in the same portion.
    people[20] = person(20, completed=["如何养猫", "c1"])
    people[33] = person(5)
    return "\ufeff" + lines_of(*people, person(99))


@pytest.fixture
def quebu(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(home)

    def run(*arguments: object, code: int = 0) -> Result:
        words = ["recommend", "--registry", "registry", *map(str, arguments)]
        with threadpool_limits(1):
            result = CliRunner().invoke(main, words)
        assert result.exit_code == code, result.output
        return result

    return run


class Cluster:
    """A scheduler and its workers, each a process of its own. A part may lose one worker; when it takes a second with it, it is given up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found = folder / "scheduler.json"
        limits = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._environment = os.environ | limits
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(folder, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        # The file is there before all of it is.
        waiting(lambda: self._found.exists() and self._found.read_text().rstrip().endswith("}"))
        self.address = str(json.loads(self._found.read_text())["address"])

    def _start(self, folder: Path, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", words[0], "--scheduler-file", str(self._found), *words[1:]]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, cwd=folder, env=self._environment, stdout=log, stderr=log)

    def employ(self, folder: Path, number: int = 1) -> None:
        """Start more workers that work in a folder; they have then to be waited for."""
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder))
        self.workers += [self._start(folder, "worker", *options) for _ in range(number)]
        waiting(lambda: self.size() == len(self.workers))

    def size(self) -> int:
        from distributed import Client  # noqa: PLC0415

        with Client(self.address, set_as_default=False, timeout=WAIT) as client:
            return len(client.nthreads())

    def dismiss(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def waiting(come: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not come():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture(scope="module")
def cluster(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.employ(home, 2)
        yield cluster
    finally:
        cluster.dismiss()


@pytest.mark.parametrize("where", ["jobs", "dask"])
def test_portions_give_the_same_file_and_tell_the_same_faults_as_one_piece(
    where: str, quebu: Callable[..., Result], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    roster = tmp_path / "名册.jsonl"
    roster.write_text(awkward(), encoding="utf-8")
    told = quebu("--roster", roster, "--out", tmp_path / "whole.jsonl").stderr.splitlines()
    options: list[object] = ["--jobs", 1]
    if where == "dask":
        options = ["--engine", "dask", "--scheduler", request.getfixturevalue("cluster").address]
    result = quebu("--roster", roster, "--out", tmp_path / "parts.jsonl", "--part-size", 6, *options)
    assert (tmp_path / "parts.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert result.stderr.splitlines()[1:-1] == told[:-1]
    assert [line for line in told if "重复" in line] == [
        f"! 名册.jsonl:{line} id: “P{number}”，与第 {number + 1} 行重复；请给每人各自的编号"
        for line, number in ((15, 2), (16, 2), (18, 16), (34, 5))
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts.jsonl", "whole.jsonl", "名册.jsonl"]


def test_a_folder_of_files_becomes_a_folder_of_parts_with_a_manifest(
    quebu: Callable[..., Result], tmp_path: Path
) -> None:
    people = [
        person(number, scores={"公文写作": 40 + number}, completed=["c2"], years_in_post=1.5) for number in range(25)
    ]
    (tmp_path / "all.jsonl").write_text(lines_of(*people, person(3)), encoding="utf-8")
    rosters = tmp_path / "rosters"
    rosters.mkdir()
    (rosters / "_SUCCESS").touch()
    (rosters / "b.jsonl").write_text(lines_of(person(3)), encoding="utf-8")
    as_json = [json.dumps(one["scores"]) for one in people]
    table = pa.Table.from_pylist(people).set_column(2, "scores", pa.array(as_json))
    parquet.write_table(table, rosters / "a.parquet", row_group_size=7)
    quebu("--roster", tmp_path / "all.jsonl", "--out", tmp_path / "whole.jsonl")
    result = quebu("--roster", rosters, "--out", tmp_path / "out", "--part-size", 9, "--jobs", 1)
    assert "! b.jsonl:1 id: “P3”，与 a.parquet 第 4 行重复；请给每人各自的编号" in result.stderr
    parts = sorted((tmp_path / "out").glob("part-*.jsonl"))
    assert b"".join(part.read_bytes() for part in parts) == (tmp_path / "whole.jsonl").read_bytes()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert [part["people"] for part in manifest["parts"]] == [9, 9, 7, 0]
    assert [part["file"] for part in manifest["parts"]] == [part.name for part in parts]
    assert (manifest["status"], manifest["people"], manifest["rejected"], manifest["faults"]) == ("done", 25, 1, 1)
    assert manifest["model_version"] == "v0001"
    assert manifest["catalog_fingerprint"] == CATALOG.fingerprint
    assert [(source["file"], source["rows"]) for source in manifest["inputs"]] == [("a.parquet", 25), ("b.jsonl", 1)]
    assert "P3" not in json.dumps(manifest)


def test_a_worker_that_is_killed_loses_nothing(
    quebu: Callable[..., Result], cluster: Cluster, home: Path, tmp_path: Path
) -> None:
    roster = tmp_path / "名册.jsonl"
    roster.write_text(lines_of(*map(person, range(600))), encoding="utf-8")
    quebu("--roster", roster, "--out", tmp_path / "whole.jsonl")
    words = [
        "--roster",
        roster,
        "--out",
        tmp_path / "out",
        "--part-size",
        6,
        "--engine",
        "dask",
        "--scheduler",
        cluster.address,
    ]
    running = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "recommend", "--registry", "registry", *map(str, words)],
        cwd=home, stderr=subprocess.PIPE,
    )  # fmt: skip
    parts = tmp_path / "out"
    waiting(lambda: len(list(parts.glob("part-*.jsonl"))) > 5 or running.poll() is not None)
    victim = cluster.workers.pop(0)
    victim.kill()
    victim.wait()
    before = len(list(parts.glob("part-*.jsonl")))
    _, told = running.communicate(timeout=WAIT)
    assert (running.returncode, before < 100) == (0, True), told.decode()
    written = b"".join(part.read_bytes() for part in sorted(parts.glob("part-*.jsonl")))
    assert written == (tmp_path / "whole.jsonl").read_bytes()
    assert not list(parts.glob(".*"))
    cluster.employ(home)


def test_a_run_that_is_killed_goes_on_where_it_was_and_touches_nothing_that_is_done(
    quebu: Callable[..., Result], home: Path, tmp_path: Path
) -> None:
    roster, out = tmp_path / "名册.jsonl", tmp_path / "out.jsonl"
    roster.write_text(lines_of(*map(person, range(600))), encoding="utf-8")
    words = ["--roster", roster, "--out", out, "--part-size", 6, "--jobs"]
    running = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "recommend", "--registry", "registry", *map(str, words), "1"],
        cwd=home, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    accounts = tmp_path / "out.jsonl.parts" / "accounts"
    waiting(lambda: len(list(accounts.glob("0*.json"))) > 5 or running.poll() is not None)
    running.send_signal(signal.SIGKILL)
    running.wait()
    done = len(list(accounts.glob("0*.json")))
    assert 5 < done < 100
    # A part that was cut off, as by a full disk, does not count as done.
    torn = tmp_path / "out.jsonl.parts" / "part-00001.jsonl"
    torn.write_bytes(torn.read_bytes()[:-10])
    result = quebu(*words, 1)
    assert f"· 接着上次做：{done - 1} 份已经完成。" in result.stderr
    quebu("--roster", roster, "--out", tmp_path / "whole.jsonl")
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not accounts.parent.exists()


def test_a_folder_is_taken_up_by_the_same_run_alone(quebu: Callable[..., Result], tmp_path: Path) -> None:
    roster, out = tmp_path / "名册.jsonl", tmp_path / "out"
    roster.write_text(lines_of(*map(person, range(9))), encoding="utf-8")
    words = ["--roster", roster, "--out", out, "--part-size", 3, "--jobs", 1]
    quebu(*words)
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}
    assert "3 份已经完成" in quebu(*words).stderr
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")} == before
    assert "不同之处：推荐条件（--top、--level-window、--exclude）。" in quebu(*words, "--top", 1, code=1).stderr
    roster.write_text(lines_of(*map(person, range(4))), encoding="utf-8")
    assert "不同之处：名册。" in quebu(*words, code=1).stderr
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")} == before
    quebu(*words, "--anew")
    assert sorted(path.name for path in out.glob("part-*")) == ["part-00000.jsonl", "part-00001.jsonl"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    assert (
        "请用 --out 另给一个空的或新的目录" in quebu(*words[:3], tmp_path / "full", *words[4:], "--anew", code=1).stderr
    )


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="a path that each process sees otherwise is needed")
def test_a_worker_that_sees_another_version_under_the_same_path_is_told_before_the_work_begins(
    quebu: Callable[..., Result], cluster: Cluster, tmp_path: Path
) -> None:
    registry_in(tmp_path, 0.6)
    roster, out = tmp_path / "名册.jsonl", tmp_path / "out"
    roster.write_text(lines_of(person(1)), encoding="utf-8")
    words = ["--roster", roster, "--out", out, "--engine", "dask", "--scheduler", cluster.address, "--registry"]
    quebu(*words, "/proc/self/cwd/registry")
    cluster.employ(tmp_path)
    told = quebu(*words, "/proc/self/cwd/registry", "--anew", code=1).stderr
    assert told.count("tcp://") == 1
    assert "版本 v0001 与发起时指定的不是同一个（card.json 不同）。请让各处用同一个版本库目录，再重新运行。" in told
    assert not out.exists()
    stranger = cluster.workers.pop()
    stranger.kill()
    stranger.wait()
    waiting(lambda: cluster.size() == 2)


def test_what_was_pinned_is_verified_with_each_portion(home: Path, tmp_path: Path) -> None:
    roster = tmp_path / "名册.jsonl"
    roster.write_text(lines_of(person(1)), encoding="utf-8")
    (portion,) = source_of(roster, 10).portions
    (tmp_path / "accounts").mkdir()
    recommender = Registry(home / "registry").load()
    pinned = Pinned.of(home / "registry", recommender, Limits(), ())
    assert work(pinned, portion, 0, str(tmp_path)).people == 1
    other = Pinned.of(registry_in(tmp_path, 0.6), recommender, Limits(), ())
    folder = home / "registry"
    (tmp_path / "registry").rename(tmp_path / "elsewhere")
    (tmp_path / "registry").symlink_to(folder)
    with pytest.raises(QuebuError, match=r"第 4 份没有做成（机器 .*）：.*card\.json 不同"):
        work(other, portion, 3, str(tmp_path))
    roster.write_text(lines_of(person(2)), encoding="utf-8")
    with pytest.raises(QuebuError, match="不是同一份文件，或中途被改动"):
        work(pinned, portion, 0, str(tmp_path))


def test_rejections_go_along_and_those_about_a_person_for_people_of_the_roster_alone(
    home: Path, tmp_path: Path
) -> None:
    roster = tmp_path / "名册.jsonl"
    roster.write_text(lines_of(person(0), person(3)), encoding="utf-8")
    (tmp_path / "accounts").mkdir()
    rejected = Overrides.of([Rejection(7, "c1", person="P0"), Rejection(8, "c1", person="P9")])
    recommender = Registry(home / "registry").load().under(rejected)
    pinned = pickle.loads(pickle.dumps(Pinned.of(home / "registry", recommender, Limits(), ids_of([roster]))))
    assert pinned.overrides.people == {"P0": {"c1": 7}}
    account = work(pinned, source_of(roster, 10).portions[0], 0, str(tmp_path))
    plans = [json.loads(line) for line in (tmp_path / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()]
    courses = [[found["course_id"] for found in plan["recommendations"]] for plan in plans]
    assert ("c1" in courses[0], "c1" in courses[1]) == (False, True)
    assert account.overridden == [7]


def test_a_portion_that_takes_its_workers_with_it_is_given_up_and_nobody_waits_for_ever(
    cluster: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        pytest.raises(QuebuError, match="内存不足。请用 --part-size 减小每份人数"),
        on_dask(cluster.address, str) as each,
    ):
        list(each(os._exit, [(1,)]))
    for worker in cluster.workers:
        worker.wait()
    cluster.workers.clear()
    monkeypatch.setattr("service.bulk.cluster.CONNECTING", 2)
    with (
        pytest.raises(InputError, match="没有工作进程。请先在各台机器上启动：dask worker tcp://"),
        on_dask(cluster.address, str),
    ):
        pass
    cluster.employ(home, 2)


def test_a_scheduler_that_is_lost_ends_the_run_with_the_cause(cluster: Cluster) -> None:
    """The last of the tests with the cluster."""
    with on_dask(cluster.address, str) as each:
        answers = each(time.sleep, [(0,), (WAIT,)])
        next(answers)
        cluster.scheduler.kill()
        with pytest.raises(QuebuError, match="与 Dask 调度器的连接断了"):
            next(answers)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--engine", "dask"], 2, "--engine dask 与 --scheduler 要一起给出"),
        (["--scheduler", "tcp://a:1"], 2, "--engine dask 与 --scheduler 要一起给出"),
        (["--engine", "dask", "--scheduler", "tcp://a:1", "--jobs", "2"], 2, "请去掉 --jobs"),
        (["--part-size", "5"], 2, "请同时给出 --jobs 或 --engine dask"),
        (["--jobs", "2"], 2, "请用 --out 给出 .jsonl 文件或目录"),
        (["--jobs", "2", "--out", "x.xlsx"], 1, "只能写成 .jsonl 文件或目录"),
        (["--jobs", "2", "--out", "r.jsonl"], 1, "正是要读取的文件"),
        (["--engine", "dask", "--scheduler", "host", "--out", "x"], 1, "应为 tcp://主机:8786 这样的地址，现为“host”"),
        (["--engine", "dask", "--scheduler", "tls://127.0.0.1:1", "--out", "x"], 1, "加密连接（tls://）需要证书"),
        (["--engine", "dask", "--scheduler", "tcp://127.0.0.1:1", "--out", "x"], 1, "连不上 Dask 调度器 tcp://127.0.0.1:1"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_with_the_fix_and_leaves_nothing(
    words: list[str], code: int, message: str, quebu: Callable[..., Result], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.bulk.cluster.CONNECTING", 2)
    (home / "r.jsonl").write_text(lines_of(person(1)), encoding="utf-8")
    assert message in quebu("--roster", "r.jsonl", *words, code=code).stderr
    assert sorted(path.name for path in home.iterdir()) == ["r.jsonl", "registry"]
    (home / "r.jsonl").unlink()


@pytest.mark.parametrize(
    ("missing", "words"), [("distributed", ["--engine", "dask", "--scheduler", "tcp://a:1"]), ("pyarrow", [])]
)
def test_without_the_extra_the_command_says_how_to_install_it(
    missing: str, words: list[str], quebu: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = tmp_path / ("r.jsonl" if words else "r.parquet")
    roster.write_text(lines_of(person(1)), encoding="utf-8")
    monkeypatch.setitem(sys.modules, missing, None)
    told = quebu("--roster", roster, "--out", tmp_path / "out.jsonl", *words, code=1).stderr
    assert "pip install --require-hashes -r requirements/dask.txt" in told
