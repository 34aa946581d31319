"""Checks of operators against Exchange, over HTTP."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from aiohttp import web

from api.auditing import audit
from api.bodies import parse_body
from api.keys import MAILROOM
from api.parameters import read_parameters
from api.routes import Answer, Body, Route
from api.rows import dump_json
from api.schemas.checks import MOST, CheckPost, ChecksShown
from api.watching import while_connected
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.checks.model import CheckReport
from engine.errors import UnknownOperator
from engine.listing import Listing, View
from engine.model import MailboxStatus, Operator, OperatorId
from engine.ports import Mailroom

_EXAMPLE = 'Send JSON such as {"operators": ["ann", "bob"], "round_trip": true}; {} checks those that fail.'


async def check(request: web.Request) -> web.Response:
    """``POST /api/v1/operators/check``: every step of each operator's check, side by side.

    With ``round_trip`` an answer takes as long as Exchange takes to call back, 75 seconds at most. It ends when the
    client goes. Operators whose email sync is off are checked as well.
    """
    read_parameters(request, ())
    body = parse_body(CheckPost, await request.read() or b"{}", _EXAMPLE)
    mailroom = request.app[MAILROOM]
    if body.operators is None:
        operators, more = await _failing(mailroom)
    else:
        operators, more = await _named(mailroom, list(dict.fromkeys(body.operators))), False
    reports = await while_connected(request, _check(mailroom, operators, round_trip=body.round_trip))
    verdicts = Counter(report.verdict.value for report in reports)
    target = operators[0].operator_id if len(operators) == 1 else ""
    audit(request, Action.OPERATORS_CHECK, target, after={"operators": len(operators), **verdicts})
    return web.json_response({"items": [asdict(one) for one in reports], "more": more}, dumps=dump_json)


async def _check(mailroom: Mailroom, operators: Sequence[Operator], *, round_trip: bool) -> list[CheckReport]:
    asked = [asyncio.ensure_future(mailroom.check(one, round_trip=round_trip)) for one in operators]
    try:
        return await asyncio.gather(*asked)
    finally:
        for one in asked:
            one.cancel()


async def _failing(mailroom: Mailroom) -> tuple[list[Operator], bool]:
    found, more = list[Operator](), False
    for status in (MailboxStatus.FAILED, MailboxStatus.FAILING):
        page = await mailroom.page(Listing(View.OPERATORS, {"status": status}, limit=MOST))
        found += [_operator(row) for row in page.items]
        more = more or page.after is not None
    return found[:MOST], more or len(found) > MOST


async def _named(mailroom: Mailroom, operator_ids: Sequence[str]) -> list[Operator]:
    found = []
    for operator_id in operator_ids:
        page = await mailroom.page(Listing(View.OPERATORS, {"operator_id": operator_id}, limit=1))
        if not page.items:
            raise UnknownOperator(f"There is no operator {operator_id[:100]!r}.")
        found.append(_operator(page.items[0]))
    return found


def _operator(row: dict[str, object]) -> Operator:
    return Operator(
        OperatorId(str(row["operator_id"])), str(row["email"]), str(row["name"]), email_sync=bool(row["email_sync"])
    )


ROUTES = (
    Route(
        "POST",
        "/api/v1/operators/check",
        check,
        Permission.OPERATORS_CHECK,
        summary="Prove step by step that operators' mailboxes can be kept in step",
        body=Body(CheckPost, example={"operators": ["ann"], "round_trip": False}, required=False),
        answers={200: Answer("A report of each.", ChecksShown)},
        refuses={404: "One of the operators is not known; none was checked."},
    ),
)
