"""A registry whose process is killed, or whose disk fails, at every single file operation: afterwards it is as it was or as it was to be."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_registry import CARD, small

from model.errors import NoActiveVersion, VersionError
from model.versions.registry import Registry

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")

KEEP = 2
TOUCHING = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "os.scandir", "os.listdir"}
THROUGH, STRUCK, RAISED, LIMIT = 0, 9, 3, 200
ENDS = {".lock", "active", "history.jsonl", "last", "reports"}
Change = Callable[[Registry], object]


def saving(store: Registry) -> object:
    return store.save(small, CARD)


def activating(store: Registry) -> object:
    return store.activate("v0002")


def rolling_back(store: Registry) -> object:
    return store.rollback()


def first(store: Registry) -> object:
    return store.activate(store.save(small, CARD))


def nothing(store: Registry) -> None:
    """A registry that does not exist."""


def two(store: Registry) -> None:
    """Two versions, the first of them active."""
    for _ in range(2):
        store.save(small, CARD)
    store.activate("v0001")


def both_active_once(store: Registry) -> None:
    two(store)
    store.activate("v0002")


def one_too_many(store: Registry) -> None:
    """The next version or activation takes away v0001."""
    for _ in range(KEEP + 2):
        store.save(small, CARD | {"parent": None})
    store.activate("v0003")
    store.activate("v0004")


CASES: dict[str, tuple[Change, Change]] = {
    "the first version": (nothing, first),
    "a new version": (two, saving),
    "an activation": (two, activating),
    "a rollback": (both_active_once, rolling_back),
    "a version that has another taken away": (one_too_many, saving),
}


def struck(change: Change, folder: Path, number: int, strike: Callable[[], None]) -> int:
    """Let another process change a registry and strike it before its file operation of a number; how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def touched(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event in TOUCHING and str(arguments[0]).startswith(str(folder)):
            count += 1
            if count == number:
                strike()

    def syncing(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count == number:
            strike()

    code = THROUGH
    try:
        store = Registry(folder, [], keep=KEEP)
        os.fsync = syncing  # The interpreter tells of the others by itself.
        sys.addaudithook(touched)
        change(store)
        code = THROUGH if count < number else RAISED + 1  # The strike was made good.
    except (OSError, VersionError):
        code = RAISED
    except BaseException:
        code = 1
    finally:
        os._exit(code)


def dying() -> None:
    os._exit(STRUCK)


def failing() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def state(store: Registry) -> tuple[str | None, list[str]]:
    try:
        active = store.active()
    except NoActiveVersion:
        active = None
    return active, store.versions()


@pytest.mark.parametrize("strike", [dying, failing])
@pytest.mark.parametrize("case", CASES)
def test_whatever_cuts_a_change_off_the_registry_is_as_before_or_as_after_and_goes_on(
    case: str, strike: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # What is killed is a process, not the machine.
    made, change = CASES[case]
    made(Registry(tmp_path / "made", [], keep=KEEP))
    seen: set[str | None] = set()
    for number in range(1, LIMIT):
        store = Registry(tmp_path / str(number), [], keep=KEEP)
        if (tmp_path / "made").is_dir():
            shutil.copytree(tmp_path / "made", store.folder)
        before, known = state(store)
        told_before = store.history()
        known_numbers = {int(version[1:]) for version in known}
        end = struck(change, store.folder, number, strike)
        assert end in {THROUGH, STRUCK, RAISED, RAISED + 1}, f"at {number}"

        active, versions = state(store)
        seen.add(active)
        assert all(store.load(version).version == version for version in versions), (
            f"at {number}: every version can be loaded"
        )
        assert active is None or active in versions, f"at {number}: the active version is one of them"
        if active is None:
            assert before is None
        assert len(versions) >= min(len(known), KEEP)
        told = store.history()
        assert (told[-1]["version"] if told else None) == active, f"at {number}: the history ends with what is active"
        assert told[: len(told_before)] == told_before, f"at {number}: nothing of it is lost"

        made_next = store.save(small, CARD)
        assert int(made_next[1:]) > max(known_numbers | {int(version[1:]) for version in versions}, default=0)
        store.activate(made_next)
        assert store.load().version == made_next
        if active is not None:
            assert store.rollback() == (made_next, active), f"at {number}: what was active can be gone back to"
            assert store.load().version == active
        left = {path.name for path in store.folder.iterdir()}
        assert left <= ENDS | set(store.versions()), f"at {number}: nothing is left lying about"
        assert {path.name for version in store.versions() for path in (store.folder / version).iterdir()} == {
            "card.json", "catalog.json", "model.joblib",
        }  # fmt: skip
        if end == THROUGH:
            break
    else:
        pytest.fail("it never came to its end")
    after = {"the first version": "v0001", "an activation": "v0002", "a rollback": "v0001"}.get(case, before)
    assert seen == {before, after}, "each of both was met"
    assert number > 10
