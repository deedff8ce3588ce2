"""The errors raised on purpose. Anything else that escapes is a fault in Quebu itself.

QuebuError
├── InputError            something handed in cannot be used; the message says what would be right
│   ├── UnreadableFile    the file is no table at all: empty, encrypted, damaged, far too large
│   └── TableError        a table without one usable row; carries every fault with its cell
│       └── HeadersUnknown  no header of it is one that is needed; carries the one that may be meant
├── KnowledgeError        a file of training_data/ breaks its own rules
├── EncoderUnavailable    a sentence encoder cannot run now; matching goes on without it, only a training that loses it midway fails
└── VersionError          a trained version is missing, incomplete or damaged
    └── NoActiveVersion   nothing has been trained and activated yet

Messages are Chinese, because planners read them; class names are for developers.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from model.domain import Fault


class QuebuError(Exception):
    """Something went wrong that a person can put right; ``str(error)`` tells how."""


class InputError(QuebuError):
    """Something handed in cannot be used as it is."""


class UnreadableFile(InputError):
    """The file cannot be read as a table."""


class TableError(InputError):
    """A table gave no usable row. ``faults`` names every faulty cell."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(_with(message, faults))
        self.faults = faults

    def saying(self, message: str) -> Self:
        """The same in other words; its faults, and what else it carries, stay."""
        other = copy(self)
        other.args = (_with(message, self.faults),)
        return other


class HeadersUnknown(TableError):
    """No header of the table is one that is needed. ``how`` is the part of the message that says how the command is told what is meant, which is
    another in other places; ``likely`` is the header that may be meant, blank where none is likely."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = (), how: str = "", likely: str = "") -> None:
        super().__init__(message, faults)
        self.how, self.likely = how, likely


def _with(message: str, faults: tuple[Fault, ...]) -> str:
    return "\n".join([message, *(str(fault) for fault in faults)])


class KnowledgeError(QuebuError):
    """A file of training_data/ breaks its own rules."""


class EncoderUnavailable(QuebuError):
    """A sentence encoder cannot run now. Matching goes on without it, and says so; a training that loses it midway fails."""


class VersionError(QuebuError):
    """A trained version is missing, incomplete or damaged."""


class NoActiveVersion(VersionError):
    """No version has been activated in this registry."""
