"""What the active version knows, read page by page and with a tag."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from apiflask import APIFlask
from conftest import AWKWARD
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.domain import Catalog
from model.lexicon import Lexicon
from model.recommender import Recommender
from service.api.catalog import searched

COURSES = "/api/v1/courses"
TAGGED = (f"{COURSES}?limit=2", f"{COURSES}/Q0001", "/api/v1/competencies", "/api/v1/posts")


def pages(client: FlaskClient, **query: Any) -> Iterator[dict[str, Any]]:
    """Every page of an answer, following ``next``."""
    cursor: dict[str, str] = {}
    while True:
        response = client.get(COURSES, query_string={**query, **cursor})
        assert (response.status_code, response.content_type) == (200, "application/json")
        page = response.get_json()
        assert list(page) == ["courses", "total", "next", "model_version"]
        yield page
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


def ids(page: dict[str, Any]) -> list[str]:
    return [course["id"] for course in page["courses"]]


def every(trained: Recommender) -> list[str]:
    return [course.id for course in trained.catalog]


@pytest.mark.parametrize("limit", [13, 50, 499, 500])
def test_paging_visits_every_course_once_in_the_order_of_ids(limit: int, client: FlaskClient, trained: Recommender):
    found = list(pages(client, limit=limit))
    assert [identity for page in found for identity in ids(page)] == every(trained)
    assert {page["total"] for page in found} == {len(trained.catalog)}
    assert {page["model_version"] for page in found} == {"v0001"}
    assert {len(page["courses"]) for page in found[:-1]} == {limit}
    assert found[-1]["courses"]


@given(q=st.sampled_from(["公文", "党 史", "安全生产", "Q001", "网络"]), limit=st.integers(1, 60))
@settings(max_examples=25)
@example(q="Q071", limit=5)  # Q0710 to Q0714: the last page is full.
def test_paging_visits_every_course_that_is_found_once(app: APIFlask, q: str, limit: int):
    client = app.test_client()
    (whole,) = pages(client, q=q, limit=500)
    found = list(pages(client, q=q, limit=limit))
    assert [course for page in found for course in page["courses"]] == whole["courses"]
    assert len(found) == max(1, -(-whole["total"] // limit))
    assert whole["total"] == len(whole["courses"])


def test_a_cursor_need_not_be_the_id_of_a_course(client: FlaskClient, trained: Recommender):
    first, second, *_ = every(trained)
    assert ids(client.get(COURSES, query_string={"cursor": f"{first}~", "limit": 1}).get_json()) == [second]
    past = client.get(COURSES, query_string={"cursor": "\U0010ffff"}).get_json()
    assert (past["courses"], past["total"], past["next"]) == ([], len(trained.catalog), None)


def test_a_search_finds_the_courses_that_have_every_word_somewhere(client: FlaskClient, trained: Recommender):
    found = {course["id"] for page in pages(client, q="公文 写作") for course in page["courses"]}
    expected = {
        course.id
        for course in trained.catalog
        if all(
            word in f"{course.title}\n{course.summary}\n{course.category}\n{course.provider}"
            for word in ("公文", "写作")
        )
    }
    assert found == expected
    assert 0 < len(found) < len(trained.catalog)


def test_a_search_looks_at_neither_case_nor_width_nor_blanks(client: FlaskClient):
    plain = client.get(COURSES, query_string={"q": "q0657"}).get_json()
    assert ids(plain) == ["Q0657"]
    for written in ("Q0657", "Ｑ０６５７", "  q0657\u3000"):
        assert client.get(COURSES, query_string={"q": written}).get_json() == plain
    (titled,) = client.get(COURSES, query_string={"q": "三分钟即席发言：演讲与表达训练"}).get_json()["courses"]
    assert titled == plain["courses"][0]


def test_a_word_is_not_found_across_the_border_of_two_fields(client: FlaskClient):
    assert client.get(COURSES, query_string={"q": "Q0657三分钟"}).get_json()["total"] == 0


def test_what_is_searched_is_made_ready_once_for_each_version(narrow: APIFlask, trained: Recommender):
    engine = narrow.extensions["quebu"]
    catalogs = [engine.recommender(version).catalog for version in ("v0001", "v0002")]
    ready = [searched(catalog) for catalog in catalogs]
    assert [searched(catalog) for catalog in catalogs] == ready
    assert all(searched(catalog)[1] is texts for catalog, (_, texts) in zip(catalogs, ready, strict=True))
    # The last course of v0002 has another id.
    assert [one == other for one, other in zip(ready[0][1], ready[1][1], strict=True)] == [True] * (
        len(trained.catalog) - 1
    ) + [False]
    # Another catalog is never taken for one that is gone.
    for number in range(20):
        courses = tuple(replace(course, title=str(number)) for course in trained.catalog.courses[:2])
        assert f"\n{number}\n" in searched(Catalog(courses))[1][0]


@pytest.mark.parametrize("q", ["这里没有这样的课", "公文 这里没有", "!!!", "%", ".*", "\x00"])
def test_a_search_that_finds_nothing_is_an_empty_page(q: str, client: FlaskClient):
    page = client.get(COURSES, query_string={"q": q}).get_json()
    assert (page["courses"], page["total"], page["next"]) == ([], 0, None)


@pytest.mark.parametrize("q", ["", " ", "\u3000"])
def test_a_search_for_nothing_finds_all(q: str, client: FlaskClient, trained: Recommender):
    assert client.get(COURSES, query_string={"q": q}).get_json()["total"] == len(trained.catalog)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "limit=", "limit=2.5", f"limit={'9' * 5000}", f"q={'x' * 201}", f"cursor={'x' * 201}", "page=2", "model_version=v9"]
)  # fmt: skip
def test_a_query_parameter_out_of_range_or_unknown_is_named(query: str, client: FlaskClient):
    response = client.get(f"{COURSES}?{query}")
    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert [error["field"] for error in response.get_json()["errors"]] == [f"query.{query.split('=', maxsplit=1)[0]}"]


def test_a_course_is_told_the_same_alone_and_in_a_list(client: FlaskClient):
    for course in client.get(f"{COURSES}?limit=40").get_json()["courses"]:
        assert client.get(f"{COURSES}/{course['id']}").get_json() == course


def test_a_course_is_told_in_the_words_of_the_catalog(client: FlaskClient, trained: Recommender, lexicon: Lexicon):
    told = {course["id"]: course for page in pages(client, limit=500) for course in page["courses"]}
    for course in trained.catalog:
        one = told[course.id]
        assert (one["title"], one["hours"], one["required"], one["seats"]) == (
            course.title, course.hours, course.required, course.seats,
        )  # fmt: skip
        assert [lexicon.level_of(level) for level in one["levels"]] == sorted(course.levels)
        assert one["posts"] == sorted(course.posts)
        assert one["competency"] == trained.teaches[course.id]
    assert any(one["levels"] for one in told.values())


def test_a_course_is_found_however_awkward_its_id_is(narrow: APIFlask):
    client = narrow.test_client()
    (course,) = client.get(COURSES, query_string={"q": "q9999", "model_version": "v0002"}).get_json()["courses"]
    response = client.get(f"{COURSES}/{quote(AWKWARD)}?model_version=v0002")
    assert (response.status_code, response.get_json()) == (200, course)
    assert course["id"] == AWKWARD
    assert client.get(f"{COURSES}/{quote(AWKWARD, safe='')}?model_version=v0002").get_json() == course
    # The active version has no such course.
    assert client.get(f"{COURSES}/{quote(AWKWARD)}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["nowhere", "q0001", "Q0001%20", "Q0001%0A", "Q0001/", "..", "%2e%2e%2factive", "..%5c..", "%00", "%ff", "%ED%A0%80", "%2FQ0001", "/Q0001", "//", "%25", "a" * 5000,
     "<script>", "{identity}", "Q0001;x", "None", "%F0%9F%98%80"],
)  # fmt: skip
def test_an_unknown_id_is_a_problem_that_repeats_nothing(path: str, client: FlaskClient):
    response = client.get(f"{COURSES}/{path}")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")
    assert "script" not in response.get_data(as_text=True)


@given(st.text(max_size=12))
def test_whatever_id_is_asked_for_the_answer_is_a_course_or_a_problem(app: APIFlask, identity: str):
    response = app.test_client().get(f"{COURSES}/{quote(identity, safe='')}")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("address", TAGGED)
def test_what_the_caller_has_already_is_not_sent_again(address: str, client: FlaskClient):
    first = client.get(address)
    tag = first.headers["ETag"]
    for given_tags in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = client.get(address, headers={"If-None-Match": given_tags})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == "private, no-cache"
        assert "Content-Type" not in again.headers
    for given_tags in ('"other"', "", "garbage"):
        again = client.get(address, headers={"If-None-Match": given_tags})
        assert (again.status_code, again.data) == (200, first.data)


@pytest.mark.parametrize("address", TAGGED)
def test_only_the_head_is_sent_where_only_it_is_asked_for(address: str, client: FlaskClient):
    response = client.head(address)
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["ETag"] == client.get(address).headers["ETag"]


def test_each_answer_has_a_tag_of_its_own(narrow: APIFlask):
    client = narrow.test_client()
    addresses = [*TAGGED, f"{COURSES}?limit=3", f"{COURSES}?q=公文", f"{COURSES}?limit=2&model_version=v0002"]
    tags = [client.get(address).headers["ETag"] for address in addresses]
    assert len(set(tags)) == len(tags)
    # The page that another version gives is another answer.
    response = client.get(addresses[-1], headers={"If-None-Match": tags[0]})
    assert (response.status_code, response.get_json()["model_version"]) == (200, "v0002")


def test_a_problem_has_no_tag(client: FlaskClient):
    response = client.get(f"{COURSES}/nowhere", headers={"If-None-Match": "*"})
    assert (response.status_code, "ETag" in response.headers) == (404, False)


def test_the_competencies_are_those_of_the_lexicon(client: FlaskClient, lexicon: Lexicon):
    told = client.get("/api/v1/competencies").get_json()["competencies"]
    assert [one["name"] for one in told] == [one.name for one in lexicon.competencies]
    assert [one["aliases"] for one in told] == [list(one.aliases) for one in lexicon.competencies]
    assert {tuple(one) for one in told} == {("name", "branch", "area", "definition", "aliases")}


def test_the_posts_and_levels_are_words_that_a_profile_is_understood_by(client: FlaskClient, lexicon: Lexicon):
    told = client.get("/api/v1/posts").get_json()
    assert list(told) == ["posts", "levels"]
    assert [post["name"] for post in told["posts"]] == [family.name for family in lexicon.families]
    for level in told["levels"]:
        assert lexicon.level_of(level["name"]) == level["code"]
        assert client.post("/api/v1/gaps", json={"id": "P1", "level": level["name"]}).status_code == 200
    assert [level["code"] for level in told["levels"]] == sorted(level["code"] for level in told["levels"])
