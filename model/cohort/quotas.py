"""Quotas of hours × people × hours a plan adds -> who falls short of what, and the sheet that warns of it (学时预警).

A quota asks for hours of one kind in one period: 集中培训 or 网络, in a year or over five years. Levels are the codes of ``levels.csv``.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from model.cohort.nouns import Session
from model.domain import Profile
from model.errors import InputError, KnowledgeError
from model.files.sheets import SheetOut
from model.files.tables import read_knowledge
from model.lexicon import TRAINING_DATA, Lexicon
from model.reports import FOOTER, unit_and_post
from model.selection import ON_SCREEN

ROOM, SCREEN = "集中培训", "网络"
YEAR, FIVE_YEARS = "年度", "五年"
COLUMNS = (
    "id", "name", "applies", "least_level", "most_level", "hours", "days", "period", "kind", "source", "status", "on", "note",
)  # fmt: skip
# What a roster can tell hours done of, and the header it would stand under.
ROSTER_COLUMN = {(ROOM, YEAR): "集中培训学时", (SCREEN, YEAR): "网络学时", (ROOM, FIVE_YEARS): "五年累计学时"}
STATUS = {
    "S": "已见出处",
    "S-old": "出处较旧，可能已不适用",
    "S-local": "只见于一地或一个单位",
    "S-2nd": "只见转述，未见原文",
    "M": "凭记忆，未核实",
}

Planned = Mapping[str, Mapping[str, float]]  # Kind -> person id -> hours that a plan adds.


class Standing(StrEnum):
    """How a person stands to a quota once the plan is held."""

    MISSED = "漏训"  # Nothing done, nothing planned.
    WEAK = "弱训"  # Less than a given share of the quota.
    SHORT = "未达标"
    MET = "达标"
    UNTOLD = "未填"  # The roster does not tell hours done of that kind and period.


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota of ``training_data/quotas.csv``: whom it asks for how many hours. A level bound of None bounds nothing."""

    id: str
    name: str
    applies: str
    least_level: int | None
    most_level: int | None
    hours: float
    days: float | None
    period: str
    kind: str
    source: str
    status: str
    on: bool
    note: str

    @property
    def bounded(self) -> bool:
        """Whether it asks people of some levels only."""
        return self.least_level is not None or self.most_level is not None

    def asks(self, level: int | None) -> bool:
        """Whether it asks somebody of this level; nobody whose level is unknown where it is bounded."""
        if level is None:
            return not self.bounded
        least, most = self.least_level, self.most_level
        return (least is None or level >= least) and (most is None or level <= most)


@dataclass(frozen=True, slots=True)
class Due:
    """What a quota comes to for one person: hours done (None: not told), hours the plan adds, and what follows from both.

    Below ``weak_share`` of the quota (0 to 1) training is weak (弱训).
    """

    person: Profile
    quota: Quota
    done: float | None
    planned: float
    weak_share: float

    @property
    def after(self) -> float | None:
        """The hours done once the plan is held; None where hours done are not told."""
        return None if self.done is None else round(self.done + self.planned, 2)

    @property
    def share(self) -> float | None:
        """The share of the quota that is done after the plan; it may exceed 1."""
        return None if self.after is None else self.after / self.quota.hours

    @property
    def shortfall(self) -> float | None:
        """The hours that are still missing after the plan."""
        return None if self.after is None else max(0.0, round(self.quota.hours - self.after, 2))

    @property
    def standing(self) -> Standing:
        """How the person stands to the quota once the plan is held."""
        if self.share is None:
            return Standing.UNTOLD
        if self.share >= 1:
            return Standing.MET
        if self.share == 0:
            return Standing.MISSED
        return Standing.WEAK if self.share < self.weak_share else Standing.SHORT


@dataclass(frozen=True)
class HourAccount:
    """What the quotas come to for everybody they ask. ``unplaced`` counts people without a level, whom a bounded quota could not ask."""

    quotas: tuple[Quota, ...]
    due: tuple[Due, ...]
    unplaced: int
    weak_share: float


def load_quotas(folder: Path = TRAINING_DATA) -> tuple[Quota, ...]:
    """Load and check ``quotas.csv``. Raises KnowledgeError naming the row that breaks its rules."""
    return tuple(_quota(row) for row in read_knowledge(folder / "quotas.csv", COLUMNS))


def _quota(row: Mapping[str, str]) -> Quota:
    known = (row["kind"], row["period"]) in ROSTER_COLUMN and row["status"] in STATUS and row["on"] in {"0", "1"}
    try:
        least, most = (int(row[bound]) if row[bound] else None for bound in ("least_level", "most_level"))
        hours, days = float(row["hours"]), float(row["days"]) if row["days"] else None
    except ValueError:
        known = False
    if not known or not 0 < hours < math.inf:
        raise KnowledgeError(
            f"quotas.csv 中 {row['id']} 一行有误：hours 应为大于 0 的数，days、least_level、most_level 为数字或空，kind 与 period 为"
            f" {'、'.join(f'{kind}/{period}' for kind, period in ROSTER_COLUMN)} 之一，status 为 {'、'.join(STATUS)} 之一，on 为 0 或 1。"
        )
    return Quota(
        row["id"], row["name"], row["applies"], least, most, hours, days, row["period"], row["kind"], row["source"], row["status"],
        row["on"] == "1", row["note"],
    )  # fmt: skip


