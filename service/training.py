"""A drafted catalog -> a version in the registry, and its activation: the same for ``quebu train`` and for the job that trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from model import training
from model.errors import EncoderUnavailable
from model.feedback import Piece
from model.versions.registry import Registry
from service.catalogs import Draft
from service.embeddings import encoders, usable
from service.secret import signing_key_of

# What is told of a version that was just trained.
PRINTED = ("version", "created", "courses", "catalog_fingerprint", "encoder", "degraded", "familiar", "metrics")
READING, SAVING, COMPARING = "读取课程表", "保存版本", "启用前的检查"
# How the stages of `model.training.train` are told; together with what comes before and after them they stand in their order.
WORDS = {
    "fitting": "学习短板的说法",
    "calibrating": "校准匹配度",
    "evaluating": "评价效果",
    "features": "理解课程",
}
STAGES = (READING, *WORDS.values(), SAVING, COMPARING)

UNAVAILABLE = "嵌入服务现在不可用，这个版本改用随附的编码器训练。"
STOPPED = "嵌入服务在训练途中停止应答，这个版本改用其余的编码器重新训练；待服务恢复后，请再训练一次。"
FOREIGN = "这份课程表的多数课程超出随附的能力词表，匹配主要靠字面和语义，匹配度只宜用来比较先后，不宜当作概率。"


def trained(
    drafted: Draft,
    settings: Mapping[str, Any],
    more: Mapping[str, Any],
    feedback: Sequence[Piece],
    *,
    tell: Callable[[str], None],
    reached: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> tuple[Registry, str]:
    """Train on a drafted catalog and save the version, not active; ``more`` is what its card tells besides, ``feedback`` what there is to learn from.
    ``tell`` hears what a planner should know, ``reached`` which stage is under way and how much of it is done.

    One training at a time in a registry. An embeddings endpoint that fails midway is left out. Raises InputError, also where another training is
    under way, VersionError, OSError.
    """
    with Registry(Path(settings["REGISTRY"])).training():
        return _trained(drafted, settings, more, feedback, tell, reached)


def _trained(
    drafted: Draft,
    settings: Mapping[str, Any],
    more: Mapping[str, Any],
    feedback: Sequence[Piece],
    tell: Callable[[str], None],
    reached: Callable[[str, int, int], None],
) -> tuple[Registry, str]:
    wanted = encoders(settings)
    able = None if wanted is None else usable(wanted)
    if wanted is not None and able != wanted:
        tell(UNAVAILABLE)
    card = {
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **drafted.card(),
        "accepted_relevance": training.ACCEPTED,
        **more,
    }

    def told_of(stage: str, done: int = 0, total: int = 0) -> None:
        reached(WORDS[stage], done, total)

    store = Registry(Path(settings["REGISTRY"]), able, signing_key_of(settings), settings["KEEP_VERSIONS"])
    before = store.latest()
    while True:
        try:
            made = partial(
                training.train,
                drafted.catalog,
                encoders=able,
                before=before,
                feedback=feedback or None,
                reached=told_of,
            )
            version = store.save(made, card)
            reached(SAVING, 0, 0)
            return store, version
        except EncoderUnavailable:
            if not able:
                raise
            if before and usable(able) == able:  # It answers, but as another model than that of the version before.
                before = None
            else:
                able = able[1:]
                tell(STOPPED)


def told(store: Registry, version: str) -> dict[str, Any]:
    """What is told of a version that was just trained."""
    saved = store.card(version)
    return {key: saved[key] for key in PRINTED} | {"sources": saved["sources"]}


def is_foreign(store: Registry, version: str) -> bool:
    """Whether its relevances are hardly probabilities, so that a planner should be told :data:`FOREIGN`."""
    return bool(store.card(version)["familiar"] < training.FAMILIAR)
