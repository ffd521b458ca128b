"""The first page: who needs a call, who waits for a person, and how things stand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from bot import alerts, quota
from bot.access import Action
from bot.alerts import Step
from bot.content.model import CardAsk, Content
from bot.engine.safety import ALIKE
from bot.messages import Locale
from bot.runtime import Runtime
from bot.store.tables import Alert
from bot.web.console import allowance, figures
from bot.web.console.allowance import Meter
from bot.web.console.figures import Reading, Ringing, reading
from bot.web.console.visit import House, go, me, needs, page, part, unattended


@dataclass(frozen=True, slots=True)
class Waiting:
    """The part of the page that renews itself."""

    alerts: Reading[list[Ringing]]
    wishes: Reading[list[Ringing]]


def register(console: Blueprint, house: House, working: Callable[[], bool] | None) -> None:
    """The page, the part of it that renews itself, and what is done about an alert."""

    meter = Meter()

    @console.get("/")
    @needs(Action.SEE_TODAY)
    def today() -> Response:
        return _page(house(), meter, working)

    @console.get("/today/waiting")
    @needs(Action.SEE_TODAY)
    @unattended
    def today_waiting() -> Response:
        runtime = house()
        return part("today_waiting", waiting=_waiting(runtime), reasons=reasons(runtime.content, me().locale))

    @console.post("/alerts/<int:alert_id>/<word>")
    @needs(Action.HANDLE_ALERTS)
    def alert_step(alert_id: int, word: str) -> BaseResponse:
        if word not in set(Step):
            abort(404)
        runtime, step = house(), Step(word)
        with runtime.db.write() as tx:
            if tx.execute(select(Alert.id).where(Alert.id == alert_id)).first() is None:
                abort(404)
            first = alerts.take_step(tx, runtime.now(), me().name, alert_id, step, request.form.get("note", ""))
        return go("today", f"today.done_{step.value}" if first else "today.done_before")


def _page(runtime: Runtime, meter: Meter, working: Callable[[], bool] | None) -> Response:
    now, zone = runtime.now(), ZoneInfo(runtime.content.clinic.time_zone)
    with runtime.db.read() as look:
        visits = reading("visits", lambda: figures.visits(look, now, zone))
    with runtime.db.read() as look:
        sends = reading("sends", lambda: figures.sends(look, now, zone))
    with runtime.db.read() as look:
        billed = reading("billed", lambda: quota.month(look, runtime.content, now).billed)
    with runtime.db.read() as look:
        allowed = allowance.read(runtime, meter, lambda: look)
    with runtime.db.read() as look:
        health = reading("health", lambda: figures.health(runtime, look, working))
    return page(
        "today",
        waiting=_waiting(runtime),
        reasons=reasons(runtime.content, me().locale),
        visits=visits,
        sends=sends,
        billed=billed,
        month=allowed,
        health=health,
    )


def _waiting(runtime: Runtime) -> Waiting:
    with runtime.db.read() as look:
        found = reading("alerts", lambda: list(figures.ringing(look, human=False)))
    with runtime.db.read() as look:
        return Waiting(found, reading("wishes", lambda: list(figures.ringing(look, human=True))))


def reasons(content: Content, locale: Locale) -> Callable[[Sequence[str]], Sequence[str]]:
    """What flags say, in symptoms; of rules of the text net, the question that asks for the same. Each once."""
    known = {flag.id: flag.reason.to(locale) for flag in content.safety.flag}
    cards = {node.id: node.text.to(locale) for node in content.flows["screening"].node if isinstance(node, CardAsk)}
    net = {rule.id: cards.get(rule.card or "", "") for rule in content.vocabulary.rules}
    net |= {f"{ALIKE}{card}": text for card, text in cards.items()}

    def words(flags: Sequence[str]) -> Sequence[str]:
        return tuple(dict.fromkeys(known.get(flag) or net.get(flag) or flag for flag in flags))

    return words
