"""The gateway as an aiohttp application: routes, middlewares, and what handlers need. It holds no state of its own."""

from aiohttp import web

from api import listener, query, rest
from api.auth import require_credential
from api.keys import CALLBACK_KEY, MAILROOM, SETTINGS
from api.problems import answer_errors
from engine.callback import LISTENER_PATH, signing_key
from engine.ports import Mailroom
from engine.settings import Settings

BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body, unpacked. Real notifications have a few kilobytes."""


def build_app(mailroom: Mailroom, settings: Settings, *, callback_key: bytes | None = None) -> web.Application:
    """The gateway over a Mailroom.

    Args:
        mailroom: The cluster behind it.
        settings: Where the administrator's token stands.
        callback_key: What callback tokens are verified with; None: as ``callback.signing_key`` makes it of settings.

    Raises:
        SettingsError: there is no key to verify callback tokens with.
    """
    app = web.Application(middlewares=[answer_errors, require_credential], client_max_size=BODY_LIMIT)
    app[MAILROOM] = mailroom
    app[SETTINGS] = settings
    app[CALLBACK_KEY] = callback_key or signing_key(
        settings.key.get_secret_value(), settings.admin_token.get_secret_value()
    )
    app.on_response_prepare.append(_set_headers)
    app.router.add_get(LISTENER_PATH + "/{token}", listener.probe)
    app.router.add_post(LISTENER_PATH + "/{token}", listener.receive)
    app.router.add_get("/healthz", rest.healthz)
    app.router.add_get("/readyz", rest.readyz)
    app.router.add_get("/api/v1/status", rest.status)
    app.router.add_post("/api/v1/query", query.run)
    return app


async def _set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "Mailroom"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
