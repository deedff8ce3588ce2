"""The application under gunicorn. Each worker loads the version itself (no preload), so that a swap reaches every worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from service import create_app


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, options: dict[str, Any], registry: Path) -> None:
        self.options, self.registry = options, registry
        super().__init__()

    def load_config(self) -> None:
        for key, value in self.options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        return create_app({"REGISTRY": str(self.registry)})


def run(host: str, port: int, workers: int, registry: Path) -> None:
    """Serve until stopped."""
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": 4,
        "timeout": 120,
        "control_socket_disable": True,
        "loglevel": "warning",
    }
    _Server(options, registry).run()
