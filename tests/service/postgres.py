"""A PostgreSQL server of the tests' own, where its programs are installed: a socket in a temporary folder, nothing of it is kept."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

SECRET = "a secret of the tests, long enough"
# Nobody else asks this server. What it holds may be lost with the machine, but not with its process.
SETTINGS = {"listen_addresses": "", "fsync": "off", "full_page_writes": "off"}


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, of the newest release there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3].split(".")[0]))
    known = shutil.which("pg_ctl")
    path = found[-1] if found else Path(known).resolve() if known else None
    return path.parent if path and path.with_name("initdb").exists() else None


class Postgres:
    """A server that is started, restarted and stopped like a real one, because it is one."""

    def __init__(self) -> None:
        folder = programs()
        if folder is None:
            pytest.skip("no PostgreSQL server program is installed (Debian: apt-get install postgresql)")
        self.programs = folder
        # Its socket's whole address must be short, and its user must get there: a folder of pytest allows neither.
        self.folder = Path(tempfile.mkdtemp(prefix="quebu-pg-"))
        # PostgreSQL refuses to run as root.
        names = {entry.pw_name for entry in pwd.getpwall()}
        self.user = ("postgres" if "postgres" in names else "nobody") if os.getuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self.numbers = count(1)
        self._run("initdb", "-D", "data", "-U", "quebu", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        given = {**SETTINGS, "unix_socket_directories": str(self.folder)}
        options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")

    def restart(self, mode: str = "fast") -> None:
        """Stop (``immediate``: as in a crash, without a word to those connected) and start again."""
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-m", mode, "restart")

    def stop(self, mode: str = "immediate") -> None:
        """Stop; the folder stays until :meth:`remove`."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")

    def remove(self) -> None:
        """Stop for good."""
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, name: str) -> str:
        """The address of a database, as ``QUEBU_DATABASE_URL`` takes it."""
        return f"postgresql://quebu@/{name}?host={self.folder}"

    def new(self, template: str = "template0") -> str:
        """Make a database; its address."""
        name = f"t{next(self.numbers)}"
        self._ask(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str | URL) -> None:
        """Drop a database, whoever is still connected."""
        self._ask(f"DROP DATABASE {self.name(url)} WITH (FORCE)")

    def name(self, url: str | URL) -> str:
        """The name of the database at an address."""
        return str(make_url(url).database)

    def _ask(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            user=self.user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # The server inherits it; a pipe would never end.
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            check=False,
        )
        if done.returncode:
            log = self.folder / "log"
            said = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""
            raise RuntimeError(f"{program} {arguments} failed: {said}")
