"""Which workspaces of Slack have the app, by which token, and what follows when one sends it away or takes it in again.

One may come from the settings (SLACK_BOT_TOKEN), any number by OAuth; none both ways."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from bot import alerts, audit
from bot.channels.base import Belongs, NotTold, Parted
from bot.channels.slack.book import CHANNEL, STATE_SECONDS, Installed, Unwanted
from bot.config import Settings
from bot.messages import Priority
from bot.runtime import Runtime
from bot.store.session import Database
from bot.store.tables import CONTACT, OUTBOX, OutboxStatus, SlackState, SlackWorkspace, unsettled

log = structlog.get_logger()

GONE = "workspace_gone"
"""The reason on messages that were not sent because their workspace sent the app away."""

STATES_MOST = 1000
"""Installations under way at once: whoever begins more pushes out the oldest."""


class Tokens:
    """The bot token for a workspace. `own` is the one of the settings."""

    def __init__(self, db: Database, settings: Settings, own: Belongs | None) -> None:
        self._db = db
        self._own = own
        self._token = settings.slack_bot_token.get_secret_value()
        self._many = settings.slack_many

    def __call__(self, team: str) -> str | None:
        """None when the app is not installed there (any more). Raises NotTold."""
        with self._db.read() as look:
            row = look.execute(_KNOWN.where(SlackWorkspace.team == team)).first()
        if row is not None and row.gone_at is not None:
            return None
        if self._own is not None and (not self._many or self._own.workspace() == team):
            return self._token
        return None if row is None else row.token


_KNOWN = select(
    SlackWorkspace.team,
    SlackWorkspace.name,
    SlackWorkspace.token,
    SlackWorkspace.app,
    SlackWorkspace.bot,
    SlackWorkspace.bot_user,
    SlackWorkspace.scopes,
    SlackWorkspace.installed_by,
    SlackWorkspace.installed_at,
    SlackWorkspace.gone_at,
)


class Register:
    """The book of an installation (bot.channels.slack.oauth) in the database. Tokens stand there as they are."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def now(self) -> datetime:
        return self._runtime.now()

    def issue(self) -> str:
        state, now = secrets.token_urlsafe(32), self.now()
        mine = {"hash": _hash(state), "expires_at": now + timedelta(seconds=STATE_SECONDS)}
        with self._runtime.db.write() as tx:
            tx.execute(delete(SlackState).where(SlackState.expires_at <= now))
            newest = select(SlackState.hash).order_by(SlackState.expires_at.desc()).limit(STATES_MOST - 1)
            if tx.execute(select(func.count()).select_from(SlackState)).scalar_one() >= STATES_MOST:
                tx.execute(delete(SlackState).where(SlackState.hash.not_in(newest)))
            tx.execute(self._runtime.db.insert(SlackState), mine)
        return state

    def consume(self, state: str) -> bool:
        good = delete(SlackState).where(SlackState.hash == _hash(state), SlackState.expires_at > self.now())
        with self._runtime.db.write() as tx:
            return bool(tx.execute(good).rowcount)

    def keep(self, installed: Installed) -> None:
        try:
            if installed.team == own_workspace(self._runtime):
                raise Unwanted("by_settings")
        except NotTold as error:
            raise Unwanted("no_answer") from error
        values = {
            "team": installed.team,
            "name": installed.name,
            "token": installed.token,
            "app": installed.app,
            "bot": installed.bot,
            "bot_user": installed.bot_user,
            "scopes": installed.scopes,
            "installed_by": installed.by,
            "installed_at": installed.at,
            "gone_at": None,
        }
        with self._runtime.db.write() as tx:
            tx.execute(
                self._runtime.db.insert(SlackWorkspace).on_conflict_do_update(index_elements=["team"], set_=values),
                values,
            )
            _come_back(tx, installed.team, installed.at, "workspace_installed")

    def find(self, team: str) -> Installed | None:
        with self._runtime.db.read() as look:
            row = look.execute(_KNOWN.where(SlackWorkspace.team == team)).first()
        if row is None or row.token is None or row.installed_at is None:
            return None
        return Installed(
            row.team,
            row.name,
            row.token,
            row.app,
            row.bot,
            row.bot_user,
            row.scopes,
            row.installed_by,
            row.installed_at,
        )

    def strike(self, team: str) -> None:
        part(self._runtime, Parted(team, self.now()))


def _hash(state: str) -> str:
    return sha256(state.encode()).hexdigest()


def own_workspace(runtime: Runtime, *, anew: bool = False) -> str | None:
    """The one that SLACK_BOT_TOKEN belongs to; None without that setting. May ask Slack. Raises NotTold."""
    channel = runtime.channels.get(CHANNEL)
    return channel.workspace(anew=anew) if isinstance(channel, Belongs) else None


