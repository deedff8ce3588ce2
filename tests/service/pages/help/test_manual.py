"""Help, the glossary on the pages, the guide of a first run, and how moments are written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from model.cohort.nouns import Status
from model.domain import GAP_SOURCES, Cause
from service.pages.help.glossary import MEANINGS, REMEDIES, SUBJECTS, meaning
from service.pages.help.guide import HINTS
from service.pages.shown import moment
from tests.service.pages.consoleforms import send, token
from tests.service.pages.test_landing import Page

ROOT = Path(__file__).parents[4]


def shown(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_help_is_open_to_everybody_and_asks_strangers_to_sign_in(own_app: APIFlask):
    stranger = own_app.test_client().get("/help", headers={"X-Forwarded-For": "203.0.113.9"})
    assert stranger.status_code == 200
    assert "先登录" in stranger.get_data(as_text=True)
    assert "/roster/sample" not in stranger.get_data(as_text=True)
    assert "/roster/sample" in shown(own_app.test_client(), "/help")


def test_help_says_every_state_cause_and_word_with_what_to_do(caller: FlaskClient):
    page = shown(caller, "/help")
    for cause in Cause:
        assert re.search(
            rf'<th scope="row">{cause.value}</th><td>{MEANINGS[cause.value]}</td><td>{REMEDIES[cause.value]}', page
        )
    assert " → ".join(f"<strong>{status.value}</strong>" for status in Status) in page
    for term, means in MEANINGS.items():
        assert re.search(rf'<dt [^>]*id="word-{term}">{term}</dt><dd[^>]*>{re.escape(means)}</dd>', page)
    for place in re.findall(r'href="#([\w-]+)"', page):
        assert f'id="{place}"' in page


def test_every_link_of_the_help_leads_somewhere(client: FlaskClient):
    page = Page(shown(client, "/help"))
    links = {str(a["href"]) for a in page.all("a")}
    assert {"/roster", "/diagnosis", "/plan", "/docs"} <= links
    for link in links:
        if not link.startswith("#"):
            assert client.get(link, buffered=True).status_code in {200, 303}, link
    assert [tag for tag, _ in page.elements if tag == "h1"] == ["h1"]


def test_the_help_tells_how_long_things_are_kept_here(caller: FlaskClient, own_app: APIFlask):
    own_app.config.update(DESK_HOURS=5, PLAN_DAYS=77, JOB_HOURS=3)
    page = shown(caller, "/help")
    assert all(words in page for words in ("不用 5 小时", "留存 77 天", "结果 3 小时"))
    own_app.config["PLAN_DAYS"] = 0
    assert "留存到您删除为止" in shown(caller, "/help")


def test_the_glossary_and_the_table_of_the_pages_have_the_same_terms():
    rows = re.findall(
        r"^\| [^|]+ \| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    written = {term for row in rows[1:] for term in re.sub(r"（[^）]*）", "", row).strip().split("、")}
    of_the_code = {*map(str, Status), *map(str, Cause)}
    assert set(MEANINGS) - of_the_code == written
    assert of_the_code | set(GAP_SOURCES) <= set(MEANINGS)
    assert len(MEANINGS) == sum(map(len, SUBJECTS.values()))


def test_a_meaning_is_one_plain_sentence():
    for term, means in MEANINGS.items():
        assert means.endswith("。"), term
        assert means.count("。") == 1, term
        assert len(means) <= 60, term


def test_a_word_that_the_table_does_not_have_is_a_fault_of_ours(own_app: APIFlask):
    with own_app.test_request_context("/"), pytest.raises(KeyError):
        meaning("没有的词")


def test_what_a_word_means_is_shown_where_it_stands_first(caller: FlaskClient):
    send(caller, "/roster/sample")
    for path, terms in (
        ("/roster", ("层级", "短板")),
        ("/diagnosis", ("短板", "共性需求", "个性需求", "来源")),
        ("/people/0", ("短板", "分量", "学时", "干什么学什么", "缺什么补什么")),
    ):
        page = shown(caller, path)
        for term in terms:
            told = f'<span class="term" tabindex="0" data-bs-toggle="tooltip" title="{MEANINGS[term]}">{term}</span>'
            assert page.count(told) == 1, (path, term)


def test_the_guide_goes_along_with_the_sample_and_with_no_other_roster(caller: FlaskClient):
    assert "第一次使用" not in shown(caller, "/roster")
    send(caller, "/roster/sample")
    for path, step, following in (("/roster", 1, "/diagnosis"), ("/diagnosis", 2, "/plan"), ("/people/0", 2, "/plan")):
        page = shown(caller, path)
        assert f"第 {step} 步，共 4 步" in page
        assert f'<a class="btn btn-sm btn-primary" href="{following}">' in page
    given = {"csrf_token": token(caller)}
    with (ROOT / "training_data" / "roster_sample.xlsx").open("rb") as file:
        assert caller.post("/roster", data=given | {"roster": (file, "名册.xlsx")}).status_code == 303
    assert "第一次使用" not in shown(caller, "/roster")


def test_the_guide_stays_when_the_sample_is_corrected(caller: FlaskClient):
    send(caller, "/roster/sample")
    assert send(caller, "/roster/mended").status_code == 303
    assert "第 1 步，共 4 步" in shown(caller, "/roster")


def test_the_guide_is_put_away_until_the_sample_is_taken_again(caller: FlaskClient):
    send(caller, "/roster/sample")
    away = send(caller, "/help/guide", next="/roster?page=2")
    assert (away.status_code, away.location) == (303, "/roster?page=2")
    assert "第 1 步" not in shown(caller, "/roster")
    assert send(caller, "/help/guide", next="//evil.example").location == "/"
    send(caller, "/roster/sample")
    assert "第 1 步，共 4 步" in shown(caller, "/roster")


def test_the_steps_of_the_guide_are_pages_of_the_service(own_app: APIFlask):
    assert {step for step, *_ in HINTS.values()} == {1, 2, 3, 4}
    for endpoint, (_, _, _, following) in HINTS.items():
        assert {endpoint, following or endpoint} <= set(own_app.view_functions)


def test_a_moment_is_written_as_it_is_read_off_the_clock_of_the_server():
    at = datetime(2026, 11, 23, 14, 5, 59, tzinfo=UTC)
    here = at.astimezone()
    assert moment(at) == here.strftime("%Y-%m-%d %H:%M")
    assert moment(at.isoformat()) == moment(at.astimezone(timezone(timedelta(hours=8)))) == moment(at)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", moment(at))
    assert moment(None) == moment("") == ""
