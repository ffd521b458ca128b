"""What stands before every page of the console: a living session, leave to do it, a form that is ours, few guesses."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Request, Response, abort, current_app, redirect, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_limiter import Limiter
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from bot import staff_sessions
from bot.config import Settings
from bot.web.console.visit import House, SignedIn, allowed, me, page, requirement
from bot.web.tries import Tries

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""data: for Bootstrap's own small icons."""

FORM_MAX = 256 * 1024
"""Bytes: the longest text anybody may write is 5,000 characters, five times over."""

STATIC_LIFE = timedelta(hours=1)

COOKIE_PATH = "/console"

LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost", ""))
"""Empty: a socket of this machine, without an address."""

GUESSES_ADDRESS = "30 per 15 minutes"
GUESSES_ACCOUNT = "10 per 15 minutes"
"""Failed sign-ins (OWASP Application Security Verification Standard 4.0.3, 2.2.1: at most 100 an hour an account)."""

UNCHANGED = frozenset(("console.account", "console.change_password", "console.sign_out", "console.language"))
"""All that is open while a password given by somebody else stands."""


class _Cookies(SecureCookieSessionInterface):
    """Secure, unless the address is plain http by the operator's choice or on this machine. The console's alone: a webhook
    would pay for reading and writing a session with a tenth of its time."""

    def __init__(self, settings: Settings) -> None:
        self._public = settings.public_url

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if not request.path.startswith(COOKIE_PATH):
            return SecureCookieSession()
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        if self._public:
            return not self._public.startswith("http://")
        return request.scheme == "https" or request.host.rpartition(":")[0].strip("[]") not in LOOPBACK


def install(web: Flask, console: Blueprint, house: House, settings: Settings) -> Limiter:
    """Sign-in, forms and cookies of the web application. The limiter is for the sign-in's views."""
    web.config.update(
        SESSION_COOKIE_NAME="console",
        SESSION_COOKIE_PATH=COOKIE_PATH,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_CHECK_DEFAULT=False,  # asked for here, for every form of the console; webhooks are signed instead
        RATELIMIT_HEADERS_ENABLED=False,
    )
    web.session_interface = _Cookies(settings)
    forms = CSRFProtect(web)
    logins = LoginManager(web)
    logins.session_protection = None  # the session is a row of ours; addresses change on a phone

    @logins.user_loader  # type: ignore[untyped-decorator]
    def signed_in(key: str) -> SignedIn | None:
        runtime = house()
        with runtime.db.read() as look:
            account = staff_sessions.owner(look, key, runtime.now())
        return None if account is None else SignedIn(account, key)

    @console.before_request
    def check() -> BaseResponse | None:
        request.max_content_length = FORM_MAX
        if not web.secret_key:
            return Response("SECRET_KEY is not set, so nobody can sign in.\n", 503, mimetype="text/plain")
        if request.endpoint == "console.static":
            return None
        forms.protect()
        return _may_enter(house)

    @console.after_request
    def harden(response: Response) -> Response:
        return _harden(response)

    @console.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        code = error.code or 500
        known = code if code in (400, 403, 404, 409, 413, 429) else 500
        return page("refused", code, code=known)

    counted: dict[str, Any] = {"house": house}
    limiter = Limiter(caller, app=web, storage_uri=f"{Tries.STORAGE_SCHEME[0]}://", storage_options=counted)
    everywhere = web.before_request_funcs[None]
    for look in [it for it in everywhere if getattr(it, "__self__", None) is limiter]:
        everywhere.remove(look)  # a webhook would pay for the sign-in's limits
        console.before_request(look)
    return limiter


def refuse_unmarked(web: Flask) -> None:
    """Every page of the console says who may open it, or nothing starts. Raises AttributeError."""
    for endpoint, view in web.view_functions.items():
        if endpoint.startswith("console.") and endpoint != "console.static":
            requirement(view)


def _may_enter(house: House) -> BaseResponse | None:
    """None to go on."""
    view = current_app.view_functions[request.endpoint or ""]
    action = requirement(view)
    if action is None:
        return None
    if not current_user.is_authenticated:
        if request.method != "GET" or request.headers.get("X-Part"):
            abort(403)
        return redirect(url_for("console.sign_in", next=_here(request)), 303)
    if me().must_change and request.endpoint not in UNCHANGED:
        return redirect(url_for("console.account"), 303)
    if not allowed(action):
        abort(403)
    if not getattr(view, "unattended", False):
        _touch(house)
    return None


def _touch(house: House) -> None:
    runtime, key = house(), current_user.get_id()
    with runtime.db.read() as look:
        stale = staff_sessions.is_stale(look, key, runtime.now())
    if stale:
        with runtime.db.write() as tx:
            staff_sessions.touch(tx, key, runtime.now())


def _here(asked: Request) -> str:
    return asked.full_path.rstrip("?") if asked.query_string else asked.path


def way_back(asked: str) -> str:
    """Where to go after the sign-in: a page of the console, whatever the address says."""
    inside = asked.startswith("/console/") and not any(bad in asked for bad in ("\\", "\r", "\n", "//"))
    return asked if inside else url_for("console.today")


def caller() -> str:
    """The caller's address: what a proxy on this machine says, else who connected."""
    connected = request.remote_addr or ""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return (forwarded if connected in LOOPBACK else connected) or "here"


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    if request.endpoint == "console.static":
        response.cache_control.max_age = int(STATIC_LIFE.total_seconds())
    else:
        response.headers["Cache-Control"] = "no-store"
    return response
