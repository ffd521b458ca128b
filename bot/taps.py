"""Buttons and links of broadcasts, counted by ourselves: who tapped what, how often."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import Connection, func, select, update

from bot import links
from bot.config import Settings
from bot.messages import LOCALES, Card, Carousel, Choice, CommandToken, Locale, Message, Part
from bot.store.session import Database
from bot.store.tables import BROADCAST, CONTACT, Tap

_SALT = "tap"


@dataclass(frozen=True, slots=True)
class Link:
    """What an address of ours stands for: button number `button` of a broadcast, as said in `locale`. `contact_id` None:
    many hold the same address. `counts`: it was not sent for trying it out."""

    broadcast_id: int
    button: int
    locale: Locale
    contact_id: int | None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Tapped:
    """`people` who tapped a button and are known; `times` it was tapped in all."""

    people: int
    times: int


def buttons(message: Message) -> Iterator[Choice]:
    """Every button in its order, which is its number."""
    for part in message.parts:
        match part:
            case Card(choices=choices):
                yield from choices
            case Carousel(cards):
                for card in cards:
                    yield from card.choices
            case _:
                pass
    yield from message.quick


def counted(
    settings: Settings,
    message: Message,
    broadcast_id: int,
    locale: Locale,
    contact_id: int | None,
    *,
    counts: bool = True,
) -> Message:
    """The message with our own address in the place of every link, and every button known again when it is tapped.
    Where no address can be signed (`links.possible`) links stay as they are, and nobody counts them."""
    number = -1

    def marked(choice: Choice) -> Choice:
        nonlocal number
        number += 1
        if isinstance(choice.token, CommandToken) and counts:
            return replace(choice, token=replace(choice.token, via=f"{broadcast_id}.{number}"))
        if choice.uri is None or not choice.uri.startswith("https://") or not links.possible(settings):
            return choice
        return replace(choice, uri=address(settings, Link(broadcast_id, number, locale, contact_id, counts)))

    def part(found: Part) -> Part:
        match found:
            case Card():
                return replace(found, choices=tuple(map(marked, found.choices)))
            case Carousel(cards):
                return Carousel(tuple(replace(card, choices=tuple(map(marked, card.choices))) for card in cards))
            case _:
                return found

    return replace(message, parts=tuple(map(part, message.parts)), quick=tuple(map(marked, message.quick)))


def has_links(message: Message) -> bool:
    """Whether a button leads out of the chat to an address that can be counted."""
    return any(choice.uri is not None and choice.uri.startswith("https://") for choice in buttons(message))


def address(settings: Settings, link: Link) -> str:
    """The whole address; good as long as the broadcast is known."""
    who = 0 if link.contact_id is None else link.contact_id
    signed = _serializer(settings).dumps([link.broadcast_id, link.button, link.locale, who, int(link.counts)])
    return f"{settings.public_url}/l/{signed}"


def link_of(settings: Settings, token: str) -> Link | None:
    """None for anything that we did not sign."""
    if not settings.secret_key.get_secret_value():
        return None
    try:
        match _serializer(settings).loads(token):
            case [int(broadcast_id), int(button), str(locale), int(who), int(counts)] if locale in LOCALES:
                return Link(broadcast_id, button, locale, who or None, bool(counts))
    except BadData:
        pass
    return None


def _serializer(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.secret_key.get_secret_value(), salt=_SALT)


def count_button(db: Database, tx: Connection, via: str, contact_id: int, now: datetime) -> None:
    """A tap on a button as its token names it. What names no broadcast of ours counts for nothing."""
    found = re.fullmatch(r"([0-9]{1,10})\.([0-9]{1,3})", via)
    if found is not None:
        count(db, tx, int(found[1]), int(found[2]), contact_id, now)


def count(db: Database, tx: Connection, broadcast_id: int, button: int, contact_id: int | None, now: datetime) -> None:
    """Once more. A contact erased meanwhile counts among those who cannot be told apart."""
    if tx.execute(select(BROADCAST.c.id).where(BROADCAST.c.id == broadcast_id)).first() is None:
        return
    if contact_id is not None:
        mine = select(CONTACT.c.id).where(CONTACT.c.id == contact_id).with_for_update(read=True, key_share=True)
        contact_id = tx.execute(mine).scalar()
    row = {"broadcast_id": broadcast_id, "button": button, "contact_id": contact_id, "times": 1, "first_at": now}
    if contact_id is not None:
        fresh = db.insert(Tap).values(**row)
        again = fresh.on_conflict_do_update(
            index_elements=["broadcast_id", "button", "contact_id"], set_={"times": Tap.times + 1}
        )
        tx.execute(again)
        return
    nobody = (Tap.broadcast_id == broadcast_id, Tap.button == button, Tap.contact_id.is_(None))
    first = select(func.min(Tap.id)).where(*nobody).scalar_subquery()
    if not tx.execute(update(Tap).where(Tap.id == first).values(times=Tap.times + 1)).rowcount:
        tx.execute(db.insert(Tap).values(**row))


def tallied(tx: Connection, broadcast_id: int) -> Mapping[int, Tapped]:
    """By the button's number; one that nobody tapped is missing."""
    query: Any = select(Tap.button, func.count(Tap.contact_id), func.sum(Tap.times))
    rows = tx.execute(query.where(Tap.broadcast_id == broadcast_id).group_by(Tap.button))
    return {button: Tapped(people, times) for button, people, times in rows}
