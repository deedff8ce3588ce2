"""Who works on the portions: processes of this machine (loky), or an existing Dask cluster, both through joblib."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from joblib import Parallel, delayed, parallel_config, register_parallel_backend

from model.errors import InputError, QuebuError
from service.bulk.piecework import Account
from service.shapes.parquet import EXTRA

if TYPE_CHECKING:
    from distributed import Client

CONNECTING = 15  # Seconds.
BACKEND = "quebu-dask"
KILLED = "有一份使工作进程反复中止，多半是内存不足。请用 --part-size 减小每份人数，或减少同时工作的进程。"
LOST = "与 Dask 调度器的连接断了，或任务被取消。请检查调度器是否还在运行。"
# By name, for their classes come with an extra, or with a library inside joblib.
CAUSES = {
    "KilledWorker": KILLED,
    "TerminatedWorkerError": "一个工作进程被中止，多半是内存不足。请用 --part-size 减小每份人数，或用 --jobs 减少进程。",
    "CancelledError": LOST,
    "FutureCancelledError": LOST,
    "CommClosedError": LOST,
}
MOST_TOLD = 5

Each = Callable[[Callable[..., Account], Iterable[tuple[Any, ...]]], Iterator[Account]]


@contextmanager
def on_this_machine(jobs: int) -> Iterator[Each]:
    """As many processes of this machine."""
    with parallel_config(backend="loky", n_jobs=jobs):
        yield _each


@contextmanager
def on_dask(address: str, check: Callable[[], str]) -> Iterator[Each]:
    """The workers of a Dask cluster, after each has been asked whether it can take part: ``check`` tells what keeps it from that, or nothing.

    Raises InputError where the cluster cannot be reached or a worker cannot take part. TLS comes from Dask's own configuration.
    """
    with _client(address) as client:
        _ask_all(client, check)
        register_parallel_backend(BACKEND, _backend())
        # Workers may come and go, so all portions are handed over at once and the scheduler deals them out.
        with parallel_config(backend=BACKEND, n_jobs=-1, client=client):
            yield _each


def _each(function: Callable[..., Account], calls: Iterable[tuple[Any, ...]]) -> Iterator[Account]:
    """Call a function with each group of arguments; results come as they are ready, and the first error ends it."""
    parallel = Parallel(batch_size=1, pre_dispatch="all", return_as="generator_unordered")
    try:
        yield from parallel(delayed(function)(*arguments) for arguments in calls)
    except Exception as error:
        name = type(error).__name__
        if name not in CAUSES:
            raise
        raise QuebuError(CAUSES[name]) from error


def _backend() -> Any:
    """Joblib's Dask backend, which leaves out to tell of a task that the cluster gave up: with joblib 1.6 its caller waits for ever."""
    from joblib._dask import DaskDistributedBackend  # noqa: PLC0415 (needs the extra)

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def submit(self, func: Any, callback: Any = None) -> Any:
            future = super().submit(func, callback)
            future.add_done_callback(lambda done: callback(done.exception()) if done.exception() else None)
            return future

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, BaseException):
                raise out
            return super().retrieve_result_callback(out)

    return Backend


@contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        import distributed  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise InputError(f"--engine dask {EXTRA}") from error
    for name in logging.root.manager.loggerDict:
        if name.split(".")[0] == "distributed":  # What it would say in English on stderr is said here.
            logging.getLogger(name).setLevel(logging.CRITICAL)
    security: Any = distributed.Security()  # type: ignore[no-untyped-call]
    if not re.fullmatch(r"(tcp|tls|ws|wss)://[^/\s]+:\d+", address):
        raise InputError(f"--scheduler 应为 tcp://主机:8786 这样的地址，现为“{address}”。")
    if address.startswith(("tls:", "wss:")) and not security.get_connection_args("client").get("ssl_context"):
        raise InputError(
            "加密连接（tls://）需要证书：请在 Dask 的配置里写明 distributed.comm.tls 的 ca-file 和 client 的 cert、key。"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
            client: Client = distributed.Client(  # type: ignore[no-untyped-call]
                address, timeout=CONNECTING, set_as_default=False, security=security
            )
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"连不上 Dask 调度器 {address}。请检查地址、端口和防火墙，并确认调度器在运行（dask scheduler）。"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECTING)
        except TimeoutError as error:
            raise InputError(
                f"Dask 调度器 {address} 没有工作进程。请先在各台机器上启动：dask worker {address}"
            ) from error
        yield client


def _ask_all(client: Client, check: Callable[[], str]) -> None:
    """Let every worker check for itself; InputError tells what each one lacks."""
    faults = []
    for worker, answer in client.run(check, on_error="return").items():
        if isinstance(answer, ImportError):
            faults.append(f"{worker}：没有安装同一版 Quebu（{answer}）。")
        elif isinstance(answer, BaseException):
            faults.append(f"{worker}：检查时出错（{type(answer).__name__}）。")
        elif answer:
            faults.append(f"{worker}：{answer}")
    if faults:
        rest = [f"……另有 {len(faults) - MOST_TOLD} 个。"] if faults[MOST_TOLD:] else []
        raise InputError("\n".join(["有工作进程不能参加，还没有开始：", *faults[:MOST_TOLD], *rest]))
