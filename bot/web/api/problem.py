"""Why nothing was done, as RFC 9457 writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType

from flask import Response
from pydantic import BaseModel, ConfigDict

MIME = "application/problem+json"
TYPES = "/api/v1/problems/"


class Shape(BaseModel):
    """Everything that comes in and goes out: nothing but what is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    """Every reason there is; those of broadcasts have the names of bot.broadcasts.desk.Refusal."""

    NO_TOKEN = "no_token"  # noqa: S105 - a name
    NO_SCOPE = "no_scope"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"
    NO_METHOD = "no_method"
    DONE_BEFORE = "done_before"
    NOT_NOW = "not_now"
    FAULTY = "faulty"
    WRONG_NUMBER = "wrong_number"
    NOBODY = "nobody"
    NOT_APPROVED = "not_approved"
    PAST = "past"
    TOO_FAR = "too_far"
    AT_NIGHT = "at_night"
    NO_QUOTA = "no_quota"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    INVALID = "invalid"
    TOO_MANY = "too_many"
    FAILED = "failed"
    QUOTA_UNREADABLE = "quota_unreadable"


MEANING: Mapping[Kind, tuple[HTTPStatus, str]] = MappingProxyType(
    {
        Kind.NO_TOKEN: (HTTPStatus.UNAUTHORIZED, "A bearer token is missing, or it does not work (any more)."),
        Kind.NO_SCOPE: (HTTPStatus.FORBIDDEN, "The token does not have the scope that this operation needs."),
        Kind.NOT_ALLOWED: (HTTPStatus.FORBIDDEN, "The role of the token's owner does not allow this operation."),
        Kind.UNKNOWN: (HTTPStatus.NOT_FOUND, "There is nothing at this address."),
        Kind.NO_METHOD: (HTTPStatus.METHOD_NOT_ALLOWED, "This address does not take this method."),
        Kind.DONE_BEFORE: (HTTPStatus.CONFLICT, "That was done before, or the alert is resolved."),
        Kind.NOT_NOW: (HTTPStatus.CONFLICT, "The broadcast is not in a state in which that can be done."),
        Kind.FAULTY: (
            HTTPStatus.CONFLICT,
            "The message has flaws that keep it from being sent; reading the draft names them.",
        ),
        Kind.WRONG_NUMBER: (HTTPStatus.CONFLICT, "The number given is not the number of recipients at this moment."),
        Kind.NOBODY: (HTTPStatus.CONFLICT, "Nobody would get it."),
        Kind.NOT_APPROVED: (HTTPStatus.CONFLICT, "A second person has to approve it on the console first."),
        Kind.PAST: (HTTPStatus.CONFLICT, "That time has passed."),
        Kind.TOO_FAR: (HTTPStatus.CONFLICT, "That time lies more than a year ahead."),
        Kind.AT_NIGHT: (HTTPStatus.CONFLICT, "That time lies in the quiet hours of the clinic."),
        Kind.NO_QUOTA: (HTTPStatus.CONFLICT, "What is left of LINE's monthly messages does not carry it."),
        Kind.TOO_LARGE: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large."),
        Kind.NOT_JSON: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be sent as application/json."),
        Kind.INVALID: (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "The request is not as the OpenAPI document says; `errors` tells where.",
        ),
        Kind.TOO_MANY: (
            HTTPStatus.TOO_MANY_REQUESTS,
            "Too many requests with this token; `Retry-After` says when to go on.",
        ),
        Kind.FAILED: (HTTPStatus.INTERNAL_SERVER_ERROR, "The program failed; what happened is in its log."),
        Kind.QUOTA_UNREADABLE: (
            HTTPStatus.SERVICE_UNAVAILABLE,
            "LINE does not tell how many messages are left; try again later.",
        ),
    }
)
"""Status and title of each."""


class Fault(Shape):
    """One thing that is wrong with a request: `where` in it, as a path with dots, and `what`."""

    where: str
    what: str


class Problem(Shape):
    """Problem details (RFC 9457). `type` leads to the meaning. `errors` is filled for `invalid` only."""

    type: str
    title: str
    status: int
    errors: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """An operation's answer when nothing was done."""

    kind: Kind
    faults: Sequence[Fault] = ()


def response(trouble: Trouble, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """As it is sent."""
    status, title = MEANING[trouble.kind]
    problem = Problem(type=TYPES + trouble.kind, title=title, status=status, errors=tuple(trouble.faults))
    return Response(problem.model_dump_json(), status, headers, content_type=MIME)
