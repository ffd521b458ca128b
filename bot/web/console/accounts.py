"""The staff's accounts, for those who answer for the installation."""

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as BaseResponse

from bot import staff
from bot.access import Action, Role
from bot.staff import Account, Refused
from bot.web.console.visit import House, go, me, needs, page


def register(console: Blueprint, house: House) -> None:
    """The page and its forms."""

    @console.get("/staff")
    @needs(Action.MANAGE_STAFF)
    def staff_list() -> Response:
        return _shown(house)

    @console.post("/staff")
    @needs(Action.MANAGE_STAFF)
    def staff_add() -> BaseResponse:
        runtime, password = house(), staff.fresh_password()
        name = request.form.get("name", "")
        try:
            with runtime.db.write() as tx:
                staff.add(tx, runtime.now(), me().name, name, _role(), password, must_change=True)
        except Refused as refused:
            return _shown(house, 400, wrong=f"staff.refused_{refused.why}")
        return _shown(house, given=(staff.normal(name), password))

    @console.post("/staff/<int:staff_id>")
    @needs(Action.MANAGE_STAFF)
    def staff_change(staff_id: int) -> BaseResponse:
        runtime, account = house(), _account(house, staff_id)
        try:
            with runtime.db.write() as tx:
                active = request.form.get("active") == "yes"
                staff.change(tx, runtime.now(), me().name, account, role=_role(), active=active)
        except Refused as refused:
            return _shown(house, 400, wrong=f"staff.refused_{refused.why}")
        return go("staff_list", "staff.changed")

    @console.post("/staff/<int:staff_id>/reset")
    @needs(Action.MANAGE_STAFF)
    def staff_reset(staff_id: int) -> BaseResponse:
        """A password that is good for choosing a new one; a lost phone's code is no longer asked for."""
        runtime, account, password = house(), _account(house, staff_id), staff.fresh_password()
        with runtime.db.write() as tx:
            staff.set_password(tx, runtime.now(), me().name, account, password, must_change=True)
            if account.has_code:
                staff.set_code_secret(tx, runtime.now(), me().name, account, None)
        return _shown(house, given=(account.name, password))


def _account(house: House, staff_id: int) -> Account:
    with house().db.read() as look:
        account = staff.find(look, staff_id)
    if account is None:
        abort(404)
    return account


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        abort(400)


def _shown(house: House, status: int = 200, wrong: str = "", given: tuple[str, str] | None = None) -> Response:
    """`given` is a name and its first password: shown this once, stored nowhere."""
    with house().db.read() as look:
        everyone = staff.everyone(look)
    return page("staff", status, everyone=everyone, roles=list(Role), wrong=wrong, given=given)
