"""The job that trains: a course list read, put beside the others, trained, and activated through the gate where that was asked for."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from model.errors import VersionError
from model.lexicon import load_lexicon
from model.versions.registry import Moved, Registry
from service.catalogs import Base, Draft, Import, draft
from service.cohorts import JSON
from service.jobs.task import Task
from service.settings import load_settings
from service.store.audit import By
from service.store.feedback import to_learn
from service.training import COMPARING, READING, SAVING, STAGES, trained
from service.training import told as told_version
from service.versions import GateRefused, activate_through_gate, registry_of

KIND = "training"


def train(task: Task) -> None:
    """Train. An attempt that comes after one that was killed takes the version that one has saved, if it has."""
    settings = load_settings() | {"REGISTRY": str(task.engine.registry.folder)}
    stages = {name: number for number, name in enumerate(STAGES)}

    def reached(stage: str, done: int = 0, total: int = 0) -> None:
        told = f"{stage}（{done:,}/{total:,}）" if total else stage
        task.reach(stages[stage], told)

    reached(READING)
    asked = task.job.request
    registry = registry_of(settings)
    drafted = drafted_from(asked, task.given("courses"), registry)
    notes: list[str] = []
    version = saved_by(registry, task.job.id)
    if version is None:
        more = {"job": task.job.id, "who": task.job.owner}
        said = to_learn(settings, task.database)
        _, version = trained(drafted, settings, more, said, tell=notes.append, reached=reached)
    else:
        reached(SAVING)
    answer = {
        **told_version(registry, version),
        "active": False,
        "findings": [],
        "comparison": None,
        "check": drafted.told(),
        "notes": notes,
    }
    if asked["activate"]:
        reached(COMPARING)
        try:
            done = activate_through_gate(
                settings, version, By(task.job.owner), database=task.database, reason=asked["reason"]
            )
            answer |= {"active": True, "comparison": done.report}
        except GateRefused as refused:
            answer |= {"findings": refused.findings, "comparison": refused.report}
        except Moved as moved:  # The version stays; whoever moved the other one has to look at both.
            answer |= {"findings": [{"check": "moved", "told": str(moved)}]}
    task.finish(JSON, json.dumps(answer, ensure_ascii=False).encode() + b"\n")


def drafted_from(asked: dict[str, Any], content: bytes, registry: Registry) -> Draft:
    """The next catalog from what was sent, ``file`` being the name of the ``content`` (blank: a list is only left out); raises InputError."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / asked["file"] if content else None
        if path:
            path.write_bytes(content)
        return draft(import_of(asked, path), Base.of(registry), load_lexicon())


def import_of(asked: dict[str, Any], path: Path | None) -> Import:
    """What was asked for, with the file where it lies now."""
    return Import(
        path,
        asked["source"],
        tuple(asked["without"]),
        tuple((asked["map"] or {}).items()),
        tuple((asked["categories"] or {}).items()),
        asked["year"],
    )


def saved_by(registry: Registry, identity: str) -> str | None:
    """The version that a job, or an earlier attempt at it, has saved."""
    for version in reversed(registry.versions()):
        with suppress(VersionError):
            if registry.card(version).get("job") == identity:
                return version
    return None
