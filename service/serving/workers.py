"""The service in several processes, by gunicorn. Each loads the version itself (no preload), so that a swap reaches every one.

What never changes while the service runs is there before the processes are forked, and they share it: the program, and the bundled encoder.
The arrays of a version are mapped from its file, and shared that way.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication

from model.encoder import bundled_encoder
from service.serving.memory import give_back
from service.wire.logs import gunicorn_logger

THREADS = 4
CONNECTIONS = 1000
IDLE = 60  # Seconds a connection may rest between two requests.
GRACE = 30  # Seconds the requests under way have when the service is stopped.


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, make: Callable[[], Any], options: dict[str, Any]) -> None:
        self.make, self.options = make, options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self.options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        return self.make()


def serve(make: Callable[[], Any], workers: int, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve until stopped; ``make`` makes the application in each process. Ends by SystemExit."""

    def begun(arbiter: Any) -> None:
        # gunicorn would cut off what is under way on Ctrl+C, which reaches all processes of a terminal.
        signal.signal(signal.SIGINT, lambda *_: arbiter.signal(signal.SIGTERM, None))
        ready()

    options = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": THREADS,
        "worker_connections": CONNECTIONS,
        "keepalive": IDLE,
        "timeout": 120,
        "graceful_timeout": GRACE,
        "limit_request_line": 0,  # Courses to be excluded are named in the address.
        "forwarded_allow_ips": "",  # Which proxies are believed is a setting of ours.
        "control_socket_disable": True,
        "loglevel": "warning",
        "logger_class": gunicorn_logger(),
        "when_ready": begun,
        "post_worker_init": lambda _: signal.signal(signal.SIGINT, signal.SIG_IGN),
    }
    server = _Server(make, options)
    _share()
    server.run()


def _share() -> None:
    """Bring the memory of this process into a form that its children leave alone, and so share."""
    bundled_encoder()
    gc.collect()
    give_back()
    # Otherwise a child that collects garbage would touch, and so copy, everything.
    gc.freeze()
