"""What every ``alerts.mailer.Mailer`` does: the fake, SMTP to a real server, Exchange to the simulated one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Protocol

import pytest
from pydantic import SecretStr

from engine.alerts.exchange import ExchangeMailer
from engine.alerts.mailer import Mailer
from engine.alerts.model import OutgoingMail
from engine.alerts.smtp import SmtpMailer
from engine.settings import ExchangeSettings, SmtpSettings
from engine.simulator import FaultKind, SimulatedExchange, SimulatorOptions
from engine.sources.ews.send import EwsOutbox
from tests.fakes.mailer import FakeMailer
from tests.fakes.smtp_server import SmtpServer

ANN, BOB, BAD = "operator0001@example.com", "operator0002@example.com", "nobody"
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


class World(Protocol):
    """A mailer, and a look at what arrives."""

    mailer: Mailer

    def subjects(self, address: str) -> list[str]: ...

    async def go_down(self) -> None: ...

    async def come_back(self) -> None: ...


class FakeWorld:
    def __init__(self) -> None:
        self.fake = FakeMailer()
        self.mailer: Mailer = self.fake
        self.fake.refused[BAD] = "No such address."

    def subjects(self, address: str) -> list[str]:
        return [mail.subject for one, mail in self.fake.inbox if one == address]

    async def go_down(self) -> None:
        self.fake.down = True

    async def come_back(self) -> None:
        self.fake.down = False


class SmtpWorld:
    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        server.answers[BAD] = "550 No such address."
        settings = SmtpSettings.model_validate({"host": "127.0.0.1", "port": server.port})
        self.mailer: Mailer = SmtpMailer(settings, "mailroom@example.com", timeout=5)

    def subjects(self, address: str) -> list[str]:
        return [one.message["Subject"] for one in self.server.received if address in one.recipients]

    async def go_down(self) -> None:
        await self.server.stop()

    async def come_back(self) -> None:
        await self.server.start()


class ExchangeWorld:
    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange
        settings = ExchangeSettings(
            url=exchange.url,
            username=exchange.options.username,
            password=SecretStr(exchange.options.password),
            timeout=5,
        )
        self.mailer: Mailer = ExchangeMailer(EwsOutbox(settings, settings.username), "example.com")

    def subjects(self, address: str) -> list[str]:
        return [item.subject for item in self.exchange.items(address, "inbox")]

    async def go_down(self) -> None:
        self.exchange.faults.add(FaultKind.OUTAGE, text="reset")

    async def come_back(self) -> None:
        self.exchange.faults.clear()


@pytest.fixture(params=["fake", "smtp", "exchange"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield FakeWorld()
    elif request.param == "smtp":
        server = SmtpServer()
        await server.start()
        made = SmtpWorld(server)
        yield made
        await made.mailer.close()
        await server.stop()
    else:
        exchange = SimulatedExchange(SimulatorOptions(operators=2, emails=0))
        await exchange.start()
        through = ExchangeWorld(exchange)
        yield through
        await through.mailer.close()
        await exchange.stop()


def mail(*recipients: str, subject: str = "[Mailroom] Ärger, vielleicht") -> OutgoingMail:
    return OutgoingMail("mail-1", "alert-1", recipients, subject, "Text\n", "<p>HTML</p>\n", AT)


async def test_everybody_gets_it(world: World) -> None:
    delivery = await world.mailer.send(mail(ANN, BOB))
    assert (set(delivery.accepted), delivery.refused, delivery.deferred) == ({ANN, BOB}, {}, {})
    assert world.subjects(ANN) == world.subjects(BOB) == ["[Mailroom] Ärger, vielleicht"]


async def test_one_bad_address_holds_up_nobody(world: World) -> None:
    delivery = await world.mailer.send(mail(BAD, ANN))
    assert (delivery.accepted, list(delivery.refused), delivery.deferred) == ((ANN,), [BAD], {})
    assert len(world.subjects(ANN)) == 1
    assert delivery.refused[BAD]


async def test_nobody_but_bad_addresses_is_refused(world: World) -> None:
    delivery = await world.mailer.send(mail(BAD))
    assert (delivery.accepted, list(delivery.refused), delivery.deferred) == ((), [BAD], {})
    assert not delivery.any_mail


async def test_what_is_down_defers_and_what_is_back_accepts(world: World) -> None:
    await world.go_down()
    delivery = await world.mailer.send(mail(ANN, BOB))
    assert (delivery.accepted, delivery.refused, set(delivery.deferred)) == ((), {}, {ANN, BOB})
    assert all(delivery.deferred.values())
    assert delivery.any_mail
    await world.come_back()
    assert (await world.mailer.send(mail(ANN))).accepted == (ANN,)
