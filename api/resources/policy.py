"""Policies over HTTP: what is kept out, operators' own policies, and purging what has landed."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aiohttp import web

from api.auditing import audit
from api.bodies import parse_body
from api.keys import MAILROOM, PRINCIPAL
from api.parameters import read_parameters
from api.routes import Answer, Body, Parameter, Route
from api.rows import dump_json
from api.schemas.policy import OperatorPolicyPut, OperatorPolicyShown, PurgePost, PurgeShown, TenantPolicyShown
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.model import OperatorId
from engine.policy.model import Policy
from engine.policy.purge import PurgeReceipt, PurgeRequest
from engine.policy.stated import policy_of, united
from engine.ports import Mailroom

_EXAMPLE = 'Send JSON: {"deny": ["example.com", "ann@example.org"], "only_known": true}; {} for none.'
_PURGE_EXAMPLE = 'Send JSON: {"dry_run": true}; without dry_run it is done.'


async def show(request: web.Request) -> web.Response:
    """``GET /api/v1/policy``."""
    read_parameters(request, ())
    mailroom = request.app[MAILROOM]
    standing = await mailroom.policy_standing()
    answer = {
        "policy": _shown(await _tenant(mailroom)),
        "own_domains": standing.own_domains,
        "kept_out": standing.kept_out,
        "operators": sorted(standing.operators),
    }
    return web.json_response(answer, dumps=dump_json)


async def show_one(request: web.Request) -> web.Response:
    """``GET /api/v1/operators/{id}/policy``."""
    read_parameters(request, ())
    return web.json_response(await _one(request.app[MAILROOM], request.match_info["id"]), dumps=dump_json)


async def put_one(request: web.Request) -> web.Response:
    """``PUT /api/v1/operators/{id}/policy``: it holds from the next landing on; what may be let in by now comes."""
    body = parse_body(OperatorPolicyPut, await request.read(), _EXAMPLE)
    mailroom, operator_id = request.app[MAILROOM], request.match_info["id"]
    before = (await mailroom.policy_standing(operator_id)).operators.get(operator_id, {})
    document = {name: value for name, value in body.model_dump(mode="json").items() if value}
    await mailroom.put_operator_policy(OperatorId(operator_id), document, request[PRINCIPAL].name)
    audit(request, Action.POLICY_CHANGE, operator_id, before, document)
    return web.json_response(await _one(mailroom, operator_id), dumps=dump_json)


async def purge(request: web.Request) -> web.Response:
    """``POST /api/v1/policy/purge``: 201 and what was taken out; 200 and what would be, for a dry run.

    The answer comes when the file has been written anew, unless ``later`` was asked for: that takes half a minute for
    each gigabyte, more or less, in which nothing else is read or written.
    """
    body = parse_body(PurgePost, await request.read() or b"{}", _PURGE_EXAMPLE)
    wanted = PurgeRequest(uuid4().hex, request[PRINCIPAL].name, body.dry_run, body.later)
    receipt = await request.app[MAILROOM].purge(wanted)
    if not body.dry_run:
        by_reason: Counter[str] = Counter()
        for one in receipt.counts:
            by_reason[one.reason.value] += one.emails
        audit(request, Action.POLICY_PURGE, receipt.purge_id, after=dict(by_reason))
    return web.json_response(_receipt(receipt), status=200 if body.dry_run else 201, dumps=dump_json)


async def _tenant(mailroom: Mailroom) -> Policy:
    stored = await mailroom.settings()
    return policy_of(stored.document["email_sync"], skip_private=True)


async def _one(mailroom: Mailroom, operator_id: str) -> dict[str, Any]:
    standing = await mailroom.policy_standing(operator_id)
    own = policy_of(standing.operators.get(operator_id, {}), skip_private=False)
    return {
        "operator_id": operator_id,
        "own": _shown(own),
        "effective": _shown(united(await _tenant(mailroom), own)),
        "kept_out": standing.kept_out,
    }


def _shown(policy: Policy) -> Mapping[str, Any]:
    return {
        "skip_private": policy.skip_private,
        "skip_internal": policy.skip_internal,
        "deny": sorted(policy.deny),
        "allow": [sorted(entries) for entries in policy.allow],
        "skip_folders": sorted(policy.skip_folders),
        "only_known": policy.only_known,
    }


def _receipt(receipt: PurgeReceipt) -> dict[str, Any]:
    return {
        "purge_id": receipt.purge_id,
        "at": receipt.at,
        "by": receipt.by,
        "emails": receipt.emails,
        "counts": [one._asdict() for one in receipt.counts],
        "dry_run": receipt.dry_run,
        "rewritten_at": receipt.rewritten_at,
        "rewrite_problem": receipt.rewrite_problem,
    }


_ID = (Parameter("id", "The operator's id, percent-encoded."),)
_ONE = {200: Answer("The operator's own policy, and what holds in all.", OperatorPolicyShown)}

ROUTES = (
    Route(
        "GET",
        "/api/v1/policy",
        show,
        Permission.SETTINGS_READ,
        summary="What is kept out, and how much was",
        answers={200: Answer("Everybody's policy.", TenantPolicyShown)},
        refuses={400: "It takes no parameters."},
    ),
    Route(
        "POST",
        "/api/v1/policy/purge",
        purge,
        Permission.ERASE_RUN,
        summary="Take out what has landed and would be kept out by now",
        body=Body(PurgePost, example={"dry_run": True}, required=False),
        answers={
            200: Answer("A dry run: what would be taken out.", PurgeShown),
            201: Answer("It is done.", PurgeShown),
        },
    ),
    Route(
        "GET",
        "/api/v1/operators/{id}/policy",
        show_one,
        Permission.SETTINGS_READ,
        summary="An operator's own policy",
        parameters=_ID,
        answers=_ONE,
    ),
    Route(
        "PUT",
        "/api/v1/operators/{id}/policy",
        put_one,
        Permission.SETTINGS_WRITE,
        summary="Keep more out of one operator's mail than of everybody's",
        parameters=_ID,
        body=Body(OperatorPolicyPut, example={"only_known": True}),
        answers=_ONE,
    ),
)
