"""A roster as it was read <-> JSON, to be taken up again without its file. What we wrote ourselves is not checked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from model.domain import Fault, Heading, Profile, Reading, Restriction, Weakness


def dump_read(reading: Reading[Profile]) -> dict[str, Any]:
    """The people, and the account of the rows they were read from."""
    return asdict(reading) | {"values": [_told(profile) for profile in reading.values]}


def _told(profile: Profile) -> dict[str, Any]:
    return asdict(profile) | {"restrictions": sorted(profile.restrictions)}


def load_read(told: Mapping[str, Any]) -> Reading[Profile]:
    """The same as a value."""
    return Reading(
        tuple(map(_profile, told["values"])),
        told["rows"],
        told["rejected"],
        dict(told["skipped"]),
        tuple(Fault(**fault) for fault in told["faults"]),
        tuple(told["notes"]),
        tuple(Heading(*heading) for heading in told["headings"]),
    )


def _profile(told: Mapping[str, Any]) -> Profile:
    return Profile(
        **{
            **told,
            "weaknesses": tuple(Weakness(**one) for one in told["weaknesses"]),
            "scores": tuple((name, score) for name, score in told["scores"]),
            "completed": tuple(told["completed"]),
            "restrictions": frozenset(map(Restriction, told["restrictions"])),
        }
    )
