"""One table of settings. Each is read from the environment variable ``QUEBU_<NAME>``, else from its default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its name, its default (whose type the value takes), what it means."""

    name: str
    default: str | int
    help: str


SETTINGS = (
    Setting("REGISTRY", "instance/registry", "Folder of the trained versions."),
    Setting("TOP", 8, "How many ranked courses a person gets when the caller does not say."),
    Setting("LEVEL_WINDOW", 0, "How many ranks a person may stand outside a course's stated audience (0: not at all)."),
    Setting("MAX_BODY_MB", 10, "Largest request body, in MB."),
)


def load_settings(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Read every setting; ValueError names a variable whose value is not of the default's type."""
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        given = environment.get(f"QUEBU_{setting.name}")
        try:
            values[setting.name] = setting.default if given is None else type(setting.default)(given)
        except ValueError:
            raise ValueError(f"QUEBU_{setting.name} 应为整数，现为“{given}”。") from None
    return values
