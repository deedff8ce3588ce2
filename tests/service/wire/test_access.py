"""Who may not, cannot: every route, by everybody who could ask. The table below is the promise; a route that is not in it fails."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from postgres import SECRET
from sqlalchemy import update
from werkzeug.test import TestResponse

from service import create_app
from service.store import audit, keys, logins
from service.store.audit import By
from service.store.database import Database, now
from service.store.roles import Role
from service.store.tables import api_key
from service.wire.access import COOKIE, FAILING, allows, needed

READER, PLANNER, CURATOR, ADMIN = Role
TABLE = {
    ("GET", "/static/<path:filename>"): None,
    ("GET", "/openapi.json"): None,
    ("GET", "/"): None,
    ("GET", "/docs"): None,
    ("GET", "/login"): None,
    ("POST", "/login"): None,
    ("POST", "/logout"): None,
    ("POST", "/language"): None,
    ("GET", "/roster"): PLANNER,
    ("POST", "/roster"): PLANNER,
    ("POST", "/roster/sample"): PLANNER,
    ("GET", "/roster/sample.xlsx"): PLANNER,
    ("POST", "/roster/mended"): PLANNER,
    ("POST", "/roster/clear"): PLANNER,
    ("GET", "/diagnosis"): PLANNER,
    ("GET", "/diagnosis/people"): PLANNER,
    ("POST", "/diagnosis/collected/<job_id>"): PLANNER,
    ("GET", "/people/<int:place>"): PLANNER,
    ("POST", "/people/<int:place>/feedback"): PLANNER,
    ("GET", "/plan"): PLANNER,
    ("POST", "/plan"): PLANNER,
    ("GET", "/plan/courses"): PLANNER,
    ("GET", "/plan/compare"): PLANNER,
    ("POST", "/plan/collected/<job_id>"): PLANNER,
    ("GET", "/plan/<int:number>"): PLANNER,
    ("POST", "/plan/<int:number>/without"): PLANNER,
    ("POST", "/plan/<int:number>/with"): PLANNER,
    ("POST", "/plan/<int:number>/otherwise"): PLANNER,
    ("POST", "/plan/<int:number>/what-if"): PLANNER,
    ("GET", "/plan/<int:number>/sheets/<int:place>"): PLANNER,
    ("GET", "/plan/<int:number>/workbook"): PLANNER,
    ("POST", "/plan/<int:number>/save"): PLANNER,
    ("POST", "/plan/<int:number>/drop"): PLANNER,
    ("GET", "/saved"): PLANNER,
    ("GET", "/saved/<plan_id>"): PLANNER,
    ("GET", "/saved/<plan_id>/sheets/<int:place>"): PLANNER,
    ("GET", "/saved/<plan_id>/print"): PLANNER,
    ("GET", "/saved/<plan_id>/workbook"): PLANNER,
    ("GET", "/saved/<plan_id>/units.xlsx"): PLANNER,
    ("GET", "/saved/<plan_id>/units.csv"): PLANNER,
    ("GET", "/saved/<plan_id>/plan.json"): PLANNER,
    ("POST", "/saved/<plan_id>/erase-names"): PLANNER,
    ("POST", "/saved/<plan_id>/delete"): PLANNER,
    ("GET", "/course-list"): READER,
    ("GET", "/course-list/courses/<path:identity>"): READER,
    ("GET", "/course-list/coverage"): READER,
    ("POST", "/course-list/coverage/roster"): PLANNER,
    ("POST", "/course-list/coverage/collected/<job_id>"): PLANNER,
    ("GET", "/course-list/new"): CURATOR,
    ("POST", "/course-list/new"): CURATOR,
    ("POST", "/course-list/new/mended"): CURATOR,
    ("GET", "/course-list/new/check.xlsx"): CURATOR,
    ("POST", "/course-list/new/clear"): CURATOR,
    ("POST", "/course-list/new/train"): CURATOR,
    ("GET", "/course-list/trainings/<job_id>"): CURATOR,
    ("GET", "/course-list/trainings/<job_id>/progress"): CURATOR,
    ("POST", "/course-list/trainings/<job_id>/cancel"): CURATOR,
    ("POST", "/course-list/trainings/<job_id>/seen"): CURATOR,
    ("GET", "/curating"): PLANNER,
    ("GET", "/curating/said"): PLANNER,
    ("POST", "/curating/said"): CURATOR,
    ("POST", "/curating/said/<int:override_id>/revert"): PLANNER,
    ("GET", "/versions"): CURATOR,
    ("GET", "/versions/<version>"): CURATOR,
    ("GET", "/versions/<version>/comparison"): CURATOR,
    ("GET", "/versions/<version>/comparison.xlsx"): CURATOR,
    ("POST", "/versions/<version>/activate"): CURATOR,
    ("POST", "/versions/rollback"): CURATOR,
    ("GET", "/waiting/<job_id>"): PLANNER,
    ("GET", "/waiting/<job_id>/progress"): PLANNER,
    ("POST", "/waiting/<job_id>/cancel"): PLANNER,
    ("GET", "/api/v1/health/live"): None,
    ("GET", "/api/v1/health/ready"): None,
    ("GET", "/api/v1/metrics"): READER,
    ("POST", "/api/v1/recommendations"): READER,
    ("POST", "/api/v1/recommendations/batch"): READER,
    ("POST", "/api/v1/gaps"): READER,
    ("POST", "/api/v1/matches"): READER,
    ("GET", "/api/v1/courses"): READER,
    ("GET", "/api/v1/courses/<path:identity>"): READER,
    ("GET", "/api/v1/competencies"): READER,
    ("GET", "/api/v1/coverage"): READER,
    ("GET", "/api/v1/posts"): READER,
    ("GET", "/api/v1/models"): READER,
    ("GET", "/api/v1/models/<version>"): READER,
    ("GET", "/api/v1/models/<version>/comparison"): PLANNER,
    ("POST", "/api/v1/models/<version>/activate"): CURATOR,
    ("POST", "/api/v1/models/rollback"): CURATOR,
    ("POST", "/api/v1/models"): CURATOR,
    ("POST", "/api/v1/course-lists/check"): PLANNER,
    ("POST", "/api/v1/cohorts/plan"): PLANNER,
    ("POST", "/api/v1/cohorts/recommendations"): PLANNER,
    ("POST", "/api/v1/cohorts/gaps"): PLANNER,
    ("GET", "/api/v1/jobs"): PLANNER,
    ("GET", "/api/v1/jobs/<job_id>"): PLANNER,
    ("GET", "/api/v1/jobs/<job_id>/result"): PLANNER,
    ("DELETE", "/api/v1/jobs/<job_id>"): PLANNER,
    ("POST", "/api/v1/plans"): PLANNER,
    ("GET", "/api/v1/plans"): PLANNER,
    ("GET", "/api/v1/plans/<plan_id>"): PLANNER,
    ("DELETE", "/api/v1/plans/<plan_id>"): PLANNER,
    ("DELETE", "/api/v1/plans/<plan_id>/names"): PLANNER,
    ("POST", "/api/v1/erasures"): ADMIN,
    ("POST", "/api/v1/feedback"): PLANNER,
    ("GET", "/api/v1/feedback"): CURATOR,
    ("GET", "/api/v1/feedback/learning"): CURATOR,
    ("GET", "/api/v1/courses/<path:identity>/outcomes"): READER,
    ("POST", "/api/v1/gap-states"): PLANNER,
    ("POST", "/api/v1/overrides"): CURATOR,
    ("GET", "/api/v1/overrides"): PLANNER,
    ("DELETE", "/api/v1/overrides/<int:override_id>"): PLANNER,
    ("GET", "/api/v1/course-reviews"): PLANNER,
    ("POST", "/api/v1/keys"): ADMIN,
    ("GET", "/api/v1/keys"): ADMIN,
    ("DELETE", "/api/v1/keys/<key_id>"): ADMIN,
    ("GET", "/api/v1/audit"): ADMIN,
    ("GET", "/help"): None,
    ("POST", "/help/guide"): None,
    ("GET", "/admin/keys"): ADMIN,
    ("POST", "/admin/keys"): ADMIN,
    ("POST", "/admin/keys/<key_id>/revoke"): ADMIN,
    ("GET", "/admin/accounts"): ADMIN,
    ("POST", "/admin/accounts"): ADMIN,
    ("POST", "/admin/accounts/<name>/disable"): ADMIN,
    ("POST", "/admin/accounts/<name>/enable"): ADMIN,
    ("POST", "/admin/accounts/<name>/password"): ADMIN,
    ("GET", "/admin/audit"): ADMIN,
    ("GET", "/admin/settings"): ADMIN,
    ("GET", "/admin/erasure"): ADMIN,
    ("POST", "/admin/erasure"): ADMIN,
    ("POST", "/admin/erasure/done"): ADMIN,
    ("GET", "/admin/jobs"): ADMIN,
    ("POST", "/admin/jobs/<job_id>/cancel"): ADMIN,
}
GUARDED = {address: role for address, role in TABLE.items() if role}
STRANGERS = (
    "none",
    "malformed",
    "unknown",
    "expired",
    "revoked",
    "of another secret",
    "by another scheme",
    "in the address",
    "as a cookie",
)
PROBLEM = "application/problem+json"
MODELS = "/api/v1/models"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    """The application without a version, with a local session left from the first start, and keys of every kind."""
    folder = tmp_path_factory.mktemp("access")
    config = {"REGISTRY": str(folder / "registry"), "DATABASE_URL": f"sqlite:///{folder}/quebu.db", "SECRET": SECRET}
    return create_app({**config, "TESTING": True, "LOCAL": True})


def key_of(app: APIFlask, role: Role = ADMIN) -> str:
    return keys.create(app.extensions["quebu.store"], By("test"), "test", role, 1)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def holders(service: APIFlask) -> dict[Role, dict[str, str]]:
    return {role: bearer(key_of(service, role)) for role in Role}


@pytest.fixture(scope="module")
def strangers(service: APIFlask) -> dict[str, dict[str, Any]]:
    """What each of those sends who may not get in."""
    database: Database = service.extensions["quebu.store"]
    expired, revoked, whole = (key_of(service) for _ in range(3))
    with database.writing() as connection:
        past = (
            update(api_key)
            .where(api_key.c.id == keys.identity(expired))
            .values(expires_at=now() - timedelta(seconds=1))
        )
        connection.execute(past)
    keys.revoke(database, By("test"), str(keys.identity(revoked)))
    other = Database(database.url, SECRET + "!")
    foreign = keys.create(other, By("test"), "test", ADMIN, 1)
    other.engine.dispose()
    sent: dict[str, dict[str, Any]] = {
        "none": {},
        "malformed": {"headers": {"Authorization": f"Bearer {whole} {whole}"}},
        "unknown": {"headers": bearer("quebu_00000000_" + "A" * 43)},
        "expired": {"headers": bearer(expired)},
        "revoked": {"headers": bearer(revoked)},
        "of another secret": {"headers": bearer(foreign)},
        "by another scheme": {"headers": {"Authorization": f"Basic {whole}"}},
        "in the address": {"query_string": {"key": whole, "access_token": whole}},
        "as a cookie": {"headers": {"Cookie": f"{COOKIE}={whole}; key={whole}"}},
    }
    assert tuple(sent) == STRANGERS
    return sent


def ask(app: APIFlask, method: str, rule: str, number: int = 0, **sent: Any) -> TestResponse:
    """Ask a route, from an address of its own: wrong keys are counted by address."""
    path = re.sub(r"<(\w+:)?\w+>", lambda part: "1" if part[1] == "int:" else "nowhere", rule)
    address = {"REMOTE_ADDR": f"192.0.2.{number % 250}"}
    return app.test_client().open(path, method=method, environ_overrides=address, buffered=True, **sent)


def test_the_table_names_every_route_and_no_other(service: APIFlask):
    served = {
        (method, rule.rule): needed(service, rule.endpoint)[0]
        for rule in service.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == TABLE


def test_only_what_a_newcomer_or_a_machine_needs_first_is_open_to_everybody():
    opened = {path for (_, path), role in TABLE.items() if role is None}
    assert {path for path in opened if path.startswith("/api/")} == {"/api/v1/health/live", "/api/v1/health/ready"}


@pytest.mark.parametrize("who", STRANGERS)
def test_whoever_has_no_key_that_counts_is_refused_everywhere(service: APIFlask, strangers: dict[str, Any], who: str):
    for number, (method, rule) in enumerate(GUARDED):
        answer = ask(service, method, rule, number, **strangers[who])
        if rule.startswith("/api/"):
            assert (answer.status_code, answer.content_type) == (401, PROBLEM), (method, rule)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        else:  # A person at a page is sent to sign in.
            assert (answer.status_code, answer.location.split("?")[0]) == (303, "/login"), (method, rule)


@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_it_covers_and_nothing_else(service: APIFlask, holders: dict[Role, dict[str, str]], role: Role):
    for (method, rule), wanted in GUARDED.items():
        status = ask(service, method, rule, headers=holders[role], json={}).status_code
        allowed = list(Role).index(role) >= list(Role).index(wanted)
        assert (status == 403) == (not allowed), (method, rule, status)
        assert status not in {401, 429, 500}, (method, rule)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_asking_otherwise_opens_no_door(service: APIFlask, method: str):
    for number, (_, rule) in enumerate(GUARDED):
        assert ask(service, method, rule, number).status_code in {401 if rule.startswith("/api/") else 303, 405}, rule


def test_what_is_open_is_open_to_those_with_a_wrong_key_as_well(service: APIFlask, strangers: dict[str, Any]):
    for address, wanted in TABLE.items():
        if wanted is None:
            for sent in strangers.values():
                assert ask(service, *address, **sent).status_code not in {401, 403, 429}, address


def test_a_refusal_tells_which_role_is_needed(service: APIFlask, holders: dict[Role, dict[str, str]]):
    problem = ask(service, "GET", "/api/v1/keys", headers=holders[READER]).get_json()
    assert "管理" in problem["detail"]
    assert "admin" in problem["detail"]


def test_a_route_that_declares_nothing_is_open_to_nobody(tmp_path: Path):
    app = create_app({"REGISTRY": str(tmp_path / "r"), "SECRET": SECRET, "LOCAL": True})
    app.add_url_rule("/forgotten", "forgotten", lambda: "seen")
    answer = app.test_client().get("/forgotten")
    assert answer.status_code == 500
    assert b"seen" not in answer.data


def test_no_cookie_of_a_person_opens_the_interface(service: APIFlask, cheap_passwords: None):
    database: Database = service.extensions["quebu.store"]
    logins.create(database, By("test"), "zhang", ADMIN, "correct horse battery")
    token = logins.sign_in(database, By(""), "zhang", "correct horse battery")
    for number, (method, rule) in enumerate(GUARDED):
        if rule.startswith("/api/"):
            assert ask(service, method, rule, number, headers={"Cookie": f"{COOKIE}={token}"}).status_code == 401


@pytest.fixture
def fresh(tmp_path: Path) -> APIFlask:
    """A service just started on this machine: nobody has a key yet."""
    return create_app({"REGISTRY": str(tmp_path / "registry"), "SECRET": SECRET, "LOCAL": True, "TESTING": True})


@pytest.mark.parametrize(
    "base", ["http://localhost", "http://127.0.0.1:8000", "http://[::1]:8000", "http://LOCALHOST:8000"]
)
def test_whoever_sits_at_the_machine_needs_no_key_until_there_is_one(fresh: APIFlask, base: str):
    client = fresh.test_client()
    assert client.get("/api/v1/keys", base_url=base).status_code == 200
    own = {"Origin": base.lower(), "Sec-Fetch-Site": "same-origin"}
    assert (
        client.post("/api/v1/keys", base_url=base, json={"name": "x", "role": "reader"}, headers=own).status_code == 201
    )
    assert client.get("/api/v1/keys", base_url=base).status_code == 401


@pytest.mark.parametrize(
    "how",
    [
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}},
        {"environ_overrides": {"REMOTE_ADDR": ""}},
        {"environ_overrides": {"REMOTE_ADDR": "localhost"}},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"X-Forwarded-For": "192.0.2.7"}},
        {"headers": {"X-Real-IP": "127.0.0.1"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
        {"headers": {"X-Forwarded-Host": "localhost"}},
        {"headers": {"Via": "1.1 proxy"}},
        {"headers": {"Host": "evil.example"}},
        {"headers": {"Host": "localhost.evil.example"}},
        {"headers": {"Host": "127.0.0.1.evil.example:8000"}},
        {"headers": {"Host": "localhost@evil.example"}},
        {"headers": {"Host": "192.0.2.7"}},
        {"headers": {"Host": ""}},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Origin": "null"}},
        {"headers": {"Origin": "http://localhost:3000"}},
        {"headers": {"Origin": "https://localhost"}},
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
        {"headers": {"Sec-Fetch-Site": "same-site"}},
        {"headers": {"Sec-Fetch-Site": "x"}},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"Authorization": ""}},
    ],
)  # fmt: skip
def test_whoever_does_not_sit_there_or_is_a_page_of_another_site_gets_no_local_session(
    fresh: APIFlask, how: dict[str, Any]
):
    assert fresh.test_client().get("/api/v1/keys").status_code == 200
    assert fresh.test_client().get("/api/v1/keys", **how).status_code == 401


def test_no_name_but_that_of_this_machine_opens_the_local_session(fresh: APIFlask):
    client = fresh.test_client()

    @given(host=st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=30))
    def ask_by(host: str) -> None:
        own = re.fullmatch(r"(localhost|127\.0\.0\.1|\[::1\])(:\d*)?", host, re.IGNORECASE)
        assert client.get(MODELS, headers={"Host": host}).status_code == (200 if own else 401)

    ask_by()
    assert client.get(MODELS).status_code == 200


def test_without_the_servers_word_there_is_no_local_session(tmp_path: Path):
    app = create_app({"REGISTRY": str(tmp_path / "registry"), "SECRET": SECRET})
    assert app.test_client().get(MODELS).status_code == 401


def test_the_address_that_a_proxy_tells_counts_only_where_the_proxy_is_trusted(tmp_path: Path):
    told = {"X-Forwarded-For": "198.51.100.9, 192.0.2.7"}
    for hops, address in ((0, "127.0.0.1"), (1, "192.0.2.7"), (2, "198.51.100.9")):
        config = {"REGISTRY": str(tmp_path / str(hops) / "registry"), "SECRET": SECRET, "TRUSTED_PROXIES": hops}
        app = create_app(config)
        body = {"name": "x", "role": "reader"}
        assert app.test_client().post("/api/v1/keys", json=body, headers=bearer(key_of(app)) | told).status_code == 201
        database: Database = app.extensions["quebu.store"]
        with database.reading() as connection:
            assert [done.address for done in audit.every(connection)] == ["", address]


def test_behind_a_trusted_proxy_an_address_that_the_caller_made_up_does_not_count(tmp_path: Path):
    config = {"REGISTRY": str(tmp_path / "registry"), "SECRET": SECRET, "TRUSTED_PROXIES": 1}
    client = create_app(config).test_client()
    wrong = bearer("quebu_00000000_" + "A" * 43)
    statuses = [
        client.get(MODELS, headers=wrong | {"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.7"}).status_code
        for number in range(FAILING + 1)
    ]
    assert statuses == [401] * FAILING + [429]


def limited(tmp_path: Path, most: int) -> FlaskClient:
    return create_app({"REGISTRY": str(tmp_path / "registry"), "SECRET": SECRET, "RATE_LIMIT": most}).test_client()


def test_who_asks_too_often_has_to_wait_and_others_do_not(tmp_path: Path):
    client = limited(tmp_path, 5)
    first, second = (bearer(key_of(client.application)) for _ in range(2))
    answers = [client.get(MODELS, headers=first) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert answers[-1].content_type == PROBLEM
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert client.get(MODELS, headers=second).status_code == 200
    assert client.get("/api/v1/health/live").status_code == 200


def test_what_is_costly_counts_as_more(tmp_path: Path):
    client = limited(tmp_path, 150)
    holder = bearer(key_of(client.application, PLANNER))
    statuses = [client.post("/api/v1/cohorts/plan", json={}, headers=holder).status_code for _ in range(2)]
    assert statuses == [503, 429]


def test_wrong_keys_from_one_address_have_to_wait_but_a_right_one_beside_them_does_not(tmp_path: Path):
    client = limited(tmp_path, 1000)
    right, wrong = bearer(key_of(client.application)), bearer("quebu_00000000_" + "A" * 43)
    answers = [client.get(MODELS, headers=wrong) for _ in range(FAILING + 2)]
    assert [answer.status_code for answer in answers] == [401] * FAILING + [429] * 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert client.get(MODELS, headers=right).status_code == 200
    assert client.get(MODELS).status_code == 401
    elsewhere = client.get(MODELS, headers=wrong, environ_overrides={"REMOTE_ADDR": "192.0.2.8"})
    assert elsewhere.status_code == 401


@pytest.mark.parametrize("role", [None, *Role])
def test_no_key_stands_in_a_log_or_in_an_answer(
    service: APIFlask, holders: dict[Role, dict[str, str]], role: Role | None, caplog: pytest.LogCaptureFixture
):
    headers = bearer("quebu_00000000_" + "S3CR3T" * 7 + "x") if role is None else holders[role]
    key = headers["Authorization"].split(" ")[1]
    with caplog.at_level(logging.DEBUG):
        for number, address in enumerate(TABLE):
            answer = ask(service, *address, number, headers=headers, json={})
            assert key.encode() not in answer.data
            assert key not in str(answer.headers)
    assert key.split("_", 2)[2] not in caplog.text
    assert "quebu" in caplog.text


@pytest.mark.parametrize("field", ["password", "account"])
def test_no_password_stands_in_a_log_not_even_one_typed_as_a_name(
    service: APIFlask, field: str, caplog: pytest.LogCaptureFixture
):
    client = service.test_client()
    with caplog.at_level(logging.DEBUG):
        token = re.search(r'csrf_token" value="([^"]+)"', client.get("/login").get_data(as_text=True))
        assert token
        form = {"account": "zhang", "password": "x"} | {field: "hunter2hunter2"} | {"csrf_token": token[1]}
        answer = client.post("/login", data=form)
    assert answer.status_code == 403
    assert ("hunter2" in answer.get_data(as_text=True)) == (field == "account")
    assert "hunter2" not in caplog.text
    with service.extensions["quebu.store"].reading() as connection:
        rows = list(audit.every(connection))
    assert rows[-1].action == "login.refused"
    assert "hunter2" not in repr(rows)


def test_each_declares_its_role_below_its_address(service: APIFlask):
    def view() -> None: ...

    assert allows(CURATOR, cost=7)(view) is view
    assert vars(view)["allowed"] == (CURATOR, 7)
    with pytest.raises(KeyError):
        needed(service, "nothing")
