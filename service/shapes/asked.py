"""What a planner may ask of a cohort plan. The command line and the service ask in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, post_load
from marshmallow.validate import Length

from model.cohort.pairing import Between
from model.cohort.rules import CLASS_TYPES, Share
from model.errors import InputError
from model.files.categories import BRANCHES
from service.settings import load_settings
from service.shapes.fields import WHOLE, Door, Number, at_most, between, both, characters, one_of

CLASS_ONLY = {
    "kind": "--type", "share": "--share", "fit": "--fit",
    "theory": "--theory", "practice": "--practice", "max_courses": "--max-courses", "budget": "--budget", "classes": "--classes",
}  # fmt: skip
MENU_ONLY = {"sessions": "--sessions", "floor": "--floor", "level_floor": "--level-floor", "offer": "--offer"}
SPLIT_ONLY = {"class_size": "--class-size", "class_min": "--class-min", "level_span": "--level-span"}
TAKING_PART = ("HOURS_PER_DAY", "DEFAULT_HOURS", "COST_PER_HOUR", "COST_PER_PERSON_DAY", "QUOTAS", "WEAK_SHARE")
SHARE_FORM = "请写成 党性教育=0.2 或 理论教育+党性教育=70%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request for a plan. Hours are 学时 (of the class, or of each person with ``menu``), shares and floors 0 to 1, money 元."""

    hours: float | None = None
    days: float | None = None
    kind: str = "专题班"
    share: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    catalog_required: bool = True
    mode: tuple[str, ...] = ()
    max_courses: int | None = None
    budget: float | None = None
    fit: float = 0.5
    theory: int | None = None
    practice: int | None = None
    level_window: int = 0
    classes: int = 1
    class_size: int | None = None
    class_min: int | None = None
    level_span: int | None = None
    menu: bool = False
    seats: int = 50
    min_size: int = 1
    sessions: int | None = None
    repeats: int = 1
    floor: float = 0.0
    level_floor: float = 0.0
    offer: tuple[str, ...] = ()
    what_if: bool = False
    time_limit: float = 60.0
    gap: float = 1e-4
    as_of: date | None = None
    pairs: str = Between.UNITS.value

    def __post_init__(self) -> None:
        if (self.hours is None) == (self.days is None):
            raise InputError("请用 --hours 给出学时，或用 --days 给出天数，两者给一个。")
        usual = {name: field.default for name, field in type(self).__dataclass_fields__.items()}
        given = {name for name in usual if getattr(self, name) != usual[name]}
        for names, there, words in (
            (CLASS_ONLY, not self.menu, "只用于排班，不用于菜单选学（--menu），请去掉其中一边。"),
            (MENU_ONLY, self.menu, "只用于菜单选学，请加上 --menu，或去掉这些选项。"),
            (SPLIT_ONLY, self.classes > 1, "只用于分班，请用 --classes 给出班数，或去掉这些选项。"),
        ):
            idle = [option for name, option in names.items() if name in given and not there]
            if idle:
                raise InputError(f"{'、'.join(idle)} {words}")
        both = sorted(set(self.require) & set(self.exclude))
        if both:
            raise InputError(f"课程 {'、'.join(both)} 既在 --require 又在 --exclude 中，请只留一处。")
        for share in self.share:
            share_of(share)

    def total_hours(self, hours_per_day: float) -> float:
        """The hours asked for, however they were stated."""
        return self.hours if self.hours is not None else float(self.days or 0) * hours_per_day

    @property
    def month(self) -> tuple[int, int] | None:
        """The month that time in post is counted to."""
        return (self.as_of.year, self.as_of.month) if self.as_of else None


def _whole(least: int, most: int, default: int | None = None, **more: Any) -> fields.Integer:
    return fields.Integer(
        load_default=default,
        allow_none=default is None,
        strict=True,
        error_messages={"invalid": WHOLE},
        validate=between(least, most),
        **more,
    )


def _share(default: float) -> Number:
    return Number(load_default=default, validate=between(0, 1))


def _ids() -> fields.List[Any]:
    return fields.List(
        fields.String(validate=characters(1, 200)), load_default=list, validate=Length(max=1000, error=at_most(1000))
    )


