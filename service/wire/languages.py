"""The language of the pages: Chinese, or the one somebody chose. What the model says (reasons, causes, sheets) is Chinese in both."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, request
from flask_babel import Babel

LANGUAGES = {"zh_CN": "中文", "en": "English"}
COOKIE = "quebu_language"
CHINESE = "zh_CN"


def init_languages(app: Flask) -> None:
    """Take words from the catalogue files of the chosen language; without one they stand in the pages themselves, in Chinese."""
    app.config.update(BABEL_DEFAULT_LOCALE=CHINESE, BABEL_TRANSLATION_DIRECTORIES=str(folder()))
    Babel(app, locale_selector=chosen)
    app.jinja_env.globals.update(languages=LANGUAGES, language=chosen)
    app.jinja_env.add_extension("jinja2.ext.i18n")


def chosen() -> str:
    """The language of this request."""
    found = request.cookies.get(COOKIE, CHINESE)
    return found if found in LANGUAGES else CHINESE


def marked(words: str) -> str:
    """Words of a table, as they are: the catalogue has them, and they are translated where they are shown."""
    return words


def folder() -> Path:
    """Where the catalogue files lie."""
    return Path(__file__).parents[1] / "translations"
