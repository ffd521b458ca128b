"""How often something was tried, counted in the database: every process and every start sees the same number. What is counted
- addresses, names that were typed - is kept as a keyed hash only."""

import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from limits.storage import Storage
from sqlalchemy import case, delete, select
from sqlalchemy.exc import SQLAlchemyError

from bot.runtime import Runtime
from bot.store.tables import Tried


class Tries(Storage):
    """A storage of the limits library, chosen by its address, "tables://"; `house` comes as its option."""

    STORAGE_SCHEME = ["tables"]  # noqa: RUF012 - the library's declaration

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions)
        self._house: Callable[[], Runtime] = options["house"]

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What the database raises."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Adds to what is counted until `expiry` seconds after the first."""
        runtime = self._house()
        now, own = runtime.now(), self._hashed(key)
        ends = now + timedelta(seconds=expiry)
        first = runtime.db.insert(Tried).values(key_hash=own, times=amount, ends_at=ends)
        over = Tried.ends_at <= now
        again = {
            "times": case((over, amount), else_=Tried.times + amount),
            "ends_at": case((over, ends), else_=Tried.ends_at),
        }
        counted = first.on_conflict_do_update(index_elements=["key_hash"], set_=again).returning(Tried.times)
        with runtime.db.write() as tx:
            times: int = tx.execute(counted).scalar_one()
        if times == amount:
            with runtime.db.write() as tx:
                tx.execute(delete(Tried).where(over))
        return times

    def get(self, key: str) -> int:
        """How often, by now."""
        return self._found(key)[0]

    def get_expiry(self, key: str) -> float:
        """When it is forgotten, in seconds since 1970."""
        return self._found(key)[1]

    def check(self) -> bool:
        """Whether it can count."""
        return self._house().db.reachable()

    def reset(self) -> int | None:
        """Forgets everything. How much that was."""
        with self._house().db.write() as tx:
            return tx.execute(delete(Tried)).rowcount

    def clear(self, key: str) -> None:
        """Forgets one."""
        with self._house().db.write() as tx:
            tx.execute(delete(Tried).where(Tried.key_hash == self._hashed(key)))

    def _found(self, key: str) -> tuple[int, float]:
        runtime = self._house()
        now = runtime.now()
        live = select(Tried.times, Tried.ends_at).where(Tried.key_hash == self._hashed(key), Tried.ends_at > now)
        with runtime.db.read() as look:
            row = look.execute(live).first()
        return (0, now.timestamp()) if row is None else (row.times, row.ends_at.timestamp())

    def _hashed(self, key: str) -> str:
        secret = self._house().settings.secret_key.get_secret_value()
        return hmac.digest(secret.encode(), key.encode(), "sha256").hex()
