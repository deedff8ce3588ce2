"""Claims a job, has it done by a process of its own, and beats for it each second meanwhile.

The process that works can be killed at any moment, whatever it is in the middle of: when the job is cancelled, when the service stops. When it dies by
itself, the job is given back at once.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from sqlalchemy.exc import DBAPIError

from service.store import leases
from service.store.database import Database

BEAT = 1.0  # Seconds between two beats.
GLANCE = 0.2  # Seconds between two looks whether the job has ended, or is to.
LONGEST = 4 * 3600.0  # Seconds after which a job is taken to be stuck.
STUCK = "这项任务超过 {hours:g} 小时仍未完成，已停止。请减少人数或课程数（有 time_limit 的也可缩短它）后重新提交。"

log = logging.getLogger(__name__)


class Gone(Exception):
    """The process that worked is no more; ``code`` is how it ended (0: it had nothing to do and went)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Hand:
    """A process that does one job after the other; see ``hand``."""

    def __init__(self, registry: Path) -> None:
        # -P: what lies in the folder where the service was started is not to be imported.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "service.jobs.hand"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"QUEBU_REGISTRY": str(registry)},
        )
        self._said: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it can be given something to do."""
        return self._process.poll() is None

    def take(self, identity: str, lease: str) -> None:
        """Give it a job to do; Gone where it is no more."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps([identity, lease]).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise Gone(self._process.wait()) from None

    def finished(self, seconds: float) -> bool:
        """Wait so long for it to say that it is through with the job; Gone where it is no more."""
        try:
            said = self._said.get(timeout=seconds)
        except Empty:
            return False
        if not said:
            raise Gone(self._process.wait())
        return True

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin
        self._process.stdin.close()

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout as stdout:
            for line in stdout:
                self._said.put(line)
        self._said.put(b"")


class Foreman:
    """What the threads of the consumer do, each with a hand of its own."""

    def __init__(self, database: Database, registry: Path, hours: int, stopping: threading.Event) -> None:
        self._database, self._registry, self._hours, self._stopping = database, registry, hours, stopping
        self._own = threading.local()
        self._hands: list[Hand] = []

    def perform(self, identity: str) -> bool:
        """Have a job done; whether it has to be queued again."""
        lease = leases.claim(self._database, identity)
        if lease is None:
            return False
        try:
            return self._watch(self._hand(), identity, lease)
        except Gone as gone:
            died = gone.code != 0 and not self._stopping.is_set()
            if died:
                log.warning("the process that worked on job %s died (%d)", identity, gone.code)
            return self._release(identity, lease, counted=died)

    def close(self) -> None:
        """End the hands."""
        for hand in self._hands:
            hand.kill()

    def _watch(self, hand: Hand, identity: str, lease: str) -> bool:
        begun = beaten = time.monotonic()
        hand.take(identity, lease)
        while not hand.finished(GLANCE):
            at = time.monotonic()
            if self._stopping.is_set():
                hand.kill()
                return self._release(identity, lease, counted=False)
            if at - begun > LONGEST:
                hand.kill()
                with suppress(leases.Lost):
                    leases.fail(self._database, identity, lease, STUCK.format(hours=LONGEST / 3600), self._hours)
                return False
            if at - beaten < BEAT:
                continue
            beaten = at
            if not self._beat(identity, lease):
                # It may have ended just now; if it was cancelled, or is worked on elsewhere, nothing more is to be done here.
                if not hand.finished(BEAT):
                    hand.kill()
                return False
        return False

    def _beat(self, identity: str, lease: str) -> bool:
        try:
            return leases.beat(self._database, identity, lease)
        except DBAPIError as error:
            # The store may come back before anybody takes the job for dead.
            log.warning("no beat for job %s (%s)", identity, type(error).__name__)
            return True

    def _release(self, identity: str, lease: str, *, counted: bool) -> bool:
        try:
            return leases.release(self._database, identity, lease, self._hours, counted=counted)
        except DBAPIError as error:
            log.warning("job %s not given back (%s); the reaper will", identity, type(error).__name__)
            return False

    def _hand(self) -> Hand:
        hand: Hand | None = getattr(self._own, "hand", None)
        if hand is None or not hand.alive:
            if hand is not None:
                hand.kill()
                self._hands.remove(hand)
            hand = self._own.hand = Hand(self._registry)
            self._hands.append(hand)
        return hand