def switched_on(quotas: Sequence[Quota], ids: str = "") -> tuple[Quota, ...]:
    """The quotas that ``ids`` names (Q1,Q5); blank: those switched on in their file. Raises InputError naming ids there are none of."""
    wanted = {word.upper() for word in re.split(r"[,，、;；\s]+", ids) if word}
    strangers = wanted - {quota.id for quota in quotas}
    if strangers:
        raise InputError(
            f"没有编号为 {'、'.join(sorted(strangers))} 的学时规定；可选的有 {'、'.join(quota.id for quota in quotas)}。"
        )
    return tuple(quota for quota in quotas if (quota.id in wanted if wanted else quota.on))


def planned_hours(sessions: Iterable[Session]) -> Planned:
    """The hours that sessions add to each attendee, by kind: 网络 where a course is taught on screen, else 集中培训."""
    planned: dict[str, dict[str, float]] = {ROOM: defaultdict(float), SCREEN: defaultdict(float)}
    for session in sessions:
        stated = sum(course.hours or 0.0 for course in session.courses)
        silent = sum(course.hours is None for course in session.courses)
        for course in session.courses:
            # What a session counts beyond the stated hours stands for the courses that state none.
            hours = (session.hours - stated) / silent if course.hours is None else course.hours
            kind = SCREEN if any(word in course.mode for word in ON_SCREEN) else ROOM
            for person in session.attendees:
                planned[kind][person] += hours
    return planned


def hours_due(
    people: Iterable[Profile], quotas: Sequence[Quota], planned: Planned, weak_share: float = 0.5
) -> HourAccount:
    """Hold everybody against the quotas that ask them, with the hours a plan adds."""
    due, unplaced = [], 0
    for person in people:
        unplaced += person.level is None and any(quota.bounded for quota in quotas)
        told = {
            (ROOM, YEAR): person.hours_done,
            (SCREEN, YEAR): person.online_hours_done,
            (ROOM, FIVE_YEARS): person.five_year_hours_done,
        }
        for quota in quotas:
            if quota.asks(person.level):
                done = told[quota.kind, quota.period]
                added = round(planned.get(quota.kind, {}).get(person.id, 0.0), 2)
                due.append(Due(person, quota, done, added, weak_share))
    return HourAccount(tuple(quotas), tuple(due), unplaced, weak_share)


def hour_warnings(account: HourAccount, lexicon: Lexicon) -> SheetOut:
    """学时预警: everybody who falls short of a quota or whose hours are not told; below, how many keep it, and where each quota comes from."""
    untold = bool(account.due) and all(one.done is None for one in account.due)
    shown = [] if untold else [one for one in account.due if one.standing is not Standing.MET]
    rows = [[number, *_line(one, lexicon)] for number, one in enumerate(shown, start=1)]
    header = [
        "序号", "姓名", "单位及职务", "职务层次", "适用规定", "应完成学时", "已完成学时", "本方案增加", "完成率", "差额", "预警",
    ]  # fmt: skip
    widths = [6, 10, 34, 14, 26, 10, 10, 10, 9, 9, 10]
    footer = (
        [
            f"名册里没有已完成学时，无法预警；请在名册中加上{_missing_columns(account.due)}列，每人填一个数，没有参加的填 0。"
        ]
        if untold
        else _told(account)
    )
    sources = [_source(quota) for quota in account.quotas]
    return SheetOut("学时预警", "学时预警名单", header, rows, widths, (*footer, *sources, FOOTER))


def _line(due: Due, lexicon: Lexicon) -> list[str | float | None]:
    person = due.person
    level = lexicon.level_names.get(person.level, "") if person.level is not None else ""
    # Cut, not rounded: 99.96 % is not yet 100 %.
    share = "" if due.share is None else f"{math.floor(round(due.share * 1000, 6)) / 10:g}%"
    done = "未填" if due.done is None else due.done
    return [
        person.name or person.id, unit_and_post(person), level, due.quota.name, due.quota.hours, done, due.planned, share, due.shortfall,
        due.standing.value,
    ]  # fmt: skip


def _missing_columns(due: Iterable[Due]) -> str:
    """The headers of a roster under which the hours that nobody told would stand."""
    columns = (ROSTER_COLUMN[one.quota.kind, one.quota.period] for one in due if one.done is None)
    return f"“{'”“'.join(dict.fromkeys(columns))}”"


def _told(account: HourAccount) -> list[str]:
    """The lines that make the numbers add up, and what the words mean."""
    counts = Counter(one.standing for one in account.due)
    listed = "、".join(f"{kind} {counts[kind]}" for kind in Standing if kind is not Standing.MET)
    lines = [
        f"应核算 {len(account.due)} 人次（一人适用几项规定计几次）：{listed}，达标 {counts[Standing.MET]}（未列出）。"
    ]
    if account.unplaced:
        lines.append(f"{account.unplaced} 人看不出层级，没有按分层级的规定核算；请在名册“职务层次”列补上层级。")
    lines.append(f"漏训：没有完成也没有安排；弱训：加上本方案仍不到应完成学时的 {account.weak_share:.0%}。")
    if counts[Standing.UNTOLD]:
        lines.append(
            f"未填：名册里没有此人这一项的已完成学时；请在{_missing_columns(account.due)}列补上，没有参加的填 0。"
        )
    if any(quota.period == FIVE_YEARS for quota in account.quotas):
        lines.append("五年学时按整个周期核算，周期未满时，预警只表示还差多少。")
    return lines


def _source(quota: Quota) -> str:
    days = f"（或 {quota.days:g} 天）" if quota.days else ""
    note = f"{quota.note}。" if quota.note else ""
    return (
        f"{quota.id} {quota.name}：{quota.applies}，{quota.period}{quota.kind} {quota.hours:g} 学时{days}。"
        f"出处（{quota.status}，{STATUS[quota.status]}）：{quota.source} 。{note}"
    )
