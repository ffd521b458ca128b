"""The OpenAPI 3.1 document, made from the operations and the models that parse their requests and write their answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from pydantic.json_schema import models_json_schema

from bot.access import SCOPES
from bot.web.api.operation import JSON, AnyOperation
from bot.web.api.problem import MEANING, MIME, Kind, Problem, Shape

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Obj: TypeAlias = dict[str, Json]
Mode = Literal["validation", "serialization"]

ROOT = "/api/v1"
VERSION = "1"
REF = "#/components/schemas/"
ABOUT = (
    "What staff do on the console, for programs. Patients are numbers here: no names, addresses or telephone numbers, and "
    "nothing that anybody said. Tokens are made by an owner on the console's staff page, or by `flask token`. Lists come in "
    "pages: `next` of one leads to the following."
)


def document(operations: Sequence[AnyOperation]) -> str:
    """As it is served."""
    models: list[tuple[type[Shape], Mode]] = [(Problem, "serialization")]
    models += [(one.result, "serialization") for one in operations]
    models += [(one.body, "validation") for one in operations if one.takes_body]
    models += [(one.parameters, "validation") for one in operations]
    schemas, defined = models_json_schema(list(dict.fromkeys(models)), ref_template=REF + "{model}")
    names = {key: str(schema["$ref"]).removeprefix(REF) for key, schema in schemas.items()}
    components: dict[str, Obj] = defined["$defs"]
    for schema in components.values():
        _require_constants(schema)
    parameters = {one.parameters: components[names[one.parameters, "validation"]] for one in operations}
    paths: dict[str, Obj] = {}
    for one in operations:
        result, body = names[one.result, "serialization"], names.get((one.body, "validation"), "")
        written = _operation(one, parameters[one.parameters], result, body)
        paths.setdefault(one.path, {})[one.method.lower()] = written
    for shape in parameters:
        del components[names[shape, "validation"]]
    token = {
        "type": "http",
        "scheme": "bearer",
        "description": f"Scopes: {', '.join(SCOPES)}. The role of the token's owner must allow it, too.",
    }
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Self-care guide", "version": VERSION, "description": ABOUT},
        "servers": [{"url": ROOT}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"token": token}},
    }
    return json.dumps(whole, ensure_ascii=False)


def _operation(one: AnyOperation, parameters: Obj, result: str, body: str) -> Obj:
    answers: Obj = {str(one.status.value): {"description": one.status.phrase, "content": _content(JSON, result)}}
    for status, kinds in _by_status(one.kinds).items():
        told = " ".join(f"{kind}: {MEANING[kind][1]}" for kind in kinds)
        answers[str(status)] = {"description": told, "content": _content(MIME, Problem.__name__)}
    scope = f" Scope: `{one.action}`." if one.action is not None else " Any token will do."
    found: Obj = {
        "operationId": one.name,
        "summary": one.about,
        "description": one.about + scope,
        "responses": answers,
        "parameters": list(_parameters(one, parameters)),
    }
    return {**found, "requestBody": {"required": True, "content": _content(JSON, body)}} if one.takes_body else found


def _parameters(one: AnyOperation, schema: Obj) -> Iterator[Obj]:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    for name, found in properties.items():
        assert isinstance(found, dict)
        yield {
            "name": name,
            "in": "path" if one.in_path(name) else "query",
            "required": name in required,
            "schema": _sent(found),
        }


def _sent(schema: Obj) -> Obj:
    """In an address there is no null: what may be left out is left out."""
    shown = {key: value for key, value in schema.items() if key != "title" and (key, value) != ("default", None)}
    several = shown.pop("anyOf", None)
    if not isinstance(several, list):
        return shown
    rest = [one for one in several if one != {"type": "null"}]
    return {**shown, **rest[0]} if len(rest) == 1 and isinstance(rest[0], dict) else {**shown, "anyOf": rest}


def _by_status(kinds: Sequence[Kind]) -> Mapping[int, Sequence[Kind]]:
    found: dict[int, list[Kind]] = {}
    for kind in kinds:
        found.setdefault(MEANING[kind][0].value, []).append(kind)
    return found


def _content(mime: str, model: str) -> Obj:
    return {mime: {"schema": {"$ref": REF + model}}}


def _require_constants(schema: Obj) -> None:
    """The members of a union are told apart by a constant, `kind`: it must be there, though it has a default."""
    properties, required = schema.get("properties", {}), schema.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    constants = [name for name, one in properties.items() if isinstance(one, dict) and "const" in one]
    if constants:
        schema["required"] = [*required, *(name for name in constants if name not in required)]
