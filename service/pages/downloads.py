"""Files that a page hands out."""

from __future__ import annotations

from io import BytesIO

from flask import Response, send_file


def download(content: bytes, kind: str, name: str) -> Response:
    """A file to be downloaded by this name, which may be Chinese."""
    plain = "".join(" " if one in '\\/:*?"<>|' or not one.isprintable() else one for one in name)
    return send_file(BytesIO(content), mimetype=kind, as_attachment=True, download_name=plain)
