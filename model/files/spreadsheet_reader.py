"""Reads one workbook and prints it as JSON. Runs as a child process of its own, never imported.

A hostile workbook can make any reader allocate without end or abort its whole process. Here that costs a capped child, and the
parent tells the planner what is wrong with the file. All values are printed as text, so that 工号 00012 stays 00012.
"""

import datetime
import json
import sys

import python_calamine


def as_text(value: object) -> str:
    """Write a cell as a person would: whole numbers without a point, dates as 2024-09-01."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        # An 18-digit number is an ID card: written out it is recognised as one, as 1.1e+17 it would not be.
        return str(int(value)) if value.is_integer() and abs(value) < 1e18 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    return str(value)


def main(path: str, memory: int, seconds: int, max_rows: int, max_columns: int) -> dict[str, object]:
    """Return the sheets of the workbook, or ``{"error": code}``."""
    try:
        import resource  # noqa: PLC0415 (not on Windows; there the parent's time limit alone protects)

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    except ImportError:
        pass
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(path)
        sheets = []
        for meta in workbook.sheets_metadata:
            if meta.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = workbook.get_sheet_by_name(meta.name)
            if sheet.total_height >= max_rows:
                return {"error": "rows", "sheet": meta.name, "found": sheet.total_height}
            if sheet.total_width >= max_columns:
                return {"error": "columns", "sheet": meta.name, "found": sheet.total_width}
            sheets.append(
                {
                    "name": meta.name,
                    "hidden": meta.visible != python_calamine.SheetVisibleEnum.Visible,
                    "rows": [[as_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)],
                    "merged": sheet.merged_cell_ranges or [],
                }
            )
        return {"sheets": sheets}
    except python_calamine.PasswordError:
        return {"error": "encrypted"}
    except (python_calamine.CalamineError, python_calamine.ZipError, python_calamine.XmlError, ValueError, OSError):
        return {"error": "damaged"}
    except MemoryError:
        return {"error": "too large"}


if __name__ == "__main__":
    path, *limits = sys.argv[1:]
    json.dump(main(path, *map(int, limits)), sys.stdout)
