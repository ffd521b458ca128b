"""What patients are called, as far as their channel tells: so that staff see who it is."""

from datetime import timedelta

import structlog
from sqlalchemy import or_, select, update

from bot.channels.base import KnowsNames, NotTold
from bot.runtime import Runtime
from bot.store import codec
from bot.store.tables import Contact

log = structlog.get_logger()

AT_ONCE = 5
NAME_MAX = 80
AGAIN = timedelta(hours=6)
"""How often somebody without a name is asked for."""


def learn(runtime: Runtime) -> None:
    """Asks for the names of some newcomers. A name that staff wrote stays."""
    now = runtime.now()
    able = {name: one for name, one in runtime.channels.items() if isinstance(one, KnowsNames)}
    due = or_(Contact.name_asked_at.is_(None), Contact.name_asked_at < now - AGAIN)
    query = select(Contact.id, Contact.channel, Contact.user_id).where(
        Contact.name.is_(None), due, Contact.reachable.is_(True), Contact.channel.in_(able)
    )
    with runtime.db.read() as look:
        found = look.execute(query.order_by(Contact.id.desc()).limit(AT_ONCE)).all()
    for contact_id, channel, user_id in found:
        try:
            name = able[channel].name_of(user_id)
        except NotTold as error:  # the provider is away: the others would not be told either
            log.warning("name_not_told", contact=contact_id, error=error)
            return
        this = update(Contact).where(Contact.id == contact_id)
        with runtime.db.write() as tx:
            tx.execute(this.values(name_asked_at=now))
            if name and name.strip():
                tx.execute(this.where(Contact.name.is_(None)).values(name=codec.storable(name.strip())[:NAME_MAX]))
