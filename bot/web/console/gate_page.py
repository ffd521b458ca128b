"""The send gate: what is pushed to patients now, who said so, and switching it."""

from typing import get_args

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as BaseResponse

from bot import gate
from bot.access import Action
from bot.config import SendGate
from bot.web.console.visit import House, go, me, needs, page


def register(console: Blueprint, house: House) -> None:
    """The page and its form."""

    @console.get("/gate")
    @needs(Action.SEE_TODAY)
    def gate_page() -> Response:
        runtime = house()
        with runtime.db.read() as look:
            now = gate.current(look, runtime.settings)
            held = gate.held(look, now.value, runtime.now())
        return page("gate", now_gate=now, held=held, values=get_args(SendGate))

    @console.post("/gate")
    @needs(Action.SET_GATE)
    def gate_switch() -> BaseResponse:
        to = request.form.get("to", "")
        if to not in get_args(SendGate):
            abort(400)
        value: SendGate = "on" if to == "on" else "test" if to == "test" else "off"
        gate.switch(house(), value, me().name)
        return go("gate_page", "gate.switched")
