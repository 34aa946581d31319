"""How it is going, over HTTP: the status figures, and the two health probes."""

import asyncio
from dataclasses import asdict

from aiohttp import web

from api.auth import public
from api.keys import MAILROOM
from api.problems import Refusal
from api.rows import dump_json
from engine.errors import MailroomError
from engine.status import Readiness

READY_SECONDS = 5.0
"""How long the cluster may take to say that it is ready."""


async def status(request: web.Request) -> web.Response:
    """``GET /api/v1/status``."""
    figures = await request.app[MAILROOM].status()
    return web.json_response(asdict(figures), dumps=dump_json)


@public
async def healthz(_request: web.Request) -> web.Response:
    """``GET /healthz``: this process answers."""
    return web.json_response({"healthy": True})


@public
async def readyz(request: web.Request) -> web.Response:
    """``GET /readyz``: work can be done; otherwise 503 with the parts that are missing."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            readiness = await request.app[MAILROOM].ready()
    except (MailroomError, TimeoutError):
        readiness = Readiness(store=False, coordinator=False, hosts=0)
    if not readiness.ready:
        raise Refusal(503, "NOT_READY", _missing(readiness), "It starts by itself; if it stays so, see the log.")
    return web.json_response({"ready": True, **asdict(readiness)})


def _missing(readiness: Readiness) -> str:
    parts = {"the store": readiness.store, "the coordinator": readiness.coordinator, "a host": readiness.hosts > 0}
    return f"Not answering: {', '.join(part for part, answers in parts.items() if not answers)}."
