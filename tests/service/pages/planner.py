"""A planner at the console, without a browser: every form is sent with the token of the page it stands on."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.pages.plans.asking import DEFAULTS

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Planner:
    """``go`` opens a page, ``send`` a form of the page that is open."""

    def __init__(self, client: FlaskClient) -> None:
        self.client, self.page = client, ""

    def go(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.location)
        self.page = answer.get_data(as_text=True)
        return self.page

    def send(self, path: str, follow: bool = True, **fields: Any) -> TestResponse:
        found = TOKEN.search(self.page)
        assert found, "the open page has no form"
        answer = self.client.post(path, data={"csrf_token": found[1], **fields})
        if follow and answer.status_code == 303:
            self.go(answer.location)
        return answer

    def with_sample(self) -> Planner:
        self.go("/roster")
        self.send("/roster/sample")
        return self

    def plans(self, **asked: str) -> str:
        """Make a plan, and open it; where it lies."""
        self.go("/plan")
        answer = self.send("/plan", **{**DEFAULTS, "what_if": "", "length": "16", **asked})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return str(answer.location)

    def saves(self, at: str, title: str = "秋季专题班") -> str:
        """Save the plan that is open; where it is kept."""
        self.go(at)
        answer = self.send(f"{at}/save", title=title)
        assert answer.status_code == 303
        return str(answer.location)

    def words(self) -> str:
        """What the open page says, without its tags."""
        return re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", self.page, flags=re.DOTALL))
