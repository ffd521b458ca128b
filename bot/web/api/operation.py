"""One operation: who may, what it takes, what it answers. What is read from a request and what is written to an answer goes
through its models, and nothing else does."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Generic, Literal, TypeVar

from flask import Response
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.datastructures import MultiDict

from bot.access import Action
from bot.broadcasts.desk import Actor
from bot.runtime import Runtime
from bot.tokens import Token
from bot.web.api import problem
from bot.web.api.problem import Fault, Kind, Shape, Trouble

JSON = "application/json"
DIGITS = re.compile(r"-?[0-9]{1,25}", re.ASCII)

P = TypeVar("P", bound=Shape)
B = TypeVar("B", bound=Shape)
R = TypeVar("R", bound=Shape)


def _whole(value: object) -> object:
    """A whole number as an address writes it; pydantic would take "1.0" and " 1" as well."""
    return int(value) if isinstance(value, str) and DIGITS.fullmatch(value) else repr(value)


Id = Annotated[int, Field(ge=1, lt=2**63), BeforeValidator(_whole)]
"""What the database counts with."""

PageSize = Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)]
NEWEST = 2**63 - 1
"""Before this id is everything."""


class Nothing(Shape):
    """No parameters, or no body."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that may be answered."""

    runtime: Runtime
    token: Token

    @property
    def actor(self) -> Actor:
        """Who does it, for the audit and for the rules of broadcasts."""
        return Actor(self.token.owner.name, self.token.owner.role, self.token.id)


@dataclass(frozen=True, slots=True)
class Operation(Generic[P, B, R]):
    """`path` has the names of those parameters in braces that stand in it; the others stand behind the question mark.
    `action` None: every token may. `refuses`: what `answer` may say besides its result."""

    name: str
    method: Literal["GET", "POST", "PUT"]
    path: str
    action: Action | None
    about: str
    parameters: type[P]
    body: type[B]
    result: type[R]
    answer: Callable[[Call, P, B], R | Trouble]
    status: HTTPStatus = HTTPStatus.OK
    refuses: tuple[Kind, ...] = ()

    @property
    def kinds(self) -> Sequence[Kind]:
        """Every problem that it can answer with."""
        scope = (Kind.NO_SCOPE, Kind.NOT_ALLOWED) if self.action is not None else ()
        parsed = (Kind.INVALID,) if self.parameters is not Nothing or self.takes_body else ()
        read = (Kind.NOT_JSON, Kind.TOO_LARGE) if self.takes_body else ()
        return (Kind.NO_TOKEN, *scope, *self.refuses, *read, *parsed, Kind.TOO_MANY, Kind.FAILED)

    @property
    def takes_body(self) -> bool:
        """Whether anything is sent along."""
        return self.body is not Nothing

    def in_path(self, parameter: str) -> bool:
        """Whether that one stands in the path."""
        return f"{{{parameter}}}" in self.path

    def respond(
        self, call: Call, path: Mapping[str, str], query: MultiDict[str, str], content_type: str, sent: bytes
    ) -> Response:
        """Parses, does it, and writes what came of it."""
        try:
            parameters = self.parameters.model_validate({**_single(query), **path})
            if self.takes_body and content_type != JSON:
                return problem.response(Trouble(Kind.NOT_JSON))
            body = self.body.model_validate_json(sent if self.takes_body else b"{}", strict=True)
        except ValidationError as error:
            return problem.response(
                Trouble(Kind.INVALID, _faults(error.errors(include_url=False, include_input=False)))
            )
        found = self.answer(call, parameters, body)
        if isinstance(found, Trouble):
            if found.kind not in self.refuses:
                raise AssertionError(f"{self.name} answers {found.kind}, which its document does not say")
            return problem.response(found)
        return Response(found.model_dump_json(), self.status, content_type=JSON)


AnyOperation = Operation[Any, Any, Any]


def _single(query: MultiDict[str, str]) -> Mapping[str, object]:
    """A parameter that stands there twice is a list, which none of them is."""
    return {name: values[0] if len(values) == 1 else values for name, values in query.lists()}


def _faults(errors: Sequence[ErrorDetails]) -> Sequence[Fault]:
    return [Fault(where=".".join(map(str, one["loc"])), what=one["type"]) for one in errors]
