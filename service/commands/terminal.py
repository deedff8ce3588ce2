"""What every command needs: its common options, files read with their faults told, lines for a person on stderr."""

from __future__ import annotations

import ctypes
import getpass
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from model.domain import Catalog, Course, Profile, Reading
from model.lexicon import Lexicon
from model.recommender import Recommender
from model.reports import account_line
from model.selection import RULES
from model.versions.registry import Registry
from service.commands.usage import few
from service.settings import SETTINGS, load_settings
from service.shapes.courselists import course_list
from service.shapes.files import roster_in
from service.store.audit import By
from service.store.layer import beside
from service.versions import registry_of


def setting(name: str) -> dict[str, Any]:
    """The default of an option that is also a setting: read when the command runs, shown as the table has it."""
    shown = next(setting.default for setting in SETTINGS if setting.name == name)
    return {"default": lambda: load_settings()[name], "show_default": str(shown)}


def store_of(registry: Path) -> Registry:
    """The registry, with the encoders, the signing key and the retention of the settings."""
    return registry_of(load_settings() | {"REGISTRY": str(registry)})


def who_runs_this() -> By:
    """Whoever is signed in to this machine, for the audit log."""
    try:
        return By(f"command:{getpass.getuser()}")
    except (KeyError, OSError):  # A container's user may have no name.
        return By(f"command:{os.getuid()}")


def version_at_work(registry: Path, version: str | None) -> Recommender:
    """The version asked for, under what was rejected in the store beside the registry (or in the one the settings name), if there is one."""
    overrides = beside(load_settings() | {"REGISTRY": str(registry)})
    recommender = store_of(registry).load(version)
    return recommender.under(overrides) if overrides else recommender


def tell_overridden(recommender: Recommender, numbers: Set[int]) -> None:
    """Say how many of the rejections at work took part; nothing where there are none at all."""
    if recommender.overrides:
        tell(
            f"· 人工调整共 {len(recommender.overrides.numbers)} 条，本次起作用 {len(numbers)} 条；查看：quebu overrides list，撤销：quebu overrides revert 编号。"
        )


registry_option = click.option("--registry", type=click.Path(path_type=Path), help="版本库目录", **setting("REGISTRY"))
version_option = click.option("--version", default=None, help="使用的版本，默认为启用的版本")
roster_option = click.option(
    "--roster", type=click.Path(path_type=Path), required=True, help="名册：.xlsx .xls .csv .jsonl .parquet"
)
level_window_option = click.option(
    "--level-window", type=click.IntRange(0, 10), help="允许与课程适用层级相差几级", **setting("LEVEL_WINDOW")
)
as_of_option = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m", "%Y-%m-%d"]),
    metavar="YYYY-MM",
    default=None,
    help="任职年限算到何时；默认取名册的填报日期",
)
out_option = partial(click.option, "--out", type=click.Path(path_type=Path, dir_okay=False), default=None)


def catalog_of(path: Path, lexicon: Lexicon) -> tuple[Catalog, Reading[Course]]:
    """Read a course list, telling how its rows add up and every fault."""
    found = course_list(path, lexicon)
    tell_reading(path, found.reading)
    return found.catalog, found.reading


def roster_of(path: Path, lexicon: Lexicon, today: tuple[int, int] | None) -> Reading[Profile]:
    """Read a roster, telling how its rows add up and every fault; TableError where nobody on it can be used."""
    reading = roster_in(path, lexicon, today)
    tell_reading(path, reading)
    return reading


def unknown_completed(recommender: Recommender, reading: Reading[Profile]) -> tuple[tuple[Profile, str], ...]:
    """Completed courses that the catalog does not know: they could not be kept out of the list. People are named in the workbook
    only, for what stands on a terminal may end in a log."""
    unknown = tuple((person, text) for person in reading.values for text in recommender.unknown_completed(person))
    tell_unknown(Counter(text for _, text in unknown))
    return unknown


def tell_unknown(people: Counter[str]) -> None:
    """Name completed courses that the catalog does not know, with the number of people."""
    for line in few([f"已学课程“{text}”不在课程目录中，未能排除（{count} 人）" for text, count in people.items()]):
        tell(line)


def tell_removed(removed: Counter[str]) -> None:
    """Say how many courses each rule of eligibility took away; nothing where none did."""
    if removed:
        counts = "、".join(f"{rule} {removed[rule]:,}" for rule in RULES if removed[rule])
        tell(f"· 推荐之前按规则排除的课程（人次）：{counts}。")


def tell_reading(path: Path, reading: Reading[Any]) -> None:
    """Say how the rows of a file add up, and name its faults."""
    tell(f"{path.name}：{account_line(reading)}")
    for note in reading.notes:
        tell(f"· {note}")
    for line in few([str(fault) for fault in reading.faults]):
        tell(line)


@contextmanager
def stdout_kept() -> Iterator[None]:
    """Keep stdout for the answer: what native code prints meanwhile (HiGHS now and then prints a line of its own) is dropped."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        # The C library holds back what was printed; it has to go where it was meant to go before stdout is put back.
        ctypes.CDLL("ucrtbase" if os.name == "nt" else None).fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def progress(total: int, label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's stderr; silent where stderr is a file."""
    with click.progressbar(length=total, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield lambda done, _: bar.update(done - bar.pos)


def tell(line: str) -> None:
    """Say something to a person: on stderr."""
    click.echo(line, err=True)


def print_json(value: Any) -> None:
    """Answer with a JSON value: on stdout, in UTF-8."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2).encode())
