"""Who may ask: networks, bearer tokens, and the permission a route takes.

Everything wants a valid token, addresses that do not exist included, unless its route is public: what is guarded is
what is *not* in the table of routes, so no spelling of a path leads around it. Nothing of a request but its head is
looked at before it is let in.

Pages for people (``Access.ANYONE``) take the token as the password of HTTP Basic as well, since a browser cannot send
another header by itself. The API does not: a browser repeats Basic credentials on requests other sites make it send.
"""

import base64
import binascii

from aiohttp import web
from aiohttp.typedefs import Handler

from api.auditing import audit, requested_action, target_of
from api.gate import GATE
from api.keys import ACCESS, CALLER, NOW, PRINCIPAL
from api.problems import CHALLENGE, TOKEN_HINT, Refusal
from api.routes import Access
from engine import callback
from engine.access.audit import Action, AuditOutcome
from engine.access.login import Login, log_in
from engine.access.networks import judge
from engine.access.roles import Permission, Principal, require
from engine.access.tokens import bearer, token_id_of
from engine.errors import AccessError, Forbidden, Unauthenticated

_BASIC = 'Basic realm="mailroom", charset="UTF-8"'
_NO_ADMIN_TOKEN = "Set MAILROOM_ADMIN_TOKEN where the gateway runs and restart it, or use a token it has given out."  # noqa: S105  # a hint


@web.middleware
async def find_caller(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Middleware: say where a request comes from, and refuse networks that are not allowed there."""
    gate = request.app[GATE]
    others = gate.open if _access(request) is Access.PUBLIC else gate.api
    rule = gate.listener if _is_listener(request) else others
    caller = request[CALLER] = judge(rule, request.remote, request.headers.getall(rule.header, []))
    if not caller.allowed and rule is not gate.open:
        now = request.app[NOW]()
        if not gate.strangers.wait(caller.address, now) and gate.strangers.failed(caller.address, now):
            target = callback.LISTENER_PATH if _is_listener(request) else request.path
            audit(request, Action.CONNECT, target, outcome=AuditOutcome.REFUSED)
        raise Forbidden("Requests from this network are not allowed.")
    return await handler(request)


@web.middleware
async def require_credential(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Middleware: refuse what is not public and comes without a valid token, or with one that does not allow it."""
    access = _access(request)
    if access is Access.PUBLIC:
        return await handler(request)
    try:
        principal = request[PRINCIPAL] = await _log_in(request, access)
    except Unauthenticated as refused:
        raise _challenge(request, access, refused) from None
    if isinstance(access, Permission):
        _authorise(request, principal, access)
    return await handler(request)


def _access(request: web.Request) -> Permission | Access | None:
    return request.app[ACCESS].get(request.match_info.handler)


def _is_listener(request: web.Request) -> bool:
    resource = request.match_info.route.resource
    return resource is not None and resource.canonical.startswith(callback.LISTENER_PATH)


async def _log_in(request: web.Request, access: Permission | Access | None) -> Principal:
    gate, now = request.app[GATE], request.app[NOW]()
    presented = bearer(_credentials(request, access))
    token_id = token_id_of(presented)
    record = await gate.tokens.find(token_id) if token_id else None
    try:
        principal = log_in(Login(presented, record, request[CALLER].address, now), gate.admin_token, gate.failed)
    except AccessError as refused:
        if refused.notable:
            reason = {"reason": getattr(refused, "reason", "")}
            audit(request, Action.LOGIN, token_id or "", after=reason, outcome=AuditOutcome.REFUSED)
        raise
    if record is not None and principal.token_id:
        gate.tokens.used(record, now)
    return principal


def _credentials(request: web.Request, access: Permission | Access | None) -> list[str]:
    given = request.headers.getall("Authorization", [])
    if access is not Access.ANYONE or len(given) != 1:
        return given
    scheme, _, encoded = given[0].strip().partition(" ")
    if scheme.lower() != "basic":
        return given
    try:
        _, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return given
    return [f"Bearer {password}"]


def _challenge(request: web.Request, access: Permission | Access | None, refused: Unauthenticated) -> Exception:
    schemes = f"{CHALLENGE}, {_BASIC}" if access is Access.ANYONE else CHALLENGE
    hint = TOKEN_HINT if request.app[GATE].admin_token else _NO_ADMIN_TOKEN
    return Refusal(401, "UNAUTHORIZED", str(refused), hint, {"WWW-Authenticate": schemes})


def _authorise(request: web.Request, principal: Principal, permission: Permission) -> None:
    try:
        require(principal, permission)
    except Forbidden:
        action = requested_action(request) or Action.REQUEST
        audit(request, action, target_of(request), outcome=AuditOutcome.REFUSED)
        raise
