"""Where providers call: genuine, stored, acknowledged, in milliseconds."""

from collections.abc import Callable

import structlog
from flask import Blueprint, Response, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import RequestEntityTooLarge

from bot import staff_room, staff_tip, workspaces
from bot.channels.base import Forged, Malformed, Receives
from bot.inbox import accept
from bot.runtime import Runtime

log = structlog.get_logger()

BODY_MAX = 1024 * 1024
"""Bytes. LINE puts at most 100 events of 5,000 characters into a request; Slack's are smaller."""


def blueprint(runtime: Callable[[], Runtime]) -> Blueprint:
    """`POST /webhooks/<channel>`. An answer has an empty body unless the provider asked something;
    no body is ever logged."""
    hooks = Blueprint("hooks", __name__)

    @hooks.post("/webhooks/<channel>")
    def receive(channel: str) -> Response:
        return _receive(runtime(), channel)

    return hooks


def _receive(runtime: Runtime, name: str) -> Response:
    """Status 200 only once what came in is committed. Refusals leave no row behind."""
    channel = runtime.channels.get(name)
    if not isinstance(channel, Receives):
        return Response(status=404)
    request.max_content_length = BODY_MAX + 1  # a body without a length is cut off there, without an error
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return Response(status=413)
    if len(body) > BODY_MAX:
        return Response(status=413)
    try:
        reception = channel.receive(body, dict(request.headers), runtime.now())
    except Forged:
        log.warning("webhook_forged", channel=name)
        return Response(status=401)
    except Malformed:
        log.warning("webhook_malformed", channel=name)
        return Response(status=400)
    try:
        for parted in reception.gone:
            workspaces.part(runtime, parted)
        if reception.back:
            workspaces.return_to(runtime, reception.back)
        accept(runtime, reception.inbound)
        for act in reception.staff:
            if not staff_tip.act(runtime, act):
                staff_room.act(runtime, act)
    except OperationalError as error:
        log.error("webhook_not_stored", channel=name, error=error)
        return Response(status=503)  # the provider delivers it again
    return Response(reception.answer, mimetype="application/json") if reception.answer else Response(status=200)
