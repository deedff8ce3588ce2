"""What whoever works on a roster does with one portion of it: read it, recommend, put a part file in its place.

Nothing but paths and small values comes in, and an account goes out, so that it does not matter which process on which machine it is, nor how often it tries.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from threadpoolctl import threadpool_limits

from model.domain import Plan
from model.errors import QuebuError
from model.vectors import digest
from service.batch import as_lines
from service.bulk.pinned import Pinned
from service.bulk.portions import Portion, lines_in
from service.shapes.jsonl import people_in
from service.shapes.schemas import dump_plan


@dataclass(frozen=True, slots=True)
class Account:
    """What became of one portion. ``ids`` are the digests of the ids of its people one behind the other, ``places`` the lines they stand in; ``faults`` are
    (place, value, problem, remedy). ``size`` and ``sha256`` are those of the part file; ``arithmetic`` tells what kind of machine it was."""

    number: int
    digest: str
    people: int
    rejected: int
    blank: int
    size: int
    sha256: str
    removed: dict[str, int]
    unknown: dict[str, int]
    overridden: list[int]
    faults: list[list[str]]
    ids: str
    places: list[int]
    arithmetic: str


def part_of(folder: Path, number: int) -> Path:
    """The part file of a portion."""
    return folder / f"part-{number:05d}.jsonl"


def account_of(folder: Path, number: int) -> Path:
    """Where the account of a portion is kept."""
    return folder / "accounts" / f"{number:05d}.json"


def work(pinned: Pinned, portion: Portion, number: int, folder: str) -> Account:
    """Write the part file of a portion and the account of it, which exist only when they are whole; raises QuebuError naming this machine."""
    try:
        return _work(pinned, portion, number, Path(folder))
    except QuebuError as error:
        cause = str(error)
    except OSError as error:
        if error.filename is None:
            raise
        cause = f"无法读写 {error.filename}（{error.strerror}）。请检查权限、磁盘空间和共享目录。"
    raise QuebuError(f"第 {number + 1} 份没有做成（机器 {socket.gethostname()}）：{cause}")


def _work(pinned: Pinned, portion: Portion, number: int, folder: Path) -> Account:
    recommender, arithmetic = pinned.load()
    lines = lines_in(portion)
    before = dict(portion.elsewhere)
    found, faults = people_in(
        Path(portion.file),
        lines,
        recommender.lexicon,
        lambda identity: before.get(key_of(identity)) if before else None,
    )
    people = list(found.values())
    removed: Counter[str] = Counter()
    overridden: set[int] = set()

    def counted(plans: Iterator[Plan]) -> Iterator[Plan]:
        for plan in plans:
            removed.update(plan.removed)
            overridden.update(plan.overridden)
            yield plan

    # There is one task for each core as it is; linear algebra in threads would wait for itself.
    with threadpool_limits(1):
        plans = recommender.plans(people, pinned.limits) if people else iter(())
        size, sha256 = write_whole(part_of(folder, number), as_lines(map(dump_plan, counted(plans))))
    account = Account(
        number,
        portion.digest,
        people=len(people),
        rejected=len(lines) - len(people),
        blank=portion.rows - len(lines),
        size=size,
        sha256=sha256,
        removed=dict(removed),
        unknown=dict(Counter(text for person in people for text in recommender.unknown_completed(person))),
        overridden=sorted(overridden),
        faults=[[fault.place, fault.value, fault.problem, fault.remedy] for fault in faults],
        ids="".join(key_of(person.id) for person in people),
        places=list(found),
        arithmetic=arithmetic,
    )
    write_whole(account_of(folder, number), as_lines([asdict(account)]))
    return account


def key_of(identity: str) -> str:
    """What stands for an id where ids are compared."""
    return digest(identity).hex()


def read_account(folder: Path, number: int, portion: Portion) -> Account | None:
    """The account of a portion whose part file is there and whole; None where it has still to be worked on."""
    with suppress(OSError, ValueError, TypeError):
        told: dict[str, Any] = json.loads(account_of(folder, number).read_bytes())
        account = Account(**told)
        if (account.number, account.digest) == (number, portion.digest) and part_of(
            folder, number
        ).stat().st_size == account.size:
            return account
    return None


def write_whole(path: Path, lines: Iterable[bytes]) -> tuple[int, str]:
    """Write lines so that the file is there as a whole or not at all, whoever else writes it too; return its size and its sha256."""
    size, digest_of_all = 0, hashlib.sha256()
    with _draft(path) as draft:
        with draft.open("wb") as file:
            for line in lines:
                file.write(line)
                size += len(line)
                digest_of_all.update(line)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    return size, digest_of_all.hexdigest()


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A name beside the file that no other process has, on whatever machine: process numbers repeat from one container to the next."""
    draft = path.with_name(f".{path.name}.{uuid4().hex}.draft")
    try:
        yield draft
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        draft.unlink(missing_ok=True)
