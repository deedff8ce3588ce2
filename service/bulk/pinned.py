"""The version that every machine has to work with: named once by whoever asks, and verified by each."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version as package_version
from pathlib import Path

from threadpoolctl import threadpool_limits

from model.domain import Limits
from model.errors import VersionError
from model.overrides import NONE, Overrides
from model.recommender import Recommender
from model.versions.registry import Registry
from service.settings import load_settings
from service.versions import registry_of

# Their relevances tell one kind of processor or linear algebra from another.
PROBES = ("一上台讲话就发慌", "材料改了五遍还过不了", "数据会看不会用", "群众一围上来就没了主意")
SHARED = "名册、版本库和结果目录都应放在各台机器能以同一路径读写的共享目录里。"
LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Pinned:
    """What all portions of a roster have in common: the version with the digest of its card, the encoder in use, the limits, the rejections."""

    registry: str
    version: str
    card: str
    encoder: str | None
    product: str
    limits: Limits
    overrides: Overrides = NONE

    @classmethod
    def of(cls, registry: Path, recommender: Recommender, limits: Limits, ids: Iterable[str]) -> Pinned:
        """Pin a version that is loaded; ``ids`` are asked only where somebody may have rejections of their own."""
        folder, overrides = str(registry.absolute()), recommender.overrides
        return cls(
            folder,
            recommender.version,
            card_digest(registry, recommender.version),
            recommender.matcher.encoder,
            package_version("quebu"),
            limits,
            overrides.among(ids if overrides.people else ()),
        )

    def check(self) -> None:
        """VersionError where this machine's Quebu or registry is another than that of whoever asks."""
        installed = package_version("quebu")
        if installed != self.product:
            raise VersionError(f"这里装的是 Quebu {installed}，发起的一方是 {self.product}。请装成同一版。")
        if card_digest(Path(self.registry), self.version) != self.card:
            raise VersionError(
                f"这里的 {self.registry} 中版本 {self.version} 与发起时指定的不是同一个（card.json 不同）。"
                "请让各处用同一个版本库目录，再重新运行。"
            )

    def load(self) -> tuple[Recommender, str]:
        """The version, loaded once a process, under the rejections, and the machine's arithmetic; raises VersionError."""
        self.check()
        with LOADING:
            loaded, arithmetic = _load(self.registry, self.version, self.card)
        if loaded.matcher.encoder != self.encoder:
            raise VersionError(
                f"这里用的句向量编码器是 {loaded.matcher.encoder or '（无）'}，发起的一方是 {self.encoder or '（无）'}。"
                "请让各处的 QUEBU_EMBEDDINGS_* 设置和安装一致，再重新运行。"
            )
        return loaded.under(self.overrides) if self.overrides else loaded, arithmetic


def card_digest(registry: Path, version: str) -> str:
    """A digest of the card of a version, which holds those of its files; VersionError where there is none."""
    return hashlib.sha256(json.dumps(Registry(registry).card(version), sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=1)
def _load(registry: str, version: str, _card: str) -> tuple[Recommender, str]:
    recommender = registry_of(load_settings() | {"REGISTRY": registry}).load(version)
    return recommender, arithmetic_of(recommender)


def arithmetic_of(recommender: Recommender) -> str:
    """What this machine makes of some texts, as a digest: processors and libraries round in ways of their own."""
    with threadpool_limits(1):
        return hashlib.sha256(recommender.matcher.relevance(PROBES).tobytes()).hexdigest()[:12]


def hindrance(pinned: Pinned, files: tuple[tuple[str, int], ...], manifest: str, content: str) -> str:
    """What keeps this machine from taking part, or nothing: it has to see the registry, the roster's files (with their sizes) and the folder of the results, whose
    manifest has the digest ``content``."""
    try:
        pinned.check()
    except VersionError as error:
        return str(error)
    for name, size in files:
        if not os.path.isfile(name) or os.path.getsize(name) != size:
            return f"看不到名册 {name}，或看到的不是同一份。{SHARED}"
    try:
        seen = hashlib.sha256(Path(manifest).read_bytes()).hexdigest()
    except OSError:
        seen = ""
    return "" if seen == content else f"看不到结果目录 {os.path.dirname(manifest)}，或看到的不是同一个。{SHARED}"
