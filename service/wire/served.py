"""What is told of every request once it is answered, to whoever keeps a log or counts: nothing of it was written by the caller but its id."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from flask import Flask, Response, g, request

UNKNOWN = "unknown"  # The route of every address that is none, and the method of every request by one we do not know.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Served(NamedTuple):
    """One request and its answer. ``route`` is the rule (``/api/v1/courses/<path:identity>``), never the address: that may hold ids. ``who`` is the id of
    a key, ``local`` or ``account``."""

    method: str
    route: str
    status: int
    seconds: float
    bytes: int
    request_id: str
    who: str | None


Listener = Callable[[Served], None]


def init_served(app: Flask, *listeners: Listener) -> None:
    """Tell the listeners of every request: a streamed answer when it is sent or given up, any other when it is made."""

    @app.before_request
    def _begun() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def _answered(response: Response) -> Response:
        begun, principal = g.begun, g.get("principal")
        served = Served(
            method=request.method if request.method in METHODS else UNKNOWN,
            route=request.url_rule.rule if request.url_rule else UNKNOWN,
            status=response.status_code,
            seconds=0.0,
            bytes=0,
            request_id=g.request_id,
            who=_named(principal.id) if principal else None,
        )

        def tell(sent: int) -> None:
            done = served._replace(seconds=time.perf_counter() - begun, bytes=sent)
            for listener in listeners:
                listener(done)

        if response.is_streamed and request.method != "HEAD" and response.content_length is None:
            parts = response.response = _Counted(response.response)
            response.call_on_close(lambda: tell(parts.bytes))
        else:
            tell(0 if request.method == "HEAD" else response.content_length or 0)
        return response


def _named(identity: str) -> str:
    # An account is named as the person is; whose it was stands in the audit log.
    return "account" if identity.startswith("account:") else identity


class _Counted:
    """The parts of a streamed answer, counted as they are sent."""

    def __init__(self, parts: Iterable[Any]) -> None:
        self._parts, self.bytes = iter(parts), 0

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> Any:
        part = next(self._parts)
        self.bytes += len(part)
        return part

    def close(self) -> None:
        """Let the parts go."""
        if close := getattr(self._parts, "close", None):
            close()
