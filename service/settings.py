"""One table of settings. Each is read from the environment variable ``QUEBU_<NAME>``, else from its default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.errors import InputError


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its name, its default (whose type the value takes), what it means, and the range of a number."""

    name: str
    default: str | int | float
    help: str
    least: float = 0
    most: float = 0


SETTINGS = (
    Setting("REGISTRY", "instance/registry", "Folder of the trained versions."),
    Setting(
        "DATABASE_URL",
        "",
        "Address of the store, postgresql://user:password@host/name; blank: an SQLite file beside the registry.",
    ),
    Setting("SECRET", "", "Secret of at least 32 characters that keys digests and cookies; blank: that of the file."),
    Setting("SECRET_FILE", "", "File with the secret; blank: one beside the registry, made when first needed."),
    Setting("SIGNING_KEY", "", "Key of at least 32 characters that versions are sealed with; blank: that of the file."),
    Setting("SIGNING_KEY_FILE", "", "File with that key; blank: versions are not sealed."),
    Setting(
        "KEEP_VERSIONS", 10, "Versions kept, the newest, beside the active one and those before it; 0: all.", 0, 10_000
    ),
    Setting("GATE_QUALITY", 0.02, "Largest drop of nDCG@10 with which a version takes over without a reason.", 0, 1),
    Setting("GATE_UNMET", 0.05, "Largest share of gaps newly unmet with which it does.", 0, 1),
    Setting("GATE_CHANGED", 1.0, "Largest share of people whose first courses change with which it does.", 0, 1),
    Setting("TRUSTED_PROXIES", 0, "How many proxies stand before the service and tell whom they speak for.", 0, 10),
    Setting(
        "RATE_LIMIT", 30_000, "Requests a minute of one key; a plan or a batch counts as a hundred.", 1, 10_000_000
    ),
    Setting(
        "RATE_LIMIT_STORAGE", "memory://", "Where requests are counted: in each process, or for all in redis://host."
    ),
    Setting("IDEMPOTENCY_HOURS", 24, "Hours the first answer to a request with an Idempotency-Key is kept.", 1, 720),
    Setting("PLAN_DAYS", 730, "Days a saved plan is kept; 0: until it is deleted.", 0, 36_500),
    Setting("DESK_HOURS", 8, "Hours what is worked on in the console is kept, sealed, after the last touch.", 1, 168),
    Setting("JOB_HOURS", 24, "Hours a job is kept with its result after it has ended.", 1, 8760),
    Setting("TOP", 8, "How many ranked courses a person gets when the caller does not say.", 1, 100),
    Setting(
        "LEVEL_WINDOW",
        0,
        "How many ranks a person may stand outside a course's stated audience (0: not at all).",
        0,
        10,
    ),
    Setting("HOURS_PER_DAY", 6.0, "Hours (学时) a day of a class; local rules say 6, 7.5 or 8.", 1, 24),
    Setting("DEFAULT_HOURS", 1.0, "Hours (学时) a course counts in a plan when its list states none.", 0.1, 100),
    Setting("COST_PER_HOUR", 1000, "Cost (元) of an hour taught, for plans with a budget.", 0, 1_000_000),
    Setting("COST_PER_PERSON_DAY", 550, "Cost (元) of a person and day, for plans with a budget.", 0, 1_000_000),
    Setting(
        "QUOTAS", "", "Ids of the quotas of hours that are checked, separated by commas; blank: those switched on."
    ),
    Setting("WEAK_SHARE", 50, "Percent of a quota of hours below which somebody counts as 弱训.", 1, 100),
    Setting(
        "MAX_COHORT", 1000, "Most people of a cohort that is answered at once; for more it becomes a job.", 1, 100_000
    ),
    Setting("MAX_BATCH", 20_000, "Most profiles of one batch request.", 1, 1_000_000),
    Setting("MAX_BATCH_MB", 64, "Largest request body of a batch, in MB.", 1, 1000),
    Setting("LEARN", 1, "Whether a training learns from what planners said (1) or not (0).", 0, 1),
    Setting("LOG_LEVEL", "info", "From which level on the service tells: debug, info, warning or error."),
    Setting("MAX_BODY_MB", 10, "Largest request body, in MB.", 1, 1000),
    Setting(
        "EMBEDDINGS_URL", "", "OpenAI-compatible endpoint for sentence vectors, up to /v1; blank: the bundled encoder."
    ),
    Setting("EMBEDDINGS_MODEL", "", "Name of the endpoint's model."),
    Setting("EMBEDDINGS_KEY", "", "Key sent to the endpoint as a bearer token, if it wants one."),
    Setting("EMBEDDINGS_TIMEOUT", 10, "Seconds a request to the endpoint may take.", 1, 300),
)


def load_settings(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Read every setting; InputError names a variable whose value is no number or out of range. Blank counts as not set."""
    return {setting.name: _read(setting, environment.get(f"QUEBU_{setting.name}", "").strip()) for setting in SETTINGS}


def _read(setting: Setting, given: str) -> str | int | float:
    if not given or isinstance(setting.default, str):
        return given or setting.default
    kind, told = (float, "数") if isinstance(setting.default, float) else (int, "整数")
    try:
        number = kind(given)
    except ValueError:
        number = setting.least - 1
    # Written so that what is no number is outside as well.
    if not setting.least <= number <= setting.most:
        raise InputError(
            f"环境变量 QUEBU_{setting.name} 应为 {setting.least:g} 到 {setting.most:g} 的{told}，现为“{given[:30]}”。"
        )
    return number
