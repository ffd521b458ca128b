"""One patient's records as a file: for a program, or for a person to read."""

import json

from flask import Blueprint, Response, abort

from bot import audit, records
from bot.access import Action
from bot.web.care import data
from bot.web.console.patient import open_record
from bot.web.console.visit import House, masked, me, needs, page


def register(console: Blueprint, house: House) -> None:
    """The views. Both are for those whose records staff may see."""

    @console.get("/patients/<int:contact_id>/export.json")
    @needs(Action.EXPORT)
    def patient_json(contact_id: int) -> Response:
        runtime = house()
        with runtime.db.write() as tx:
            record = open_record(runtime, tx, contact_id)
            if not record.who.readable or masked():
                abort(409)
            audit.note(tx, runtime.now(), me().name, "record_exported", contact_id, {"as": "json"})
            made = {"made_at": runtime.now().isoformat(), **records.of(tx, contact_id)}
        response = Response(json.dumps(made, ensure_ascii=False, indent=2), mimetype="application/json")
        response.headers["Content-Disposition"] = f'attachment; filename="patient-{contact_id}.json"'
        return response

    @console.get("/patients/<int:contact_id>/export")
    @needs(Action.EXPORT)
    def patient_print(contact_id: int) -> Response:
        runtime = house()
        with runtime.db.write() as tx:
            record = open_record(runtime, tx, contact_id)
            if not record.who.readable:
                abort(409)
            audit.note(tx, runtime.now(), me().name, "record_exported", contact_id, {"as": "page"})
            account = data.account(tx, record.visit)
        return page("patient_print", record=record, account=account)
