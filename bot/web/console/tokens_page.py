"""Tokens for programs: made, listed and revoked by those who answer for the installation."""

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as BaseResponse

from bot import staff, tokens
from bot.access import SCOPES, Action
from bot.staff import Refused
from bot.web.console.visit import House, go, me, needs, page


def register(console: Blueprint, house: House) -> None:
    """The page and its forms."""

    @console.get("/tokens")
    @needs(Action.MANAGE_TOKENS)
    def token_list() -> Response:
        return _shown(house)

    @console.post("/tokens")
    @needs(Action.MANAGE_TOKENS)
    def token_make() -> BaseResponse:
        runtime, name = house(), request.form.get("name", "")
        chosen = [Action(scope) for scope in request.form.getlist("scope") if scope in SCOPES]
        with runtime.db.read() as look:
            owner = staff.find(look, request.form.get("owner", type=int) or 0)
        if owner is None or not owner.active:
            abort(400)
        try:
            with runtime.db.write() as tx:
                _, key = tokens.make(tx, runtime.now(), me().name, owner, name, chosen)
        except Refused as refused:
            return _shown(house, 400, wrong=f"tokens.refused_{refused.why}")
        return _shown(house, given=(name, key))

    @console.post("/tokens/<int:token_id>/revoke")
    @needs(Action.MANAGE_TOKENS)
    def token_revoke(token_id: int) -> BaseResponse:
        runtime = house()
        with runtime.db.write() as tx:
            if not tokens.revoke(tx, runtime.now(), me().name, token_id):
                abort(404)
        return go("token_list", "tokens.revoked_now")


def _shown(house: House, status: int = 200, wrong: str = "", given: tuple[str, str] | None = None) -> Response:
    """`given` is a name and its token: shown this once, stored nowhere."""
    runtime = house()
    with runtime.db.read() as look:
        made = tokens.everyone(look)
        owners = [one for one in staff.everyone(look) if one.active]
    now = runtime.now()
    working = [one for one in made if one.works(now)]
    return page(
        "tokens",
        status,
        working=working,
        ended=[one for one in made if one not in working],
        owners=owners,
        scopes=SCOPES,
        address=runtime.settings.public_url + "/api/v1",
        wrong=wrong,
        given=given,
        typed=request.form,
    )
