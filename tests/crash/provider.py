"""LINE's sending side with its two promises: a reply token works once, a retry key is known again."""

import json
import random
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAUSE_SECONDS = 0.02
"""The most that a call takes here, so that processes are killed in mid-call too."""


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on: another process of the same tests may run beside this one."""
    with ExitStack() as open_:
        sockets = [open_.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Provider:
    """On loopback, from `start` to `stop`. `delivered` counts messages by the reply token or the address they came by."""

    def __init__(self, port: int) -> None:
        self.delivered: Counter[str] = Counter()
        self._keys: set[str] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, endpoint: str, body: dict[str, Any], key: str | None) -> tuple[int, str]:
        """Status and message of LINE's answer."""
        with self._lock:
            if endpoint == "reply":
                if self.delivered[body["replyToken"]]:
                    return 400, "Invalid reply token"
                self.delivered[body["replyToken"]] += 1
                return 200, ""
            if key in self._keys:
                return 409, "The retry key is already accepted"
            self._keys.add(str(key))
            self.delivered.update(body["to"] if endpoint == "multicast" else [body["to"]])
            return 200, ""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                time.sleep(random.random() * PAUSE_SECONDS)
                endpoint = self.path.rsplit("/", 1)[-1]
                status, message = provider.take(endpoint, body, self.headers["X-Line-Retry-Key"])
                time.sleep(random.random() * PAUSE_SECONDS)
                answer = json.dumps({"message": message, "sentMessages": []}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

            def handle(self) -> None:
                with suppress(OSError):  # the caller was killed
                    super().handle()

        return Handler
