"""``Idempotency-Key``: a request that is repeated because its answer was lost gets the first answer, and does nothing a second time.

The answer is kept for ``QUEBU_IDEMPOTENCY_HOURS`` and for the same caller only. Only successes are kept: what failed may be corrected and
asked again under the same key.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import IO

from apiflask import APIFlask
from flask import Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from service.store import answers, pieces
from service.store.database import Database
from service.wire.errors import problem

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,200}")
NEVER = {"keys.create_key"}  # Its answer holds a key, which is kept nowhere.
TOLD = ("Content-Type", "Location", "Preference-Applied", "Content-Disposition")
HELD = 1 << 20  # Bodies longer than this wait in a file.
PIECE = 1 << 16
FORM = "multipart/form-data"


def init_idempotency(app: APIFlask, database: Database) -> None:
    """Answer repeated requests; to be set up after those hooks that say who asks and decode the body."""

    @app.before_request
    def _first() -> Response | None:
        g.once = None
        key = request.headers.get(HEADER)
        if key is None or request.method != "POST" or not g.principal or request.endpoint in NEVER:
            return None
        if not KEY.fullmatch(key):
            return problem(400, f"{HEADER} 应为 1 到 200 个可见的 ASCII 字符，如一个 UUID。")
        fingerprint = database.digest(_read(app.config["MAX_BODY_MB"] * 2**20), "request")
        first = answers.claim(database, g.principal.id, key, fingerprint)
        if first is None:
            g.once = key
            return None
        if first.fingerprint != fingerprint:
            return problem(422, f"这个 {HEADER} 已用于另一个请求；请给每个请求各自的键。")
        if first.status is None:
            return problem(409, "同一个请求还在处理，请稍后重试。", headers={"Retry-After": "1"})
        return Response(
            pieces.read(database, first.blob), first.status, {**first.headers, "Idempotency-Replayed": "true"}
        )

    @app.after_request
    def _keep(response: Response) -> Response:
        # Taken out first: should the answer not be kept, the key must not be freed by the problem that is answered instead.
        key = g.pop("once", None)
        if key is None:
            return response
        if not 200 <= response.status_code < 300:
            answers.release(database, g.principal.id, key)
            return response
        told = {name: response.headers[name] for name in TOLD if name in response.headers}
        owner, body, hours = g.principal.id, response.iter_encoded(), app.config["IDEMPOTENCY_HOURS"]
        if not response.is_streamed:
            # What was done is done, though the caller may be gone before the first byte is sent.
            answers.keep(database, owner, key, response.status_code, told, body, hours)
            return response
        # Only batches are streamed. They change nothing, so one that breaks while it is sent leaves the key free to ask anew.
        response.response = answers.kept(database, owner, key, response.status_code, told, body, hours)
        response.call_on_close(lambda: answers.release(database, owner, key))
        return response

    @app.teardown_request
    def _close(_: BaseException | None) -> None:
        if file := g.pop("spooled", None):
            file.close()


def _read(longest: int) -> str:
    """What distinguishes a request, its body read into a file and put back for the view; ``longest``: bytes of a part's text."""
    g.spooled = file = SpooledTemporaryFile(HELD)  # noqa: SIM115 (closed when the request ends)
    content = sha256()
    while part := request.stream.read(PIECE):
        content.update(part)
        file.write(part)
    kind, told = request.headers.get("Content-Type", ""), content.digest()
    if request.mimetype == FORM and (parts := _parts(file, longest)):
        kind, told = FORM, parts
    file.seek(0)
    request.environ.update({"wsgi.input": file, "wsgi.input_terminated": True})
    request.__dict__.pop("stream", None)
    head = (request.method, request.full_path, kind, request.headers.get("Accept", ""))
    return sha256("\n".join(head).encode() + b"\n" + told).hexdigest()


def _parts(file: IO[bytes], longest: int) -> bytes | None:
    """A digest of the names, file names and contents of a form, in order: what parts them is made up anew each time it is sent. None where it is no
    form, or one that the view will not take."""
    file.seek(0)
    whole, content = sha256(), sha256()
    try:
        boundary = request.mimetype_params.get("boundary", "").encode("ascii")
        decoder = MultipartDecoder(boundary, longest, max_parts=request.max_form_parts)
        for part in chain(iter(lambda: file.read(PIECE), b""), (None,)):
            decoder.receive_data(part)
            while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
                if isinstance(event, Field | File):
                    whole.update(json.dumps([event.name, getattr(event, "filename", None)]).encode())
                    content = sha256()
                elif isinstance(event, Data):
                    content.update(event.data)
                    if not event.more_data:
                        whole.update(content.digest())
    except (ValueError, RequestEntityTooLarge):
        return None
    return whole.digest()
