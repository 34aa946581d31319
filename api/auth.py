"""Who may ask: bearer tokens. For now there is one, the administrator's, from MAILROOM_ADMIN_TOKEN.

Everything wants a credential, addresses that do not exist included, unless its route is public.
"""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler

from api.keys import ACCESS, SETTINGS
from api.problems import Refusal
from api.routes import Access


@web.middleware
async def require_credential(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Middleware: refuse what is not public and comes without a valid credential."""
    if request.app[ACCESS].get(request.match_info.handler) is not Access.PUBLIC:
        _authenticate(request)
    return await handler(request)


def _authenticate(request: web.Request) -> None:
    expected = request.app[SETTINGS].admin_token.get_secret_value()
    if not expected:
        raise _unauthenticated(
            "The gateway has no token to compare with.", "Set MAILROOM_ADMIN_TOKEN where it runs, and restart it."
        )
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        raise _unauthenticated("This address wants a token.", "Send the header `Authorization: Bearer TOKEN`.")
    if not hmac.compare_digest(_bytes(given.strip()), _bytes(expected)):
        raise _unauthenticated("The token is not valid.", "Use the value of MAILROOM_ADMIN_TOKEN where it runs.")


def _unauthenticated(message: str, hint: str) -> Refusal:
    return Refusal(401, "UNAUTHORIZED", message, hint, {"WWW-Authenticate": 'Bearer realm="mailroom"'})


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
