"""Which networks are let in: the listener's and the API's, directly and behind proxies."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.app import build_app
from engine.access.audit import Action
from tests.api.conftest import BEARER, KEY, Client, callback_path, settings
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom

STATUS = "/api/v1/status"
HERE = "127.0.0.0/8"
OUTSIDE = "192.0.2.0/24"

Make = Callable[..., Awaitable[Client]]


@pytest.fixture
async def behind(mailroom: FakeMailroom) -> AsyncIterator[Make]:
    clients: list[Client] = []

    async def make(**gateway: Any) -> Client:
        app = build_app(mailroom, settings(gateway=gateway), callback_key=KEY)
        client: Client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()


async def status(client: Client, path: str, headers: dict[str, str] | None = None) -> int:
    async with client.get(path, headers=headers or {}) as response:
        if response.status == 403:
            check_shape(await response.json(), "FORBIDDEN")
        return response.status


async def test_the_listener_is_for_its_networks(behind: Make, mailroom: FakeMailroom) -> None:
    client = await behind(listener_networks=[OUTSIDE, "2001:db8::/32"])
    assert await status(client, callback_path()) == 403
    async with client.post(callback_path(), data=b"<a/>") as response:
        assert response.status == 403
    assert await status(client, "/healthz") == 200
    assert await status(client, STATUS, BEARER) == 200
    await client.close()
    (entry,) = mailroom.access.audited
    assert (entry.action, entry.address, entry.target) == (Action.CONNECT, "127.0.0.1", "/ews/notifications")
    client = await behind(listener_networks=[OUTSIDE, HERE])
    assert await status(client, callback_path()) == 200


async def test_the_api_is_for_its_networks_and_the_probes_for_all(behind: Make) -> None:
    client = await behind(api_networks=[OUTSIDE])
    assert await status(client, STATUS, BEARER) == 403
    assert await status(client, STATUS) == 403, "before anything is said of tokens"
    assert await status(client, "/nowhere", BEARER) == 403
    assert await status(client, "/healthz") == 200
    assert await status(client, "/readyz") == 200
    assert await status(client, callback_path()) == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
async def test_a_trusted_proxy_says_where_a_request_comes_from(behind: Make, header: str) -> None:
    write = "{}".format if header == "X-Forwarded-For" else 'for="{}"'.format
    client = await behind(listener_networks=[OUTSIDE], trusted_proxies=[HERE], forwarded_header=header)
    path = callback_path()
    assert await status(client, path, {header: write("192.0.2.7")}) == 200
    assert await status(client, path, {header: f"{write('198.51.100.1')}, {write('192.0.2.7')}"}) == 200
    assert await status(client, path, {header: f"{write('192.0.2.7')}, {write('198.51.100.1')}"}) == 403
    assert await status(client, path, {header: write("unknown")}) == 403
    assert await status(client, path) == 403, "a proxy that names nobody asks for itself"
    other = "Forwarded" if header == "X-Forwarded-For" else "X-Forwarded-For"
    spoofed = {other: "192.0.2.7" if other == "X-Forwarded-For" else "for=192.0.2.7"}
    assert await status(client, path, spoofed) == 403, "the header the proxy passes on as it came"


async def test_the_header_of_a_stranger_says_nothing(behind: Make) -> None:
    client = await behind(listener_networks=[OUTSIDE], trusted_proxies=["198.51.100.0/24"])
    assert await status(client, callback_path(), {"X-Forwarded-For": "192.0.2.7"}) == 403
    client = await behind(listener_networks=[OUTSIDE])
    assert await status(client, callback_path(), {"X-Forwarded-For": "192.0.2.7"}) == 403


async def test_failed_logins_count_for_the_client_behind_the_proxy(behind: Make) -> None:
    client = await behind(trusted_proxies=[HERE])
    guess = {"Authorization": "Bearer guess"}
    for _ in range(10):
        assert await status(client, STATUS, {**guess, "X-Forwarded-For": "192.0.2.7"}) == 401
    assert await status(client, STATUS, {**guess, "X-Forwarded-For": "192.0.2.7"}) == 429
    assert await status(client, STATUS, {**guess, "X-Forwarded-For": "6.6.6.6, 192.0.2.7"}) == 429
    assert await status(client, STATUS, {**guess, "X-Forwarded-For": "192.0.2.8"}) == 401


async def test_refused_networks_do_not_fill_the_trail(behind: Make, mailroom: FakeMailroom) -> None:
    client = await behind(listener_networks=[OUTSIDE])
    for _ in range(100):
        assert await status(client, callback_path()) == 403
    await client.close()
    assert len(mailroom.access.audited) == 2
