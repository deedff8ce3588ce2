"""The application under gunicorn. Each worker loads the version itself (no preload), so that a swap reaches every worker."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from threadpoolctl import threadpool_limits

from model.errors import InputError
from service import create_app


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, options: dict[str, Any], registry: Path) -> None:
        self.options, self.registry = options, registry
        super().__init__()

    def load_config(self) -> None:
        for key, value in self.options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        # Called in each worker. Workers whose linear algebra each took every core would wait for each other.
        threadpool_limits(max(1, (os.cpu_count() or 1) // self.options["workers"]))
        return create_app({"REGISTRY": str(self.registry)})


def run(host: str, port: int, workers: int, registry: Path, ready: Callable[[], None]) -> None:
    """Serve until stopped; ``ready`` is called once the address is bound. InputError where it cannot be."""
    _check_address(host, port)
    # An administrator is told of a fault by its time, so the log tells the time.
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    options = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": 4,
        "timeout": 120,
        "control_socket_disable": True,
        "loglevel": "warning",
        "when_ready": lambda _: ready(),
    }
    _Server(options, registry).run()


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
