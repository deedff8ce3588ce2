"""The pages of administrators: keys, accounts, the audit log, settings, erasing a person, jobs."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

import service
from service import create_app
from service.jobs.kinds import KINDS as AT_WORK
from service.pages.admin.auditing import ACTIONS, SHOWN
from service.pages.admin.meanings import MEANINGS, SECRET, told_of
from service.pages.admin.tasks import KINDS, STATUSES
from service.settings import SETTINGS
from service.store import audit, feedback, jobs, keys, logins
from service.store.audit import By, Done
from service.store.database import Database
from service.store.jobs import Job, Status
from service.store.people import pseudonym
from service.store.roles import Principal, Role
from tests.service.pages.consoleforms import send
from tests.service.pages.test_landing import Page

pytestmark = pytest.mark.usefixtures("cheap_passwords")

PASSWORD = "一句好记的话，比符号安全"
PAGES = ("/admin/keys", "/admin/accounts", "/admin/audit", "/admin/settings", "/admin/erasure", "/admin/jobs")
BY = By("test")


def shown(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def done(store: Database) -> list[Done]:
    with store.reading() as connection:
        return list(audit.every(connection))


def signed_in(app: APIFlask, name: str, role: Role) -> FlaskClient:
    logins.create(app.extensions["quebu.store"], BY, name, role, PASSWORD)
    client = app.test_client()
    assert send(client, "/login", account=name, password=PASSWORD).status_code == 303
    return client


@pytest.fixture
def admin(own_app: APIFlask) -> FlaskClient:
    """Somebody signed in as an admin."""
    return signed_in(own_app, "chen", Role.ADMIN)


@pytest.mark.parametrize("path", PAGES)
def test_an_administrator_opens_every_page_and_finds_the_others_from_it(admin: FlaskClient, path: str):
    answer = admin.get(path)
    assert answer.status_code == 200
    page = Page(shown(answer))
    assert set(PAGES) <= {a.get("href") for a in page.all("a")}
    assert [a["href"] for a in page.all("a") if a.get("href") in PAGES].count(path) >= 1
    assert not {"style", "iframe"} & {tag for tag, _ in page.elements}
    assert not [name for _, found in page.elements for name in found if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("role", [Role.READER, Role.PLANNER, Role.CURATOR])
def test_nobody_else_opens_one_or_changes_anything(own_app: APIFlask, role: Role):
    client = signed_in(own_app, "li", role)
    assert "/admin/keys" not in {a.get("href") for a in Page(shown(client.get("/"))).all("a")}
    for path in PAGES:
        assert client.get(path).status_code == 403
    for path in ("/admin/keys", "/admin/accounts", "/admin/accounts/li/password", "/admin/erasure/done"):
        assert send(client, path, name="x", role="admin", days="1", person="P1").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_sign_in(own_app: APIFlask, path: str):
    signed_in(own_app, "chen", Role.ADMIN)
    answer = own_app.test_client().get(path)
    assert (answer.status_code, answer.location.split("?")[0]) == (303, "/login")


@pytest.mark.parametrize(
    "path", ["/admin/keys", "/admin/accounts", "/admin/erasure", "/admin/erasure/done", "/admin/accounts/chen/disable"]
)
def test_no_form_is_taken_without_its_token(admin: FlaskClient, path: str):
    assert admin.post(path, data={"name": "x", "role": "reader", "days": "3", "person": "P1"}).status_code == 400


def test_a_key_is_shown_on_one_answer_and_then_nowhere(admin: FlaskClient, own_store: Database):
    answer = send(admin, "/admin/keys", name="人事系统", role="reader", days="30")
    assert answer.status_code == 201
    (key,) = keys.KEY.finditer(shown(answer))
    assert shown(answer).count(key[0]) == 1
    assert "只在这一页显示一次" in shown(answer)
    assert key[0] not in str(answer.headers)
    assert answer.headers["Cache-Control"] == "no-store"
    assert keys.find(own_store, key[0]) == Principal(f"key:{key[1]}", Role.READER)
    secret = key[0].split("_", 2)[2]
    for path in PAGES:
        assert secret not in shown(admin.get(path))
    assert key[1] in shown(admin.get("/admin/keys"))
    assert secret not in repr(done(own_store))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "应为 1 到 100 个字"),
        ({"name": "甲" * 101}, "应为 1 到 100 个字"),
        ({"role": "king"}, "应为 reader、planner、curator、admin 之一"),
        ({"days": "0"}, "应在 1 到 3650 之间"),
        ({"days": "一"}, "应为整数"),
        ({"days": ""}, "应为整数"),
    ],
)
def test_a_key_that_is_asked_for_wrongly_is_not_made(
    admin: FlaskClient, own_store: Database, wrong: dict[str, str], said: str
):
    answer = send(admin, "/admin/keys", **{"name": "人事系统", "role": "reader", "days": "30", **wrong})
    assert answer.status_code == 422
    assert said in shown(answer)
    assert 'aria-invalid="true"' in shown(answer)
    assert keys.listed(own_store) == []


def test_a_key_is_revoked_by_a_button_that_names_it(admin: FlaskClient, own_store: Database):
    key = keys.create(own_store, BY, "人事系统", Role.READER, 3)
    page = shown(admin.get("/admin/keys"))
    assert "吊销“人事系统”" in page
    answer = send(admin, f"/admin/keys/{keys.identity(key)}/revoke")
    assert answer.status_code == 303
    assert "已吊销" in shown(admin.get(answer.location))
    assert keys.find(own_store, key) is None
    assert "没有这个编号的密钥" in shown(admin.get(send(admin, "/admin/keys/00000000/revoke").location))
    assert [one.action for one in done(own_store)].count("key.revoke") == 1


def test_a_name_of_a_key_stays_text(admin: FlaskClient):
    send(admin, "/admin/keys", name="<script>alert(1)</script>", role="reader", days="3")
    assert "<script>alert" not in shown(admin.get("/admin/keys"))


def test_at_a_first_start_whoever_gives_out_a_key_knows_that_it_closes_the_pages(
    caller: FlaskClient, own_store: Database
):
    asked = {"name": "人事系统", "role": "reader", "days": "3"}
    assert "本机会话结束" in shown(caller.get("/admin/keys"))
    assert send(caller, "/admin/keys", **asked).status_code == 422
    assert keys.listed(own_store) == []
    assert send(caller, "/admin/keys", **asked, known="1").status_code == 201
    assert caller.get("/admin/keys").status_code == 303


def test_the_first_account_is_an_administrators_who_then_signs_in(caller: FlaskClient, own_store: Database):
    form = {"name": "wang", "password": PASSWORD, "again": PASSWORD}
    refused = send(caller, "/admin/accounts", **form, role="planner")
    assert refused.status_code == 422
    assert "第一个账号请选“管理”角色" in shown(refused)
    made = send(caller, "/admin/accounts", **form, role="admin")
    assert (made.status_code, made.location) == (303, "/login?next=/admin/accounts")
    assert [one.name for one in logins.listed(own_store)] == ["wang"]
    entered = send(caller, "/login", account="wang", password=PASSWORD, next="/admin/accounts")
    assert "wang" in shown(caller.get(entered.location))


def test_an_account_is_made_disabled_enabled_and_given_a_new_password(admin: FlaskClient, own_store: Database):
    made = send(admin, "/admin/accounts", name="zhao", role="planner", password=PASSWORD, again=PASSWORD)
    assert made.status_code == 303
    assert "账号“zhao”已建立" in shown(admin.get(made.location))
    theirs = own_store_sign_in(own_store, "zhao", PASSWORD)
    assert theirs
    send(admin, "/admin/accounts/zhao/disable")
    assert logins.signed_in(own_store, theirs) is None
    assert "已停用" in shown(admin.get("/admin/accounts"))
    send(admin, "/admin/accounts/zhao/enable")
    assert own_store_sign_in(own_store, "zhao", PASSWORD)
    send(admin, "/admin/accounts/zhao/password", password=PASSWORD + "!", again=PASSWORD + "!")
    assert own_store_sign_in(own_store, "zhao", PASSWORD) is None
    assert own_store_sign_in(own_store, "zhao", PASSWORD + "!")
    told = [one.action for one in done(own_store) if one.object == "zhao" and one.actor == "account:chen"]
    assert told == ["account.create", "account.disable", "account.enable", "account.password"]


def own_store_sign_in(store: Database, name: str, password: str) -> str | None:
    return logins.sign_in(store, By(""), name, password)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"again": "anders anders anders"}, "两次输入的密码不同"),
        ({"password": "kurz", "again": "kurz"}, "密码应为 12 到 200 个字符"),
        ({"name": "a b"}, "用户名应为"),
        ({"name": "chen"}, "已经有这个用户名"),
        ({"role": "king"}, "请选择角色"),
    ],
)
def test_an_account_that_is_asked_for_wrongly_is_not_made_and_no_password_comes_back(
    admin: FlaskClient, own_store: Database, change: dict[str, str], said: str
):
    form = {"name": "zhao", "role": "planner", "password": PASSWORD, "again": PASSWORD, **change}
    answer = send(admin, "/admin/accounts", **form)
    assert answer.status_code == 422
    assert said in shown(answer)
    assert not [one for one in Page(shown(answer)).all("input") if one.get("type") == "password" and "value" in one]
    assert PASSWORD not in shown(answer)
    assert [one.name for one in logins.listed(own_store)] == ["chen"]


def test_nobody_shuts_themselves_out(admin: FlaskClient, own_store: Database):
    answer = send(admin, "/admin/accounts/chen/disable")
    assert "不能停用自己" in shown(admin.get(answer.location))
    assert not logins.listed(own_store)[0].disabled
    assert "/admin/accounts/chen/disable" not in shown(admin.get("/admin/accounts"))


def test_a_new_password_that_is_mistyped_or_of_nobody_changes_nothing(admin: FlaskClient, own_store: Database):
    for path, form, said in (
        ("/admin/accounts/chen/password", {"password": PASSWORD, "again": "x"}, "没有更改"),
        ("/admin/accounts/chen/password", {"password": "x", "again": "x"}, "密码应为"),
        ("/admin/accounts/nobody/password", {"password": PASSWORD, "again": PASSWORD}, "没有这个用户名的账号"),
        ("/admin/accounts/nobody/enable", {}, "没有这个用户名的账号"),
        ("/admin/accounts/nobody/disable", {}, "没有这个用户名的账号"),
    ):
        answer = send(admin, path, **form)
        assert said in shown(admin.get(answer.location))
    assert own_store_sign_in(own_store, "chen", PASSWORD)


def test_an_account_that_rests_after_wrong_passwords_may_sign_in_again_once_it_is_enabled(
    admin: FlaskClient, own_store: Database
):
    logins.create(own_store, BY, "zhao", Role.PLANNER, PASSWORD)
    for _ in range(logins.FAILURES):
        own_store_sign_in(own_store, "zhao", "x")
    assert "暂停登录" in shown(admin.get("/admin/accounts"))
    send(admin, "/admin/accounts/zhao/enable")
    assert own_store_sign_in(own_store, "zhao", PASSWORD)


def test_the_audit_log_is_read_page_by_page_and_every_reading_is_in_it(admin: FlaskClient, own_store: Database):
    with own_store.writing() as connection:
        for number in range(SHOWN + 20):
            audit.record(own_store, connection, BY, "plan.read", f"object-{number}", people=number)
    page = shown(admin.get("/admin/audit"))
    assert "核对完好" in page
    assert f"object-{SHOWN + 19}" in page
    assert "object-3<" not in page
    assert "打开方案" in page
    older = re.search(r"/admin/audit\?before=(\d+)", page)
    assert older
    further = shown(admin.get(older[0]))
    assert "object-3<" in further
    assert f"object-{SHOWN + 19}" not in further
    assert [one.action for one in done(own_store)][-2:] == ["audit.export", "audit.export"]
    assert audit.broken(own_store) is None


@pytest.mark.parametrize("before", ["0", "1", "2", "-5", "x", "9" * 15, "9" * 30, "١"])
def test_a_page_of_the_audit_log_that_is_none_is_no_fault(admin: FlaskClient, before: str):
    assert admin.get("/admin/audit", query_string={"before": before}).status_code == 200


def test_an_audit_log_that_was_tampered_with_is_said_to_be(admin: FlaskClient, own_store: Database):
    with own_store.engine.begin() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in names:
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE audit SET object = 'other' WHERE id = 2"))
    assert "从第 2 条起不完好" in shown(admin.get("/admin/audit"))


def test_every_action_of_the_log_has_words():
    recorded = set()
    for path in Path(service.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"audit.record", "self._audited"}:
                recorded |= {
                    one.value
                    for one in node.args
                    if isinstance(one, ast.Constant) and re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", str(one.value))
                }
    assert recorded - {"audit", "feedback", "gap_states"} <= set(ACTIONS)
    assert set(ACTIONS) <= recorded


def test_every_setting_is_told_with_its_meaning_and_no_secret_is(own: dict[str, Any], registry: Path):
    given = {"SECRET": "s3cr3t-" * 6, "SIGNING_KEY": "", "EMBEDDINGS_KEY": "k3y-of-the-endpoint", "TOP": 5}
    app = create_app({**own, **given, "RATE_LIMIT_STORAGE": "memory://"})
    page = shown(signed_in(app, "chen", Role.ADMIN).get("/admin/settings"))
    for setting in SETTINGS:
        assert f"QUEBU_{setting.name}<" in page
        assert MEANINGS[setting.name] in page
    assert "s3cr3t" not in page
    assert "k3y-of" not in page
    assert "own.db" not in page
    assert re.search(r"QUEBU_TOP</code></th><td>[^<]+</td><td>5</td><td>8</td>", page)
    assert re.search(r"QUEBU_SECRET</code></th><td>[^<]+</td><td>已设置</td><td>未设置</td>", page)
    assert re.search(r"QUEBU_SIGNING_KEY</code></th><td>[^<]+</td><td>未设置</td>", page)
    assert set(MEANINGS) == {setting.name for setting in SETTINGS}


def test_an_address_with_a_password_in_it_is_not_told(own_app: APIFlask):
    with own_app.test_request_context("/"):
        for setting in SETTINGS:
            if re.search(r"SECRET$|KEY$|URL|STORAGE", setting.name):
                assert setting.name in SECRET
                assert told_of(setting, "redis://user:pass@host") == "已设置"


def test_a_person_is_erased_once_it_is_confirmed_and_the_address_never_names_them(
    admin: FlaskClient, own_store: Database
):
    said = {"person": "P7", "course_id": "c1", "gap": "公文写作", "verdict": "accept", "reason": ""}
    nothing = {"replacement": None, "scope": None, "score_before": None, "score_after": None}
    feedback.keep(own_store, BY, [said | nothing], "v0001")
    confirm = send(admin, "/admin/erasure", person=" P7 ")
    assert confirm.status_code == 200
    assert "确认抹去“P7”" in shown(confirm)
    assert "不可恢复" in shown(confirm)
    told = send(admin, "/admin/erasure/done", person="P7")
    assert told.status_code == 200
    assert "P7" not in shown(told)
    assert re.search(r"涉及的反馈（条）</dt><dd>1<", shown(told))
    (row,) = (one for one in done(own_store) if one.action == "person.erase")
    assert (row.object, row.actor) == (pseudonym(own_store, "P7"), "account:chen")
    again = shown(send(admin, "/admin/erasure/done", person="P7"))
    assert "没有找到这个编号" in again


@pytest.mark.parametrize("path", ["/admin/erasure", "/admin/erasure/done"])
@pytest.mark.parametrize("person", ["", " ", "x" * 201, "a\0b"])
def test_nobody_is_erased_by_a_name_that_cannot_be_one(admin: FlaskClient, own_store: Database, path: str, person: str):
    answer = send(admin, path, person=person)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in shown(answer)
    assert "person.erase" not in [one.action for one in done(own_store)]


@pytest.fixture
def queued(own_store: Database) -> Job:
    return jobs.create(own_store, By("account:li"), "plan", {}, "v0001", 40, {"people": [b"[]"]})


def test_jobs_of_everybody_are_listed_and_one_is_cancelled(admin: FlaskClient, own_store: Database, queued: Job):
    page = shown(admin.get("/admin/jobs"))
    assert queued.id in page
    assert "排队中" in page
    assert "<td>li</td>" in page
    answer = send(admin, f"/admin/jobs/{queued.id}/cancel")
    assert "已取消" in shown(admin.get(answer.location))
    found = jobs.find(own_store, Principal("account:chen", Role.ADMIN), queued.id)
    assert found
    assert found.status is Status.CANCELLED


def test_a_job_that_has_ended_is_not_forgotten_by_cancelling_it(admin: FlaskClient, own_store: Database, queued: Job):
    jobs.cancel(own_store, BY, queued.id, 24)
    answer = send(admin, f"/admin/jobs/{queued.id}/cancel")
    assert "已经结束" in shown(admin.get(answer.location))
    assert jobs.find(own_store, Principal("account:chen", Role.ADMIN), queued.id)
    assert "已经结束" in shown(admin.get(send(admin, "/admin/jobs/none/cancel").location))


@pytest.mark.parametrize("cursor", ["x", "🙂", "-1", "\0"])
def test_a_page_of_the_jobs_that_is_none_is_the_first(admin: FlaskClient, queued: Job, cursor: str):
    answer = admin.get("/admin/jobs", query_string={"cursor": cursor})
    assert answer.status_code == 200
    assert queued.id in shown(answer)


def test_every_kind_and_state_of_a_job_has_words():
    assert set(STATUSES) == set(Status)
    assert set(KINDS) == set(AT_WORK)


def test_whoever_sits_at_this_machine_is_called_so_on_every_page(caller: FlaskClient, own_store: Database):
    jobs.create(own_store, By("local"), "plan", {}, "v0001", 40, {"people": [b"[]"]})
    send(caller, "/course-list/new/clear")
    for path in ("/admin/jobs", "/admin/audit"):
        page = shown(caller.get(path))
        assert "<td>本机</td>" in page
        assert "<td>local</td>" not in page
