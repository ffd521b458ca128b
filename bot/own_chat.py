"""The staff's own chats, for tests: somebody of the staff types a code in a chat that only they can write in."""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from bot import audit
from bot.staff import Account
from bot.store.tables import Contact, Inbox, OwnChat

LIFE = timedelta(minutes=10)
"""Of a code."""

DIGITS = 8
"""Of a code: nobody types it by accident within its life."""

WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@dataclass(frozen=True, slots=True)
class Code:
    """Good for what comes in after the event `after`, until LIFE is over."""

    text: str
    after: int
    made_at: datetime


def fresh_code(tx: Connection, now: datetime) -> Code:
    """A new one."""
    newest = tx.execute(select(func.max(Inbox.id))).scalar()
    return Code("TEST-" + "".join(secrets.choice("0123456789") for _ in range(DIGITS)), newest or 0, now)


def heard_in(tx: Connection, code: Code, now: datetime) -> int | None:
    """The contact whose chat the code was typed in; None when nobody did, when several did, and when it is too late."""
    if not timedelta() <= now - code.made_at < LIFE:
        return None
    digits = code.text.rpartition("-")[2]
    said = Inbox.event["text"].as_string()
    query = select(Inbox.contact_id, said.label("text")).where(
        Inbox.id > code.after, Inbox.kind == "said", or_(said.contains(digits), said.contains(digits.translate(WIDE)))
    )
    found = {row.contact_id for row in tx.execute(query) if row.contact_id is not None and _is(row.text, code.text)}
    return found.pop() if len(found) == 1 else None


def _is(text: str, code: str) -> bool:
    """However a phone's keyboard writes it."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper().replace("ー", "-") == code


def link(tx: Connection, now: datetime, account: Account, contact_id: int) -> None:
    """From now on it is theirs, and a test contact."""
    tx.execute(delete(OwnChat).where(OwnChat.contact_id == contact_id))
    tx.execute(insert(OwnChat), {"contact_id": contact_id, "staff_id": account.id, "linked_at": now})
    tx.execute(update(Contact).where(Contact.id == contact_id).values(is_test=True))
    audit.note(tx, now, account.name, "own_chat_linked", contact_id, {})


def unlink(tx: Connection, now: datetime, account: Account, contact_id: int) -> None:
    """An ordinary contact again. Nothing happens to a chat that is not theirs."""
    mine = delete(OwnChat).where(OwnChat.contact_id == contact_id, OwnChat.staff_id == account.id)
    if tx.execute(mine).rowcount:
        tx.execute(update(Contact).where(Contact.id == contact_id).values(is_test=False))
        audit.note(tx, now, account.name, "own_chat_unlinked", contact_id, {})


def of(tx: Connection, account: Account) -> Sequence[Row[int, str, datetime]]:
    """Their chats: id, channel, since when."""
    query = select(Contact.id, Contact.channel, OwnChat.linked_at).join(OwnChat, OwnChat.contact_id == Contact.id)
    return tx.execute(query.where(OwnChat.staff_id == account.id).order_by(Contact.id)).all()
