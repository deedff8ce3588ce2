"""Retraining on a new course list: from the file to a candidate, first and after a hundred changes; the check with its comparison; the gate.

Courses are those of speed.py. Usage: python benchmarks/versions.py [COURSES]
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

from speed import QUEBU, SHARED, make_courses, timed

CHANGED = 100


def change(before: Path, after: Path) -> None:
    """Write the list with a hundred courses gone, a hundred come, a hundred renamed and a hundred longer."""
    with before.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    kept = rows[CHANGED:]
    renamed = [[identity, f"{title}修订版"] for identity, title in kept[:CHANGED]]
    new = [[f"n{number:05d}", f"{title}（新学期专题）"] for number, (_, title) in enumerate(kept[-CHANGED:])]
    with after.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, "hours"])
        writer.writerows([*row, ""] for row in renamed)
        writer.writerows([*row, "2"] for row in kept[CHANGED : 2 * CHANGED])
        writer.writerows([*row, ""] for row in [*kept[2 * CHANGED :], *new])


def main() -> None:
    """Print one table."""
    if not SHARED.is_dir():
        print("skipped: the shared measuring data is not beside the repository")
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        first, second, registry = Path(folder) / "first.csv", Path(folder) / "second.csv", Path(folder) / "registry"
        make_courses(count, first)
        change(first, second)
        train = (QUEBU, "train", "--registry", registry, "--courses")
        rows = [
            (f"a list of {count:,} courses, from the file to a version that answers", [*train, first, "--activate"]),
            (f"checked and compared after {CHANGED} each were dropped, added, renamed and given hours", [*train, second, "--check"]),
            ("from the file to a candidate after these changes", [*train, second]),
            ("the gate: both versions compared", [QUEBU, "models", "compare", "v0001", "v0002", "--registry", registry]),
            ("activated through the gate", [QUEBU, "models", "activate", "v0002", "--reason", "benchmark", "--registry", registry]),
            ("gone back from", [QUEBU, "models", "rollback", "--registry", registry]),
        ]  # fmt: skip
        print("| step | seconds | most memory |\n|---|--:|--:|")
        for name, command in rows:
            seconds, memory = timed(*command)
            print(f"| {name} | {seconds:.1f} | {memory:,.0f} MiB |", flush=True)


if __name__ == "__main__":
    main()
