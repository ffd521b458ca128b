"""A small threaded HTTP server on loopback, for the demo and for tests."""

import logging
import socket
import threading
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _Quiet(WSGIRequestHandler):
    """A line for every poll of the page would hide what matters."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def bind(host: str, port: int, tries: int = 1) -> socket.socket:
    """A listening socket on the first free port of `port`, `port + 1`, ...; port 0 takes any. Raises OSError."""
    for offset in range(tries):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port + offset))
            listener.listen(128)
            return listener
        except OSError:
            listener.close()
            if offset == tries - 1:
                raise
    raise OSError("no port to try")


class Server:
    """Serves from `start` to `stop`, a thread for each request."""

    def __init__(self, app: "WSGIApplication", listener: socket.socket) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        host, port = listener.getsockname()[:2]
        self._listener = listener
        self._server = make_server(host, port, app, threaded=True, request_handler=_Quiet, fd=listener.fileno())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="simulator", daemon=True)

    def start(self) -> None:
        """Returns at once; requests are answered from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Returns when the port is free again."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._listener.close()


def address(listener: socket.socket) -> str:
    """`http://127.0.0.1:8000`"""
    host, port = listener.getsockname()[:2]
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - only compared
