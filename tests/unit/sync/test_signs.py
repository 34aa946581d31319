"""What errors say about Exchange as a whole, as they come off the wire."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from engine.errors import SourceError
from engine.settings import ExchangeSettings
from engine.simulator import FaultKind, SimulatedExchange
from engine.sources.ews.source import EwsSource
from engine.sync.signs import Sign, sign_of, slows


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    async with SimulatedExchange(operators=3, emails=2, denied=frozenset({"operator0002@example.com"})) as made:
        yield made


async def met(exchange: SimulatedExchange, mailbox: str = "", **settings: Any) -> SourceError:
    values = {"url": exchange.url, "username": exchange.options.username, "timeout": 5.0, **settings}
    source = EwsSource(ExchangeSettings(password=SecretStr(exchange.options.password), **values), 1)
    try:
        with pytest.raises(SourceError) as raised:
            await source.resolve_folders(mailbox or exchange.operators[0].email, ["inbox"])
    finally:
        await source.close()
    return raised.value


@pytest.mark.parametrize(
    ("kind", "fields", "sign", "slow"),
    [
        (FaultKind.WRONG_PASSWORD, {}, Sign.CREDENTIALS, False),
        (FaultKind.EWS_DISABLED, {}, Sign.REFUSED, False),
        (FaultKind.UNAVAILABLE, {}, Sign.UNREACHABLE, True),
        (FaultKind.UNAVAILABLE, {"retry_after": 7}, Sign.UNREACHABLE, True),
        (FaultKind.OUTAGE, {"text": "503"}, Sign.UNREACHABLE, True),
        (FaultKind.OUTAGE, {"text": "reset"}, Sign.UNREACHABLE, False),
        (FaultKind.RESET, {}, Sign.UNREACHABLE, False),
        (FaultKind.BAD_REQUEST, {}, Sign.UNREACHABLE, False),
        (FaultKind.BUSY, {}, None, False),
        (FaultKind.BUSY_FAULT, {}, None, False),
        (FaultKind.BUSY_INNER, {}, None, False),
        (FaultKind.MISSING_MAILBOX, {}, None, False),
        (FaultKind.DENIED, {}, None, False),
        (FaultKind.FAULT, {"code": "ErrorInternalServerError"}, None, False),
        (FaultKind.ERROR, {"code": "ErrorMailboxMoveInProgress"}, None, False),
        (FaultKind.ERROR, {"code": "ErrorTimeoutExpired"}, None, False),
    ],
)
async def test_a_fault_at_exchange(
    exchange: SimulatedExchange, kind: FaultKind, fields: dict[str, Any], sign: Sign | None, slow: bool
) -> None:
    exchange.faults.add(kind, **fields)
    error = await met(exchange)
    assert (sign_of(error), slows(error)) == (sign, slow), (type(error), error.code, str(error))


async def test_a_server_that_is_not_there_or_does_not_answer_in_time(exchange: SimulatedExchange) -> None:
    gone = await met(exchange, url="http://127.0.0.1:9/EWS/Exchange.asmx")
    assert (sign_of(gone), slows(gone)) == (Sign.UNREACHABLE, False)
    exchange.faults.add(FaultKind.LATENCY, seconds=3.0)
    late = await met(exchange, timeout=1.0)
    assert (sign_of(late), slows(late)) == (Sign.UNREACHABLE, True), late.code


async def test_what_answers_is_not_ews(exchange: SimulatedExchange) -> None:
    assert sign_of(await met(exchange, url=exchange.url.replace("Exchange.asmx", "nothing"))) is Sign.REFUSED
