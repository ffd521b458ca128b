"""One's own account: the password, the code from a phone, and the chat that tests go to."""

from datetime import UTC, datetime, timedelta

import pyotp
import segno
from flask import Blueprint, Response, redirect, request, session, url_for
from flask_login import current_user, login_user
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from bot import own_chat, staff, staff_sessions
from bot.access import Action
from bot.own_chat import Code
from bot.staff import Account, Refused
from bot.web.console.visit import House, SignedIn, go, me, needs, page

CHAT = "own_chat_code"
SECRET = "new_code_secret"  # noqa: S105 - a name


def register(console: Blueprint, house: House) -> None:
    """The page and its forms."""

    @console.get("/account")
    @needs(Action.OWN_ACCOUNT)
    def account() -> Response:
        return _shown(house)

    @console.post("/account/password")
    @needs(Action.OWN_ACCOUNT)
    def change_password() -> BaseResponse:
        runtime, new = house(), request.form.get("new", "")
        with runtime.db.read() as look:
            known = staff.check_password(look, me().name, request.form.get("old", ""))
        if known is None:
            return _shown(house, 400, wrong="account.wrong_password")
        if new != request.form.get("again", ""):
            return _shown(house, 400, wrong="account.not_the_same")
        try:
            with runtime.db.write() as tx:
                staff.set_password(tx, runtime.now(), me().name, known, new)
                _stay(tx, house, known)
        except Refused as refused:
            return _shown(house, 400, wrong=f"staff.refused_{refused.why}")
        return go("account", "account.password_changed")

    @console.post("/account/code")
    @needs(Action.OWN_ACCOUNT)
    def set_code() -> BaseResponse:
        runtime, secret = house(), session.get(SECRET)
        if secret is None or staff.code_fits(secret, request.form.get("code", ""), runtime.now()) is None:
            return _shown(house, 400, wrong="account.wrong_code")
        with runtime.db.write() as tx:
            staff.set_code_secret(tx, runtime.now(), me().name, me(), secret)
        session.pop(SECRET)
        return go("account", "account.code_on")

    @console.post("/account/chat/code")
    @needs(Action.OWN_ACCOUNT)
    def chat_code() -> BaseResponse:
        runtime = house()
        with runtime.db.read() as look:
            code = own_chat.fresh_code(look, runtime.now())
        session[CHAT] = [code.text, code.after, code.made_at.timestamp()]
        return redirect(url_for("console.account", _anchor="own-chat"), 303)

    @console.post("/account/chat")
    @needs(Action.OWN_ACCOUNT)
    def chat_link() -> BaseResponse:
        runtime, code = house(), _chat_code()
        with runtime.db.write() as tx:
            found = None if code is None else own_chat.heard_in(tx, code, runtime.now())
            if found is not None:
                own_chat.link(tx, runtime.now(), me(), found)
        if found is None:
            return _shown(house, 400, wrong="own_chat.not_heard")
        session.pop(CHAT)
        return go("account", "own_chat.linked")

    @console.post("/account/chat/<int:contact_id>/end")
    @needs(Action.OWN_ACCOUNT)
    def chat_unlink(contact_id: int) -> BaseResponse:
        runtime = house()
        with runtime.db.write() as tx:
            own_chat.unlink(tx, runtime.now(), me(), contact_id)
        return go("account", "own_chat.unlinked")

    @console.post("/account/code/off")
    @needs(Action.OWN_ACCOUNT)
    def drop_code() -> BaseResponse:
        runtime = house()
        with runtime.db.read() as look:
            known = staff.check_password(look, me().name, request.form.get("old", ""))
        if known is None:
            return _shown(house, 400, wrong="account.wrong_password")
        with runtime.db.write() as tx:
            staff.set_code_secret(tx, runtime.now(), me().name, me(), None)
        return go("account", "account.code_off")


def _chat_code() -> Code | None:
    """The code that this browser was shown, while it is good."""
    kept = session.get(CHAT)
    return None if kept is None else Code(kept[0], kept[1], datetime.fromtimestamp(kept[2], UTC))


def _stay(tx: Connection, house: House, account: Account) -> None:
    """A new password ends every session; who changed it goes on in a new one."""
    key = staff_sessions.begin(tx, account.id, house().now())
    login_user(SignedIn(account, key))


def _shown(house: House, status: int = 200, wrong: str = "") -> Response:
    mine = me()
    picture, secret = Markup(""), ""
    if not mine.has_code and not mine.must_change:
        secret = session.setdefault(SECRET, pyotp.random_base32())
        issuer = house().content.clinic.name.to(mine.locale)
        address = pyotp.TOTP(secret, name=mine.name, issuer=issuer).provisioning_uri()
        picture = Markup(segno.make(address, error="m").svg_inline(scale=5, border=2))  # noqa: S704 - our own drawing
    assert current_user.is_authenticated
    with house().db.read() as look:
        chats = own_chat.of(look, mine)
    code = _chat_code()
    alive = code is not None and timedelta() <= house().now() - code.made_at < own_chat.LIFE
    return page(
        "account",
        status,
        wrong=wrong,
        picture=picture,
        secret=secret,
        minimum=staff.PASSWORD_MIN,
        chats=chats,
        chat_code=code.text if code is not None and alive else "",
        chat_until=code.made_at + own_chat.LIFE if code is not None else None,
    )
