"""gzip on the wire, both ways: answers are packed for whoever takes them so, bodies that come packed are unpacked as they are read."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, Any

from flask import Flask, Request, Response, request
from flask_compress import Compress
from werkzeug.utils import cached_property
from werkzeug.wsgi import get_input_stream

from service.wire.errors import problem

PACKED_TYPES = [
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "text/css",
    "text/javascript",
    "text/plain",
]  # Pages are not among them: they hold tokens, and the length of a packed page tells of what it holds.

PIECE = 1 << 16


class NotUnpacked(Exception):
    """A packed body that cannot be read: the status and detail of the problem."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class PackedRequest(Request):
    """A request whose ``stream`` gives the body as it was before it was packed."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body; raises NotUnpacked. A limit is that of the body unpacked, so it has to be set before the first reading."""
        packed = get_input_stream(self.environ, max_content_length=self.max_content_length)
        coding = self.headers.get("Content-Encoding", "").strip().lower()
        if coding in {"", "identity"}:
            return packed
        if coding not in {"gzip", "x-gzip"}:
            raise NotUnpacked(415, "请求内容只能用 gzip 压缩（Content-Encoding: gzip），或者不压缩。")
        # From here on the body is as it was, also for whoever reads it and puts it back for others.
        for name in ("HTTP_CONTENT_ENCODING", "CONTENT_LENGTH"):
            self.environ.pop(name, None)
        return _Unpacked(packed, self.max_content_length or 0)  # type: ignore[return-value]


class _Unpacked(io.RawIOBase):
    """The content of a gzip stream, never more of it than was asked for, and no more than ``most`` bytes in all."""

    def __init__(self, packed: IO[bytes], most: int) -> None:
        # What comes over a network comes in pieces, of which the reader of gzip wants none too small.
        self._file = gzip.GzipFile(fileobj=io.BufferedReader(packed, PIECE), mode="rb")  # type: ignore[type-var]
        self._most, self._given = most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is content; raises NotUnpacked."""
        try:
            content = self._file.read(len(buffer))
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise NotUnpacked(400, "请求内容不是完整的 gzip；请重新压缩后提交，或不压缩。") from None
        self._given += len(content)
        if self._given > self._most:
            raise NotUnpacked(413, f"请求内容解压后不能超过 {self._most // 2**20} MB；请分几次提交。")
        buffer[: len(content)] = content
        return len(content)


class _Packing(Compress):
    def after_request(self, response: Response | None) -> Response:
        assert response is not None
        # A part of a file is a part of its plain bytes, and a quality of 0 is a refusal; flask-compress heeds neither.
        if response.status_code == 206 or not request.accept_encodings["gzip"]:
            response.vary.add("Accept-Encoding")
            return response
        tag, _ = response.get_etag()
        if tag:
            # The same content in other bytes: a weak tag is one for both, so that what the caller has is known before anything is packed.
            response.set_etag(tag, weak=True)
        close = getattr(response.response, "close", None)
        if response.is_streamed and close:
            response.call_on_close(close)  # Packing forgets to.
        return super().after_request(response)


def init_compression(app: Flask) -> None:
    """Pack answers, a streamed one as it is sent, and unpack bodies."""
    app.config.update(
        COMPRESS_ALGORITHM=["gzip"], COMPRESS_ALGORITHM_STREAMING=["gzip"], COMPRESS_MIMETYPES=PACKED_TYPES
    )
    app.request_class = PackedRequest
    _Packing().init_app(app)

    @app.errorhandler(NotUnpacked)
    def _refused(error: NotUnpacked) -> Response:
        # RFC 9110, 15.5.16: what would have been taken.
        headers = {"Accept-Encoding": "gzip"} if error.status == 415 else None
        return problem(error.status, error.detail, headers=headers)
