"""Requests that are not HTTP: answered in the one error shape, and told in the log by a line now and then.

aiohttp answers them before any middleware, in plain text, and logs a traceback for each: whoever sends rubbish to the
port could fill the disk.
"""

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from api.problems import Refusal

log = structlog.get_logger("mailroom.gateway")

QUIET_SECONDS = 60.0
"""How long the log keeps silent about malformed requests once it has told of some."""


class Tally:
    """Counts what the log leaves out."""

    def __init__(self) -> None:
        self._next_at, self._untold = float("-inf"), 0

    def add(self, now: float) -> int | None:
        """How many there were since the last line, this one included; None: no line now."""
        self._untold += 1
        if now < self._next_at:
            return None
        told, self._untold, self._next_at = self._untold, 0, now + QUIET_SECONDS
        return told


class Runner(web.AppRunner):
    """An AppRunner whose server answers malformed requests as the rest of the gateway does."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **made._kwargs)  # noqa: SLF001  # no public way


class _Server(web.Server):
    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # as aiohttp made them
        self.malformed = Tally()

    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _Protocol(RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if not isinstance(exc, HttpProcessingError) or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        if isinstance(self._manager, _Server):
            number = self._manager.malformed.add(self._loop.time())
            if number is not None:
                log.warning("request_malformed", remote=request.remote, reason=type(exc).__name__, requests=number)
        response = Refusal(status, "BAD_REQUEST", "This is not an HTTP request.", "Speak HTTP/1.1 here.").response()
        response.headers["Server"] = "Mailroom"
        response.force_close()
        return response
