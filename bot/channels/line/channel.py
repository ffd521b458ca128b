"""LINE as one of the bot's channels."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.channels.base import Allowance, Delivery, Limits, Receipt, Reception
from bot.channels.line import parse
from bot.channels.line.limits import CALLS_PER_SECOND, MULTICAST_ADDRESSES
from bot.channels.line.render import render
from bot.channels.line.send import Api
from bot.messages import Message


class LineChannel:
    """One LINE Official Account. `secrets` are one channel secret, or two while it is being rotated; `public_url` is
    where LINE fetches pictures."""

    name = parse.CHANNEL
    limits = Limits(many=MULTICAST_ADDRESSES, rate=CALLS_PER_SECOND)

    def __init__(self, *, secrets: Sequence[str], access_token: str, api_url: str, public_url: str) -> None:
        """Raises ValueError for a missing secret or an impossible access token."""
        if not secrets or not all(secrets):
            raise ValueError("a LINE channel needs its channel secret")
        self._secrets = tuple(secrets)
        self._media_url = f"{public_url.rstrip('/')}/media" if fetchable(public_url, api_url) else None
        self._api = Api(api_url, access_token)

    def receive(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Reception:
        parse.verify(body, headers, self._secrets)
        return parse.read(body, now)

    def send(self, delivery: Delivery) -> Receipt:
        objects = render(delivery.message, self._media_url)
        if delivery.reply_token is not None:
            return self._api.reply(delivery.reply_token, objects)
        return self._api.push(delivery.user_id, objects, delivery.request_id)

    def send_many(self, user_ids: Sequence[str], message: Message, request_id: str) -> Receipt:
        return self._api.multicast(user_ids, render(message, self._media_url), request_id)

    def allowance(self) -> Allowance:
        return self._api.allowance()

    def name_of(self, user_id: str) -> str | None:
        """Only of people: groups and rooms have no profile of their own."""
        return self._api.profile_name(user_id) if user_id.startswith("U") else None


def fetchable(public_url: str, api_url: str) -> bool:
    """Whether LINE would fetch from there and call there: over https only (Messaging API reference, "Image message",
    "Set webhook endpoint URL"). A platform that is itself spoken to over http stands in for LINE and takes http."""
    return public_url.startswith("https://") or (public_url.startswith("http://") and api_url.startswith("http://"))
