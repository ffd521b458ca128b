"""The workspace's HTTP face: the Web API methods that the bot calls, and the response_urls that it was given."""

import socket
import time
from typing import Final

from flask import Blueprint, Response, jsonify, request

from bot.simulator.faults import Fault
from bot.simulator.slack.workspace import Workspace
from bot.simulator.wire import Obj

API: Final = "/slack/api"
RETRY_AFTER: Final = 1
"""Seconds, as Slack names them with a 429."""


class Endpoints:
    """`token` is the bot token that the bot must show."""

    def __init__(self, workspace: Workspace, token: str) -> None:
        self._workspace = workspace
        self._token = token

    def blueprint(self) -> Blueprint:
        """What SLACK_API_URL points to."""
        pages = Blueprint("slack_api", __name__)
        pages.add_url_rule(f"{API}/<method>", "method", self._method, methods=["POST", "GET"])
        pages.add_url_rule("/slack/respond/<name>", "respond", self._respond, methods=["POST"])
        return pages

    def _method(self, method: str) -> Response:
        fault = self._workspace.faults.strike(method)
        if fault is not None:
            answer = _struck(fault)
            if answer is not None:
                return answer
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return jsonify({"ok": False, "error": "invalid_auth"})
        arguments = _arguments()
        if method == "chat.postMessage" and self._workspace.too_fast(arguments):
            return _rate_limited()
        answer = jsonify(self._workspace.method(method, arguments))
        if fault is not None and fault.failure == "drop_after":
            _hang_up()
        return answer

    def _respond(self, name: str) -> Response:
        return jsonify(self._workspace.respond(name, _arguments()))


def _arguments() -> Obj:
    sent = request.get_json(silent=True) if request.is_json else None
    return sent if isinstance(sent, dict) else dict(request.form.items())


def _struck(fault: Fault) -> Response | None:
    """What is answered instead of doing anything; None when it is done all the same."""
    match fault.failure:
        case "rate" | "monthly":
            return _rate_limited(fault.seconds)
        case "server_error":
            response = jsonify({"ok": False, "error": "service_unavailable"})
            response.status_code = 503
            return response
        case "drop_before":
            _hang_up()
            return Response(status=500)
        case "slow":
            time.sleep(fault.seconds)
            return None
        case "drop_after":
            return None


def _rate_limited(seconds: float = 0.0) -> Response:
    """See "Rate limits": status 429, and Retry-After in whole seconds."""
    response = jsonify({"ok": False, "error": "ratelimited"})
    response.status_code = 429
    response.headers["Retry-After"] = str(int(seconds) or RETRY_AFTER)
    return response


def _hang_up() -> None:
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
