"""Messages to many: the list, the desk to write one at, its look on the phone, its start and what became of it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, jsonify, request, send_from_directory
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

import bot
from bot import own_chat
from bot.access import Action
from bot.broadcasts import desk, results
from bot.broadcasts.desk import Actor, Draft, Refusal
from bot.broadcasts.expand import PERSONAL_MOST, at_night
from bot.broadcasts.letter import from_tip
from bot.broadcasts.moves import possible
from bot.broadcasts.quota import ask
from bot.broadcasts.results import Broadcast, Progress
from bot.runtime import Runtime
from bot.store.tables import CONTACT, Tag
from bot.web.console import broadcast_form as forms
from bot.web.console import broadcast_preview as preview
from bot.web.console.visit import House, go, masked, me, needs, page, unattended

PHONE = Path(bot.__file__).parent / "simulator" / "static"
DRAWN_WITH = frozenset(("flex.js", "dom.js", "bubbles.css", "blocks.js", "blocks.css"))
PHONE_LIFE = timedelta(hours=1)

LISTED = 50
PEOPLE = 200
"""Contacts offered to be chosen one by one: the latest. Who has more has criteria and tags."""


def register(console: Blueprint, house: House) -> None:
    """The pages, their forms, and the numbers that they ask for."""

    @console.get("/broadcasts")
    @needs(Action.SEE_BROADCASTS)
    def broadcasts() -> Response:
        before = request.args.get("before", type=int)
        with house().db.read() as look:
            found = results.latest(look, LISTED + 1, before)
            shown = [(one, results.progress(look, one.id)) for one in found[:LISTED]]
        more = found[LISTED - 1].id if len(found) > LISTED else None
        return page("broadcasts", shown=shown, more=more)

    @console.get("/broadcasts/new")
    @needs(Action.BROADCAST)
    def broadcast_new() -> Response:
        form = _beginning(house())
        return _desk(house(), form, None)

    @console.post("/broadcasts")
    @needs(Action.BROADCAST)
    def broadcast_create() -> BaseResponse:
        made = desk.create(house(), _actor(), _draft(request.form))
        if isinstance(made, Refusal):
            return _desk(house(), request.form, None, made)
        return go("broadcast", broadcast_id=made)

    @console.get("/broadcasts/<int:broadcast_id>")
    @needs(Action.SEE_BROADCASTS)
    def broadcast(broadcast_id: int) -> Response:
        return _shown(house(), broadcast_id)

    @console.get("/broadcasts/<int:broadcast_id>/edit")
    @needs(Action.BROADCAST)
    def broadcast_edit(broadcast_id: int) -> Response:
        found = _found(house(), broadcast_id)
        return _desk(house(), _fields(found), broadcast_id)

    @console.post("/broadcasts/<int:broadcast_id>")
    @needs(Action.BROADCAST)
    def broadcast_save(broadcast_id: int) -> BaseResponse:
        refusal = desk.edit(house(), _actor(), broadcast_id, _draft(request.form))
        if refusal is Refusal.UNTITLED:
            return _desk(house(), request.form, broadcast_id, refusal)
        return _after(house(), broadcast_id, refusal, "broadcasts.saved")

    @console.post("/broadcasts/look")
    @needs(Action.BROADCAST)
    @unattended
    def broadcast_look() -> Response:
        """What the desk shows beside the form while it is filled in."""
        said, wanted = forms.letter(request.form), forms.audience(request.form)
        return jsonify(
            {
                "letter": preview.drawn(said),
                "blocks": preview.blocks(said),
                "problems": preview.sentences(desk.flaws(house(), said)),
                **preview.numbers(desk.count(house(), wanted)),
            }
        )

    @console.get("/broadcasts/<int:broadcast_id>/progress")
    @needs(Action.SEE_BROADCASTS)
    @unattended
    def broadcast_progress(broadcast_id: int) -> Response:
        found = _found(house(), broadcast_id)
        return jsonify(_numbers(house(), found))

    @console.get("/phone/<name>")
    @needs(Action.OWN_ACCOUNT)
    def phone_part(name: str) -> Response:
        """What draws a phone's bubbles: the demo's phone and the console's previews look the same."""
        if name not in DRAWN_WITH:
            abort(404)
        return send_from_directory(PHONE, name, max_age=int(PHONE_LIFE.total_seconds()))

    _register_moves(console, house)


