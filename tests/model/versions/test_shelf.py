"""What stays in the folder of a registry and what is taken away: retention, trainings that were cut off, locks."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_registry import CARD, WAIT, arrays, saved, small, with_arrays

from model.errors import InputError, VersionError
from model.versions import durable
from model.versions.durable import Lock
from model.versions.registry import Registry

HERE = Path(__file__).parent


def keeping(tmp_path: Path, keep: int) -> Registry:
    return Registry(tmp_path / "registry", [], keep=keep)


def names(store: Registry) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def test_the_newest_stay_with_the_active_one_its_parent_and_what_a_rollback_reaches_first(tmp_path: Path) -> None:
    store = keeping(tmp_path, 2)
    store.save(small, CARD)
    for version in ("v0001", "v0002", "v0003"):
        store.activate(version)
        store.save(small, CARD)
    assert store.versions() == ["v0001", "v0002", "v0003", "v0004"], "v0003 is active; v0001 and v0002 were before it"
    store.activate("v0004")
    for _ in range(3):
        store.save(small, CARD)
    assert store.versions() == ["v0002", "v0003", "v0004", "v0006", "v0007"]
    assert store.card("v0007")["parent"] == "v0004"
    assert (store.rollback(), store.rollback()) == (("v0004", "v0003"), ("v0003", "v0002"))


def test_the_parent_of_the_active_version_stays_though_it_was_never_active(tmp_path: Path) -> None:
    store = keeping(tmp_path, 1)
    for _ in range(3):
        Registry(store.folder, []).save(small, CARD)
    version = Registry(store.folder, []).save(small, CARD | {"parent": "v0002"})
    store.activate(version)
    assert store.versions() == ["v0002", "v0004"]


def test_a_version_taken_away_while_it_answers_goes_on_answering(tmp_path: Path) -> None:
    store = keeping(tmp_path, 1)
    store.save(with_arrays, CARD)
    loaded = store.load("v0001")
    store.activate(store.save(small, CARD | {"parent": None}))
    store.save(small, CARD)
    assert "v0001" not in store.versions()
    assert np.array_equal(arrays(loaded)[0], arrays(with_arrays("v0001"))[0])
    with pytest.raises(VersionError, match="没有版本 v0001"):
        store.load("v0001")


def test_without_a_rule_all_stay(tmp_path: Path) -> None:
    store = keeping(tmp_path, 0)
    versions = [store.save(small, CARD) for _ in range(5)]
    store.activate("v0005")
    assert store.versions() == versions


@pytest.mark.parametrize("pointer", ["a folder", "garbage", "v0009"])
def test_while_it_cannot_be_told_which_version_is_active_none_is_taken_away(tmp_path: Path, pointer: str) -> None:
    store = keeping(tmp_path, 1)
    for _ in range(2):
        Registry(store.folder, []).save(small, CARD)
    if pointer == "a folder":
        (store.folder / "active").mkdir()
        with pytest.raises(OSError):  # noqa: PT011 (which one depends on the system)
            store.save(small, CARD)
    else:
        (store.folder / "active").write_text(pointer, encoding="utf-8")
        store.save(small, CARD)
    assert store.versions()[:2] == ["v0001", "v0002"]


def test_no_number_is_given_twice_even_where_the_newest_version_is_gone(tmp_path: Path) -> None:
    store = keeping(tmp_path, 0)
    shutil.rmtree(saved(store))
    assert store.save(small, CARD) == "v0002"
    (store.folder / "last").write_text("garbage", encoding="utf-8")
    assert store.save(small, CARD) == "v0003"
    (store.folder / "last").unlink()
    assert store.save(small, CARD) == "v0004"


def test_what_was_cut_off_is_swept_and_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    store = keeping(tmp_path, 0)
    saved(store)
    for name in ("v0005", ".gone-v0004", "notes", ".git"):
        (store.folder / name).mkdir()
        (store.folder / name / "model.joblib").write_bytes(b"half")
    for name in (".draft-active-1-2", ".v0005.lock", ".v0003.lock", "v0008"):
        (store.folder / name).touch()
    store.activate("v0001")
    assert names(store) == [".git", ".lock", "active", "history.jsonl", "last", "notes", "v0001", "v0008"]


def test_a_training_under_way_is_swept_by_nobody(tmp_path: Path) -> None:
    store = keeping(tmp_path, 1)
    begun, go_on = threading.Event(), threading.Event()

    def slow(version: str) -> Any:
        begun.set()
        assert go_on.wait(WAIT)
        return small(version)

    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(store.save, slow, CARD)
        assert begun.wait(WAIT)
        store.activate(store.save(small, CARD))
        assert (store.folder / "v0001").is_dir()
        go_on.set()
        assert training.result(WAIT) == "v0001"
    assert store.versions() == ["v0001", "v0002"] or store.versions() == ["v0002"], "finished late, it is the oldest"
    assert not list(store.folder.glob(".v*"))


def test_a_training_of_another_process_is_swept_once_that_process_is_dead(tmp_path: Path) -> None:
    store = keeping(tmp_path, 0)
    program = (
        "import os, sys; sys.path[:0] = sys.argv[2:]; from test_registry import *\n"
        "def slow(version): print(version, flush=True); sys.stdin.read(); os._exit(9)\n"
        "Registry(Path(sys.argv[1])).save(slow, CARD)"
    )
    command = [sys.executable, "-c", program, str(store.folder), str(HERE), str(HERE.parents[1]), str(HERE.parents[2])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline() == "v0001\n"
        store.save(small, CARD)
        assert (store.folder / "v0001").is_dir(), "it is alive"
        other.stdin.close()
        assert other.wait(WAIT) == 9
    store.activate("v0002")
    assert names(store) == [".lock", "active", "history.jsonl", "last", "v0002"]


def test_two_trainings_are_kept_apart_until_the_one_ends_or_its_process_is_killed(tmp_path: Path) -> None:
    store = keeping(tmp_path, 0)
    with store.training():
        with pytest.raises(InputError, match="另一个训练正在进行"), Registry(store.folder).training():
            pass
        store.save(small, CARD)
    program = (
        "import sys; from pathlib import Path; from model.versions.registry import Registry\n"
        "with Registry(Path(sys.argv[1])).training(): print('in', flush=True); sys.stdin.read()"
    )
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[2])}
    command = [sys.executable, "-c", program, str(store.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as other:
        assert other.stdout
        assert other.stdout.readline() == "in\n"
        with pytest.raises(InputError, match="请等它结束"), store.training():
            pass
        other.kill()
        other.wait(WAIT)
    with store.training():
        store.activate("v0001")
    assert names(store) == [".lock", ".training.lock", "active", "history.jsonl", "last", "v0001"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has locks of its own")
def test_where_the_folder_knows_no_locks_trainings_work_and_nothing_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unable)
    store = keeping(tmp_path, 0)
    (store.folder / "v0003").mkdir(parents=True)
    with ThreadPoolExecutor(4) as pool:
        versions = [future.result() for future in [pool.submit(store.save, small, CARD) for _ in range(4)]]
    assert len(set(versions)) == 4
    store.activate(versions[0])
    assert store.load().version == versions[0]
    with store.training(), store.training():
        pass  # Nobody can tell whether there is another.
    assert (store.folder / "v0003").is_dir(), "nobody can tell whether it is being written"


def test_a_report_goes_with_the_first_of_its_versions(tmp_path: Path) -> None:
    store = keeping(tmp_path, 0)
    for _ in range(3):
        store.save(small, CARD)
    for name in ("v0001-v0002-aa.json", "v0002-v0003-bb.json", "roster.jsonl"):
        store.keep_report(name, b"{}")
    assert store.report("v0001-v0002-aa.json") == b"{}"
    shutil.rmtree(store.folder / "v0001")
    store.activate("v0003")
    assert sorted(path.name for path in (store.folder / "reports").iterdir()) == ["roster.jsonl", "v0002-v0003-bb.json"]
    assert store.report("v0001-v0002-aa.json") is None
    store.forget_report("roster.jsonl")
    store.forget_report("roster.jsonl")
    assert store.report("roster.jsonl") is None


def test_a_lock_is_held_by_one_and_free_once_its_holder_is_done(tmp_path: Path) -> None:
    one, other = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert one.take(wait=False)
    assert not other.take(wait=False)
    one.free()
    assert other.take(wait=False)
    other.free(remove=True)
    assert not (tmp_path / "lock").exists()


def test_a_file_that_cannot_be_written_leaves_the_one_before_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable.write_at_once(tmp_path / "file", b"before")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable.write_at_once(tmp_path / "file", b"after")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"before")]
