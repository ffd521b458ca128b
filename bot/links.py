"""Signed addresses of the patient's own pages: whose, which page, until when. Nothing personal stands in one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from bot.config import Settings
from bot.messages import Card, Carousel, Choice, Message, Page, Part, Picture

LIFE: Mapping[Page, timedelta] = {
    "player": timedelta(hours=2),
    "progress": timedelta(hours=24),
    "data": timedelta(hours=1),
    "trend": timedelta(days=8),
    "appointment": timedelta(days=60),
}
"""How long an address is good: long enough for what the page is for, and the shorter the more it shows. The
picture in the chat is fetched anew when the chat is opened again: until the next one has come."""


class Refusal(StrEnum):
    """Why an address opens nothing."""

    EXPIRED = "expired"
    FORGED = "forged"


class _Signer(TimestampSigner):
    """Takes its time from the caller, in whole seconds."""

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._now = int(now.timestamp())

    def get_timestamp(self) -> int:
        return self._now


def possible(settings: Settings) -> bool:
    """Whether pages can be signed and opened: over https, or over http where the providers are stood in for as well."""
    apis = (settings.line_api_url, settings.slack_api_url)
    local = settings.public_url.startswith("http://") and any(api.startswith("http://") for api in apis)
    return bool(settings.secret_key.get_secret_value()) and (settings.public_url.startswith("https://") or local)


def address(settings: Settings, page: Page, contact_id: int, now: datetime) -> str:
    """The whole address, good for LIFE of the page."""
    return f"{settings.public_url}/care/{page}/{_serializer(settings, page, now).dumps(contact_id)}"


def owner(settings: Settings, page: Page, token: str, now: datetime) -> int | Refusal:
    """The contact that a token was made for."""
    if not settings.secret_key.get_secret_value():
        return Refusal.FORGED
    try:
        found = _serializer(settings, page, now).loads(token, max_age=int(LIFE[page].total_seconds()))
    except SignatureExpired as expired:
        # also raised for a time in the future, which only a clock set back can make
        return Refusal.EXPIRED if expired.date_signed else Refusal.FORGED
    except BadData:
        return Refusal.FORGED
    return found if isinstance(found, int) else Refusal.FORGED


def signed(settings: Settings, message: Message, contact_id: int, now: datetime) -> Message:
    """The message with an address in the place of every page; a button whose page cannot be opened is left out."""

    def choices(found: tuple[Choice, ...]) -> tuple[Choice, ...]:
        kept = (c for c in found if c.page is None or possible(settings))
        return tuple(
            c if c.page is None else replace(c, page=None, uri=address(settings, c.page, contact_id, now)) for c in kept
        )

    def part(found: Part) -> Part:
        match found:
            case Picture(page=str() as page):
                return replace(found, page=None, uri=address(settings, page, contact_id, now))
            case Card():
                return replace(found, choices=choices(found.choices))
            case Carousel(cards):
                return Carousel(tuple(replace(card, choices=choices(card.choices)) for card in cards))
            case _:
                return found

    return replace(message, parts=tuple(map(part, message.parts)), quick=choices(message.quick))


def _serializer(settings: Settings, page: Page, now: datetime) -> URLSafeTimedSerializer:
    """The page is part of the key: an address of one page opens no other."""
    key = settings.secret_key.get_secret_value()
    return URLSafeTimedSerializer(
        key, salt=f"care/{page}", signer=_Signer, signer_kwargs={"now": now, "digest_method": sha256}
    )
