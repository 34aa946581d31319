"""What handlers find on the application: typed keys, so that nothing is looked up by a bare string."""

from aiohttp import web

from api.routes import Access
from engine.access.roles import Permission
from engine.ports import Mailroom
from engine.settings import Settings

MAILROOM: web.AppKey[Mailroom] = web.AppKey("mailroom")
SETTINGS = web.AppKey("settings", Settings)
CALLBACK_KEY = web.AppKey("callback_key", bytes)
ACCESS: web.AppKey[dict[object, Permission | Access]] = web.AppKey("access")
"""Who may ask, by handler."""
