"""A real Chromium on a real service: nothing may leave the host, nothing may break the policy of the pages, and axe looks at every page."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from looking import Desk
from playwright.sync_api import Browser, Error, Request, sync_playwright
from running import READY, answered, copy_of, free_port, serving

ROOT = Path(__file__).parents[3]
PICTURES = ROOT / "instance" / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# A page that says what was wrong, or what stands against it, has a status that the browser calls an error.
TOLD = re.compile("status of (409|422)")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium as the distribution has it; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    with sync_playwright() as kit:
        browser = kit.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def served(registry: Path, folder: Path) -> Iterator[str]:
    """The address of a service with its worker, a store of its own and versions of its own, as `make run` starts it."""
    own, port = copy_of(registry, folder / "registry"), free_port()
    with serving(own, port, folder / "log", worker=True):
        answered(port, READY, 200)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def watched(browser: Browser, address: str, name: str) -> Iterator[Desk]:
    """Somebody at a small screen. It fails on any request to elsewhere and on any error the browser tells of."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768}, accept_downloads=True)
    page, elsewhere, errors = context.new_page(), [], []

    def asked(one: Request) -> None:
        if one.url.startswith("http") and urlsplit(one.url).netloc != urlsplit(address).netloc:
            elsewhere.append(one.url)

    page.on("request", asked)
    page.on(
        "console",
        lambda told: errors.append(told.text) if told.type == "error" and not TOLD.search(told.text) else None,
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(60_000)
    PICTURES.mkdir(parents=True, exist_ok=True)
    yield Desk(page, address, PICTURES)
    with suppress(Error):
        page.screenshot(path=PICTURES / f"last-{name[:80]}.png")
    context.close()
    assert not elsewhere
    assert not errors


@pytest.fixture(scope="session")
def address(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service that all planners share."""
    with served(registry, tmp_path_factory.mktemp("console")) as address:
        yield address


@pytest.fixture
def desk(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A planner."""
    with watched(browser, address, request.node.name) as desk:
        yield desk


@pytest.fixture
def alone(browser: Browser, registry: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """Somebody at a service that nobody else uses: who gets an account there shuts the others out."""
    with served(registry, tmp_path) as address, watched(browser, address, request.node.name) as desk:
        yield desk
