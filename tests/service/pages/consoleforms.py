"""Forms of the console's pages as a browser sends them, for tests without one."""

from __future__ import annotations

import html
import re
from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.jobs.hand import do
from service.store import leases
from service.store.database import Database

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def token(client: FlaskClient) -> str:
    """What every form sends; the language form stands on each page."""
    found = TOKEN.search(client.get("/help").get_data(as_text=True))
    assert found
    return found[1]


def send(client: FlaskClient, path: str, **form: Any) -> TestResponse:
    """Send a form and stay where the answer leads."""
    return client.post(path, data={"csrf_token": token(client), **form})


def followed(client: FlaskClient, answer: TestResponse) -> str:
    """The page a form leads to."""
    assert answer.status_code == 303, answer.get_data(as_text=True)[:2000]
    return words(client.get(answer.location))


def words(answer: TestResponse) -> str:
    """What is to be read on a page, without its markup, blanks drawn together."""
    content = answer.get_data(as_text=True).partition("<main")[2].partition("</main>")[0]
    content = re.sub(r"<(datalist|script)\b.*?</\1>", "", content, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", content.partition(">")[2])))


def work(app: APIFlask) -> None:
    """Do the jobs that wait, as a worker would."""
    database: Database = app.extensions["quebu.store"]
    for identity in leases.queued(database):
        lease = leases.claim(database, identity)
        assert lease
        do(database, app.extensions["quebu"], identity, lease, 24)
