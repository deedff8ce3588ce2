"""A planner at the console: goes, clicks, looks; each click is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = (Path(__file__).parents[2] / "data" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
# Before a page has drawn anything the browser cannot take a picture of it.
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SERIOUS = {"serious", "critical"}


class Desk:
    """One page of a browser, and what is done on it."""

    def __init__(self, page: Page, address: str, pictures: Path) -> None:
        self.page, self.address, self.pictures, self.clicks = page, address, pictures, 0

    def go(self, path: str) -> None:
        """Open an address."""
        self.page.goto(self.address + path, wait_until="load")

    def click(self, words: str) -> None:
        """Click the button or link with these words, and wait for the page it leads to."""
        self.clicks += 1
        place = self.page.get_by_role("button", name=words).or_(self.page.get_by_role("link", name=words)).first
        place.click()
        self.page.wait_for_load_state("load")

    def says(self, words: str) -> bool:
        """Whether the page shows these words."""
        self.page.get_by_text(words).first.wait_for(state="visible")
        return True

    def looked_at(self, name: str) -> None:
        """Take a picture, and let axe look for what hinders people."""
        self.page.evaluate(DRAWN)
        self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)
        found = self.faults()
        assert not found, found

    def faults(self) -> list[str]:
        """What axe finds that is serious."""
        # The policy of the pages forbids scripts that were put into them: the browser evaluates it beside the page.
        self.page.evaluate(AXE)
        told: dict[str, Any] = self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
        )
        return [
            f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
            for one in told["violations"]
            if one["impact"] in SERIOUS
            for node in one["nodes"][:3]
        ]