def _register_moves(console: Blueprint, house: House) -> None:
    @console.post("/broadcasts/<int:broadcast_id>/start")
    @needs(Action.BROADCAST)
    def broadcast_start(broadcast_id: int) -> BaseResponse:
        runtime, typed = house(), request.form.get("number", type=int)
        if request.form.get("when") != "later":
            refusal = desk.start(runtime, _actor(), broadcast_id, -1 if typed is None else typed)
            return _after(runtime, broadcast_id, refusal, "broadcasts.started")
        at = _local(runtime, request.form.get("at", ""))
        refusal = (
            Refusal.PAST
            if at is None
            else desk.schedule(runtime, _actor(), broadcast_id, -1 if typed is None else typed, at)
        )
        return _after(runtime, broadcast_id, refusal, "broadcasts.scheduled")

    @console.post("/broadcasts/<int:broadcast_id>/<move>")
    @needs(Action.BROADCAST)
    def broadcast_move(broadcast_id: int, move: str) -> BaseResponse:
        moves = {
            "unschedule": desk.unschedule,
            "approve": desk.approve,
            "pause": desk.pause,
            "resume": desk.resume,
            "cancel": desk.cancel,
        }
        if move not in moves:
            abort(404)
        return _after(house(), broadcast_id, moves[move](house(), _actor(), broadcast_id), f"broadcasts.done_{move}")

    @console.post("/broadcasts/<int:broadcast_id>/test")
    @needs(Action.BROADCAST)
    def broadcast_test(broadcast_id: int) -> BaseResponse:
        people = [int(one) for one in request.form.getlist("tester") if one.isascii() and one.isdigit()]
        put = desk.send_test(house(), _actor(), broadcast_id, people)
        return _after(house(), broadcast_id, put if isinstance(put, Refusal) else None, "broadcasts.tested")

    @console.post("/broadcasts/testers")
    @needs(Action.BROADCAST)
    def broadcast_testers() -> BaseResponse:
        """Marks who gets tests, and messages while the gate says test."""
        people = [int(one) for one in request.form.getlist("person") if one.isascii() and one.isdigit()]
        desk.choose_testers(house(), _actor(), people)
        back = request.form.get("broadcast", type=int)
        return go("broadcasts") if back is None else go("broadcast", "broadcasts.testers_set", broadcast_id=back)


def _actor() -> Actor:
    return Actor(me().name, me().role)


def _draft(form: MultiDict[str, str]) -> Draft:
    return Draft(form.get("title", "").strip(), forms.letter(form), forms.audience(form))


def _found(runtime: Runtime, broadcast_id: int) -> Broadcast:
    with runtime.db.read() as look:
        found = results.find(look, broadcast_id)
    if found is None:
        abort(404)
    return found


def _beginning(runtime: Runtime) -> MultiDict[str, str]:
    """An empty form, one with a tip of the content, or one for a patient that was looked at."""
    form: MultiDict[str, str] = MultiDict()
    tip = next((tip for tip in runtime.content.tips if tip.id == request.args.get("tip")), None)
    if tip is not None:
        form = forms.letter_fields(from_tip(tip))
        form["title"] = tip.title.to(me().locale)
    form.setlist("person", request.args.getlist("person"))
    form.setlist("tagged", request.args.getlist("tagged"))
    return form


def _fields(found: Broadcast) -> MultiDict[str, str]:
    form = forms.letter_fields(found.letter)
    form.update(forms.audience_fields(found.audience))
    form["title"] = found.title
    return form


def _local(runtime: Runtime, text: str) -> datetime | None:
    """A day and time as the clinic's clock shows them."""
    try:
        naive = datetime.fromisoformat(text)
    except ValueError:
        return None
    return naive.replace(tzinfo=ZoneInfo(runtime.content.clinic.time_zone)) if naive.tzinfo is None else naive


