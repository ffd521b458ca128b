"""A LINE platform whose answers a test writes down: real sockets on loopback, every request kept."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """What the bot sent. Header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    data: bytes

    @property
    def body(self) -> dict[str, Any]:
        body = json.loads(self.data)
        assert isinstance(body, dict)
        return body


@dataclass(frozen=True)
class Answer:
    """What the platform answers. `cut`: the connection breaks before it ("all"), in the middle of it ("half") or,
    without a word, after it ("after")."""

    status: int = 200
    body: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    after_seconds: float = 0
    cut: str = ""
    raw: bytes | None = None


class Platform:
    """`answer` decides what each request gets; `requests` are all that came. `closed` counts connections that it ended."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.connections = self.closed = 0
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                platform.connections += 1
                super().setup()

            def serve(self) -> None:
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, data)
                platform.requests.append(request)
                answer = platform.answer(request)
                time.sleep(answer.after_seconds)
                if answer.cut == "all":
                    self._hang_up()
                    return
                content = json.dumps(answer.body).encode() if answer.raw is None else answer.raw
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content) + (100 if answer.cut == "half" else 0)))
                self.end_headers()
                self.wfile.write(content)
                if answer.cut == "half":
                    self._hang_up()
                self.close_connection = self.close_connection or answer.cut == "after"

            def _hang_up(self) -> None:
                self.close_connection = True
                self.wfile.flush()
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

            do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Silence."""

        class Closing(ThreadingHTTPServer):
            request_queue_size = 128  # five, as it comes, resets whoever knocks while a busy machine lets it wait

            def shutdown_request(self, request: Any) -> None:
                super().shutdown_request(request)
                platform.closed += 1

        self._server = Closing(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def wait_until_closed(self, count: int) -> None:
        """Until it has ended so many connections."""
        end = time.monotonic() + 30
        while self.closed < count:
            assert time.monotonic() < end, "the connection was not closed"
            time.sleep(0.005)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def platform(answer: Callable[[Request], Answer]) -> Iterator[Platform]:
    """Runs one for the length of a test."""
    running = Platform(answer)
    running.start()
    try:
        yield running
    finally:
        running.stop()
