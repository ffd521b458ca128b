"""Gunicorn, run from our own command line: one process, eight request threads."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

THREADS = 8
GRACE_SECONDS = 30


class Server(BaseApplication):  # type: ignore[misc]
    """`load` makes the application inside the serving process, after the fork; `started` and `stopped` run there too,
    around its life."""

    def __init__(
        self, load: Callable[[], Flask], host: str, port: int, started: Callable[[], None], stopped: Callable[[], None]
    ) -> None:
        self._load = load
        self._options: dict[str, Any] = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": GRACE_SECONDS,
            "timeout": 60,
            "keepalive": 15,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": lambda worker: started(),
            "worker_exit": lambda server, worker: stopped(),
        }
        super().__init__()

    def load_config(self) -> None:
        """Ours only: no file, no GUNICORN_CMD_ARGS."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called by gunicorn in the worker process."""
        return self._load()
