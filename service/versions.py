"""Which version answers: two of them compared, one let through the gate and activated, or gone back from. For commands, requests and jobs alike."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, NamedTuple

from model.domain import Profile
from model.errors import InputError, VersionError
from model.feedback import Kind
from model.files.tables import read_arrays
from model.lexicon import TRAINING_DATA, Lexicon
from model.overrides import NONE, Overrides
from model.recommender import Recommender
from model.versions.gate import Frozen, Report, Thresholds, compare
from model.versions.gate_quality import Case
from model.versions.registry import Registry
from service.embeddings import encoders
from service.secret import signing_key_of
from service.shapes.files import roster_in
from service.shapes.gates import dump_people, dump_report, load_people
from service.store import audit
from service.store.audit import By
from service.store.database import Database, now
from service.store.feedback import judged
from service.store.layer import Layer

LONGEST_REASON = 500
MOST_PEOPLE = 500  # People of a roster both versions are held against; of more, so many evenly spread.
SAVED = "roster.jsonl"
BUNDLED_NAME, SAVED_NAME = "随附的名册样例", "保存的名册"
MOST_CASES = 1000  # Judged pairs of planners that versions are held against.
JUDGING = (Kind.ACCEPTED, Kind.INSTEAD, Kind.REJECTED)
COMPARING = threading.Lock()  # One comparison at a time in a process: it takes seconds, and memory for two versions.


class GateRefused(InputError):
    """A version that the gate holds up; ``findings`` say why, ``report`` is what they were found in."""

    def __init__(self, version: str, report: dict[str, Any]) -> None:
        self.report: dict[str, Any] = report
        self.findings: list[dict[str, str]] = report["findings"]
        named = "\n".join(f"! {finding['told']}" for finding in self.findings)
        super().__init__(
            f"版本 {version} 没有通过启用前的检查，仍使用 {report['before']}。\n{named}\n如确需启用，请写明理由（--reason 或 reason）；理由记入审计日志。"
        )


class Roster(NamedTuple):
    """The people both versions are held against, and what they are called."""

    name: str
    people: tuple[Profile, ...]

    @property
    def digest(self) -> str:
        """What tells one from another."""
        return hashlib.sha256(dump_people(self.people)).hexdigest()


class Activated(NamedTuple):
    """A version that became active, the one before, and what was found of both; no report where there was nothing to compare with, for
    which ``note`` tells why. ``reason`` is what was kept of the reason given."""

    version: str
    before: str | None
    report: dict[str, Any] | None
    note: str = ""
    reason: str | None = None

    @property
    def findings(self) -> list[dict[str, str]]:
        """What the gate would have held the version up for, had there been no reason."""
        return list(self.report["findings"]) if self.report else []


def registry_of(settings: Mapping[str, Any]) -> Registry:
    """The registry the settings name, with the encoders, the signing key and the retention they ask for."""
    key, keep = signing_key_of(settings), settings["KEEP_VERSIONS"]
    return Registry(Path(settings["REGISTRY"]), encoders(settings), key, keep)


@dataclass(frozen=True)
class Versions:
    """The versions of a registry, for whoever compares and moves them. ``load`` is how one is loaded, ``database`` where it is audited and
    what was rejected is kept (None: there is no store)."""

    registry: Registry
    settings: Mapping[str, Any]
    database: Database | None
    load: Callable[[str], Recommender]

    @classmethod
    def of(cls, settings: Mapping[str, Any], database: Database | None) -> Versions:
        """Those of the registry the settings name, each loaded once."""
        registry = registry_of(settings)
        return cls(registry, settings, database, cache(registry.load))

    def report(self, before: str, after: str, roster: Roster | None = None) -> Report:
        """What would change if a version took over from another, on a roster (the saved one, or the bundled one, unless given)."""
        old, new = self.load(before), self.load(after)
        return self._report(old, new, roster or self.roster(old.lexicon), self._cases())

    def compared(self, before: str, after: str) -> dict[str, Any]:
        """The same as JSON, on the saved or bundled roster; what was found before is found again without working it out."""
        with COMPARING:
            old, new = self.load(before), self.load(after)
            roster, cases = self.roster(old.lexicon), self._cases()
            name = f"{before}-{after}-{self._inputs(old, new, roster, cases)}.json"
            if (kept := self.registry.report(name)) is not None:
                return dict(json.loads(kept))
            began = time.monotonic()
            found = dump_report(self._report(old, new, roster, cases), roster.name, ids=False)
            found["seconds"] = round(time.monotonic() - began, 1)
            self.registry.keep_report(name, json.dumps(found, ensure_ascii=False, indent=1).encode())
            return found

    def activate(self, version: str, by: By, reason: str | None = None, roster: Roster | None = None) -> Activated:
        """Let a version take over if the gate lets it through, or a reason is given; a blank one is none. Raises GateRefused where neither is;
        InputError for a reason that is too long; VersionError where the version cannot be loaded, or another became active meanwhile."""
        reason = _checked(reason)
        self.registry.check(version)
        before = self.registry.pointer()
        report, note = self._judged(before, version, roster)
        if report and report["findings"] and not reason:
            raise GateRefused(version, report)
        checks = [finding["check"] for finding in report["findings"]] if report else []
        detail = {"from": before, "findings": checks, "reason": reason}
        with self._audited(by, "model.activate", version, detail):
            self.registry.activate(version, _told(by, reason, checks), instead_of=before)
        return Activated(version, before, report, note, reason)

    def roll_back(self, by: By, reason: str | None = None) -> Activated:
        """Go back to what was active before. VersionError where there is nothing, or it cannot be loaded; InputError for a reason that is too
        long."""
        reason = _checked(reason)
        version = self.registry.next_back()
        detail = {"from": self.registry.pointer(), "reason": reason}
        with self._audited(by, "model.rollback", version, detail):
            left, version = self.registry.rollback(_told(by, reason), to=version)
        return Activated(version, left, None, reason=reason)

    def roster(self, lexicon: Lexicon) -> Roster:
        """The saved roster, else the bundled one; InputError where the saved one is damaged."""
        kept = self.registry.report(SAVED)
        if kept is None:
            return roster_from(TRAINING_DATA / "roster_sample.xlsx", lexicon)._replace(name=BUNDLED_NAME)
        try:
            return Roster(SAVED_NAME, load_people(kept))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                "保存的名册已损坏。请重新保存：quebu models roster 名册文件，或改回样例：quebu models roster --bundled。"
            ) from error

    def save_roster(self, roster: Roster | None, by: By) -> None:
        """Keep the people that versions are held against from now on, without what tells who they are; None: the bundled ones."""
        people = len(roster.people) if roster else 0
        with self._audited(by, "model.roster", SAVED, {"people": people}):
            if roster:
                self.registry.keep_report(SAVED, dump_people(roster.people), private=True)
            else:
                self.registry.forget_report(SAVED)

    def _judged(self, before: str | None, version: str, roster: Roster | None) -> tuple[dict[str, Any] | None, str]:
        """The report on a version that is to take over, or why there is none."""
        if before in {None, version}:
            self.load(version)  # One that cannot be loaded does not become active.
            return None, "此前没有启用的版本，没有可比较的。" if before is None else "这个版本本来就是启用的。"
        assert before is not None
        try:
            self.load(before)
        except VersionError as error:
            self.load(version)
            return None, f"未能与启用中的版本比较：{error}"
        if roster is None:
            return self.compared(before, version), ""
        return dump_report(self.report(before, version, roster), roster.name, ids=True), ""

    def _report(self, old: Recommender, new: Recommender, roster: Roster, cases: Sequence[Case]) -> Report:
        from model.training import VECTORS, load_judgements  # noqa: PLC0415 (scikit-learn takes a second to import)

        shipped = read_arrays(TRAINING_DATA / VECTORS)
        vectors = {key.tobytes(): row for key, row in zip(shipped["digests"], shipped["vectors"], strict=True)}
        frozen = Frozen(load_judgements(old.lexicon), roster.people, tuple(cases), {str(shipped["encoder"]): vectors})
        new.matcher.go_on_from(old.matcher)  # Else every text of the roster is encoded twice.
        overrides = self._overrides()
        return compare(old.under(overrides), new.under(overrides), frozen, thresholds_of(self.settings))

    def _inputs(self, old: Recommender, new: Recommender, roster: Roster, cases: Sequence[Case]) -> str:
        """A digest of all that a report is made of."""
        told = [
            [self.registry.card(one.version)["files"] for one in (old, new)],
            [one.matcher.encoder for one in (old, new)],
            [package_version("quebu"), roster.name, roster.digest, repr(self._overrides())],
            [repr(thresholds_of(self.settings)), repr(tuple(cases))],
        ]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def _cases(self) -> tuple[Case, ...]:
        """What planners of this house judged of courses for gaps, the newest of each and of all; what was attended or tested judges no list."""
        if self.database is None:
            return ()
        with self.database.reading() as connection:
            said = {(one.text, one.course): one.kind for one in judged(connection) if one.kind in JUDGING}
        newest = [*said.items()][-MOST_CASES:]
        return tuple(Case(text, course, kind is not Kind.REJECTED) for (text, course), kind in newest)

    def _overrides(self) -> Overrides:
        return Layer(self.database).now() if self.database else NONE

    @contextmanager
    def _audited(self, by: By, action: str, subject: str, detail: Mapping[str, Any]) -> Any:
        """The change within the unit of work of its row, so that none is made without the other."""
        if self.database is None:
            yield
            return
        with self.database.writing() as connection:
            told = {name: value for name, value in detail.items() if value not in (None, [])}
            audit.record(self.database, connection, by, action, subject, **told)
            yield


def activate_through_gate(
    settings: Mapping[str, Any],
    version: str,
    by: By,
    *,
    database: Database | None = None,
    reason: str | None = None,
) -> Activated:
    """Let a version just trained take over: for ``quebu train --activate`` and for the job that trains. Raises GateRefused with the findings
    where the gate holds it up and no reason is given; the version stays, not active."""
    return Versions.of(settings, database).activate(version, by, reason)


def thresholds_of(settings: Mapping[str, Any]) -> Thresholds:
    """How much may change without a reason."""
    return Thresholds(settings["GATE_QUALITY"], settings["GATE_UNMET"], settings["GATE_CHANGED"])


def roster_from(path: Path, lexicon: Lexicon) -> Roster:
    """The people on a roster, evenly thinned out where there are very many; TableError where nobody can be used."""
    people: Sequence[Profile] = roster_in(path, lexicon, None).values
    step = max(1, -(-len(people) // MOST_PEOPLE))
    return Roster(path.name, tuple(people[::step]))


def _checked(reason: str | None) -> str | None:
    """A reason that says something, else None; InputError where it is too long to be kept."""
    bare = (reason or "").strip()
    if len(bare) > LONGEST_REASON:
        raise InputError(f"理由（--reason 或 reason）有 {len(bare):,} 个字，最多 {LONGEST_REASON} 个。请写短些。")
    return bare or None


def _told(by: By, reason: str | None, findings: Sequence[str] = ()) -> dict[str, Any]:
    """What the history of the registry tells beside the version."""
    # Whoever sits at the machine is told in the audit log; the history goes where the registry is copied to.
    who = "local" if by.actor.startswith("command:") else by.actor
    told = {"at": now().strftime("%Y-%m-%dT%H:%M:%SZ"), "by": who, "reason": reason, "findings": list(findings)}
    return {name: value for name, value in told.items() if value}
