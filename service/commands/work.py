"""``quebu work``: works on the jobs that services have queued."""

from __future__ import annotations

from pathlib import Path

import click

from service.commands.terminal import registry_option, tell
from service.settings import load_settings
from service.store.database import explained
from service.wire.logs import init_logs


@click.command(
    "work", help="处理排队的大任务（批量推荐、排班等）。quebu serve 会自带一个；需要在别的主机上处理时才单独运行。"
)
@registry_option
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="同时处理几个任务")
def work_command(registry: Path, jobs: int) -> None:
    """Work until told to stop."""
    from service.jobs.consumer import work  # noqa: PLC0415 (huey is needed by nobody else)

    settings = load_settings() | {"REGISTRY": str(registry)}
    init_logs(settings["LOG_LEVEL"])
    with explained():
        work(settings, jobs, lambda: tell("正在等待任务（按 Ctrl+C 停止；做到一半的会放回队列）。"))
