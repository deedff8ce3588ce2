"""What is counted, for Prometheus. No label holds what a caller wrote: routes are told by their rule, and every address that is none under one name.

Several processes count together, see :func:`counting_together`. What is true of the version at work is asked of the process that answers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from tempfile import mkdtemp
from typing import Any, cast

from flask import Flask, current_app
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from model.errors import QuebuError
from service.engine import Engine
from service.store.database import Database
from service.store.jobs import count_by_status
from service.wire.served import Served

Jobs = Callable[[], Mapping[str, int]]  # How many there are of each status.

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.005, 0.01, 0.02, 0.04, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The counts of one application; ``jobs`` tells how many there are of each status."""

    def __init__(self, engine: Engine, jobs: Jobs = dict) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._counted, self._standing = CollectorRegistry(), CollectorRegistry()
        self._standing.register(_Standing(engine, jobs))
        self._requests = Counter(
            "quebu_requests", "Requests answered.", ("route", "method", "status"), registry=self._counted
        )
        self._seconds = Histogram(
            "quebu_request_seconds",
            "Seconds until an answer was made, or sent where it is streamed.",
            ("route",),
            registry=self._counted,
            buckets=SECONDS,
        )
        self._people = Counter("quebu_profiles", "Profiles answered within a request.", registry=self._counted)
        self._texts = Counter("quebu_gap_texts", "Gap texts answered within a request.", registry=self._counted)

    def served(self, served: Served) -> None:
        """Count a request."""
        self._requests.labels(served.route, served.method, str(served.status)).inc()
        self._seconds.labels(served.route).observe(served.seconds)

    def count(self, people: int = 0, texts: int = 0) -> None:
        """Count profiles that were answered, and gap texts."""
        self._people.inc(people)
        self._texts.inc(texts)

    def counting(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Pass on the records of a batch, and count those that are plans."""
        for record in records:
            if "error" not in record:
                self.count(1, len(record["gaps"]))
            yield record

    def text(self) -> bytes:
        """Everything in the text format of Prometheus."""
        counted = self._counted
        if values.ValueClass is not values.MutexValue:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        return generate_latest(counted) + generate_latest(self._standing)


class _Standing(Collector):
    """What is true now of the version at work, and of the jobs."""

    def __init__(self, engine: Engine, jobs: Jobs) -> None:
        self.engine, self.jobs = engine, jobs

    def collect(self) -> Iterator[Metric]:
        """Say whether a version answers, and which, and how many jobs there are."""
        jobs = GaugeMetricFamily("quebu_jobs", "Jobs that are kept, of all hosts.", labels=("status",))
        for status, count in self.jobs().items():
            jobs.add_metric((status,), count)
        yield jobs
        try:
            recommender = self.engine.ready()
        except QuebuError:
            recommender = None
        yield GaugeMetricFamily("quebu_ready", "1 where a version answers.", recommender is not None)
        refused = self.engine.refusal is not None
        yield GaugeMetricFamily(
            "quebu_version_refused", "1 where the active version is refused and the one before it goes on.", refused
        )
        if recommender is None:
            return
        version = GaugeMetricFamily("quebu_version_info", "The version that answers.", labels=("version",))
        version.add_metric((recommender.version,), 1)
        yield version
        yield GaugeMetricFamily("quebu_courses", "Courses of its catalog.", len(recommender.catalog))
        degraded = recommender.matcher.encoder is None
        yield GaugeMetricFamily("quebu_degraded", "1 where it answers without a sentence encoder.", degraded)


@contextmanager
def counting_together() -> Iterator[None]:
    """Let all processes that are forked within count together, through files in a folder of their own. An application counts so that is made within."""
    owner, folder = os.getpid(), mkdtemp(prefix="quebu-metrics-")
    os.environ[FOLDER] = folder
    # The library looks at the environment when it is imported, which may have been before.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        # A worker that ends leaves this block as well; the folder is its parent's.
        if os.getpid() == owner:
            del os.environ[FOLDER]
            values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
            shutil.rmtree(folder, ignore_errors=True)


def init_metrics(app: Flask, database: Database) -> Metrics:
    """The counts of the application."""
    metrics = app.extensions["quebu.metrics"] = Metrics(app.extensions["quebu"], partial(count_by_status, database))
    return metrics


def metrics_now() -> Metrics:
    """The counts of the application that is asked."""
    return cast(Metrics, current_app.extensions["quebu.metrics"])
