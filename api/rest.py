"""How it is going, over HTTP: the status figures, and the two health probes."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from api.keys import MAILROOM
from api.overview import in_words, look_around, standing_of
from api.problems import Refusal
from api.resources.jobs import state_of
from api.routes import Access, Answer, Route
from api.rows import dump_json
from api.schemas.status import Healthy, Ready, StatusShown
from engine.access.roles import Permission
from engine.errors import MailroomError
from engine.orders import HostReport
from engine.status import Readiness

READY_SECONDS = 5.0
"""How long the cluster may take to say that it is ready."""


async def status(request: web.Request) -> web.Response:
    """``GET /api/v1/status``: the figures, and around them the jobs, open alerts and Exchange (null: not known now)."""
    mailroom = request.app[MAILROOM]
    figures = await mailroom.status()
    around = await look_around(mailroom)
    answer = {
        **asdict(figures),
        "jobs": None if around.jobs is None else [state_of(state) for state in around.jobs],
        "alerts": around.open_alerts,
        "exchange": None if around.hosts is None else _exchange(around.hosts),
    }
    return web.json_response(answer, dumps=dump_json)


def _exchange(hosts: Mapping[str, HostReport]) -> dict[str, Any]:
    standing = standing_of(hosts)
    return {
        "standing": None if standing is None else asdict(in_words(standing)),
        "hosts": len(hosts),
        "concurrency": sum(report.concurrency for report in hosts.values()),
        "requests": sum(report.requests for report in hosts.values()),
    }


async def healthz(_request: web.Request) -> web.Response:
    """``GET /healthz``: this process answers."""
    return web.json_response({"healthy": True})


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


ROUTES = (
    Route(
        "GET",
        "/healthz",
        healthz,
        Access.PUBLIC,
        summary="Whether this process answers",
        answers={200: Answer("It does.", Healthy)},
    ),
    Route(
        "GET",
        "/readyz",
        readyz,
        Access.PUBLIC,
        summary="Whether work can be done",
        answers={200: Answer("The store, the coordinator and a host answer.", Ready)},
        refuses={503: "One of them does not; the message says which."},
    ),
    Route(
        "GET",
        "/api/v1/status",
        status,
        Permission.STATUS_READ,
        summary="How it is going",
        answers={200: Answer("The figures, and what is wrong.", StatusShown)},
    ),
)