def _after(runtime: Runtime, broadcast_id: int, refusal: Refusal | None, told: str) -> BaseResponse:
    if refusal is None:
        return go("broadcast", told, broadcast_id=broadcast_id)
    if refusal is Refusal.UNKNOWN:
        abort(404)
    if refusal is Refusal.NOT_ALLOWED:
        abort(403)
    return _shown(runtime, broadcast_id, refusal)


def _desk(
    runtime: Runtime, form: MultiDict[str, str], broadcast_id: int | None, refusal: Refusal | None = None
) -> Response:
    with runtime.db.read() as look:
        tags = look.execute(select(Tag.name).distinct().order_by(Tag.name)).scalars().all()
    wanted, said = forms.audience(form), forms.letter(form)
    return page(
        "broadcast_desk",
        400 if refusal else 200,
        form=form,
        forms=forms,
        broadcast_id=broadcast_id,
        wrong=f"broadcasts.refused_{refusal}" if refusal else "",
        content=runtime.content,
        channels=_looks(runtime),
        tags=tags,
        people=_people(runtime, form.getlist("person")),
        letter=preview.drawn(said),
        blocks=preview.blocks(said),
        looks=_looks(runtime),
        numbers=preview.numbers(desk.count(runtime, wanted)),
    )


def _people(runtime: Runtime, chosen: list[str]) -> list[tuple[int, str, bool]]:
    """Id, name and whether they are chosen; the chosen first, then the latest."""
    columns = CONTACT.c.id, CONTACT.c.name, CONTACT.c.is_test
    ids = [int(one) for one in chosen if one.isascii() and one.isdigit()]
    with runtime.db.read() as look:
        picked = look.execute(select(*columns).where(CONTACT.c.id.in_(ids))).all()
        latest = look.execute(
            select(*columns)
            .where(CONTACT.c.state.is_not(None), CONTACT.c.id.not_in(ids))
            .order_by(CONTACT.c.seen_at.desc())
            .limit(PEOPLE)
        ).all()
    rows = [(row, True) for row in picked] + [(row, False) for row in latest]
    return [(row.id, _label(row), is_picked) for row, is_picked in rows]


def _label(row: Any) -> str:
    return f"#{row.id}" if masked() or not row.name else str(row.name)


def _looks(runtime: Runtime) -> list[str]:
    """The channels whose look is shown: those that patients are on."""
    return [name for name in forms.CHANNELS if name in runtime.channels]


def _shown(runtime: Runtime, broadcast_id: int, refusal: Refusal | None = None) -> Response:
    found = _found(runtime, broadcast_id)
    now = runtime.now()
    open_ = found.status in ("draft", "scheduled")
    with runtime.db.read() as look:
        taps = results.button_taps(look, found)
        testers = look.execute(
            select(CONTACT.c.id, CONTACT.c.name).where(CONTACT.c.is_test).order_by(CONTACT.c.id)
        ).all()
        mine = {one.id for one in own_chat.of(look, me())}
        contacts = look.execute(select(func.count()).where(CONTACT.c.state.is_not(None))).scalar_one()
    counted = desk.count(runtime, found.audience) if open_ else None
    return page(
        "broadcast",
        400 if refusal else 200,
        one=found,
        moves=possible(found.status),
        letter=preview.drawn(found.letter),
        blocks=preview.blocks(found.letter),
        looks=_looks(runtime),
        problems=preview.sentences(desk.flaws(runtime, found.letter)) if open_ else [],
        counted=counted,
        numbers=preview.numbers(counted) if counted else None,
        quota=ask(runtime) if open_ else None,
        result=_numbers(runtime, found),
        taps=taps,
        personal_most=PERSONAL_MOST,
        testers=[(row.id, _label(row), row.id in mine) for row in testers],
        everybody=_people(runtime, [str(row.id) for row in testers]) if open_ and contacts else [],
        whom=preview.audience_words(runtime, found.audience),
        night=at_night(runtime, now),
        second_person=runtime.content.clinic.broadcasts.second_person,
        wrong=f"broadcasts.refused_{refusal}" if refusal else "",
    )


def _numbers(runtime: Runtime, found: Broadcast) -> dict[str, object]:
    with runtime.db.read() as look:
        progress: Progress = results.progress(look, found.id)
    return preview.result(found, progress)
