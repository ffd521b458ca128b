"""In and out: name and password, the code from a phone where one is set up, the language, signing out."""

from datetime import datetime, timedelta

import structlog
from flask import Blueprint, Response, redirect, request, session
from flask_limiter import Limiter
from flask_login import current_user, login_user, logout_user
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from bot import audit, staff, staff_sessions
from bot.access import Action
from bot.staff import Account
from bot.web.console import guard
from bot.web.console.visit import House, SignedIn, go, me, needs, open_to_all, page

log = structlog.get_logger()

CODE_WAIT = timedelta(minutes=5)
"""Between the password and the code."""

PENDING = "pending"


def register(console: Blueprint, house: House, limiter: Limiter) -> None:
    """The views that open the door."""

    def failed(response: Response) -> bool:
        return response.status_code == 401

    by_address = limiter.shared_limit(
        guard.GUESSES_ADDRESS, scope="sign-in", methods=["POST"], deduct_when=failed, key_func=guard.caller
    )
    by_account = limiter.shared_limit(
        guard.GUESSES_ACCOUNT, scope="account", methods=["POST"], deduct_when=failed, key_func=_account_named
    )

    @console.route("/sign-in", methods=["GET", "POST"])
    @open_to_all
    @by_address
    @by_account
    def sign_in() -> BaseResponse:
        if request.method == "GET":
            if current_user.is_authenticated:
                return go("today")
            return page("sign_in", next=request.args.get("next", ""), wrong=False)
        name, password = request.form.get("name", ""), request.form.get("password", "")
        runtime = house()
        with runtime.db.read() as look:
            account = staff.check_password(look, name, password)
        if account is None:
            log.warning("sign_in_refused")
            return page("sign_in", 401, next=request.form.get("next", ""), wrong=True)
        back = guard.way_back(request.form.get("next", ""))
        if account.has_code:
            session[PENDING] = {"id": account.id, "at": runtime.now().isoformat(), "back": back}
            return go("code")
        return _enter(house, account, back)

    @console.route("/sign-in/code", methods=["GET", "POST"])
    @open_to_all
    @by_address
    @by_account
    def code() -> BaseResponse:
        runtime = house()
        pending = session.get(PENDING)
        if not pending or runtime.now() - datetime.fromisoformat(pending["at"]) > CODE_WAIT:
            session.pop(PENDING, None)
            return go("sign_in")
        if request.method == "GET":
            return page("code", wrong=False)
        with runtime.db.write() as tx:
            account = staff.find(tx, pending["id"])
            good = (
                account is not None
                and account.active
                and staff.take_code(tx, account, request.form.get("code", ""), runtime.now())
            )
        if account is None or not good:
            log.warning("sign_in_code_refused", staff=pending["id"])
            return page("code", 401, wrong=True)
        return _enter(house, account, pending["back"])

    @console.post("/sign-out")
    @needs(Action.OWN_ACCOUNT)
    def sign_out() -> BaseResponse:
        runtime = house()
        with runtime.db.write() as tx:
            staff_sessions.end(tx, current_user.get_id(), runtime.now())
            audit.note(tx, runtime.now(), me().name, "signed_out", None, {})
        logout_user()
        session.clear()
        return go("sign_in", "door.signed_out")

    @console.post("/language")
    @open_to_all
    def language() -> BaseResponse:
        locale = "en" if request.form.get("locale") == "en" else "ja"
        session["locale"] = locale
        if current_user.is_authenticated:
            with house().db.write() as tx:
                staff.speak(tx, me(), "en" if locale == "en" else "ja")
        return redirect(guard.way_back(request.form.get("next", "")), 303)

    @console.errorhandler(TooManyRequests)
    def too_many(_: TooManyRequests) -> Response:
        log.warning("sign_in_throttled")
        return page("refused", 429, code=429)


def _enter(house: House, account: Account, back: str) -> BaseResponse:
    """A new session, and a new cookie: nothing that was in the browser before is worth anything."""
    runtime = house()
    kept = {name: session[name] for name in ("masked",) if name in session}
    session.clear()
    session.update(kept)
    with runtime.db.write() as tx:
        key = staff_sessions.begin(tx, account.id, runtime.now())
        audit.note(tx, runtime.now(), account.name, "signed_in", None, {})
    login_user(SignedIn(account, key))
    return redirect(back, 303)


def _account_named() -> str:
    """The account that is being guessed at, whether or not it exists."""
    pending = session.get(PENDING) if request.endpoint == "console.code" else None
    return f"id:{pending['id']}" if pending else f"name:{staff.normal(request.form.get('name', ''))[:80]}"
