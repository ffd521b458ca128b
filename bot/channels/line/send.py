"""Calls to LINE's sending endpoints: one attempt each, every way it can end told apart."""

import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    SSLError,
)

from bot.channels.base import Allowance, NotTold, Outcome, Receipt
from bot.channels.line.flex import JsonObject
from bot.channels.line.limits import MULTICAST_ADDRESSES

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
CONNECTIONS = 32
ASKING = urllib3.Timeout(connect=2.0, read=3.0)
"""For questions: somebody looks at a page, or others wait to be asked for."""

# Messaging API reference, "Error messages".
_MONTHLY_LIMIT = "monthly limit"
_SPENT = "invalid reply token"
_NOT_DELIVERABLE = "failed to send messages"
_PROPERTY = re.compile(r"[A-Za-z0-9_.\[\]/]{1,120}")


class Api:
    """LINE's sending endpoints for one channel. One pool of connections for all threads."""

    def __init__(
        self, url: str, access_token: str, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
    ) -> None:
        """Raises ValueError for an access token that cannot stand in a header."""
        if not re.fullmatch(r"[!-~]+", access_token):
            raise ValueError("the channel access token is empty or has characters that no token has")
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {access_token}", "Content-Type": "application/json"}
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            block=True,
            retries=False,
            timeout=urllib3.Timeout(connect=connect_seconds, read=read_seconds),
        )

    def reply(self, token: str, messages: Sequence[JsonObject]) -> Receipt:
        """Free, and possible once. LINE takes no retry key here."""
        return self._post("reply", {"replyToken": token, "messages": messages}, None, billed=0)

    def push(self, to: str, messages: Sequence[JsonObject], retry_key: str) -> Receipt:
        """Billed as one message however many objects it has."""
        return self._post("push", {"to": to, "messages": messages}, retry_key, billed=1)

    def multicast(self, to: Sequence[str], messages: Sequence[JsonObject], retry_key: str) -> Receipt:
        """One call for 1 to MULTICAST_ADDRESSES people, billed for each. Raises ValueError for another number."""
        if not 1 <= len(to) <= MULTICAST_ADDRESSES:
            raise ValueError(f"{len(to)} addresses, LINE takes 1 to {MULTICAST_ADDRESSES}")
        return self._post("multicast", {"to": to, "messages": messages}, retry_key, billed=len(to))

    def profile_name(self, user_id: str) -> str | None:
        """Messaging API reference, "Get profile". None for somebody who is no friend. Raises NotTold."""
        status, profile = self._get(f"profile/{quote(user_id, safe='')}")
        if status == 404:
            return None
        name = profile.get("displayName")
        if status != 200 or not isinstance(name, str):
            raise NotTold(f"status_{status}")
        return name

    def allowance(self) -> Allowance:
        """Messaging API reference, "Get the target limit for sending messages this month" and "Get number of messages sent
        this month". Raises NotTold."""
        limited, limit = self._get("message/quota")
        counted, usage = self._get("message/quota/consumption")
        value, used = limit.get("value"), usage.get("totalUsage")
        if limited != 200 or counted != 200 or not isinstance(used, int):
            raise NotTold(f"status_{limited}_{counted}")
        return Allowance(used, value if limit.get("type") == "limited" and isinstance(value, int) else None)

    def _get(self, what: str) -> tuple[int, dict[str, object]]:
        try:
            answer = self._pool.request(
                "GET", f"{self._url}/v2/bot/{what}", headers=self._headers, redirect=False, timeout=ASKING
            )
        except HTTPError as error:
            raise NotTold(type(error).__name__) from error
        return answer.status, _object(answer.data)

    def _post(self, endpoint: str, body: JsonObject, retry_key: str | None, billed: int) -> Receipt:
        headers = {**self._headers, **({"X-Line-Retry-Key": retry_key} if retry_key else {})}
        try:
            answer = self._pool.request(
                "POST",
                f"{self._url}/v2/bot/message/{endpoint}",
                body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
                headers=headers,
                redirect=False,
            )
        except (NewConnectionError, ConnectTimeoutError):
            return Receipt(Outcome.RETRY, error="connection")
        except LocationValueError:
            return Receipt(Outcome.RETRY, error="address")
        except SSLError as error:
            # Cut off in mid-speech it may have been after the request; any other TLS error is one of the handshake.
            cut_off = "EOF" in str(error)
            return Receipt(Outcome.UNCERTAIN if cut_off else Outcome.RETRY, error="tls")
        except HTTPError as error:
            return Receipt(Outcome.UNCERTAIN, error=type(error).__name__)
        return receipt(answer.status, answer.headers, answer.data, keyed=retry_key is not None, billed=billed)


def receipt(status: int, headers: Mapping[str, str], data: bytes, *, keyed: bool, billed: int) -> Receipt:
    """What LINE's answer means. `keyed`: the request carried a retry key. `billed`: its price if it was accepted."""
    body = _object(data)
    message = str(body.get("message", "")).lower()
    if 200 <= status < 300 or (status == 409 and keyed):
        return Receipt(Outcome.SENT, _ids(body), billed=billed)
    match status:
        case 429 if _MONTHLY_LIMIT in message:
            return Receipt(Outcome.NO_QUOTA, error="monthly_limit")
        case 429:
            return Receipt(Outcome.RETRY, error="rate", retry_after=_seconds(headers.get("Retry-After")))
        case 401 | 403:
            return Receipt(Outcome.RETRY, error="credentials")
        case 400 if _SPENT in message:
            return Receipt(Outcome.RETRY, error="reply_token")
        case 400 if _NOT_DELIVERABLE in message:
            # "One reason this may appear is if the user ID specified does not exist."
            return Receipt(Outcome.UNREACHABLE, error="not_deliverable")
        case 400 | 413 | 415:
            return Receipt(Outcome.REJECTED, error=" ".join((f"status_{status}", *_properties(body))))
        case _:
            return Receipt(Outcome.RETRY, error=f"status_{status}", retry_after=_seconds(headers.get("Retry-After")))


def _object(data: bytes) -> dict[str, object]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _ids(body: Mapping[str, object]) -> tuple[str, ...]:
    sent = body.get("sentMessages")
    entries = sent if isinstance(sent, list) else []
    return tuple(str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry)


def _properties(body: Mapping[str, object]) -> tuple[str, ...]:
    """The places LINE complains about, like `messages[0].text`; never what stands there."""
    details = body.get("details")
    entries = details if isinstance(details, list) else []
    named = (str(entry.get("property", "")) for entry in entries[:5] if isinstance(entry, dict))
    return tuple(name for name in named if _PROPERTY.fullmatch(name))


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) else None
