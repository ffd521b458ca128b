"""/api/v1: a token first, then how often, then the operation."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import structlog
from flask import Blueprint, Response, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from bot import access, tokens
from bot.runtime import Runtime
from bot.tokens import Token
from bot.web.api import alerts, broadcasts, patients, problem
from bot.web.api.document import ROOT, document
from bot.web.api.operation import JSON, AnyOperation, Call, Nothing, Operation
from bot.web.api.problem import MEANING, Kind, Shape, Trouble

log = structlog.get_logger()

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
BODY_MAX = 256 * 1024
"""Bytes, as the console's forms."""

A_MINUTE = 300
"""Requests with one token: a screen that asks five times a second, and no flood."""


class ProblemPath(Shape):
    """One of them."""

    kind: Kind


class Meaning(Shape):
    """What a problem's `type` stands for."""

    kind: Kind
    status: int
    title: str


def _meaning(_: Call, asked: ProblemPath, __: Nothing) -> Meaning:
    status, title = MEANING[asked.kind]
    return Meaning(kind=asked.kind, status=status, title=title)


OPERATIONS: Sequence[AnyOperation] = (
    *alerts.OPERATIONS,
    *broadcasts.OPERATIONS,
    *patients.OPERATIONS,
    Operation(
        "read_problem",
        "GET",
        "/problems/{kind}",
        None,
        "What the `type` of a problem means.",
        ProblemPath,
        Nothing,
        Meaning,
        _meaning,
    ),
)


def blueprint(house: Callable[[], Runtime]) -> Blueprint:
    """All operations and the document that describes them. Every one of them wants a token."""
    api = Blueprint("api", __name__, url_prefix=ROOT)
    door = _Door(house)

    @api.get("/openapi.json", provide_automatic_options=False)
    def openapi() -> Response:
        token = door.enter()
        return token if isinstance(token, Response) else Response(_described(), content_type=JSON)

    for path in dict.fromkeys(one.path for one in OPERATIONS):
        by_method: dict[str, AnyOperation] = {one.method: one for one in OPERATIONS if one.path == path}
        name, rule = "-".join(one.name for one in by_method.values()), path.replace("{", "<").replace("}", ">")
        view = _view(house, door, by_method)
        api.add_url_rule(rule, name, view, methods=METHODS, provide_automatic_options=False)

    @api.route("/<path:rest>", methods=METHODS, provide_automatic_options=False)
    def nothing(rest: str) -> Response:
        token = door.enter()
        return token if isinstance(token, Response) else problem.response(Trouble(Kind.UNKNOWN))

    @api.after_request
    def harden(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    api.register_error_handler(Exception, _failed)
    return api


@cache
def _described() -> str:
    """Made when it is first asked for: a start does not wait for it."""
    return document(OPERATIONS)


class _Door:
    """Who comes in, and how often. Counted in this process: see bot/DESIGN.md."""

    def __init__(self, house: Callable[[], Runtime]) -> None:
        self._house = house
        self._limiter, self._often = FixedWindowRateLimiter(MemoryStorage()), RateLimitItemPerMinute(A_MINUTE)

    def enter(self) -> Token | Response:
        """The token that was shown, or why it opens nothing."""
        token = _token(self._house())
        if token is None:
            log.warning("api_without_token")
            return problem.response(Trouble(Kind.NO_TOKEN), {"WWW-Authenticate": "Bearer"})
        if not self._limiter.hit(self._often, str(token.id)):
            log.warning("api_throttled", token=token.id)
            return problem.response(Trouble(Kind.TOO_MANY), {"Retry-After": str(self._often.get_expiry())})
        return token


def _view(house: Callable[[], Runtime], door: _Door, by_method: Mapping[str, AnyOperation]) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        token = door.enter()
        if isinstance(token, Response):
            return token
        operation = by_method.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            return problem.response(Trouble(Kind.NO_METHOD), {"Allow": ", ".join(sorted(by_method))})
        answer = _answer(operation, Call(house(), token), path)
        log.info("api_answered", operation=operation.name, token=token.id, status=answer.status_code)
        return answer

    return view


def _failed(error: Exception) -> Response:
    """Logged without its words, as everywhere."""
    if isinstance(error, RequestEntityTooLarge):
        return problem.response(Trouble(Kind.TOO_LARGE))
    if isinstance(error, HTTPException) and (error.code or 500) < 500:  # what the web server could not read
        return problem.response(Trouble(Kind.INVALID))
    log.error("request_failed", error=error)
    return problem.response(Trouble(Kind.FAILED))


def _token(runtime: Runtime) -> Token | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return None
    now = runtime.now()
    with runtime.db.read() as look:
        token = tokens.shown(look, key.strip(), now)
    if token is not None and tokens.is_stale(token, now):
        with runtime.db.write() as tx:
            tokens.touch(tx, token, now)
    return token


def _answer(operation: AnyOperation, call: Call, path: Mapping[str, str]) -> Response:
    action = operation.action
    if action is not None and not access.may(call.token.owner.role, action):
        return problem.response(Trouble(Kind.NOT_ALLOWED))
    if action is not None and not call.token.may(action):
        return problem.response(Trouble(Kind.NO_SCOPE))
    request.max_content_length = BODY_MAX
    return operation.respond(call, path, request.args, request.mimetype, request.get_data())
