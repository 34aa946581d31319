"""What is sent to the port and is no HTTP."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
import structlog

from api.app import build_app
from api.malformed import QUIET_SECONDS, Tally
from api.serve_http import Listening, start_http
from engine.settings import GatewaySettings
from tests.api.conftest import settings
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom


@pytest.fixture
async def listening() -> AsyncIterator[Listening]:
    server = await start_http(build_app(FakeMailroom(), settings()), GatewaySettings(port=0))
    yield server
    await server.stop()


async def send(listening: Listening, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
    writer.write(sent)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "sent",
    [
        b"rubbish\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"POST /api/v1/query HTTP/1.1\r\nHost: h\r\nContent-Length: ten\r\n\r\n",
    ],
)
async def test_it_gets_the_one_error_shape_and_no_traceback(
    listening: Listening, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    with structlog.testing.capture_logs() as told, caplog.at_level(logging.INFO):
        for _ in range(3):
            head, _, body = (await send(listening, sent)).partition(b"\r\n\r\n")
            assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
            assert b"application/json" in head
            assert b"Server: Mailroom" in head
            assert b"aiohttp" not in head
            check_shape(json.loads(body), "BAD_REQUEST")
    assert [entry["event"] for entry in told] == ["request_malformed"]
    assert not [record for record in caplog.records if record.exc_info]


def test_the_log_tells_at_once_and_then_of_those_it_left_out() -> None:
    tally = Tally()
    assert tally.add(0.0) == 1
    assert [tally.add(at) for at in (1.0, 2.0, QUIET_SECONDS - 0.1)] == [None, None, None]
    assert tally.add(QUIET_SECONDS) == 4
    assert tally.add(QUIET_SECONDS + 1) is None
