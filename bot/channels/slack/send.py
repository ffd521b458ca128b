"""Calls to Slack's Web API: one attempt each, every way it can end told apart."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, NewConnectionError, SSLError

from bot.channels.base import Outcome, Receipt
from bot.channels.slack.blocks import JsonObject

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
CONNECTIONS = 32

# "chat.postMessage", "views.publish", Errors. The app itself may not speak (any more): `flask doctor` says what to do.
CREDENTIALS = frozenset(
    (
        "account_inactive",
        "app_uninstalled",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    )
)
# The addressee takes nothing (any more).
_NOBODY = frozenset(
    (
        "cannot_dm_bot",
        "channel_not_found",
        "is_archived",
        "messages_tab_disabled",
        "not_in_channel",
        "user_disabled",
        "user_not_found",
        "user_not_visible",
        "users_not_found",
    )
)
_LATER = frozenset(("ratelimited", "rate_limited", "service_unavailable", "team_added_to_org"))
# "It's possible some aspect of the operation succeeded before the error was raised."
_UNSURE = frozenset(("fatal_error", "internal_error", "request_timeout"))

_ERROR = re.compile(r"[a-z0-9_]{1,60}")


@dataclass(frozen=True, slots=True)
class Answer:
    """Slack's answer, or the way a call broke: then `broken` says how and `status` is 0."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    retry_after: float | None = None
    broken: Receipt | None = None

    @property
    def ok(self) -> bool:
        return self.broken is None and self.body.get("ok") is True

    @property
    def error(self) -> str:
        """Slack's name for what is wrong; never what stood in the request."""
        if self.broken is not None:
            return self.broken.error
        found = self.body.get("error")
        return found if isinstance(found, str) and _ERROR.fullmatch(found) else f"status_{self.status}"


class Api:
    """One pool of connections for all workspaces and threads. `url` is where the methods are, "https://slack.com/api"."""

    def __init__(self, url: str, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS) -> None:
        self._url = url.rstrip("/")
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            block=True,
            retries=False,
            timeout=urllib3.Timeout(connect=connect_seconds, read=read_seconds),
        )

    def call(self, method: str, token: str, arguments: JsonObject) -> Answer:
        """A method with JSON arguments ("Web API: Making requests"). Never raises for anything the network does."""
        return self._post(f"{self._url}/{method}", {"Authorization": f"Bearer {token}"}, arguments)

    def ask(self, method: str, token: str, arguments: Mapping[str, str]) -> Answer:
        """A method that only reads: those take no JSON."""
        return self._request(f"{self._url}/{method}", {"Authorization": f"Bearer {token}"}, fields=dict(arguments))

    def respond(self, url: str, arguments: JsonObject) -> Answer:
        """To a response_url, which Slack gave out for one tap. Answered with `ok` as text, or as JSON."""
        answer = self._post(url, {}, arguments)
        return Answer(200, {"ok": True}) if answer.status == 200 and "error" not in answer.body else answer

    def _post(self, url: str, headers: Mapping[str, str], arguments: JsonObject) -> Answer:
        body = json.dumps(arguments, ensure_ascii=False, separators=(",", ":")).encode()
        return self._request(url, {**headers, "Content-Type": "application/json; charset=utf-8"}, body=body)

    def _request(self, url: str, headers: Mapping[str, str], **content: Any) -> Answer:
        if "fields" in content:
            content = {"fields": content["fields"], "encode_multipart": False}
        try:
            answer = self._pool.request("POST", url, headers=dict(headers), redirect=False, **content)
        except (NewConnectionError, ConnectTimeoutError):
            return Answer(0, broken=Receipt(Outcome.RETRY, error="connection"))
        except LocationValueError:
            return Answer(0, broken=Receipt(Outcome.RETRY, error="address"))
        except SSLError as error:
            # Cut off in mid-speech it may have been after the request; any other TLS error is one of the handshake.
            unsure = "EOF" in str(error)
            return Answer(0, broken=Receipt(Outcome.UNCERTAIN if unsure else Outcome.RETRY, error="tls"))
        except HTTPError as error:
            return Answer(0, broken=Receipt(Outcome.UNCERTAIN, error=type(error).__name__))
        return Answer(answer.status, _object(answer.data), _seconds(answer.headers.get("Retry-After")))


def receipt(answer: Answer) -> Receipt:
    """What Slack's answer to a message means."""
    if answer.broken is not None:
        return answer.broken
    if answer.ok:
        return Receipt(Outcome.SENT, _ids(answer.body))
    error = answer.error
    if answer.status == 429 or error in _LATER:
        return Receipt(Outcome.RETRY, error="rate" if answer.status == 429 else error, retry_after=answer.retry_after)
    if error in CREDENTIALS or answer.status in (401, 403):
        return Receipt(Outcome.RETRY, error=f"credentials:{error}")
    if error in _UNSURE:
        return Receipt(Outcome.UNCERTAIN, error=error)
    if error in _NOBODY:
        return Receipt(Outcome.UNREACHABLE, error=error)
    if answer.status != 200:
        return Receipt(Outcome.RETRY, error=error, retry_after=answer.retry_after)
    return Receipt(Outcome.REJECTED, error=error)


def _ids(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the message stands: its channel and its timestamp, which together are its name."""
    channel, ts = body.get("channel"), body.get("ts")
    return (f"{channel}:{ts}",) if isinstance(channel, str) and isinstance(ts, str) else ()


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) else None
