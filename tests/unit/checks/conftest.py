"""A simulated Exchange, a listener it calls, and what a host has to check operators with."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from engine.callback import callback_url, sign, verify
from engine.checks.calls import Calls
from engine.checks.examine import Examiner, Plan
from engine.checks.model import CheckReport, Result, Step
from engine.clock import SystemClock
from engine.model import Operator, OperatorId
from engine.notices import Notice, NoticeAnswer
from engine.settings import ExchangeSettings
from engine.simulator import SimulatedExchange
from engine.sources.ews.notification import notification_answer, parse_notification
from engine.sources.ews.source import EwsSource
from engine.sync.endpoint import Endpoint

KEY = b"a key of the tests"


@dataclass
class Listener:
    """Where Exchange calls. ``deaf``: it answers with an error, as a proxy in between might."""

    calls: Calls
    url: str = ""
    deaf: bool = False
    answers: list[NoticeAnswer] = field(default_factory=list)
    others: list[Notice] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        self.called.set()
        if self.deaf:
            raise web.HTTPBadGateway
        operator_id, serial = verify(KEY, request.match_info["token"])
        notices = [Notice(operator_id, serial, one.kind) for one in parse_notification(await request.read())]
        answers = await self.calls.sort(notices, self._take)
        self.answers += answers
        return web.Response(body=notification_answer(answers[0]), content_type="text/xml", charset="utf-8")

    async def _take(self, notices: Any) -> list[NoticeAnswer]:
        self.others += notices
        return [NoticeAnswer.OK for _ in notices]


@dataclass
class Desk:
    """Checks operators of the simulated Exchange."""

    exchange: SimulatedExchange
    listener: Listener
    source: EwsSource
    endpoint: Endpoint
    examiner: Examiner

    def plan(self, *folders: str, **changes: Any) -> Plan:
        def url(operator_id: OperatorId, serial: str) -> str:
            return callback_url(self.listener.url, sign(KEY, operator_id, serial))

        return Plan(folders or ("inbox", "sentitems"), url, **{"patience": 5.0, **changes})

    def operator(self, number: int = 0, **changes: Any) -> Operator:
        email = self.exchange.operators[number].email
        return Operator(**{"operator_id": OperatorId(email), "email": email, **changes})

    async def delivered(self) -> None:
        """Until every notification that is under way has been answered and the answer read."""
        await self.listener.called.wait()
        await asyncio.gather(*self.exchange.delivery._tasks)

    async def check(self, operator: Operator | None = None, plan: Plan | None = None) -> CheckReport:
        return await self.examiner.check(operator or self.operator(), plan or self.plan())


def results(report: CheckReport) -> dict[Step, Result]:
    return {step.name: step.result for step in report.steps}


def connect(exchange: SimulatedExchange, **changes: Any) -> EwsSource:
    options = exchange.options
    values = {"username": options.username, "password": SecretStr(options.password), "timeout": 5.0}
    return EwsSource(ExchangeSettings(**{"url": exchange.url, **values, **changes}), 2)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener(Calls())
    app = web.Application()
    app.router.add_post("/ews/notifications/{token}", made.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def desk(listener: Listener) -> AsyncIterator[Desk]:
    async with SimulatedExchange(
        operators=3, emails=10, aliases={"alias@example.com": "operator0001@example.com"}, time_scale=1 / 600
    ) as exchange:
        source, clock = connect(exchange), SystemClock()
        endpoint = Endpoint(4, clock)
        yield Desk(exchange, listener, source, endpoint, Examiner(source, endpoint, clock, listener.calls))
        await source.close()
