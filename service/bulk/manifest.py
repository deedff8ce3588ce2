"""The folder of a roster that is worked on in portions: what was asked for, what is done, and what came of it.

``manifest.json`` is written before the work begins and once more when it has ended; ``part-00000.jsonl`` and so on hold the answers in the order of the roster,
``accounts/`` what became of each portion. A run that was cut off goes on in the same folder, and only there: another roster, version or limit is refused.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import InputError, QuebuError
from service.bulk.cluster import Each
from service.bulk.piecework import Account, part_of, read_account, work, write_whole
from service.bulk.pinned import Pinned
from service.bulk.portions import Portion, Source
from service.bulk.totals import Totals

FORMAT = 1  # Raise it when parts or accounts change; a folder of another format is refused.
NAMES = {
    "format": "格式",
    "quebu": "Quebu 的版本",
    "model_version": "模型版本",
    "card": "模型版本的内容",
    "catalog_fingerprint": "课程目录",
    "encoder": "句向量编码器",
    "limits": "推荐条件（--top、--level-window、--exclude）",
    "overrides": "人工调整",
    "part_size": "每份人数（--part-size）",
    "inputs": "名册",
}


@dataclass(frozen=True)
class Run:
    """One version at work on one roster in one folder."""

    pinned: Pinned
    catalog: str
    sources: tuple[Source, ...]
    part_size: int
    folder: Path

    @cached_property
    def portions(self) -> tuple[Portion, ...]:
        """All portions, in order; a portion's number is its place."""
        return tuple(portion for source in self.sources for portion in source.portions)

    @property
    def manifest(self) -> Path:
        """Where the manifest is."""
        return self.folder / "manifest.json"

    @property
    def asked(self) -> dict[str, Any]:
        """What the answers depend on."""
        limits, overrides = self.pinned.limits, self.pinned.overrides
        return {
            "format": FORMAT,
            "quebu": self.pinned.product,
            "model_version": self.pinned.version,
            "card": self.pinned.card,
            "catalog_fingerprint": self.catalog,
            "encoder": self.pinned.encoder,
            "limits": {
                "top": limits.top,
                "level_window": limits.level_window,
                "excluded": sorted(limits.excluded),
            },
            "overrides": hashlib.sha256(repr(overrides).encode()).hexdigest()[:16] if overrides else None,
            "part_size": self.part_size,
            "inputs": [
                {"file": source.path.name, "sha256": source.sha256, "rows": source.rows} for source in self.sources
            ],
        }

    def begin(self, anew: bool) -> str:
        """Make the folder, or take up the one that was left, and return the digest of the manifest. InputError where it holds something else; with
        ``anew`` the results of another run are thrown away."""
        with suppress(FileNotFoundError):
            self._take_up(anew)
        (self.folder / "accounts").mkdir(parents=True, exist_ok=True)
        return self._write({"status": "running"})

    def _take_up(self, anew: bool) -> None:
        if not self.manifest.exists():
            if any(self.folder.iterdir()):
                raise InputError(f"{self.folder} 里有别的文件。请用 --out 另给一个空的或新的目录。")
            return
        try:
            kept = json.loads(self.manifest.read_bytes())
            other = [name for key, name in NAMES.items() if kept.get(key) != self.asked[key]]
        except (ValueError, AttributeError):
            other = ["清单（manifest.json 已损坏）"]
        if other and not anew:
            raise InputError(
                f"{self.folder} 里是另一次运行的结果，不同之处：{'、'.join(other)}。请用 --out 换一个目录，或加 --anew 弃去重做。"
            )
        if anew:
            self.remove()

    def remove(self) -> None:
        """Take away what a run leaves, and the folder if nothing else is in it."""
        shutil.rmtree(self.folder / "accounts", ignore_errors=True)
        for path in (*self.folder.glob("part-*.jsonl"), *self.folder.glob(".*.draft"), self.manifest):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _write(self, told: dict[str, Any]) -> str:
        content = json.dumps(self.asked | told, ensure_ascii=False, indent=2).encode() + b"\n"
        return write_whole(self.manifest, [content])[1]

    def done(self) -> dict[int, Account]:
        """The accounts of the portions that an earlier run has finished."""
        kept = ((number, read_account(self.folder, number, portion)) for number, portion in enumerate(self.portions))
        return {number: account for number, account in kept if account}

    def finish(self, each: Each, accounts: dict[int, Account], step: Callable[[int], None]) -> Totals:
        """Work on what is not in ``accounts``, then once more on portions with people who stand in one before; return what came of all.

        ``step`` is told how many lines are done in all. Raises QuebuError, which leaves what is done.
        """
        waiting = {n: portion for n, portion in enumerate(self.portions) if n not in accounts}
        try:
            accounts = accounts | self._worked_on(each, waiting, step)
            accounts |= self._worked_on(each, self._with_strangers(accounts))
        except QuebuError as error:
            left = len(self.done())
            raise QuebuError(
                f"{error}\n已完成的 {left} 份（共 {len(self.portions)} 份）留在 {self.folder}；排除原因后再运行同一命令，会接着做。"
            ) from error
        return self._tidy(accounts)

    def _worked_on(
        self, each: Each, waiting: dict[int, Portion], step: Callable[[int], None] = lambda _: None
    ) -> dict[int, Account]:
        calls = ((self.pinned, portion, number, str(self.folder)) for number, portion in waiting.items())
        done = sum(portion.rows for portion in self.portions) - sum(portion.rows for portion in waiting.values())
        found: dict[int, Account] = {}
        for account in each(work, calls) if waiting else ():
            found[account.number] = account
            done += waiting[account.number].rows
            step(done)
        return found

    def _with_strangers(self, accounts: dict[int, Account]) -> dict[int, Portion]:
        """The portions with people who stand in a portion before as well, told of it; of two the second is faulty, as within a portion."""
        keys = [np.frombuffer(bytes.fromhex(accounts[n].ids), ">u8").reshape(-1, 2) for n in range(len(self.portions))]
        # Half a digest finds who may stand twice, in few bytes a person; for those few the whole digest decides.
        heads = np.sort(np.concatenate([own[:, 0] for own in keys]))
        suspects = np.unique(heads[1:][heads[1:] == heads[:-1]])
        first: dict[bytes, tuple[int, int]] = {}
        twice: dict[int, dict[str, str]] = {}
        for number, own in enumerate(keys):
            for place in np.flatnonzero(np.isin(own[:, 0], suspects)):
                key = own[place].tobytes()
                before, line = first.setdefault(key, (number, accounts[number].places[place]))
                if before != number:
                    twice.setdefault(number, {})[key.hex()] = self._place(before, line, number)
        return {
            number: replace(self.portions[number], elsewhere=tuple(sorted(found.items())))
            for number, found in twice.items()
        }

    def _place(self, before: int, line: int, number: int) -> str:
        other = self.portions[before].file
        return f"第 {line} 行" if other == self.portions[number].file else f" {Path(other).name} 第 {line} 行"

    def _tidy(self, accounts: dict[int, Account]) -> Totals:
        for draft in self.folder.glob(".*.draft"):
            draft.unlink(missing_ok=True)
        totals = Totals.of(accounts[number] for number in range(len(self.portions)))
        parts = [
            {"file": part_of(self.folder, n).name, "people": accounts[n].people, "sha256": accounts[n].sha256}
            for n in range(len(self.portions))
        ]
        told = {"people": totals.people, "rejected": totals.rejected, "blank": totals.blank, "faults": totals.faulty}
        self._write({"status": "done", **told, "parts": parts})
        return totals

    def join(self, out: Path | None) -> None:
        """Put the parts one behind the other into one file, if there is to be one, and take the folder away."""
        if out is not None:
            numbers = range(len(self.portions))
            write_whole(out, (piece for number in numbers for piece in _pieces(part_of(self.folder, number))))
        self.remove()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(2**20):
            yield piece
