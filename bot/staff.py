"""Accounts of the clinic's staff: who signs in, with what, as whom."""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from bot import audit
from bot.access import Role
from bot.messages import Locale
from bot.store.tables import Contact, OwnChat, Staff, StaffSession

NAME_MAX = 40
PASSWORD_MIN = 12
"""Characters (OWASP Application Security Verification Standard 4.0.3, 2.1.1)."""

PASSWORD_MAX = 200
"""Characters: hashing takes time that grows with them."""

CODE_SECONDS = 30
"""Life of a sign-in code (RFC 6238, 5.2)."""


class Refused(Exception):
    """Cannot be done. `why` is a word that the console's texts know: name, taken, short, long, same, last_owner."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Account:
    """One of the staff. `has_code`: a sign-in code from a phone is asked for as well."""

    id: int
    name: str
    role: Role
    locale: Locale
    active: bool
    must_change: bool
    has_code: bool


def normal(name: str) -> str:
    """A sign-in name as it is stored: width, case and outer spaces make no difference."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def add(
    tx: Connection,
    now: datetime,
    actor: str,
    name: str,
    role: Role,
    password: str,
    *,
    locale: Locale = "ja",
    must_change: bool = False,
) -> int:
    """The new account's id. Raises Refused for a name that cannot be or is taken, and for a weak password."""
    name = normal(name)
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise Refused("name")
    if tx.execute(select(Staff.id).where(Staff.name == name)).first() is not None:
        raise Refused("taken")
    row = {
        "name": name,
        "role": role.value,
        "locale": locale,
        "password_hash": _hashed(password, name),
        "must_change": must_change,
        "created_at": now,
    }
    found: int = tx.execute(insert(Staff).values(**row).returning(Staff.id)).scalar_one()
    audit.note(tx, now, actor, "staff_added", None, {"name": name, "role": role.value})
    return found


def set_slack_member(tx: Connection, now: datetime, actor: str, name: str, member: str | None) -> bool:
    """Who they are in Slack; None: nobody. False when there is no such account."""
    mine = update(Staff).where(Staff.name == normal(name))
    if not tx.execute(mine.values(slack_member=member)).rowcount:
        return False
    audit.note(tx, now, actor, "staff_slack", None, {"name": normal(name)})
    return True


def everyone(tx: Connection) -> list[Account]:
    """All accounts, those in use first, by name."""
    return [_account(row) for row in tx.execute(_ACCOUNTS.order_by(Staff.active.desc(), Staff.name))]


def find(tx: Connection, staff_id: int) -> Account | None:
    """The account with that id."""
    row = tx.execute(_ACCOUNTS.where(Staff.id == staff_id)).first()
    return None if row is None else _account(row)


def named(tx: Connection, name: str) -> Account | None:
    """The account with that sign-in name."""
    row = tx.execute(_ACCOUNTS.where(Staff.name == normal(name))).first()
    return None if row is None else _account(row)


def check_password(tx: Connection, name: str, password: str) -> Account | None:
    """The active account that name and password open. Takes as long when there is no such name."""
    account = named(tx, name)
    stored = _nobody() if account is None else tx.execute(_HASH.where(Staff.id == account.id)).scalar_one()
    try:
        _hasher().verify(stored, password[:PASSWORD_MAX])
    except (VerificationError, InvalidHashError):
        return None
    return account if account is not None and account.active else None


def set_password(
    tx: Connection, now: datetime, actor: str, account: Account, password: str, *, must_change: bool = False
) -> None:
    """Ends all of the account's sessions. Raises Refused for a weak password, or the one that is to be replaced."""
    stored = tx.execute(_HASH.where(Staff.id == account.id)).scalar_one()
    hashed = _hashed(password, account.name)
    if _is(stored, password):
        raise Refused("same")
    row = update(Staff).where(Staff.id == account.id)
    tx.execute(row.values(password_hash=hashed, must_change=must_change))
    end_sessions(tx, now, account.id)
    audit.note(tx, now, actor, "staff_password", None, {"name": account.name})


