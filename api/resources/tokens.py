"""Tokens over HTTP: make one (its text is answered this once), list them, and let one be valid no more."""

import secrets
from collections.abc import Sequence
from typing import Annotated, Any

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictStr

from api.auditing import audit
from api.bodies import parse_body
from api.gate import GATE
from api.keys import MAILROOM, NOW, PRINCIPAL
from api.parameters import read_parameters
from api.routes import Answer, Body, Parameter, Route
from api.rows import dump_json
from api.schemas.shared import page_of
from api.schemas.tokens import TokenIssued, TokenShown
from engine.access import tokens
from engine.access.audit import Action
from engine.access.roles import Permission, Role
from engine.access.tokens import TokenRecord, TokenRequest

_EXAMPLE = (
    f'Send JSON: {{"name": "grafana", "role": one of {", ".join(Role)}, "groups": ["..."], '
    '"expires_at": "2027-01-31T00:00:00Z"}; without expires_at it does not expire.'
)


class TokenPost(BaseModel):
    """The body of a POST. ``groups``: access groups of jobs. ``expires_at``: a time with its zone; None: never."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    role: Role
    groups: Annotated[Sequence[Annotated[StrictStr, Field(min_length=1, max_length=64)]], Field(max_length=50)] = ()
    expires_at: AwareDatetime | None = None


async def create(request: web.Request) -> web.Response:
    """``POST /api/v1/tokens``: 201, the record and, this once, the token itself."""
    body = parse_body(TokenPost, await request.read(), _EXAMPLE)
    wanted = TokenRequest(body.name, body.role, request[PRINCIPAL].name, body.groups, body.expires_at)
    issued = tokens.issue(wanted, secrets.token_bytes(tokens.ENTROPY_BYTES), request.app[NOW]())
    await request.app[MAILROOM].add_token(issued.record)
    request.app[GATE].tokens.forget()
    shown = token_of(issued.record)
    kept = {key: shown[key] for key in ("token_id", "name", "role", "groups", "expires_at")}
    audit(request, Action.TOKENS_CREATE, issued.record.name, after=kept)
    return web.json_response({"token": issued.text, **shown}, status=201, dumps=dump_json)


async def show_all(request: web.Request) -> web.Response:
    """``GET /api/v1/tokens``: every token there has been, the newest first."""
    read_parameters(request, ())
    items = [token_of(one) for one in await request.app[MAILROOM].tokens()]
    return web.json_response({"items": items, "next": None}, dumps=dump_json)


async def revoke(request: web.Request) -> web.Response:
    """``DELETE /api/v1/tokens/{id}``: the record, which stays; revoking twice is revoking once."""
    record = await request.app[MAILROOM].revoke_token(request.match_info["id"], request.app[NOW]())
    request.app[GATE].tokens.forget()
    audit(request, Action.TOKENS_REVOKE, record.name, after={"token_id": record.token_id})
    return web.json_response(token_of(record), dumps=dump_json)


def token_of(record: TokenRecord) -> dict[str, Any]:
    """A token as it is answered: nothing of its secret."""
    return {
        "token_id": record.token_id,
        "name": record.name,
        "role": record.role.value,
        "groups": sorted(record.groups),
        "created_at": record.created_at,
        "created_by": record.created_by,
        "expires_at": record.expires_at,
        "revoked_at": record.revoked_at,
        "last_used_at": record.last_used_at,
    }


ROUTES = (
    Route(
        "GET",
        "/api/v1/tokens",
        show_all,
        Permission.TOKENS_MANAGE,
        summary="Every token there has been, the newest first",
        answers={200: Answer("All of them.", page_of(TokenShown))},
        refuses={400: "It takes no parameters."},
    ),
    Route(
        "POST",
        "/api/v1/tokens",
        create,
        Permission.TOKENS_MANAGE,
        summary="Make a token",
        body=Body(TokenPost, example={"name": "grafana", "role": "viewer"}),
        answers={201: Answer("The token; its text is answered this once.", TokenIssued)},
        refuses={409: "A token in use has the name."},
    ),
    Route(
        "DELETE",
        "/api/v1/tokens/{id}",
        revoke,
        Permission.TOKENS_MANAGE,
        summary="Revoke a token",
        parameters=(Parameter("id", "Its `token_id`."),),
        answers={200: Answer("Its record, which stays.", TokenShown)},
    ),
)
