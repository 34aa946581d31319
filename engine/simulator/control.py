"""Control over HTTP."""

from typing import TYPE_CHECKING
from aiohttp import web

if TYPE_CHECKING:
    from engine.simulator.exchange import SimulatedExchange


class Control:
    def __init__(self, exchange: "SimulatedExchange") -> None:
        self._exchange = exchange

    async def handle(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=404)
