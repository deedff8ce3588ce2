"""What every command needs: its common options, files read with their faults told, lines for a person on stderr."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from model.courselists import read_catalog
from model.domain import Catalog, Course, Profile, Reading
from model.errors import InputError, TableError
from model.lexicon import Lexicon
from model.recommender import Recommender
from model.registry import Registry
from model.reports import account_line
from model.rosters import read_roster
from model.tables import read_sheets
from service.embeddings import encoders
from service.jsonl import read_courses, read_profiles
from service.settings import SETTINGS, load_settings
from service.usage import few


def setting(name: str) -> dict[str, Any]:
    """The default of an option that is also a setting: read when the command runs, shown as the table has it."""
    shown = next(setting.default for setting in SETTINGS if setting.name == name)
    return {"default": lambda: load_settings()[name], "show_default": str(shown)}


def store_of(registry: Path) -> Registry:
    """The registry, its versions given the encoders of the settings."""
    return Registry(registry, encoders(load_settings()))


registry_option = click.option("--registry", type=click.Path(path_type=Path), help="版本库目录", **setting("REGISTRY"))
version_option = click.option("--version", default=None, help="使用的版本，默认为启用的版本")
roster_option = click.option(
    "--roster", type=click.Path(path_type=Path), required=True, help="名册：.xlsx .xls .csv .jsonl"
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
    with _about(path):
        if path.suffix.lower() == ".jsonl":
            catalog, reading = read_courses(path, lexicon)
        else:
            catalog, reading = read_catalog(read_sheets(path), lexicon)
    _tell_reading(path, reading)
    return catalog, reading


def roster_of(path: Path, lexicon: Lexicon, today: tuple[int, int] | None) -> Reading[Profile]:
    """Read a roster, telling how its rows add up and every fault; TableError where nobody on it can be used."""
    with _about(path):
        if path.suffix.lower() == ".jsonl":
            reading = read_profiles(path, lexicon)
        else:
            reading = read_roster(read_sheets(path), lexicon, today)
        if not reading.values:
            raise TableError(f"{path.name} 里没有一个可用的人员。{account_line(reading)}", reading.faults)
    _tell_reading(path, reading)
    return reading


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """A message that names no file gets the file's name in front: the reader of sheets does not know it."""
    try:
        yield
    except TableError as error:
        head = str(error).splitlines()[0]
        raise TableError(head if path.name in head else f"{path.name}：{head}", error.faults) from error
    except InputError as error:
        if path.name in str(error):
            raise
        raise InputError(f"{path.name}：{error}") from error


def unknown_completed(recommender: Recommender, reading: Reading[Profile]) -> tuple[tuple[Profile, str], ...]:
    """Completed courses that the catalog does not know: they could not be kept out of the list. People are named in the workbook
    only, for what stands on a terminal may end in a log."""
    unknown = tuple((person, text) for person in reading.values for text in recommender.unknown_completed(person))
    people = Counter(text for _, text in unknown)
    for line in few([f"已学课程“{text}”不在课程目录中，未能排除（{count} 人）" for text, count in people.items()]):
        tell(line)
    return unknown


def _tell_reading(path: Path, reading: Reading[Any]) -> None:
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
