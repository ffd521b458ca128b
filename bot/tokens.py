"""Tokens: with one a program acts for one of the staff, within its scopes and that person's role."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from bot import access, audit, staff
from bot.access import SCOPES, Action
from bot.staff import Account, Refused
from bot.store import codec
from bot.store.tables import API_TOKEN, ApiToken

LIFE = timedelta(days=365)
"""A program that nobody has looked after for a year is shut out: forgotten keys do not open for ever."""

PREFIX = "scg_"
"""So that a token is known for what it is where it should not be: in a log, in a repository."""

NAME_MAX = 60
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Token:
    """One that was made. `owner` is the one whose name stands in the audit."""

    id: int
    name: str
    owner: Account
    scopes: tuple[Action, ...]
    made_by: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    def works(self, now: datetime) -> bool:
        """Whether it opens anything now."""
        return self.revoked_at is None and now < self.expires_at and self.owner.active

    def may(self, action: Action) -> bool:
        """Whether it has the scope and its owner the role."""
        return action in self.scopes and access.may(self.owner.role, action)


def make(
    tx: Connection, now: datetime, actor: str, owner: Account, name: str, scopes: Collection[Action]
) -> tuple[int, str]:
    """Its id and the token itself, which is kept nowhere. Raises Refused for a name or scopes that cannot be: "token_name",
    "scopes", or "beyond" for a scope that the owner's role does not allow."""
    name, chosen = " ".join(name.split()), tuple(scope for scope in SCOPES if scope in scopes)
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise Refused("token_name")
    if not chosen or len(chosen) != len(set(scopes)):
        raise Refused("scopes")
    if not all(access.may(owner.role, scope) for scope in chosen):
        raise Refused("beyond")
    key = PREFIX + secrets.token_urlsafe(32)
    row = {
        "staff_id": owner.id,
        "name": name,
        "key_hash": _hashed(key),
        "scopes": codec.strings_json(chosen),
        "made_by": actor,
        "made_at": now,
        "expires_at": now + LIFE,
    }
    token_id: int = tx.execute(insert(ApiToken).values(**row).returning(ApiToken.id)).scalar_one()
    detail = {"token": str(token_id), "name": owner.name, "scopes": " ".join(chosen)}
    audit.note(tx, now, actor, "token_made", None, detail)
    return token_id, key


def everyone(tx: Connection) -> Sequence[Token]:
    """All of them, the newest first; revoked ones too: the audit speaks of them."""
    owners = {account.id: account for account in staff.everyone(tx)}
    return [_token(row, owners[row.staff_id]) for row in tx.execute(_TOKENS.order_by(ApiToken.id.desc()))]


def shown(tx: Connection, key: str, now: datetime) -> Token | None:
    """The token that a program showed, while it works."""
    row = tx.execute(_TOKENS.where(ApiToken.key_hash == _hashed(key))).first()
    owner = None if row is None else staff.find(tx, row.staff_id)
    token = None if row is None or owner is None else _token(row, owner)
    return token if token is not None and token.works(now) else None


def touch(tx: Connection, token: Token, now: datetime) -> None:
    """It was used."""
    tx.execute(update(ApiToken).where(ApiToken.id == token.id).values(used_at=now))


def is_stale(token: Token, now: datetime) -> bool:
    """Whether the last use was noted long enough ago for a new one to be."""
    return token.used_at is None or token.used_at <= now - SEEN_EVERY


def revoke(tx: Connection, now: datetime, actor: str, token_id: int) -> bool:
    """From now on it opens nothing. False when there is none, or it was revoked before."""
    row = update(ApiToken).where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
    if not tx.execute(row.values(revoked_at=now)).rowcount:
        return False
    audit.note(tx, now, actor, "token_revoked", None, {"token": str(token_id)})
    return True


_TOKENS = select(API_TOKEN)


def _token(row: Row[*tuple[Any, ...]], owner: Account) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        owner=owner,
        scopes=tuple(Action(scope) for scope in codec.strings_from(row.scopes)),
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )


def _hashed(key: str) -> str:
    """Plain, as 256 random bits are guessed by nobody."""
    return sha256(key.encode()).hexdigest()
