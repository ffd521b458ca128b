"""Tags: how many carry each, put on one patient or on all of a list, renamed, taken off."""

from flask import Blueprint, Response, abort, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from bot import tags
from bot.access import Action
from bot.store import codec
from bot.store.tables import Contact
from bot.web.console import patient_list, patients
from bot.web.console.visit import House, go, me, needs, page


def register(console: Blueprint, house: House) -> None:
    """The views."""

    @console.get("/tags")
    @needs(Action.SEE_PATIENTS)
    def tags_page() -> Response:
        with house().db.read() as look:
            return page("tags", counted=tags.counts(look), longest=tags.NAME_MAX)

    @console.post("/tags/rename")
    @needs(Action.EDIT_PATIENTS)
    def tag_rename() -> BaseResponse:
        runtime, new = house(), _name()
        with runtime.db.write() as tx:
            tags.rename(tx, runtime.now(), me().name, _old(), new)
        return go("tags_page", "tags.renamed")

    @console.post("/tags/drop")
    @needs(Action.EDIT_PATIENTS)
    def tag_drop() -> BaseResponse:
        runtime = house()
        with runtime.db.write() as tx:
            tags.drop(tx, runtime.now(), me().name, _old())
        return go("tags_page", "tags.dropped")

    @console.post("/patients/<int:contact_id>/tags")
    @needs(Action.EDIT_PATIENTS)
    def patient_tag(contact_id: int) -> BaseResponse:
        runtime = house()
        with runtime.db.write() as tx:
            one = select(Contact.id).where(Contact.id == contact_id)
            if tx.execute(one).first() is None:
                abort(404)
            if request.form.get("off"):
                tags.take_off(tx, runtime.now(), me().name, contact_id, codec.storable(request.form["off"]))
            else:
                tags.put(runtime.db, tx, runtime.now(), me().name, one, _name())
        return go("patient", "tags.saved", contact_id=contact_id)

    @console.post("/patients/tag")
    @needs(Action.EDIT_PATIENTS)
    def patients_tag() -> BaseResponse:
        """On all whom the list shows with the filters of the address."""
        runtime, name = house(), _name()
        with runtime.db.write() as tx:
            people = patient_list.everybody(patients.chosen(), runtime.now())
            tags.put(runtime.db, tx, runtime.now(), me().name, people, name)
        return go("tags_page", "tags.put")


def _name() -> str:
    name = tags.normal(request.form.get("name", ""))
    if not name:
        abort(400)
    return name


def _old() -> str:
    return codec.storable(request.form.get("old", ""))
