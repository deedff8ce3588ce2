"""The pictures of README.zh-CN.md, made anew: the sample roster (invented people) taken through the console of a service started for this.

Usage: python docs/screenshots.py (or `make screenshots`). Needs chromium.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# Before a page has drawn anything the browser cannot take a picture of it.
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
SIZE = {"width": 1366, "height": 768}


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """A service with a version trained on the bundled course list, and a store of its own."""
    train = [sys.executable, "-m", "service.cli", "train", "--courses", ROOT / "training_data" / "courses.csv"]
    subprocess.run([*train, "--registry", folder / "registry", "--activate"], cwd=ROOT, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "service.cli",
        "serve",
        "--port",
        str(port),
        "--registry",
        str(folder / "registry"),
    ]
    environment = os.environ | {"QUEBU_DATABASE_URL": f"sqlite:///{folder}/quebu.db"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            while not _ready(address):
                time.sleep(0.2)
            yield address
        finally:  # Whatever failed, nobody waits for a service that nobody stops.
            process.terminate()


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/v1/health/ready", timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


def walk(page: Page, address: str) -> None:
    """The way of a newcomer, a picture at each step."""
    page.goto(f"{address}/roster")
    page.get_by_role("button", name="用样例名册试一试").click()
    taken(page, "1-roster")
    page.get_by_role("link", name="下一步：看缺什么").first.click()
    page.locator("canvas").first.wait_for()
    taken(page, "2-lacks")
    page.goto(f"{address}/people/0")
    taken(page, "3-person")
    page.goto(f"{address}/plan")
    page.get_by_role("button", name="开始排").first.click()
    page.wait_for_load_state("load")
    taken(page, "4-plan")
    page.get_by_role("button", name="保存方案").first.click()
    page.wait_for_load_state("load")
    taken(page, "5-saved")
    page.goto(f"{address}/course-list")
    taken(page, "6-courses")


def taken(page: Page, name: str) -> None:
    """A picture of what is to be seen without scrolling."""
    page.evaluate(DRAWN)
    page.screenshot(path=PICTURES / f"{name}.png")


def main() -> None:
    """Write the pictures."""
    if CHROMIUM is None:
        sys.exit("no chromium is installed")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as address, sync_playwright() as kit:
        browser = kit.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        walk(browser.new_context(locale="zh-CN", viewport=SIZE).new_page(), address)
        browser.close()


if __name__ == "__main__":
    main()
