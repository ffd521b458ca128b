"""Whether a request is Slack's: see "Verifying requests from Slack"."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from slack_sdk.signature import Clock, SignatureVerifier

from bot.channels.base import Forged
from bot.channels.slack.limits import CLOCK_SECONDS


def verify(body: bytes, headers: Mapping[str, str], secrets: Iterable[str], now: datetime) -> None:
    """Raises Forged unless one of the secrets signed exactly these bytes lately. Every secret is tried."""
    given = {name.lower(): value for name, value in headers.items()}
    stamp, signature = given.get("x-slack-request-timestamp", ""), given.get("x-slack-signature", "")
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(now.timestamp() - int(stamp)) > CLOCK_SECONDS:
        raise Forged("no timestamp, or an old one")
    if not signature.isascii():
        raise Forged("wrong signature")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Forged("nothing that Slack would sign") from error
    clock = _At(now)
    matches = [SignatureVerifier(secret, clock).is_valid(text, stamp, signature) for secret in secrets]
    if not any(matches):
        raise Forged("wrong signature")


class _At(Clock):
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> float:
        return self._now.timestamp()
