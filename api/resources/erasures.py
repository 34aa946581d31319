"""Erasures over HTTP: erase a person's mail, look at receipts, and take an address off the list again."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from aiohttp import web

from api.auditing import audit
from api.bodies import parse_body
from api.keys import MAILROOM, PRINCIPAL
from api.openapi.lists import page_answer, page_parameters
from api.parameters import read_parameters
from api.problems import VALUE_INVALID, Refusal
from api.resources.lists import Filter, answer_page
from api.routes import Answer, Body, Parameter, Route
from api.rows import dump_json
from api.schemas.erasures import ErasureDone, ErasurePost, ErasureShown, LiftPost
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.errors import UnknownErasure
from engine.listing import Listing, View
from engine.privacy.addresses import is_address
from engine.privacy.erasure import ErasureRequest, LiftRequest, Receipt

_EXAMPLE = 'Send JSON: {"address": "ann@example.com", "dry_run": true}; without dry_run it is done.'
_LIFT_EXAMPLE = 'Send JSON: {"relist": true} to have the mail come back, or {}.'
_FILTERS = {"hash": Filter("address_hash"), "by": Filter("by")}


async def erase(request: web.Request) -> web.Response:
    """``POST /api/v1/erasures``: 201 and the receipt; 200 and what it would be, for a dry run.

    Every email from or to the address goes from every mailbox, also from those deleted at Exchange, and is kept out
    from then on. The answer comes when the file has been written anew, unless ``later`` was asked for: that takes half
    a minute for each gigabyte, more or less, in which nothing else is read or written.
    """
    body = parse_body(ErasurePost, await request.read(), _EXAMPLE)
    if not is_address(body.address):
        raise Refusal(400, VALUE_INVALID, "address: it is not one such as ann@example.com.", _EXAMPLE)
    who = request[PRINCIPAL].name
    wanted = ErasureRequest(uuid4().hex, body.address, who, body.dry_run, body.including_operator, body.later)
    receipt = await request.app[MAILROOM].erase(wanted)
    if not body.dry_run:
        audit(request, Action.ERASE_RUN, receipt.erasure_id, after=_figures(receipt))
    return web.json_response(receipt_of(receipt), status=200 if body.dry_run else 201, dumps=dump_json)


async def show_all(request: web.Request) -> web.Response:
    """``GET /api/v1/erasures``, newest first."""
    return await answer_page(request, View.ERASURES, _FILTERS, shown=row_of)


async def show(request: web.Request) -> web.Response:
    """``GET /api/v1/erasures/{id}``."""
    read_parameters(request, ())
    erasure_id = request.match_info["id"]
    page = await request.app[MAILROOM].page(Listing(View.ERASURES, {"erasure_id": erasure_id}, limit=1))
    if not page.items:
        raise UnknownErasure(f"There is no erasure {erasure_id[:100]!r}.")
    return web.json_response(row_of(page.items[0]), dumps=dump_json)


async def lift(request: web.Request) -> web.Response:
    """``POST /api/v1/erasures/{id}/lift``: the receipt.

    Mail of the address may land from then on. What Exchange has told of already does not come back by itself: with
    ``relist`` every folder of every mailbox is listed anew, and what is missing is fetched.
    """
    body = parse_body(LiftPost, await request.read() or b"{}", _LIFT_EXAMPLE)
    wanted = LiftRequest(request.match_info["id"], request[PRINCIPAL].name, body.relist)
    receipt = await request.app[MAILROOM].lift_erasure(wanted)
    audit(request, Action.ERASE_RUN, receipt.erasure_id, after={"lifted": True, "relist": body.relist})
    return web.json_response(receipt_of(receipt), dumps=dump_json)


def receipt_of(receipt: Receipt) -> dict[str, Any]:
    """A receipt as it is answered."""
    return {**asdict(receipt), "emails": receipt.emails}


def row_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored receipt as it is answered."""
    return {**row, "emails": sum(one["emails"] + one["deleted_emails"] for one in row["mailboxes"])}


def _figures(receipt: Receipt) -> dict[str, object]:
    return {
        "address_hash": receipt.address_hash,
        "emails": receipt.emails,
        "mailboxes": len(receipt.mailboxes),
        "operators": list(receipt.operators),
        "rewritten": receipt.rewritten_at is not None,
    }


_ID = (Parameter("id", "Its `erasure_id`."),)

ROUTES = (
    Route(
        "GET",
        "/api/v1/erasures",
        show_all,
        Permission.ERASE_RUN,
        summary="The receipts of erasures, the newest first",
        parameters=page_parameters(_FILTERS),
        answers=page_answer(ErasureShown),
    ),
    Route(
        "POST",
        "/api/v1/erasures",
        erase,
        Permission.ERASE_RUN,
        summary="Erase one person's mail, and keep it out",
        body=Body(ErasurePost, example={"address": "ann@example.com", "dry_run": True}),
        answers={
            200: Answer("A dry run: what the receipt would be.", ErasureDone),
            201: Answer("It is done: the receipt.", ErasureDone),
        },
        refuses={409: "The address is an operator's own, and `including_operator` was not asked for."},
    ),
    Route(
        "GET",
        "/api/v1/erasures/{id}",
        show,
        Permission.ERASE_RUN,
        summary="The receipt of one erasure",
        parameters=_ID,
        answers={200: Answer("The receipt.", ErasureShown)},
    ),
    Route(
        "POST",
        "/api/v1/erasures/{id}/lift",
        lift,
        Permission.ERASE_RUN,
        summary="Keep the mail of an erasure's address out no longer",
        parameters=_ID,
        body=Body(LiftPost, example={"relist": True}, required=False),
        answers={200: Answer("The receipt.", ErasureDone)},
        refuses={409: "It has been lifted already."},
    ),
)
