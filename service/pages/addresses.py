"""Addresses that a form or a link names: of this service alone."""

from __future__ import annotations

import re

from flask import current_app, request, url_for
from werkzeug.exceptions import HTTPException

# The second character keeps out //other.site and /\other.site, which browsers take for another site.
OWN = re.compile(r"/(?:[\w.~%!$&'()*+,;=:@?-][\w.~%!$&'()*+,;=:@?/-]*)?")


def own(path: str) -> str:
    """A path of this service; the first page instead of anything else, so that a link to us leads nobody to another site."""
    return path if OWN.fullmatch(path) else url_for("landing.index")


def this_page() -> str:
    """The address under which the page that is shown can be opened again. What answers a form has none of its own: it has that of the form."""
    return request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else page_of_form()


def page_of_form() -> str:
    """The nearest address at or above the one that was asked for which can be opened; forms are sent below the page they stand on."""
    known, path = current_app.create_url_adapter(request), request.path
    while known and path:
        try:
            known.match(path, "GET")
        except HTTPException:
            path = path.rpartition("/")[0]
        else:
            return path
    return url_for("landing.index")
