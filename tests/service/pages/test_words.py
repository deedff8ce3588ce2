"""The English catalogue: whole, true to the pages, and compiled."""

from __future__ import annotations

import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from model.cohort.rules import CLASS_TYPES
from service.pages.admin.meanings import ELSEWHERE
from service.shapes.diagnosis import AXES
from service.store.roles import ROLE_NAMES
from service.training import STAGES
from service.translations import words
from service.wire.languages import COOKIE, LANGUAGES, folder
from tests.service.pages.consoleforms import send

PLACEHOLDER = re.compile(r"%\(\w+\)[sdif]")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


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
    assert {*ROLE_NAMES.values(), *AXES, *CLASS_TYPES, *STAGES} == set(ELSEWHERE)
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


def test_the_language_that_was_chosen_stays(own_app: APIFlask):
    client = own_app.test_client()
    answer = send(client, "/language", language="en", next="/help")
    assert (answer.status_code, answer.location) == (303, "/help")
    assert "<h1>Help</h1>" in client.get("/help").get_data(as_text=True)
