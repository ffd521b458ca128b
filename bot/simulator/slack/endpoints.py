"""The workspace's HTTP face: the Web API methods that the bot calls, and the response_urls that it was given."""

import socket
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, request
from markupsafe import escape

from bot.simulator.faults import Fault
from bot.simulator.slack.grants import Grants
from bot.simulator.slack.workspace import Workspace
from bot.simulator.wire import Obj

API: Final = "/slack/api"
EXPIRED: Final[Obj] = {"ok": False, "error": "expired_url"}
RETRY_AFTER: Final = 1
"""Seconds, as Slack names them with a 429."""


class Endpoints:
    """For any number of workspaces. The token that a call shows says which of them it is for."""

    def __init__(self, workspaces: Sequence[Workspace], grants: Grants) -> None:
        self._workspaces = workspaces
        self._grants = grants

    def blueprint(self) -> Blueprint:
        """What SLACK_API_URL points to."""
        pages = Blueprint("slack_api", __name__)
        pages.add_url_rule(f"{API}/<method>", "method", self._method, methods=["POST", "GET"])
        pages.add_url_rule("/slack/respond/<name>", "respond", self._respond, methods=["POST"])
        pages.add_url_rule("/slack/oauth/v2/authorize", "authorize", self._authorize)
        pages.add_url_rule("/slack/oauth/v2/allow", "allow", self._allow)
        return pages

    def _method(self, method: str) -> Response:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        workspace = next((one for one in self._workspaces if one.token and one.token == shown), None)
        fault = (workspace or self._workspaces[0]).faults.strike(method)
        if fault is not None:
            answer = _struck(fault)
            if answer is not None:
                return answer
        if method == "oauth.v2.access":
            return jsonify(self._grants.redeem(request.form.to_dict(), request.authorization))
        if workspace is None:
            return jsonify({"ok": False, "error": "invalid_auth"})
        arguments = _arguments()
        if method == "chat.postMessage" and workspace.too_fast(arguments):
            return _rate_limited()
        answer = jsonify(workspace.method(method, arguments))
        if fault is not None and fault.failure == "drop_after":
            _hang_up()
        return answer

    def _respond(self, name: str) -> Response:
        arguments = _arguments()
        answers = (workspace.respond(name, arguments) for workspace in self._workspaces)
        return jsonify(next((one for one in answers if one.get("error") != "expired_url"), EXPIRED))

    def _authorize(self) -> Response:
        """Slack's question to the administrator, once for each workspace."""
        if self._grants.refuses(request.args.to_dict()):
            abort(400)
        links = "".join(
            f'<p><a href="allow?{urlencode({**request.args.to_dict(), "team": one.team})}">'
            f"許可する / Allow: {escape(one.name)}</a></p>"
            for one in self._workspaces
        )
        return Response(
            f'<!doctype html><html lang="ja"><title>Slack</title><link rel="icon" href="/simulator/avatar.svg"><body><h1>Slack</h1>{links}</body></html>'
        )

    def _allow(self) -> Response:
        asked = request.args.to_dict()
        workspace = next((one for one in self._workspaces if one.team == asked.get("team")), None)
        if workspace is None or self._grants.refuses(asked):
            abort(400)
        back = {"code": self._grants.grant(workspace, asked["scope"]), "state": asked["state"]}
        response = Response(status=302)
        response.headers["Location"] = f"{asked['redirect_uri']}?{urlencode(back)}"
        return response


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
