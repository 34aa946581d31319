"""The HTTP side: the EWS endpoint, the token endpoint and the control endpoints."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from itertools import count

from aiohttp import web

from engine.simulator import soap
from engine.simulator.auth import Authenticator
from engine.simulator.errors import SimulatedError, SoapFault
from engine.simulator.faults import Faults
from engine.simulator.options import SimulatorOptions
from engine.simulator.organisation import Organisation
from engine.simulator.service import Parsed, Service
from engine.simulator.stats import Call, Requests

CONTENT_TYPE = "text/xml; charset=utf-8"
_GREETING = b'<?xml version="1.0" encoding="utf-8"?><service name="Exchange Web Services (simulated)"/>'
_TOKEN_PATH = re.compile(r"/[^/]+/oauth2/(?:v2\.0/)?token")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Routes requests; paths are case-insensitive, as on IIS."""

    def __init__(  # noqa: PLR0913  # the parts of a server
        self,
        *,
        options: SimulatorOptions,
        organisation: Organisation,
        service: Service,
        authenticator: Authenticator,
        faults: Faults,
        requests: Requests,
        control: Handler,
    ) -> None:
        self._options = options
        self._organisation = organisation
        self._service = service
        self._authenticator = authenticator
        self._faults = faults
        self._requests = requests
        self._control = control
        self._ids = count(1)
        self.app = web.Application(client_max_size=options.body_limit)
        self.app.router.add_route("*", "/{path:.*}", self._route)

    async def _route(self, request: web.Request) -> web.StreamResponse:
        path = request.path.lower()
        if path == "/ews/exchange.asmx":
            return await self._ews(request)
        if request.method == "POST" and _TOKEN_PATH.fullmatch(path):
            return await self._authenticator.token(request)
        if path.startswith("/simulator/"):
            account = self._authenticator.account(request.headers.get("Authorization"))
            if account is None or account.kind != "service":
                return self._authenticator.challenge(request.host, bearer=False)
            return await self._control(request)
        return web.Response(status=404)

    async def _ews(self, request: web.Request) -> web.StreamResponse:
        started = time.monotonic()
        requests = self._requests
        requests.in_flight += 1
        requests.most_in_flight = max(requests.most_in_flight, requests.in_flight)
        call = Call(started, request.method, "", 0, 0.0)
        try:
            call, response = await self._answer(request, call)
            return response
        finally:
            requests.in_flight -= 1
            requests.record(call._replace(seconds=time.monotonic() - started))

    async def _answer(self, request: web.Request, call: Call) -> tuple[Call, web.StreamResponse]:
        outage = self._faults.take("outage")
        if outage:
            if outage.text == "reset":
                _abort(request)
            return call._replace(status=503), web.Response(status=503)
        authorization = request.headers.get("Authorization")
        account = self._authenticator.account(authorization)
        if account is None:
            bearer = (authorization or "").lower().startswith("bearer")
            return call._replace(status=401), self._authenticator.challenge(request.host, bearer=bearer)
        if request.method != "POST":
            return call._replace(status=200), self._response(200, _GREETING)
        body = await request.read()
        try:
            parsed = self._service.parse(body)
        except SoapFault as fault:
            return call._replace(status=500), self._response(500, soap.fault(fault))
        call = call._replace(operation=parsed.operation, mailbox=parsed.address or account.address)
        broken = await self._break(request, parsed, call.mailbox)
        if broken is not None:
            return call._replace(status=broken.status), broken
        try:
            content = self._service.answer(parsed, account)
            status = 200
        except SoapFault as fault:
            content, status = soap.fault(fault), 500
        except SimulatedError as error:
            content, status = soap.fault(SoapFault(error.code, error.text, error.values)), 500
        return call._replace(status=status), self._spoil(parsed.operation, call.mailbox, status, content)

    async def _break(self, request: web.Request, parsed: Parsed, mailbox: str) -> web.Response | None:
        """The failure below SOAP that is ordered for this request, after the latency that is."""
        take, operation = self._faults.take, parsed.operation
        if not self._faults.active:
            return None
        slow = take("latency", operation, mailbox)
        if slow:
            await asyncio.sleep(slow.seconds)
        if take("reset", operation, mailbox):
            _abort(request)
            return web.Response(status=503)
        unavailable = take("unavailable", operation, mailbox)
        if unavailable:
            after = unavailable.retry_after
            return web.Response(status=503, headers={} if after is None else {"Retry-After": str(after)})
        if take("wrong_password", operation, mailbox):
            return self._authenticator.challenge(request.host, bearer=False)
        refused = {"ews_disabled": 403, "bad_request": 400}
        status = next((refused[kind] for kind in refused if take(kind, operation, mailbox)), None)
        return None if status is None else web.Response(status=status)

    def _spoil(self, operation: str, mailbox: str, status: int, content: bytes) -> web.Response:
        """The response, with the oddities of real servers that are ordered for it."""
        take = self._faults.take
        content_type = CONTENT_TYPE
        if self._faults.active and status == 200:
            character = take("invalid_character", operation, mailbox)
            if character:
                bad = (character.text or "&#x0B;").encode()
                content = re.sub(rb"(<t:(?:Subject|Body|TextBody|DisplayName)[^>]*>)", rb"\g<1>" + bad, content)
            if take("nanoseconds", operation, mailbox):
                content = re.sub(rb"(\d\d:\d\d:\d\d)Z<", rb"\g<1>.123456789Z<", content)
            if take("no_change_key", operation, mailbox):
                content = re.sub(rb'(<t:Delete><t:ItemId Id="[^"]*") ChangeKey="[^"]*"', rb"\g<1>", content)
            if take("no_charset", operation, mailbox):
                content_type = "text/xml"
        return self._response(status, content, content_type)

    def _response(self, status: int, content: bytes, content_type: str = CONTENT_TYPE) -> web.Response:
        headers = {"Content-Type": content_type, "request-id": f"{next(self._ids):032x}"}
        return web.Response(status=status, body=content, headers=headers)


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
