"""The process that does the work: it is told a job and its lease on a line of stdin, does it, and says so on a line of stdout.

It goes when stdin ends, for then nobody beats for it any more, and when it has had nothing to do for a while, for a loaded version takes memory. How a job
ended stands in the table of jobs.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO

from sqlalchemy.exc import DBAPIError
from threadpoolctl import threadpool_limits

from model.errors import InputError, VersionError
from service.cohorts import in_words_of_the_request
from service.engine import Engine
from service.jobs.kinds import KINDS
from service.jobs.task import Task
from service.settings import load_settings
from service.store import leases
from service.store.database import Database, database_of
from service.store.patience import disk_full, patiently
from service.versions import registry_of
from service.wire.logs import init_logs

IDLE = 300.0  # Seconds without a job after which it goes.
INTERNAL = "系统内部错误，任务没有完成。请重新提交；若仍然出现，请联系管理员，并告知任务编号。"
FULL = "服务器的磁盘已满，任务没有完成。请联系管理员，待有空间后重新提交。"
MEMORY = "服务器的内存不足，任务没有完成。请减少人数或课程数后重新提交，或联系管理员。"

log = logging.getLogger("service.jobs.hand")  # It is run as __main__.


def main() -> None:
    """Do what is asked for on stdin until it ends. Never returns: the thread that reads stdin cannot be ended."""
    answers = _own_stdout()
    # The foreman says when to stop; a signal to the whole group is meant for it.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    code = 0
    try:
        _work(answers)
    except BaseException as error:
        _log(error)
        code = 1
    logging.shutdown()
    os._exit(code)


def _work(answers: IO[bytes]) -> None:
    settings = load_settings()
    init_logs(settings["LOG_LEVEL"])
    if hasattr(os, "nice"):
        os.nice(2)  # Whoever waits for an answer comes first.
    threadpool_limits(1)  # A job takes one core; more of them at a time take more.
    database = database_of(settings)
    engine = Engine(registry_of(settings))
    asked: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    with suppress(Empty):
        while True:
            identity, lease = json.loads(asked.get(timeout=IDLE))
            do(database, engine, identity, lease, settings["JOB_HOURS"])
            answers.write(b"\n")
            answers.flush()


def do(database: Database, engine: Engine, identity: str, lease: str, hours: int) -> None:
    """Do a job that was claimed, and end it, well or with a cause. Raises what says nothing about the job: that the store is away."""
    try:
        job = patiently(lambda: leases.held(database, identity, lease))
        KINDS[job.kind](Task(database, engine, job, lease, hours))
        return
    except leases.Lost:
        return
    except (InputError, VersionError) as error:
        cause = in_words_of_the_request(error)
    except MemoryError:
        cause = MEMORY
    except Exception as error:
        full = disk_full(error) or getattr(error, "errno", None) == errno.ENOSPC
        if isinstance(error, DBAPIError) and not full:
            raise
        _log(error)
        cause = FULL if full else INTERNAL
    with suppress(leases.Lost):
        patiently(lambda: leases.fail(database, identity, lease, cause, hours))


def _log(error: BaseException) -> None:
    """Say what went wrong where; the words of an error may be those of a person."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
    log.error("unexpected %s at %s", type(error).__name__, where)


def _listen(stdin: IO[bytes], asked: SimpleQueue[bytes]) -> None:
    for line in stdin:
        asked.put(line)
    # Whatever is under way is worked on again by somebody else.
    os._exit(0)


def _own_stdout() -> IO[bytes]:
    """The stdout that the foreman reads, taken away from native code, which now and then prints a line of its own."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


if __name__ == "__main__":
    main()
