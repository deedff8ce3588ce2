"""Who asks, may they, and how often: every route declares the role it wants, and one that declares nothing is open to nobody."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from apiflask import APIFlask
from flask import Response, current_app, g, redirect, request, url_for
from flask_babel import gettext

from service.store import keys, logins
from service.store.audit import By
from service.store.database import Database
from service.store.roles import ROLE_NAMES, Principal, Role
from service.wire.counting import Counting
from service.wire.errors import problem
from service.wire.places import Places

View = TypeVar("View", bound=Callable[..., Any])

COOKIE = "quebu_login"
LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
# A request that came through a proxy is nobody at this machine, whatever address the proxy has.
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")
OPEN = {"static", "openapi.spec"}  # The framework's own routes.
BUSY = "正在处理其他大请求，请按 Retry-After 的秒数稍后再试；能作为任务处理的，也可用 Prefer: respond-async 提交。"
FAILING = 30  # Wrong keys, and wrong passwords, a minute from one address.


def allows(role: Role | None, cost: int = 1, body: str = "MAX_BODY_MB", slow: bool = False) -> Callable[[View], View]:
    """Declare who may use a route, right below its address: those whose role covers this one, or everybody (None). ``cost`` is how many
    requests one of it counts as, ``body`` the setting that limits what may be sent to it; of those that are ``slow`` few are answered at a time
    (a page that is slow only at times takes its place by :func:`take_place`)."""

    def declared(view: View) -> View:
        view.allowed, view.body, view.slow = (role, cost), body, slow  # type: ignore[attr-defined]
        return view

    return declared


def needed(app: APIFlask, endpoint: str) -> tuple[Role | None, int]:
    """The role a route wants (None: open to everybody) and its cost; KeyError for one that declares nothing."""
    if endpoint in OPEN:
        return None, 0
    return cast("tuple[Role | None, int]", vars(app.view_functions[endpoint])["allowed"])


def store() -> Database:
    """The store of the application."""
    return cast(Database, current_app.extensions["quebu.store"])


def by() -> By:
    """Who acts in this request, for the audit log."""
    return By(g.principal.id if g.principal else "", request.remote_addr or "", g.request_id)


def counting() -> Counting:
    """What counts the requests of the application."""
    return cast(Counting, current_app.extensions["quebu.counting"])


def too_often(wait: int) -> Response:
    """A problem that tells when to ask again."""
    return problem(429, headers={"Retry-After": str(wait)})


def init_access(app: APIFlask, database: Database) -> None:
    """Ask every request who it is, count it, and refuse what its role does not cover."""
    app.extensions["quebu.store"] = database
    app.extensions["quebu.counting"] = Counting(app.config["RATE_LIMIT_STORAGE"], app.config["WORKERS"])
    app.extensions["quebu.places"] = places = Places()

    @app.before_request
    def _asked() -> Any:
        g.principal = None
        if request.endpoint is None:
            return None
        role, cost = needed(app, request.endpoint)
        body = getattr(app.view_functions[request.endpoint], "body", "MAX_BODY_MB")
        request.max_content_length = app.config[body] * 2**20  # Before anybody reads it.
        if role is None:
            return None
        api = request.path.startswith("/api/")
        g.principal = _principal(database, api)
        if g.principal is None:
            return _stranger(api)
        wait = counting().count("asking", g.principal.id, app.config["RATE_LIMIT"], cost)
        if wait:
            return too_often(wait)
        if not g.principal.role.covers(role):
            return problem(403, f"这个地址需要“{ROLE_NAMES[role]}”（{role.value}）角色；请向管理员申请。")
        slow = getattr(app.view_functions[request.endpoint], "slow", False) and not _later()
        if slow and not take_place(waits=not api):
            return problem(503, BUSY, headers={"Retry-After": "5"}) if api else problem(503, busy())
        return None

    @app.after_request
    def _answered(response: Response) -> Response:
        if g.pop("slow", False):
            if response.is_streamed:  # It is worked on until it is sent. Closing twice is no mistake.
                left: list[Callable[..., None]] = [places.leave]
                response.response = _held(response.response, left)
                response.call_on_close(lambda: left.pop()() if left else None)
            else:
                places.leave()
        return response

    @app.teardown_request
    def _over(_: BaseException | None) -> None:
        if g.pop("slow", False):
            places.leave()


def take_place(*, waits: bool = True) -> bool:
    """Take one of the few places of what is slow, until the request is answered; whether there was one. Who ``waits`` is a person, and is kept
    waiting a little."""
    g.slow = g.get("slow", False) or cast(Places, current_app.extensions["quebu.places"]).take(waits=waits)
    return bool(g.slow)


def busy() -> str:
    """What a person is told where there is no place; the words for systems name headers."""
    return str(gettext("正在计算别的方案或清单，请稍等几秒再试。"))


def _held(parts: Iterable[Any], left: list[Callable[..., None]]) -> Iterator[Any]:
    """An answer that holds its place until its last part; who never closes it shall not keep it for good."""
    try:
        yield from parts
    finally:
        if left:
            left.pop()()


def _later() -> bool:
    """Whether the caller may have a job, and would rather have one; it holds no thread."""
    return g.principal.role.covers(Role.PLANNER) and "respond-async" in request.headers.get("Prefer", "").lower()


def _stranger(api: bool) -> Any:
    """Send a person to sign in and ask a system for its key; one that shows wrong ones all the time has to wait. Who shares its address and
    has a key is not held up."""
    if "Authorization" in request.headers:
        wait = counting().count("failing", request.remote_addr or "", FAILING)
        if wait:
            return too_often(wait)
    if not api:
        seen = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("login.form", next=seen), 303)
    return problem(401, headers={"WWW-Authenticate": 'Bearer realm="quebu"'})


def _principal(database: Database, api: bool) -> Principal | None:
    """A system shows its key, a page its cookie. The interface takes no cookies, so that no other site can use somebody's."""
    if "Authorization" in request.headers:
        kind, _, key = request.headers["Authorization"].partition(" ")
        return keys.find(database, key.strip()) if kind.lower() == "bearer" else None
    token = request.cookies.get(COOKIE)
    if token and not api:
        return logins.signed_in(database, token)
    return logins.local(database) if current_app.config["LOCAL"] and _here() else None


def seen() -> Principal | None:
    """Who opens a page that is open to everybody, where that is known."""
    known: Principal | None = g.get("principal") or _principal(store(), api=False)
    return known


def local_name() -> bool:
    """Whether the request was made to this machine by a name that only this machine has."""
    return urlsplit(f"//{request.host}").hostname in LOCAL_NAMES  # A malformed name is blank by now.


def _here() -> bool:
    """Whether a request was made by somebody at this machine, and not by a page of another site."""
    try:
        own = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        own = False
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    return (
        own
        and local_name()
        and not any(name in request.headers for name in FORWARDED)
        and site in {"none", "same-origin"}
        and (origin is None or origin == request.host_url.rstrip("/"))
    )
