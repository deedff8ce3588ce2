"""Addresses that a form or a link names: of this service alone."""

from __future__ import annotations

import re

from flask import url_for

# The second character keeps out //other.site and /\other.site, which browsers take for another site.
OWN = re.compile(r"/(?:[\w.~%!$&'()*+,;=:@?-][\w.~%!$&'()*+,;=:@?/-]*)?")


def own(path: str) -> str:
    """A path of this service; the first page instead of anything else, so that a link to us leads nobody to another site."""
    return path if OWN.fullmatch(path) else url_for("landing.index")
