"""How well a version did when it was trained -> the same in planners' words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask_babel import lazy_gettext

MEASURES = (
    ("full", "ndcg@10", lazy_gettext("匹配质量"), lazy_gettext("前 10 门课排得好不好，1 为最好（nDCG@10）")),
    ("full", "recall@10", lazy_gettext("找全率"), lazy_gettext("该推荐的课有多大比例进了前 10 门（recall@10）")),
    ("phrases", "top1", lazy_gettext("听懂短板"), lazy_gettext("口语写的短板，一次就归对能力的比例")),
    ("full", "answerable_auc", lazy_gettext("辨出无课"), lazy_gettext("分清“有课可补”和“目录无课”的把握，1 为最好")),
    ("full", "ece_top10", lazy_gettext("匹配度误差"), lazy_gettext("匹配度与实际相差多少，0 为最好")),
)


class Measure(NamedTuple):
    """One number of a version: what it is called, what it means, its value (None: its card does not say)."""

    name: str
    meaning: str
    value: float | None


def measured(metrics: Mapping[str, Any] | None) -> list[Measure]:
    """The numbers of a card that a planner can read, measured on texts held out of the training."""
    found = []
    for view, name, words, meaning in MEASURES:
        told = (metrics or {}).get(view)
        value = told.get(name) if isinstance(told, Mapping) else None
        found.append(Measure(str(words), str(meaning), value if isinstance(value, int | float) else None))
    return found
