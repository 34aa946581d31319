"""Operators over HTTP: list, create, show, change. There is no way to delete one; who is disabled keeps the mail."""

from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote

from aiohttp import web

from api.auditing import audit
from api.bodies import parse_body
from api.keys import MAILROOM
from api.openapi.lists import Text, page_answer, page_parameters
from api.parameters import read_parameters
from api.problems import Refusal
from api.resources.lists import Filter, answer_page
from api.routes import Answer, Body, Parameter, Route
from api.rows import dump_json
from api.schemas.operators import OperatorPatch, OperatorPost, OperatorShown
from engine.access.audit import Action, changes
from engine.access.roles import Permission
from engine.errors import OperatorsChanged, UnknownOperator
from engine.listing import Listing, View
from engine.model import MailboxStatus, Operator, OperatorId
from engine.operators import OperatorChange
from engine.ports import Mailroom

_NEW = 'Send JSON such as {"email": "ann@example.com", "operator_id": "ann", "name": "Ann", "email_sync": true}.'
_CHANGE = 'Send JSON with what is to change, of {"email": "ann@example.com", "name": "Ann", "email_sync": true}.'
_FILTERS = {
    "email_sync": Filter("email_sync", ("true", "false")),
    "status": Filter("status", tuple(MailboxStatus)),
    "code": Filter("error_code"),
}
SEARCH = "q"
_PATIENCE = 5
"""Attempts at a change while others change the same operator."""


async def show_all(request: web.Request) -> web.Response:
    """``GET /api/v1/operators``, by id; ``q`` are words of id, address or name."""
    return await answer_page(request, View.OPERATORS, _FILTERS, search=SEARCH)


async def show(request: web.Request) -> web.Response:
    """``GET /api/v1/operators/{id}``."""
    read_parameters(request, ())
    return web.json_response(await _row(request.app[MAILROOM], _id(request)), dumps=dump_json)


async def create(request: web.Request) -> web.Response:
    """``POST /api/v1/operators``: 201; 409 where the id or the address is another's."""
    read_parameters(request, ())
    body = parse_body(OperatorPost, await request.read(), _NEW)
    operator = Operator(OperatorId(body.operator_id or body.email), body.email, body.name, body.email_sync)
    mailroom = request.app[MAILROOM]
    await mailroom.change_operators([OperatorChange(None, operator)])
    audit(request, Action.OPERATORS_CHANGE, operator.operator_id, after=asdict(operator))
    headers = {"Location": f"/api/v1/operators/{quote(operator.operator_id, safe='')}"}
    row = await _row(mailroom, operator.operator_id)
    return web.json_response(row, status=201, headers=headers, dumps=dump_json)


async def change(request: web.Request) -> web.Response:
    """``PATCH /api/v1/operators/{id}``.

    ``"email_sync": true`` also brings a mailbox back that has failed, though it be enabled already.
    """
    read_parameters(request, ())
    patch = parse_body(OperatorPatch, await request.read(), _CHANGE)
    if not patch.model_fields_set:
        raise Refusal(400, "BAD_REQUEST", "body: it changes nothing.", _CHANGE)
    mailroom, operator_id = request.app[MAILROOM], _id(request)
    was, now = await _change(mailroom, operator_id, patch)
    before, after = changes(asdict(was), asdict(now))
    audit(request, Action.OPERATORS_CHANGE, operator_id, before, after)
    return web.json_response(await _row(mailroom, operator_id), dumps=dump_json)


async def _change(mailroom: Mailroom, operator_id: OperatorId, patch: OperatorPatch) -> tuple[Operator, Operator]:
    """Change it as it is at that moment; the operator before and after."""
    given = patch.model_dump(exclude_unset=True)
    for attempt in range(_PATIENCE):
        row = await _row(mailroom, operator_id)
        before = Operator(operator_id, row["email"], row["name"], row["email_sync"])
        after = replace(before, **given)
        try:
            await mailroom.change_operators([OperatorChange(before, after, again=patch.email_sync is True)])
        except OperatorsChanged:
            if attempt == _PATIENCE - 1:
                raise
        else:
            break
    return before, after


async def _row(mailroom: Mailroom, operator_id: OperatorId) -> dict[str, Any]:
    page = await mailroom.page(Listing(View.OPERATORS, {"operator_id": operator_id}, limit=1))
    if not page.items:
        raise UnknownOperator(f"There is no operator {operator_id[:100]!r}.")
    return page.items[0]


def _id(request: web.Request) -> OperatorId:
    return OperatorId(request.match_info["id"])


_ID = Parameter("id", "The operator's id, percent-encoded.", example="ann")

ROUTES = (
    Route(
        "GET",
        "/api/v1/operators",
        show_all,
        Permission.OPERATORS_READ,
        summary="Operators, and how each mailbox stands",
        parameters=(
            Parameter(SEARCH, "Words that each stand in id, address or name, in any case, accents aside.", Text),
            *page_parameters(_FILTERS),
        ),
        answers=page_answer(OperatorShown),
    ),
    Route(
        "POST",
        "/api/v1/operators",
        create,
        Permission.OPERATORS_WRITE,
        summary="Create an operator",
        body=Body(OperatorPost, example={"email": "ann@example.com", "operator_id": "ann", "name": "Ann"}),
        answers={201: Answer("The operator.", OperatorShown, headers={"Location": "Where it is shown."})},
        refuses={409: "Another operator has the id or the address."},
    ),
    Route(
        "GET",
        "/api/v1/operators/{id}",
        show,
        Permission.OPERATORS_READ,
        summary="One operator",
        parameters=(_ID,),
        answers={200: Answer("The operator.", OperatorShown)},
        refuses={400: "It takes no parameters."},
    ),
    Route(
        "PATCH",
        "/api/v1/operators/{id}",
        change,
        Permission.OPERATORS_WRITE,
        summary="Change an operator, enable it or disable it",
        parameters=(_ID,),
        body=Body(OperatorPatch, example={"email_sync": True}),
        answers={200: Answer("The operator as it is now.", OperatorShown)},
        refuses={409: "Another operator has the address, or somebody else changes the operator all the time."},
    ),
)
