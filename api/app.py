"""The gateway as an aiohttp application: routes, middlewares, and what handlers need. It holds no state of its own."""

from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from api import listener, query, rest
from api.auth import require_credential
from api.keys import CALLBACK_KEY, MAILROOM, SETTINGS
from api.metrics.counted import COUNTED, Counted, count_requests
from api.metrics.exposition import metrics
from api.problems import answer_errors
from api.resources import jobs, lists
from engine.callback import LISTENER_PATH, signing_key
from engine.ports import Mailroom
from engine.settings import Settings

BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body, unpacked; the listener takes more (``listener.BODY_LIMIT``)."""

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", LISTENER_PATH + "/{token}", listener.probe),
    ("POST", LISTENER_PATH + "/{token}", listener.receive),
    ("GET", "/healthz", rest.healthz),
    ("GET", "/readyz", rest.readyz),
    ("GET", "/metrics", metrics),
    ("GET", "/api/v1/status", rest.status),
    ("POST", "/api/v1/query", query.run),
    ("GET", "/api/v1/jobs", jobs.show_all),
    ("PATCH", "/api/v1/jobs/{name}", jobs.change),
    ("POST", "/api/v1/jobs/{name}/run", jobs.run),
    ("GET", "/api/v1/jobs/{name}/runs", jobs.runs),
    ("GET", "/api/v1/failures", lists.failures),
    ("GET", "/api/v1/subscriptions", lists.subscriptions),
    ("GET", "/api/v1/mailboxes", lists.mailboxes),
    ("GET", "/api/v1/alerts", lists.alerts),
)


def build_app(mailroom: Mailroom, settings: Settings, *, callback_key: bytes | None = None) -> web.Application:
    """The gateway over a Mailroom.

    Args:
        mailroom: The cluster behind it.
        settings: Where the administrator's token stands.
        callback_key: What callback tokens are verified with; None: as ``callback.signing_key`` makes it of settings.

    Raises:
        SettingsError: there is no key to verify callback tokens with.
    """
    app = web.Application(middlewares=[count_requests, answer_errors, require_credential], client_max_size=BODY_LIMIT)
    app[MAILROOM] = mailroom
    app[SETTINGS] = settings
    app[CALLBACK_KEY] = callback_key or signing_key(
        settings.key.get_secret_value(), settings.admin_token.get_secret_value()
    )
    app[COUNTED] = Counted()
    app.on_response_prepare.append(_set_headers)
    for method, path, handler in ROUTES:
        add = app.router.add_get if method == "GET" else partial(app.router.add_route, method)  # a GET takes HEAD too
        add(path, handler)
    return app


async def _set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "Mailroom"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
