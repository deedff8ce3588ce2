"""The English catalogue: whole, true to the pages, and compiled."""

from __future__ import annotations

import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from model.cohort.nouns import Status
from model.cohort.rules import CLASS_TYPES
from model.domain import GAP_SOURCES, Cause
from model.files.categories import BRANCHES
from model.files.mapping import names_of
from model.files.rosters import COLUMNS
from service.pages.admin.meanings import ELSEWHERE
from service.shapes.diagnosis import AXES
from service.store.roles import ROLE_NAMES
from service.training import STAGES
from service.translations import words
from service.wire.languages import COOKIE, LANGUAGES, folder
from tests.service.pages.consoleforms import send
from tests.service.pages.planner import Planner

PLACEHOLDER = re.compile(r"%\(\w+\)[sdif]")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


HEADERS = {"序号", *names_of(COLUMNS).values()}  # Of the sample, and what a header may be said to mean.
RULES = {"课程", "总学时", "必修课"}  # Of a plan, as the model names them where it tells whether they were kept.


def english() -> dict[str, str]:
    return {str(one.id): str(one.string) for one in words.kept("en") if one.id}


def test_every_word_of_the_pages_has_its_english_and_nothing_else_has():
    found = {str(one.id) for one in words.found() if one.id}
    known = english()
    assert {text for text in found if not known.get(text)} == set()
    assert set(known) - found == set()


def test_the_catalogue_is_as_it_would_be_written_anew():
    """`make words` would change nothing."""
    assert words.as_po(words.renewed("en")) == words.place("en").read_bytes()


def test_the_compiled_catalogue_is_the_one_that_can_be_read():
    path = words.place("en")
    assert path.with_suffix(".mo").read_bytes() == words.as_mo(words.kept("en"))
    assert not words.kept("en").obsolete
    assert not [one.id for one in words.kept("en") if one.id and one.fuzzy]


@pytest.mark.parametrize("text", sorted(english()))
def test_the_places_for_values_are_the_same_in_both_languages(text: str):
    assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(english()[text]))
    assert "%" not in PLACEHOLDER.sub("", english()[text]).replace("%%", "")


def test_there_is_a_catalogue_for_every_language_but_that_of_the_pages():
    assert {path.parent.name for path in folder().glob("*/LC_MESSAGES")} == set(LANGUAGES) - {"zh_CN"}


def test_what_tables_elsewhere_call_things_is_in_the_catalogue():
    assert {*ROLE_NAMES.values(), *AXES, *CLASS_TYPES, *CLASS_TYPES.values(), *STAGES} == set(ELSEWHERE)
    assert set(ELSEWHERE) <= set(english())


@pytest.mark.parametrize(
    "path", ["/", "/help", "/login", "/roster", "/admin/keys", "/admin/accounts", "/admin/audit", "/admin/settings", "/admin/erasure", "/admin/jobs"]
)  # fmt: skip
def test_a_page_asked_for_in_english_is_english(client: FlaskClient, path: str):
    client.set_cookie(COOKIE, "en")
    page = client.get(path).get_data(as_text=True)
    assert '<html lang="en">' in page
    bare = re.sub(r"<pre>.*?</pre>|\w+=\"[^\"]*\"", "", page, flags=re.DOTALL).replace("中文</button>", "")
    assert CHINESE.findall(bare) == []


@pytest.fixture
def at_work(own_app: APIFlask) -> Planner:
    """A planner who reads English, with the sample and two plans of it on the desk, the second changed from the first; the first is saved too."""
    planner = Planner(own_app.test_client()).with_sample()
    at = planner.plans()
    planner.saves(at)
    planner.go(at)
    planner.send(f"{at}/otherwise", length="17")
    planner.client.set_cookie(COOKIE, "en")
    return planner


def pieces(page: str) -> set[str]:
    """What a page says, piece by piece, with what it tells to who does not see it, and without the names of reports, which the model gives."""
    bare = re.sub(r'<nav aria-label="Report">.*?</nav>|<script.*?</script>', "", page, flags=re.DOTALL)
    told = re.findall(r'(?:aria-label|placeholder|title)="([^"]*)"', bare)
    return {" ".join(piece.split()) for piece in [*re.split(r"<[^>]+>", bare), *told]}


@pytest.mark.parametrize(
    "path", ["/roster", "/diagnosis", "/diagnosis/people", "/people/0", "/plan", "/plan/1", "/plan/2", "/saved"]
)  # fmt: skip
def test_a_page_of_the_workbench_says_in_chinese_only_what_the_model_says(at_work: Planner, path: str):
    at_work.go("/diagnosis")  # The people of it are shown once it is worked out.
    page = at_work.go(path)
    # Words of the model and of the file that are words of the pages as well.
    known = {*GAP_SOURCES, *map(str, Cause), *map(str, Status), *BRANCHES, *HEADERS, *RULES}
    assert pieces(page) & {text for text in english() if CHINESE.search(text)} - known == set()
    assert [piece for piece in pieces(page) if re.fullmatch(r"[（）：；，、。\s]+", piece)] == []
    assert "补上人数" not in page


def test_what_was_changed_of_a_plan_is_told_in_the_language_of_whoever_reads_it(at_work: Planner):
    assert "Plan 1, change to 17 hours" in at_work.go("/plan")
    at_work.client.set_cookie(COOKIE, "zh_CN")
    assert "方案 1，改为 17 学时" in at_work.go("/plan")


def test_what_is_wrong_with_a_form_is_told_in_english_too(at_work: Planner):
    at_work.go("/plan/1")
    at_work.send("/plan/1/save", title=" ")
    assert "Not saved: Must " in at_work.words()
    assert "应为" not in at_work.words()


def test_the_language_that_was_chosen_stays(own_app: APIFlask):
    client = own_app.test_client()
    answer = send(client, "/language", language="en", next="/help")
    assert (answer.status_code, answer.location) == (303, "/help")
    assert "<h1>Help</h1>" in client.get("/help").get_data(as_text=True)