def change(tx: Connection, now: datetime, actor: str, account: Account, *, role: Role, active: bool) -> None:
    """Sets role and whether the account is in use; a change ends its sessions. Raises Refused rather than leave nobody
    who answers for the installation."""
    if account.role is Role.OWNER and account.active and not (active and role is Role.OWNER):
        others = select(func.count()).where(Staff.role == Role.OWNER, Staff.active, Staff.id != account.id)
        if tx.execute(others).scalar_one() == 0:
            raise Refused("last_owner")
    tx.execute(update(Staff).where(Staff.id == account.id).values(role=role.value, active=active))
    end_sessions(tx, now, account.id)
    if not active:
        _take_chats(tx, account.id)
    detail = {"name": account.name, "role": role.value, "active": str(active).lower()}
    audit.note(tx, now, actor, "staff_changed", None, detail)


def _take_chats(tx: Connection, staff_id: int) -> None:
    """Tests go no more to somebody who has left."""
    theirs = select(OwnChat.contact_id).where(OwnChat.staff_id == staff_id)
    tx.execute(update(Contact).where(Contact.id.in_(theirs)).values(is_test=False))
    tx.execute(delete(OwnChat).where(OwnChat.staff_id == staff_id))


def speak(tx: Connection, account: Account, locale: Locale) -> None:
    """Sets the language of the pages for that account."""
    tx.execute(update(Staff).where(Staff.id == account.id).values(locale=locale))


def end_sessions(tx: Connection, now: datetime, staff_id: int) -> None:
    """Everybody signed in as that account is signed out."""
    open_ones = update(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
    tx.execute(open_ones.values(ended_at=now))


def fresh_password() -> str:
    """One that nobody has guessed: 96 bits."""
    return secrets.token_urlsafe(12)


# --- codes from a phone -----------------------------------------------------------------------------------------------


def set_code_secret(tx: Connection, now: datetime, actor: str, account: Account, secret: str | None) -> None:
    """From now on a code made from this secret is asked for, or with None no more."""
    tx.execute(update(Staff).where(Staff.id == account.id).values(totp_secret=secret, totp_used=None))
    audit.note(tx, now, actor, "staff_code_on" if secret else "staff_code_off", None, {"name": account.name})


def code_fits(secret: str, code: str, now: datetime) -> int | None:
    """The number of the 30 seconds that the code was made in: now, just before or just after. None for a wrong one."""
    digits = unicodedata.normalize("NFKC", code).replace(" ", "")
    for step in (0, -1, 1):
        counter = int(now.timestamp()) // CODE_SECONDS + step
        if secrets.compare_digest(pyotp.TOTP(secret).generate_otp(counter).encode(), digits.encode()):
            return counter
    return None


def take_code(tx: Connection, account: Account, code: str, now: datetime) -> bool:
    """Whether the code opens the account. Each opens it once."""
    secret, used = tx.execute(select(Staff.totp_secret, Staff.totp_used).where(Staff.id == account.id)).one()
    counter = None if secret is None else code_fits(secret, code, now)
    if counter is None or (used is not None and counter <= used):
        return False
    tx.execute(update(Staff).where(Staff.id == account.id).values(totp_used=counter))
    return True


_ACCOUNTS = select(
    Staff.id,
    Staff.name,
    Staff.role,
    Staff.locale,
    Staff.active,
    Staff.must_change,
    Staff.totp_secret.is_not(None).label("has_code"),
)
_HASH = select(Staff.password_hash)


def _account(row: Row[int, str, str, str, bool, bool, bool]) -> Account:
    locale: Locale = "en" if row.locale == "en" else "ja"
    return Account(row.id, row.name, Role(row.role), locale, row.active, row.must_change, row.has_code)


@cache
def _hasher() -> PasswordHasher:
    """Argon2id as the OWASP Password Storage Cheat Sheet asks for at least: a clinic's machine is small, and eight people
    may sign in at once."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobody() -> str:
    """A hash that no password fits."""
    return _hasher().hash(secrets.token_hex(16))


def _hashed(password: str, name: str) -> str:
    if len(password) < PASSWORD_MIN or len(set(password)) < PASSWORD_MIN // 3 or normal(password) == name:
        raise Refused("short")
    if len(password) > PASSWORD_MAX:
        raise Refused("long")
    return _hasher().hash(password)


def _is(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password)
    except VerificationError:
        return False
