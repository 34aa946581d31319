"""The audit trail over HTTP, newest first."""

import json
from typing import Any

from aiohttp import web

from api.openapi.lists import page_answer, page_parameters
from api.resources.lists import Filter, answer_page
from api.routes import Route
from api.schemas.audit import AuditRow
from engine.access.audit import Action, AuditOutcome
from engine.access.roles import Permission
from engine.listing import View

_FILTERS = {
    "action": Filter("action", tuple(Action)),
    "principal": Filter("principal"),
    "token": Filter("token_id"),
    "outcome": Filter("outcome", tuple(AuditOutcome)),
    "target": Filter("target"),
    "address": Filter("address"),
}


async def show(request: web.Request) -> web.Response:
    """``GET /api/v1/audit``."""
    return await answer_page(request, View.AUDIT, _FILTERS, shown=entry_of)


def entry_of(row: dict[str, Any]) -> dict[str, Any]:
    """An entry as it is answered: both sides as objects."""
    return {**row, "before": json.loads(row["before"]), "after": json.loads(row["after"])}


ROUTES = (
    Route(
        "GET",
        "/api/v1/audit",
        show,
        Permission.AUDIT_READ,
        summary="The audit trail, newest first",
        parameters=page_parameters(_FILTERS),
        answers=page_answer(AuditRow),
    ),
)
