"""What handlers find on the application: typed keys, so that nothing is looked up by a bare string."""

from aiohttp import web

from engine.ports import Mailroom
from engine.settings import Settings

MAILROOM: web.AppKey[Mailroom] = web.AppKey("mailroom")
SETTINGS = web.AppKey("settings", Settings)
CALLBACK_KEY = web.AppKey("callback_key", bytes)
