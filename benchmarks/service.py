"""The service under load: single recommendations with full reasons, a batch of 20,000, where the time goes, memory, a swap of the active version.

Needs wrk (`apt-get install wrk`). People and courses are those of speed.py. The client takes part of the two cores, so the figures are what a caller
on the same machine sees. Usage: python benchmarks/service.py [PEOPLE] [COURSES] [single] [batch], where COURSES is the length of the larger list
(0: none).
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from speed import QUEBU, SHARED, make_courses, make_profiles

# This file bears the package's name: from here on, what is imported by it is the package.
sys.path.remove(str(Path(__file__).resolve().parent))

from model.domain import Limits
from model.versions.registry import Registry
from service.shapes.schemas import ProfileIn, dump_plan

SECONDS = 10
ROUNDS = 3
CONNECTIONS = 16
KNOWN = 500  # Profiles asked for again and again, whose texts have all been seen.
LUA = """
local bodies, n, pause = {}, 0, %d
for line in io.lines("%s") do bodies[#bodies + 1] = line end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %s"
function delay() return pause end
function request() n = n %% #bodies + 1 return wrk.format(nil, nil, nil, bodies[n]) end
function done(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format("RESULT %%.1f %%.2f %%.2f %%d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, failed))
end
"""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """A running `quebu serve` and a key for it."""

    def __init__(self, registry: Path, workers: int) -> None:
        self.port = free_port()
        made = subprocess.run(
            [QUEBU, "keys", "create", "--name", "benchmark", "--role", "admin", "--registry", registry],
            capture_output=True,
            text=True,
            check=True,
        )
        self.key = made.stdout.strip()
        environment = os.environ | {"QUEBU_RATE_LIMIT": "10000000", "QUEBU_LOG_LEVEL": "WARNING"}
        command = [QUEBU, "serve", "--port", str(self.port), "--workers", str(workers), "--registry", registry]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
        while self.ask("GET", "/api/v1/health/ready")[0] != 200:
            time.sleep(0.2)

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> tuple[int, int]:
        """Status and length of an answer; (0, 0) where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self.key}", "Content-Type": kind})
            answer = connection.getresponse()
            length = 0
            while part := answer.read(1 << 16):
                length += len(part)
            return answer.status, length
        except OSError:
            return 0, 0
        finally:
            connection.close()

    def processes(self) -> list[int]:
        """The processes of the service that may answer requests, the first one first; the worker for jobs is none of them."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                group = int((path / "stat").read_text().rpartition(")")[2].split()[2])
                command = (path / "cmdline").read_text().split("\0")
            except (OSError, ValueError):
                continue
            if group == self.process.pid and "work" not in command:
                found.append(int(path.name))
        return sorted(found)

    def memory(self, kinds: tuple[str, ...]) -> list[float]:
        """MiB of each process, of the given kinds of smaps_rollup added up."""
        told = []
        for process in self.processes():
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
            told.append(sum(int(re.search(rf"^{kind}:\s+(\d+)", text, re.M)[1]) for kind in kinds) / 1024)  # type: ignore[index]
        return told

    def stop(self) -> None:
        """End it as an administrator would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


@contextmanager
def running(registry: Path, workers: int) -> Iterator[Service]:
    """A service that is stopped at the end."""
    service = Service(registry, workers)
    try:
        yield service
    finally:
        service.stop()


def load(service: Service, bodies: Path, pause: int = 0, seconds: int = SECONDS) -> tuple[float, float, float, int]:
    """Requests a second, p50 and p99 in ms, failed requests."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA % (pause, bodies, service.key))
        script.flush()
        address = f"http://127.0.0.1:{service.port}/api/v1/recommendations?explain=full"
        command = ["wrk", "-t1", "--timeout", "30s", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name, address]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate, p50, p99, failed = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+)", told).groups()  # type: ignore[union-attr]
    return float(rate), float(p50), float(p99), int(failed)


def warm(service: Service, bodies: Path) -> None:
    """Ask until hardly any answer takes longer than what a busy machine explains: each process understands each once, and nobody can choose which one answers."""
    for _ in range(30):
        _, _, p99, _ = load(service, bodies)
        if p99 < 20 * CONNECTIONS:
            return


def single(service: Service, bodies: Path, name: str) -> None:
    """Full load, then half of it, of texts that every process has seen."""
    warm(service, bodies)
    full = [load(service, bodies) for _ in range(ROUNDS)]
    rate = statistics.median(one[0] for one in full)
    # Each connection waits between two requests, so that all together ask half as often as they could.
    pause = round(2000 * CONNECTIONS / rate - 2)
    half = [load(service, bodies, pause) for _ in range(ROUNDS)]
    failed = sum(one[3] for one in full + half)
    middle = [statistics.median(one[place] for one in half) for place in range(3)]
    print(
        f"| {name} | {rate:,.0f} | {middle[0]:,.0f} | {middle[1]:.1f} | {middle[2]:.1f} | {failed} |",
        flush=True,
    )


def holding(service: Service) -> str:
    """The fair share of all memory of all processes, and what the last of them has to itself."""
    return f"{sum(service.memory(('Pss',))):,.0f} | {service.memory(('Private_Clean', 'Private_Dirty'))[-1]:,.0f}"


def batch(service: Service, people: Path, name: str) -> None:
    """All people in one request, the memory of all processes watched."""
    peak, stopped = [0.0], threading.Event()

    def watch() -> None:
        while not stopped.wait(0.5):
            peak[0] = max(peak[0], sum(service.memory(("Pss",))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    status, length = service.ask("POST", "/api/v1/recommendations/batch", people.read_bytes(), "application/x-ndjson")
    seconds = time.perf_counter() - start
    stopped.set()
    watcher.join()
    count = people.read_bytes().count(b"\n")
    print(f"| {name}: batch of {count:,}, status {status}, {length / 2**20:.0f} MiB of answers | {seconds:.1f} s |")
    print(f"| … most memory of all its processes (PSS) | {peak[0]:,.0f} MiB |", flush=True)


def shares(registry: Path, people: Path) -> None:
    """Where the time of a batch goes, chunk by chunk as the service works."""
    recommender = Registry(registry).load()
    schema, spent = ProfileIn(recommender.lexicon), {"validation": 0.0, "scoring": 0.0, "serialization": 0.0}
    lines = people.read_text(encoding="utf-8").splitlines()
    for start in range(0, len(lines), 500):
        times = [time.perf_counter()]
        profiles = [schema.load(json.loads(line)) for line in lines[start : start + 500]]
        times.append(time.perf_counter())
        plans = list(recommender.plans(profiles, Limits(8)))
        times.append(time.perf_counter())
        for plan in plans:
            json.dumps(dump_plan(plan), ensure_ascii=False).encode()
        times.append(time.perf_counter())
        for name, before, after in zip(spent, times, times[1:], strict=False):
            spent[name] += after - before
    whole = sum(spent.values())
    for name, seconds in spent.items():
        print(f"| {name} | {seconds:.1f} s | {100 * seconds / whole:.0f} % |", flush=True)


def swap(service: Service, registry: Path, bodies: Path) -> None:
    """Another version is made active under load."""
    versions = Registry(registry).versions()
    told: list[tuple[float, float, float, int]] = []
    client = threading.Thread(target=lambda: told.append(load(service, bodies)))
    client.start()
    time.sleep(3)
    Registry(registry).activate(versions[0])
    client.join()
    Registry(registry).activate(versions[-1])
    rate, p50, p99, failed = told[0]
    print(f"| swap under load | {rate:,.0f} | | {p50:.1f} | {p99:.1f} | {failed} |", flush=True)


def singles(registries: dict[str, Path], bodies: Path) -> None:
    """One recommendation after the other, by one process and by two, and the memory they take."""
    print(
        "| one recommendation, full reasons | full load, requests/s | half load, requests/s | p50 ms | p99 ms | failed |"
    )
    print("|---|---|---|---|---|---|")
    held: list[str] = []
    for name, registry in registries.items():
        for workers in (1, 2):
            what = f"{name}, {workers} worker{'s' * (workers > 1)}"
            with running(registry, workers) as service:
                idle = holding(service)
                single(service, bodies, what)
                held.append(f"| {what} | {idle} | {holding(service)} |")
                if workers == 2:
                    swap(service, registry, bodies)
    print("\n| memory, MiB | PSS of all, idle | the last process alone | PSS of all, busy | the last process alone |")
    print("|---|--:|--:|--:|--:|", *held, sep="\n", flush=True)


def main() -> None:
    """Print the tables."""
    if not SHARED.is_dir() or not shutil.which("wrk"):
        print("skipped: this needs wrk, and the shared measuring data beside the repository")
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    length = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    parts = sys.argv[3:] or ["single", "batch"]
    with tempfile.TemporaryDirectory() as folder:
        people, bodies = Path(folder) / "people.jsonl", Path(folder) / "known.jsonl"
        make_profiles(count, people)
        bodies.write_text("\n".join(people.read_text(encoding="utf-8").splitlines()[:KNOWN]) + "\n", encoding="utf-8")
        lists = {"1,380 courses": SHARED / "courses" / "cadre_courses_1380.csv"}
        if length:
            lists[f"{length:,} courses"] = Path(folder) / "many.csv"
            make_courses(length, lists[f"{length:,} courses"])
        registries = {}
        for name, courses in lists.items():
            registries[name] = Path(folder) / str(len(registries)) / "registry"
            for _ in range(2):
                command = [QUEBU, "train", "--courses", courses, "--registry", registries[name], "--activate"]
                subprocess.run(command, check=True, capture_output=True)
        if "single" in parts:
            singles(registries, bodies)
        if "batch" not in parts:
            return
        print("\n| a batch | |\n|---|---|")
        for name, registry in registries.items():
            with running(registry, 1) as service:
                batch(service, people, name)
        for name, registry in registries.items():
            print(f"\n| {name}: where the time of a batch goes | | |\n|---|---|---|")
            shares(registry, people)


if __name__ == "__main__":
    main()