def part(runtime: Runtime, parted: Parted) -> None:
    """The workspace has sent the app away: its people are sent nothing more, what waits for them is settled by that name, and
    staff are told to phone whoever was to get safety advice. Not when it took the app in again meanwhile."""
    team, now = parted.workspace, runtime.now()
    with runtime.db.write() as tx:
        tx.execute(runtime.db.insert(SlackWorkspace).on_conflict_do_nothing(index_elements=["team"]), {"team": team})
        row = tx.execute(_KNOWN.where(SlackWorkspace.team == team).with_for_update()).one()
        if row.gone_at is not None or (row.installed_at is not None and row.installed_at > parted.at):
            return
        gone = {"token": None, "gone_at": now}
        tx.execute(update(SlackWorkspace).where(SlackWorkspace.team == team).values(**gone))
        tx.execute(update(CONTACT).where(*_people(team)).values(reachable=False))
        _settle(runtime.db, tx, team, now)
        audit.note(tx, now, "program", GONE, None, {"workspace": team})
    log.warning("slack_workspace_gone", workspace=team)


def _settle(db: Database, tx: Connection, team: str, now: datetime) -> None:
    mine = (OUTBOX.c.channel == CHANNEL, OUTBOX.c.user_id.startswith(f"{team}/", autoescape=True), unsettled())
    urgent = tx.execute(
        select(OUTBOX.c.id, OUTBOX.c.contact_id).where(
            *mine, OUTBOX.c.priority == Priority.SAFETY.rank, OUTBOX.c.contact_id.is_not(None)
        )
    ).all()
    for row in urgent:
        alerts.open_alert(
            db,
            tx,
            contact_id=row.contact_id,
            urgency=alerts.PHONE,
            flags=(GONE,),
            origin="delivery",
            dedupe_key=f"outbox:{row.id}:{GONE}",
            now=now,
        )
    settled = {"status": OutboxStatus.CANCELLED, "error": GONE, "done_at": now, "reply_token": None}
    tx.execute(update(OUTBOX).where(*mine).values(**settled))
    farewells = (*mine[:2], OUTBOX.c.contact_id.is_(None), OUTBOX.c.error == GONE)
    tx.execute(update(OUTBOX).where(*farewells).values(message=None, user_id=""))


def _people(team: str) -> tuple[ColumnElement[bool], ...]:
    return CONTACT.c.channel == CHANNEL, CONTACT.c.user_id.startswith(f"{team}/", autoescape=True)


def _come_back(tx: Connection, team: str, now: datetime, why: str) -> None:
    """Everybody there can be reached again. Who was deactivated meanwhile is found out by the first message."""
    tx.execute(update(SlackWorkspace).where(SlackWorkspace.team == team).values(gone_at=None))
    tx.execute(update(CONTACT).where(*_people(team), ~CONTACT.c.reachable).values(reachable=True))
    audit.note(tx, now, "program", why, None, {"workspace": team})


def look_again(runtime: Runtime) -> bool:
    """Whether the settings' workspace, which had sent the app away, has taken it in again: then its people come back. Asks
    Slack only when it had. For the start of a worker: a new token comes with a new start."""
    with runtime.db.read() as look:
        gone = look.execute(select(SlackWorkspace.team).where(SlackWorkspace.gone_at.is_not(None))).scalars().all()
    try:
        team = own_workspace(runtime, anew=True) if gone else None
    except NotTold:
        return False
    if team is None or team not in gone:
        return False
    with runtime.db.write() as tx:
        _come_back(tx, team, runtime.now(), "workspace_back")
    return True


def return_to(runtime: Runtime, addresses: Sequence[str]) -> None:
    """Members who were deactivated and are active again. Slack tells of every change of everybody's profile: whoever is
    not known, or not given up, costs one look."""
    with runtime.db.read() as look:
        query = select(CONTACT.c.id).where(
            CONTACT.c.channel == CHANNEL, CONTACT.c.user_id.in_(addresses), ~CONTACT.c.reachable
        )
        known = look.execute(query).scalars().all()
    if known:
        with runtime.db.write() as tx:
            tx.execute(update(CONTACT).where(CONTACT.c.id.in_(known)).values(reachable=True))


def installed(db: Database) -> Sequence[tuple[str, str, str | None, datetime | None]]:
    """Every workspace known: id, name, token, and since when it is gone."""
    with db.read() as look:
        rows = look.execute(_KNOWN.order_by(SlackWorkspace.team)).all()
    return [(row.team, row.name, row.token, row.gone_at) for row in rows]
