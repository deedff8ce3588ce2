"""The console in a browser: how soon a page shows something, what it weighs, and how a roster of 5,000 people is worked with.

Needs chromium and the shared measuring data. Usage: python benchmarks/console.py [PEOPLE]. Times are medians of five, on a desk that was opened before.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from speed import QUEBU, SHARED, make_profiles

ROUNDS = 5
PATIENCE = 600_000  # Milliseconds a page of a large roster may take.
PAGES = (
    "/",
    "/roster",
    "/diagnosis",
    "/diagnosis?axis=层级",
    "/diagnosis/people?page=3",
    "/people/7",
    "/plan",
    "/course-list",
    "/help",
)
PAINTED = "performance.getEntriesByName('first-contentful-paint').map(one => one.startTime)"
WEIGHT = """performance.getEntries().filter(one => one.encodedBodySize && !one.name.includes("echarts"))
    .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
SENT = "performance.getEntriesByType('navigation')[0].responseEnd"


def started(registry: Path, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A service with its worker, and its address."""
    port = 18_000 + os.getpid() % 1000
    environment = os.environ | {"QUEBU_DATABASE_URL": f"sqlite:///{folder}/quebu.db", "QUEBU_LOG_LEVEL": "warning"}
    command = [QUEBU, "serve", "--port", str(port), "--registry", registry]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL), f"http://127.0.0.1:{port}"


def opened(page: Page, address: str) -> None:
    """Wait for the service to be ready."""
    for _ in range(600):
        try:
            if page.goto(f"{address}/api/v1/health/ready").status == 200:  # type: ignore[union-attr]
                return
        except Exception:
            time.sleep(0.2)


def given(page: Page, address: str, roster: Path) -> float:
    """Seconds from giving a roster to seeing who lacks what, the waiting for a job included."""
    begun = time.perf_counter()
    page.goto(f"{address}/roster")
    page.set_input_files("input[type=file]", roster)
    page.get_by_role("button", name="读取名册").click()
    page.get_by_role("link", name="下一步：看缺什么").first.click()
    page.locator("table.heat").wait_for()
    return time.perf_counter() - begun


def painted(page: Page) -> float:
    """When the page showed something first, in milliseconds; its policy lets no text become a script, so it is asked again and again from here."""
    while not (found := page.evaluate(PAINTED)):
        time.sleep(0.02)
    return float(found[0])


def weighed(page: Page, address: str) -> float:
    """What a first visit is sent but the chart library, in bytes: nothing comes from the memory of the browser."""
    kept = page.context.new_cdp_session(page)
    kept.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto(address, wait_until="load")
    weight = float(page.evaluate(WEIGHT))
    kept.detach()
    return weight


def measured(page: Page, address: str) -> None:
    """For each page the time until the answer is there, until something shows, and what was sent but the chart library."""
    print("| page | answer, ms | first contentful paint, ms | sent but the chart library, KB |")
    print("|---|--:|--:|--:|", flush=True)
    for path in PAGES:
        weight, sent, shown = weighed(page, address + path), [], []
        for _ in range(ROUNDS):
            page.goto(address + path, wait_until="load")
            sent.append(page.evaluate(SENT))
            shown.append(painted(page))
        first, second = map(statistics.median, (sent, shown))
        print(f"| {path} | {first:,.0f} | {second:,.0f} | {weight / 1000:,.0f} |", flush=True)


def main() -> None:
    """Print the tables."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not SHARED.is_dir() or chromium is None:
        print("skipped: this needs chromium, and the shared measuring data beside the repository")
        return
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as name, sync_playwright() as kit:
        folder = Path(name)
        registry, roster = folder / "registry", folder / "roster.jsonl"
        make_profiles(people, roster)
        courses = SHARED / "courses" / "cadre_courses_1380.csv"
        train = [QUEBU, "train", "--courses", courses, "--registry", registry, "--activate"]
        subprocess.run(train, check=True, capture_output=True)
        process, address = started(registry, folder)
        browser = kit.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768}).new_page()
        page.set_default_timeout(PATIENCE)
        opened(page, address)
        print(f"{people:,} people, 1,380 courses: from the file to the heat map {given(page, address, roster):.1f} s\n")
        measured(page, address)
        browser.close()
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    main()
