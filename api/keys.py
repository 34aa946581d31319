"""What handlers find on the application: typed keys, so that nothing is looked up by a bare string."""

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from api.openapi.document import Document
from api.routes import Access
from api.trail import Trail
from engine.access.networks import Caller
from engine.access.roles import Permission, Principal
from engine.ports import Mailroom
from engine.settings import Settings

MAILROOM: web.AppKey[Mailroom] = web.AppKey("mailroom")
SETTINGS = web.AppKey("settings", Settings)
CALLBACK_KEY = web.AppKey("callback_key", bytes)
ACCESS: web.AppKey[dict[object, Permission | Access]] = web.AppKey("access")
"""Who may ask, by handler."""
NOW: web.AppKey[Callable[[], datetime]] = web.AppKey("now")
"""Aware UTC."""
TRAIL = web.AppKey("trail", Trail)
DOCUMENT = web.AppKey("document", Document)
"""The API's own."""

PRINCIPAL = web.RequestKey("principal", Principal)
"""Who asks; absent where nobody has been let in."""
CALLER = web.RequestKey("caller", Caller)
"""From where."""
AUDITED = web.RequestKey("audited", bool)
"""Whether its handler has left an entry in the audit trail."""
