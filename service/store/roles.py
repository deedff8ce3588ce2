"""The roles, each of which may do all that the ones before it may, and who acts under one."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What somebody may do.

    A reader asks (recommendations, gaps, matches, the catalog); a planner makes plans, gives feedback and saves; a curator looks after the
    course list, its versions and what was overridden; an admin gives out keys, reads the audit log, erases.
    """

    READER = "reader"
    PLANNER = "planner"
    CURATOR = "curator"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what ``needed`` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


ROLE_NAMES = {Role.READER: "查询", Role.PLANNER: "培训计划", Role.CURATOR: "课程目录", Role.ADMIN: "管理"}


class Principal(NamedTuple):
    """Who asks: ``key:1a2b3c4d``, ``account:NAME`` or ``local``, and the role."""

    id: str
    role: Role
