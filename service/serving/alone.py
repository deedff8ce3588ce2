"""The service in one process, by waitress: it reads requests and sends answers by itself, so that slow clients hold no thread and no proxy is needed."""

from __future__ import annotations

import logging
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

THREADS = 4
CONNECTIONS = 1000 if hasattr(select, "poll") else 400  # Windows has only select(), which takes 512.
ROOM = 50  # Connections that make room at once for new ones.
IDLE = 60.0  # Seconds nothing may move on a connection, and those the headers of a request may take.
TIDY = 5.0  # Seconds between two looks at what moves.
GRACE = 30.0  # Seconds the requests under way have when the service is stopped.
SPOOLED = 2**30  # Bytes of an answer that wait (in a file) for a slow reader before the thread that makes it has to.

log = logging.getLogger(__name__)


class _Server(TcpWSGIServer):  # type: ignore[misc]
    """waitress, with a limit of connections that shuts nobody out: the one idle for longest makes room. Idleness is counted by a clock that
    nobody sets."""

    def __init__(self, app: Any, channels: dict[int, Any], adjustments: Adjustments) -> None:
        # Per connection: what tells whether it has moved, and since when it has not.
        self._rests: dict[HTTPChannel, tuple[object, float]] = {}
        self._tidied = time.monotonic()
        super().__init__(app, map=channels, adj=adjustments)

    def maintenance(self, now: float) -> None:
        """Nothing: waitress would go by the clock on the wall; see :meth:`tidy`."""

    def handle_accept(self) -> None:
        """Take all connections that wait, not one a round."""
        for _ in range(ROOM):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                break
        if len(self.active_channels) > CONNECTIONS:
            self._make_room()

    def _make_room(self) -> None:
        idle = [channel for channel in self.active_channels.values() if not _busy(channel)]
        now = time.monotonic()
        # Who has begun a request is more likely to be somebody than who has sent nothing.
        idle.sort(key=lambda channel: (channel.request is not None, self._rests.get(channel, (None, now))[1]))
        for channel in idle[: len(self.active_channels) - CONNECTIONS + ROOM]:
            channel.will_close = True

    def tidy(self) -> None:
        """Close the connections on which nothing has moved for too long. The headers of a request that drips in do not count as moving."""
        now = time.monotonic()
        if now - self._tidied < TIDY:
            return
        rested, self._rests, self._tidied = self._rests, {}, now
        for channel in self.active_channels.values():
            dripping = channel.request is not None and not channel.request.headers_finished
            state = channel.request if dripping else channel.last_activity
            before, since = rested.get(channel, (None, now))
            self._rests[channel] = (state, since if state == before else now)
            if now - self._rests[channel][1] > IDLE and not channel.requests:
                channel.will_close = True

    def finish(self, look: Callable[[float], None]) -> None:
        """Refuse new connections, and let the requests under way end."""
        self.accepting = False
        wasyncore.dispatcher.close(self)
        end = time.monotonic() + GRACE
        while self.active_channels and time.monotonic() < end:
            for channel in self.active_channels.values():
                coming = channel.request is not None and channel.request.headers_finished
                if not _busy(channel) and not coming:
                    channel.will_close = True
            look(0.1)
        if self.active_channels:
            log.warning("%d requests were cut off when the service stopped", len(self.active_channels))
        self.task_dispatcher.shutdown()
        wasyncore.close_all(self._map)


def _busy(channel: HTTPChannel) -> bool:
    """Whether somebody works on a request of a connection, or its answer is still being sent."""
    return bool(channel.requests or channel.total_outbufs_len)


def serve(app: Any, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; a second SIGINT does not wait for the requests under way."""
    channels: dict[int, Any] = {}
    largest = max(app.config["MAX_BATCH_MB"], app.config["MAX_BODY_MB"])
    server = _Server(
        app,
        channels,
        Adjustments(
            host=host,
            port=port,
            threads=THREADS,
            connection_limit=CONNECTIONS + 4 * ROOM,
            asyncore_use_poll=True,
            # The service says in its own words what is too large; far beyond that nothing is taken in.
            max_request_body_size=2 * largest * 2**20,
            outbuf_high_watermark=SPOOLED,
            clear_untrusted_proxy_headers=False,  # Which proxies are believed is a setting of ours.
            log_socket_errors=False,
            ident="",
        ),
    )
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # That requests wait for a thread is no fault.
    stopped = False

    def stop(number: int, frame: Any) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        server.pull_trigger()

    def look(wait: float) -> None:
        wasyncore.loop(wait, use_poll=True, map=channels, count=1)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    ready()
    while not stopped:
        look(1.0)
        server.tidy()
    server.finish(look)
