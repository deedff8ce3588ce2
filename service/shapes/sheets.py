"""Sheets to write <-> JSON, so that they can be shown, and written as a workbook, whenever somebody asks. What we wrote ourselves is not checked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from model.files.sheets import ChartOut, Heat, SheetOut


def dump_sheet(sheet: SheetOut) -> dict[str, Any]:
    """A sheet as JSON."""
    return {
        "name": sheet.name,
        "title": sheet.title,
        "header": list(sheet.header),
        "rows": [list(row) for row in sheet.rows],
        "widths": list(sheet.widths),
        "footer": list(sheet.footer),
        "heat": asdict(sheet.heat) if sheet.heat else None,
        "pick": {str(column): list(words) for column, words in sheet.pick.items()},
        "charts": [asdict(chart) | {"numbers": list(chart.numbers)} for chart in sheet.charts],
    }


def load_sheet(told: Mapping[str, Any]) -> SheetOut:
    """The same as a value."""
    return SheetOut(
        told["name"],
        told["title"],
        told["header"],
        told["rows"],
        told["widths"],
        told["footer"],
        heat=Heat(**told["heat"]) if told["heat"] else None,
        pick={int(column): words for column, words in told["pick"].items()},
        charts=[ChartOut(**chart) for chart in told["charts"]],
    )
