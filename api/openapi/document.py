"""The document itself: https://spec.openapis.org/oas/v3.1.1.html.

It is made of the routes that are served and of the models that validate, so what it says of requests is what is
checked; what it says of answers is checked by the tests.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from api.openapi.operations import address, operation, tag
from api.openapi.schemas import Schemas
from api.routes import Route

_ABOUT = """Mailroom keeps the Exchange mailboxes of many people in step with an analytic store.

Times are ISO 8601 in UTC. A list answers `{"items": [...], "next": cursor or null}`; pass `next` as `cursor`, with the
same filters, for the page after. A parameter that is unknown, empty or given twice is refused.

Every error has one shape, `{"error": {"code", "message", "hint"}}`; a bug (500) has it too. Every GET answers HEAD."""

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of `mailroom tokens create`, or the value of MAILROOM_ADMIN_TOKEN where the gateway runs.",
}


def build_document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The document of these routes, as plain data."""
    schemas = Schemas(routes)
    paths: dict[str, Any] = {}
    for route in sorted(routes, key=lambda one: one.path):
        paths.setdefault(address(route), {})[route.method.lower()] = operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mailroom", "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in _in_order(tag(route) for route in routes)],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": {"bearer": _BEARER}},
    }


class Document:
    """The document of an application: made when it is first asked for, and once."""

    def __init__(self, routes: Sequence[Route], version: str) -> None:
        self._routes, self._version = routes, version

    @cached_property
    def data(self) -> dict[str, Any]:
        """As plain data."""
        return build_document(self._routes, self._version)

    @cached_property
    def text(self) -> str:
        """As JSON."""
        return json.dumps(self.data, ensure_ascii=False, indent=1)


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
