"""The list of patients, and the same as a file."""

from dataclasses import fields

from flask import Blueprint, Response, redirect, request, session
from werkzeug.wrappers import Response as BaseResponse

from bot import audit, staff_room, tags
from bot.access import Action
from bot.messages import Disposition
from bot.store import codec
from bot.web.console import guard, patient_list
from bot.web.console.patient_list import Filters, Listed
from bot.web.console.sheet import sheet
from bot.web.console.visit import House, masked, me, needs, page, say

SEARCH_MAX = 100


def register(console: Blueprint, house: House) -> None:
    """The views."""

    @console.get("/patients")
    @needs(Action.SEE_PATIENTS)
    def patients() -> Response:
        runtime, filters, t = house(), chosen(), say()
        with runtime.db.read() as look:
            found = patient_list.find(look, filters, runtime.now(), request.args.get("after", ""))
            labels = [one.name for one in tags.counts(look)]
        routines = {one.id: one.title.to(me().locale) for one in runtime.content.routines.values()}
        return page(
            "patients",
            found=found,
            filters=filters,
            labels=labels,
            chosen={name: value for name, value in _named(filters).items() if value},
            routines=routines,
            channels=[(name, t(f"channel.{name}")) for name in sorted(runtime.channels) if name != staff_room.CHANNEL],
            levels=[(level, t(f"level.{level}")) for level in ("none", *Disposition)],
        )

    @console.get("/patients.csv")
    @needs(Action.EXPORT)
    def patients_csv() -> Response:
        runtime, filters = house(), chosen()
        with runtime.db.write() as tx:
            found = patient_list.find(tx, filters, runtime.now(), rows=patient_list.CSV_ROWS)
            detail = {
                name: value for name, value in _named(filters).items() if value and name not in ("search", "label")
            }
            audit.note(
                tx, runtime.now(), me().name, "patients_exported", None, {**detail, "rows": str(len(found.rows))}
            )
        routines = {one.id: one.title.to(me().locale) for one in runtime.content.routines.values()}
        t = say()
        head = ("number", "name", "phone", "channel", "seen", "disposition", "routine", "sessions", "pain", "moved")
        rows = [_line(one, routines) for one in found.rows]
        return sheet("patients", [t(f"list.head_{name}") for name in head], rows)

    @console.post("/mask")
    @needs(Action.OWN_ACCOUNT)
    def mask() -> BaseResponse:
        session["masked"] = not masked()
        return redirect(guard.way_back(request.form.get("next", "")), 303)


def chosen() -> Filters:
    """What the address says; anything unknown finds nothing or is passed over."""
    return Filters(
        **{one.name: codec.storable(request.args.get(one.name, "")).strip()[:SEARCH_MAX] for one in fields(Filters)}
    )


def _named(filters: Filters) -> dict[str, str]:
    return {one.name: getattr(filters, one.name) for one in fields(Filters)}


def _line(one: Listed, routines: dict[str, str]) -> tuple[object, ...]:
    t, who = say(), one.who
    if not who.readable:
        records: tuple[object, ...] = (t("list.no_consent"), "", "", "", "")
    else:
        level = t(f"level.{one.disposition}") if one.disposition else ""
        records = (level, routines.get(one.routine or "", one.routine), one.sessions, one.pain, one.moved)
    name = "" if masked() else who.name
    return (who.id, name, who.call, who.channel, one.seen_at.isoformat(timespec="minutes"), *records)
