"""Answers against the document: whatever the tests of the API ask for, what comes back is what /openapi.json says."""

import json
from functools import cache
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from jsonschema_rs import Draft202012Validator

from api.app import ROUTES
from api.openapi.document import build_document

_INTERNAL = 500
"""A bug is documented for all endpoints at once, in the description."""


@cache
def document() -> dict[str, Any]:
    return build_document(ROUTES, "tests")


class Conformance:
    """``middleware`` looks at every answer; ``breaches`` says what was wrong with them."""

    def __init__(self) -> None:
        self.breaches: list[str] = []

    def watch(self, app: web.Application) -> None:
        """Look at every answer of an application that has not been started."""
        app.middlewares.insert(0, self._middleware())

    def _middleware(self) -> Any:
        @web.middleware
        async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            operation = _operation(request)
            if operation is not None:
                where = f"{request.method} {request.path_qs[:80]} {response.status}"
                self.breaches += [f"{where}: {breach}" for breach in breaches_of(operation, request, response)]
            return response

        return look


def _operation(request: web.Request) -> dict[str, Any] | None:
    resource = request.match_info.route.resource
    path = document()["paths"].get(resource.canonical, {}) if resource is not None else {}
    method = "get" if request.method == "HEAD" else request.method.lower()
    found: dict[str, Any] | None = path.get(method)
    return found if any(status.startswith("2") for status in (found or {}).get("responses", {})) else None


def breaches_of(operation: dict[str, Any], request: web.Request, response: web.StreamResponse) -> list[str]:
    if response.status == _INTERNAL:
        return []
    status = str(response.status)
    described = operation["responses"].get(status)
    if described is None:
        return ["the document has no such status"]
    content = described.get("content", {}).get(response.content_type)
    if content is None:
        return [f"the document has no {response.content_type}"]
    missing = [
        f"there is no {name}"
        for name, header in described.get("headers", {}).items()
        if header.get("required") and name not in response.headers
    ]
    body = response.body if isinstance(response, web.Response) else None
    if not isinstance(body, bytes) or request.method == "HEAD" or "json" not in response.content_type:
        return missing
    return missing + breaches(content.get("schema", {}), json.loads(body))


def breaches(schema: dict[str, Any], value: object) -> list[str]:
    """Where a value is not what a schema of the document says."""
    validator = Draft202012Validator({**schema, "components": document()["components"]})
    return [f"{list(error.instance_path)}: {error.message[:200]}" for error in validator.iter_errors(value)]
