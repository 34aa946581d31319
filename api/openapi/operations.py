"""A route as an Operation Object of OpenAPI."""

import inspect
import re
from typing import Any

from aiohttp.typedefs import Handler

from api.openapi.schemas import Schemas, path_parameters
from api.openapi.statuses import error_response, errors_of
from api.routes import JSON, Access, Answer, Body, Parameter, Route
from api.schemas.shared import Error
from engine.access.roles import PERMISSIONS, Permission, Role
from engine.callback import LISTENER_PATH

_PREFIX = "/api/v1/"
_MARK = re.compile(r"^``[A-Z]+(?: [^`]*)?``(?: [^:.,]*)?[:.,]\s*")
_TAGS = (
    ("/healthz", "status"),
    ("/readyz", "status"),
    ("/metrics", "status"),
    ("/openapi.json", "document"),
    ("/docs", "document"),
    (LISTENER_PATH, "notifications"),
)
_BYTES: dict[str, Any] = {}
"""The schema of what is not JSON: in OpenAPI 3.1, bytes have none."""


def operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    """The Operation Object."""
    made: dict[str, Any] = {
        "operationId": operation_id(route),
        "tags": [tag(route)],
        "summary": route.summary,
        "description": "\n\n".join(part for part in (_described(route.handler), _taken(route)) if part),
        "security": [] if route.access is Access.PUBLIC else [{"bearer": []}],
        "parameters": [*_path(route, schemas), *_query(route, schemas)],
        "responses": _responses(route, schemas),
    }
    if isinstance(route.access, Permission):
        made["x-permission"] = route.access.value
        made["x-roles"] = [role.value for role in holders(route.access)]
    if route.body is not None:
        made["requestBody"] = _body(route.body, schemas)
    return made


def operation_id(route: Route) -> str:
    """A name for generated clients. It follows from method and path, so it changes only when the address does."""
    words = re.sub(r"\{(\w+)\}", r"by_\1", address(route).removeprefix(_PREFIX))
    return re.sub(r"\W+", "_", f"{route.method.lower()} {words}").strip("_")


def tag(route: Route) -> str:
    """The resource an endpoint belongs to: the first word of its path below /api/v1."""
    found = next((name for start, name in _TAGS if route.path.startswith(start)), None)
    return found or route.path.removeprefix(_PREFIX).strip("/").partition("/")[0]


def address(route: Route) -> str:
    """The path as OpenAPI writes it: names of parameters, without what aiohttp matches them by."""
    return re.sub(r"\{(\w+):[^/]*\}", r"{\1}", route.path)


def holders(permission: Permission) -> list[Role]:
    """The roles that have a permission."""
    return [role for role in Role if permission in PERMISSIONS[role]]


def _described(handler: Handler) -> str:
    """The first paragraphs of the handler's docstring, without the address it may begin with."""
    text = inspect.cleandoc(getattr(handler, "__doc__", None) or "")
    text = re.split(r"\n\s*\n(?:Raises|Args|Returns):", text)[0]
    text = _MARK.sub("", text).replace("``", "`")
    return text[:1].upper() + text[1:]


def _taken(route: Route) -> str:
    if route.access is Access.PUBLIC:
        return "Takes no token."
    if route.access is Access.ANYONE:
        return "Takes a token of any role."
    return f"Takes `{route.access}`: {', '.join(holders(route.access))}."


def _path(route: Route, schemas: Schemas) -> list[dict[str, Any]]:
    return [_parameter(one, "path", schemas) for one in path_parameters(route)]


def _query(route: Route, schemas: Schemas) -> list[dict[str, Any]]:
    in_path = {one.name for one in path_parameters(route)}
    return [_parameter(one, "query", schemas) for one in route.parameters if one.name not in in_path]


def _parameter(parameter: Parameter, place: str, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": parameter.name,
        "in": place,
        "required": parameter.required or place == "path",
        "description": parameter.meaning,
        "schema": schemas.of(parameter.kind, "validation"),
    }
    return made if parameter.example is None else {**made, "example": parameter.example}


def _body(body: Body, schemas: Schemas) -> dict[str, Any]:
    schema = _BYTES if body.model is None else schemas.of(body.model, "validation")
    described = _content(schema, body.example)
    content = {media: described if body.model is None or media == JSON else {} for media in body.media}
    return {"description": body.meaning, "required": body.required, "content": content}


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    error = schemas.of(Error, "serialization")
    answers = {str(status): _answer(answer, schemas) for status, answer in route.answers.items()}
    errors = {str(status): error_response(status, meaning, error) for status, meaning in errors_of(route).items()}
    return {**answers, **errors}


def _answer(answer: Answer, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {"description": answer.meaning}
    if answer.media:
        made["content"] = {
            media: _content(_of_media(media, answer, schemas), answer.example if media == JSON else None)
            for media in answer.media
        }
    if answer.headers:
        made["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in answer.headers.items()
        }
    return made


def _of_media(media: str, answer: Answer, schemas: Schemas) -> dict[str, Any]:
    if media == JSON and answer.model is not None:
        return schemas.of(answer.model, "serialization")
    return _BYTES


def _content(schema: dict[str, Any], example: object) -> dict[str, Any]:
    made: dict[str, Any] = {"schema": schema} if schema else {}
    return made if example is None else {**made, "example": example}
