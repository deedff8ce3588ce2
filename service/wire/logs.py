"""What the service tells on stderr: one JSON object a line, without anything that a caller wrote.

The messages of this project are made so that they hold nothing of persons. Those of libraries are not: of them stands here who spoke, from where, and the sentence
without what was put into it; of any exception its kind and place.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from types import TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from model.errors import InputError
from service.wire.served import Served

LEVELS = ("debug", "info", "warning", "error")
SPEAKER = 3  # How many frames above the last of gunicorn's own logger stands who speaks.
OURS = ("service.", "model.", "quebu.")

access = logging.getLogger("quebu.access")
log = logging.getLogger(__name__)

Exceptional = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Line(JsonFormatter):
    """A record as one line of JSON: time, level, logger, message, and what the access line has besides."""

    def __init__(self) -> None:
        names = {"levelname": "level", "name": "logger", "process": "pid"}
        super().__init__(
            ["levelname", "name", "process", "message"], rename_fields=names, timestamp="time", json_ensure_ascii=False
        )

    def format(self, record: logging.LogRecord) -> str:
        """Write the record; it stays as it was for other handlers."""
        return super().format(_told(record))

    def formatException(self, ei: Exceptional) -> str:  # noqa: N802 (logging's name)
        """The kind of an exception and the place where it was raised; its message may hold what a person wrote."""
        kind, _, trace = ei
        frames = traceback.extract_tb(trace)
        where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        return f"{kind.__name__ if kind else 'nothing'} at {where}"


def _told(record: logging.LogRecord) -> logging.LogRecord:
    """A record of which nothing is told that a caller may have written."""
    told = logging.makeLogRecord(record.__dict__)
    told.exc_text = told.stack_info = None  # Another handler may have written the exception out.
    if record.name.startswith(OURS):
        return told
    safe = logging.LogRecord(
        record.name, record.levelno, record.pathname, record.lineno, _sentence(record), (), record.exc_info
    )
    safe.created, safe.process = record.created, record.process
    safe.at = f"{record.pathname}:{record.lineno}"
    return safe


def _sentence(record: logging.LogRecord) -> str:
    """What a library says, with numbers and without words put into it. A sentence that was put together before is not told at all."""
    if not record.args or not isinstance(record.msg, str):
        return ""
    try:
        return str(record.msg % _blanked(record.args))
    except (TypeError, ValueError, KeyError):
        return record.msg


def _blanked(given: Any) -> Any:
    if isinstance(given, dict):
        return {name: _plain(value) for name, value in given.items()}
    return tuple(map(_plain, given))


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float) else "…"


def init_logs(level: str) -> None:
    """Send everything that is told from ``level`` on (one of LEVELS; of libraries only warnings and worse) to stderr; InputError for another word.
    To be called once a process is to serve, before it is forked."""
    if level.lower() not in LEVELS:
        raise InputError(f"环境变量 QUEBU_LOG_LEVEL 应为 {'、'.join(LEVELS)} 之一，现为“{level[:30]}”。")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line())
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.startswith(OURS))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    warnings.showwarning = _warned  # type: ignore[assignment]
    threading.excepthook = _ended
    sys.unraisablehook = _ended


def _warned(_: Warning | str, category: type[Warning], filename: str, lineno: int, *__: Any) -> None:
    log.warning("%s at %s:%s", category.__name__, filename, lineno)


def _ended(failure: Any) -> None:
    log.error("nobody caught", exc_info=(failure.exc_type, failure.exc_value, failure.exc_traceback))


def gunicorn_logger() -> type[Any]:
    """A class for gunicorn's ``logger_class``: what gunicorn tells goes where everything goes."""
    from gunicorn.glogging import Logger  # noqa: PLC0415 (not there on Windows)

    class Passing(Logger):  # type: ignore[misc]
        def setup(self, cfg: Any) -> None:
            super().setup(cfg)
            self.error_log.handlers.clear()
            self.error_log.propagate = True

        def error(self, msg: Any, *args: Any, **more: Any) -> None:
            super().error(msg, *args, stacklevel=SPEAKER, **more)

        def warning(self, msg: Any, *args: Any, **more: Any) -> None:
            super().warning(msg, *args, stacklevel=SPEAKER, **more)

        def exception(self, msg: Any, *args: Any, **more: Any) -> None:
            super().exception(msg, *args, stacklevel=SPEAKER, **more)

    return Passing


def log_access(served: Served) -> None:
    """The line of one request."""
    told = served._asdict()
    told["ms"] = round(told.pop("seconds") * 1000, 1)
    access.info("request", extra=told)
