"""``quebu serve``: one process by waitress, several by gunicorn."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from threadpoolctl import threadpool_limits

from model.errors import InputError
from service import create_app
from service.jobs.beside import jobs_worker
from service.serving.local import check_may_bind, introduction, may_be_local
from service.serving.memory import hold_little
from service.settings import load_settings
from service.wire.logs import init_logs

OPEN_FILES = 8192  # Each connection is one, and each array of a mapped version.


def run(host: str, port: int, workers: int, registry: Path, tell: Callable[[str], None], *, jobs: bool = True) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way and return. ``tell`` is told once the address is bound. InputError
    where it cannot be, or where the settings are faulty. ``jobs``: with a jobs worker beside it."""
    _check_address(host, port)
    settings = load_settings()
    init_logs(settings["LOG_LEVEL"])
    _allow_open_files()
    hold_little()
    if workers > 1 and sys.platform == "win32":
        tell("· 在 Windows 上只用一个进程，--workers 不起作用。")
        workers = 1
    config = {"REGISTRY": str(registry), "WORKERS": workers, "LOCAL": may_be_local(host, settings)}
    # Several processes make an application each; this one tells of faulty settings once, and makes the store ready.
    app = create_app(config)
    database = app.extensions["quebu.store"]
    check_may_bind(host, database)
    introduced = introduction(database)

    def ready() -> None:
        tell(f"缺补服务：http://{host}:{port}/ （按 Ctrl+C 停止）")
        if introduced:
            tell(introduced)

    # What is to run beside the service, as a process of its own, is started here, and stopped when the service has stopped.
    with jobs_worker(registry) if jobs else nullcontext():
        if workers == 1:
            _serve_alone(app, host, port, ready)
        else:
            # No connection of this process may be used in another.
            database.engine.dispose()
            _serve_with_workers(config, host, port, ready)


def _serve_alone(app: APIFlask, host: str, port: int, ready: Callable[[], None]) -> None:
    from service.serving.alone import serve  # noqa: PLC0415

    engine = watched(app).extensions["quebu"]
    try:
        serve(app, host, port, ready)
    finally:
        engine.close()


def _serve_with_workers(config: dict[str, Any], host: str, port: int, ready: Callable[[], None]) -> None:
    from service.serving.workers import serve  # noqa: PLC0415 (gunicorn is not there on Windows)
    from service.wire.metrics import counting_together  # noqa: PLC0415

    with counting_together():
        serve(lambda: watched(create_app(config)), config["WORKERS"], host, port, ready)


def watched(app: APIFlask) -> APIFlask:
    """The application as a process serves it: with a thread that follows the active version."""
    # Requests at once take the cores. Linear algebra that takes them too waits for itself, on a busy machine for seconds.
    threadpool_limits(1)
    app.extensions["quebu"].watch()
    return app


def _allow_open_files() -> None:
    """Raise the limit of open files as far as the machine lets us; often it is 1,024."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 (not there on Windows)

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _check_address(host: str, port: int) -> None:
    """Try the address first: gunicorn would retry for seconds and then report in its own words."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InputError(
            f"无法在 {host}:{port} 上启动服务（{error.strerror}）。请检查 --host，或用 --port 换一个端口。"
        ) from error
