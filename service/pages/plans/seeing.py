"""What the page of a plan shows of it first, whether the plan is tried or was saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from service.pages.paging import Page
from service.shapes.outcome import Outcome

DRAWN = 15  # Needs in the chart.
HELD = 60  # Sessions on a page; a menu has many.


def seen(plan: Mapping[str, Any], page: str) -> dict[str, Any]:
    """The outcome of a plan, ``page`` of its sessions, and its chart."""
    outcome = Outcome(plan)
    return {
        "outcome": outcome,
        "held": Page.of(outcome.sessions, page, HELD),
        "chart": outcome.drawn(DRAWN, gettext("补上人数"), gettext("仍缺人数"))
        | {"description": gettext("各项需求补上和仍缺的人数，数字见下表。")},
        "drawn": DRAWN,
    }
