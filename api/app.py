"""The gateway as an aiohttp application: routes, middlewares, and what handlers need. It holds no state of its own."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from aiohttp import web

from api import listener, query, rest
from api.auditing import keep_trail, note_failures
from api.auth import find_caller, require_credential
from api.gate import GATE, build_gate
from api.keys import ACCESS, CALLBACK_KEY, DOCUMENT, MAILROOM, NOW, SETTINGS, TRAIL
from api.metrics import exposition
from api.metrics.counted import COUNTED, Counted, count_requests
from api.openapi import pages
from api.openapi.document import Document
from api.problems import answer_errors
from api.resources import (
    associations,
    audit,
    checks,
    crm,
    crm_imports,
    emails,
    erasures,
    exports,
    imports,
    jobs,
    lists,
    operators,
    policy,
    tokens,
)
from api.resources import settings as application_settings
from api.routes import Access, Route, pattern
from api.token_directory import TokenDirectory
from api.trail import Trail
from engine.access.roles import Permission
from engine.callback import signing_key
from engine.clock import SystemClock
from engine.ports import Mailroom
from engine.settings import Settings

BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body, unpacked; the listener takes more (``listener.BODY_LIMIT``)."""

ROUTES: tuple[Route, ...] = (
    *listener.ROUTES,
    *rest.ROUTES,
    *exposition.ROUTES,
    *query.ROUTES,
    *jobs.ROUTES,
    *lists.ROUTES,
    *emails.ROUTES,
    *associations.ROUTES,
    *operators.ROUTES,
    *policy.ROUTES,
    *imports.ROUTES,
    *checks.ROUTES,
    *crm.ROUTES,
    *crm_imports.ROUTES,
    *tokens.ROUTES,
    *audit.ROUTES,
    *application_settings.ROUTES,
    *erasures.ROUTES,
    *exports.ROUTES,
    *pages.ROUTES,
)


def build_app(
    mailroom: Mailroom,
    settings: Settings,
    *,
    callback_key: bytes | None = None,
    now: Callable[[], datetime] | None = None,
) -> web.Application:
    """The gateway over a Mailroom.

    Args:
        mailroom: The cluster behind it.
        settings: Where the administrator's token stands.
        callback_key: What callback tokens are verified with; None: as ``callback.signing_key`` makes it of settings.
        now: The time, aware UTC; None: this machine's.

    Raises:
        SettingsError: there is no key to verify callback tokens with.
    """
    app = web.Application(
        middlewares=[count_requests, answer_errors, find_caller, require_credential, note_failures],
        client_max_size=BODY_LIMIT,
    )
    app[MAILROOM] = mailroom
    app[SETTINGS] = settings
    app[CALLBACK_KEY] = callback_key or signing_key(
        settings.key.get_secret_value(), settings.admin_token.get_secret_value()
    )
    app[COUNTED] = Counted()
    app[NOW] = now or SystemClock().now
    app[DOCUMENT] = Document(ROUTES, exposition.version())
    app[TRAIL] = Trail(mailroom.write_audit, on_lost=app[COUNTED].count_lost_entries)
    directory = TokenDirectory(mailroom)
    app[GATE] = build_gate(settings.gateway, settings.admin_token.get_secret_value(), directory)
    imports.prepare(app)
    crm_imports.prepare(app)
    app.cleanup_ctx.append(keep_trail)
    app.on_cleanup.append(_close_directory)
    app.on_response_prepare.append(_set_headers)
    access: dict[object, Permission | Access] = {route.handler: route.access for route in ROUTES}
    app[ACCESS] = access
    for route in ROUTES:
        is_get = route.method == "GET"  # which takes HEAD too
        add = app.router.add_get if is_get else partial(app.router.add_route, route.method)
        add(pattern(route.path), route.handler)
    return app


async def _close_directory(app: web.Application) -> None:
    await app[GATE].tokens.close()


async def _set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "Mailroom"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