class AskedIn(Door):
    """What is asked of the plan; the names are those of ``quebu plan`` without the dashes."""

    hours = Number(
        load_default=None,
        allow_none=True,
        validate=between(0.25, 10_000),
        metadata={"description": "总学时；菜单选学时为每人学时上限"},
    )
    days = Number(
        load_default=None, allow_none=True, validate=between(0.25, 1000), metadata={"description": "天数，代替 hours"}
    )
    kind = fields.String(data_key="type", load_default="专题班", validate=one_of(tuple(CLASS_TYPES)))
    share = fields.List(
        fields.String(validate=characters(1, 200)), load_default=list, metadata={"description": "如 党性教育=0.2"}
    )
    require = _ids()
    exclude_ids = fields.List(fields.String(validate=characters(1, 200)), data_key="exclude", load_default=list)
    catalog_required = fields.Boolean(load_default=True, truthy={True}, falsy={False})
    mode = fields.List(fields.String(validate=characters(1, 50)), load_default=list)
    max_courses = _whole(1, 10_000)
    budget = Number(load_default=None, allow_none=True, validate=between(0, 1e12))
    fit = _share(0.5)
    level_window = _whole(0, 10, 0)
    classes = _whole(1, 100, 1)
    class_size = _whole(1, 100_000)
    class_min = _whole(1, 100_000)
    level_span = _whole(0, 20)
    menu = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    seats = _whole(1, 100_000, 50)
    min_size = _whole(1, 100_000, 1)
    sessions = _whole(1, 10_000)
    repeats = _whole(1, 100, 1)
    floor = _share(0.0)
    level_floor = _share(0.0)
    offer = _ids()
    what_if = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    time_limit = Number(load_default=20.0, validate=between(1, 3600))
    gap = Number(load_default=1e-3, validate=between(0, 0.5))
    theory = _whole(0, 100)
    practice = _whole(0, 100)
    pairs = fields.String(load_default=Between.UNITS.value, validate=one_of(tuple(kind.value for kind in Between)))
    as_of = fields.Date(
        load_default=None,
        allow_none=True,
        error_messages={"invalid": both("应为日期，如 2026-11-01", "Must be a date.")},
    )

    @post_load
    def asked(self, data: dict[str, Any], **_: Any) -> Asked:
        """Make the value; raises InputError."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return Asked(exclude=values.pop("exclude_ids"), **values)


def share_of(text: str) -> Share:
    """Read 党性教育=0.2 or 理论教育+党性教育=70%; raises InputError."""
    names, _, least = text.replace("＋", "+").replace("＝", "=").partition("=")
    branches = tuple(name.strip() for name in names.split("+"))
    try:
        value = float(least.strip().rstrip("%％")) / (100 if least.strip()[-1:] in "%％" else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1 or not set(branches) <= set(BRANCHES):
        raise InputError(
            f"--share “{text}”读不懂。{SHARE_FORM}；类别只能是 {'、'.join(BRANCHES)}，比例在 0 到 1 之间。"
        )
    return Share(branches, value)


def parameters_of(asked: Asked, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, as a plan carries it and :class:`AskedIn` reads it: with the settings that took part, so that it can be asked again."""
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(asked).items()}
    told["as_of"] = asked.as_of.isoformat() if asked.as_of else None
    kind = {"type": told.pop("kind")}
    return kind | told | {"settings": {name: settings[name] for name in TAKING_PART}}


def asked_again(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The request and the settings of a kept plan, checked as if they were given anew; raises InputError where they are damaged."""
    given, settings = dict(parameters), parameters.get("settings")
    given.pop("settings", None)
    try:
        if not isinstance(settings, Mapping):
            raise ValidationError("settings")
        kept = load_settings({f"QUEBU_{name}": str(settings[name]) for name in TAKING_PART if name in settings})
        asked = asdict(AskedIn().load(given))
    except (ValidationError, InputError) as error:
        raise InputError(
            "原方案里的参数（parameters）已损坏，不能照它重排；请用 --previous 只作比较，并另外给出选项。"
        ) from error
    return asked, {name: kept[name] for name in TAKING_PART}
