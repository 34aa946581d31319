from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.app import build_app
from engine import callback
from engine.model import OperatorId
from engine.settings import Settings, build_settings
from tests.api.conformance import Conformance
from tests.fakes.mailroom import FakeMailroom

TOKEN = "the administrator's token"
KEY = callback.signing_key("a key of the tests")
BEARER = {"Authorization": f"Bearer {TOKEN}"}

Client = TestClient[Any, Any]
MakeClient = Callable[..., Awaitable[Client]]


def settings(admin_token: str = TOKEN, **sections: Any) -> Settings:
    raw = {"exchange": {"url": "http://127.0.0.1:1/EWS/Exchange.asmx", "username": "u"}, **sections}
    environ = {"MAILROOM_EXCHANGE_PASSWORD": "p", "MAILROOM_ADMIN_TOKEN": admin_token, "MAILROOM_KEY": "k"}
    return build_settings(raw, environ)


def callback_path(operator_id: str = "anna", serial: str = "s1") -> str:
    return f"/ews/notifications/{callback.sign(KEY, OperatorId(operator_id), serial)}"


@pytest.fixture
def mailroom() -> FakeMailroom:
    return FakeMailroom()


@pytest.fixture
def conformance() -> Conformance:
    return Conformance()


@pytest.fixture
async def make_client(mailroom: FakeMailroom, conformance: Conformance) -> AsyncIterator[MakeClient]:
    clients: list[Client] = []

    async def make(admin_token: str = TOKEN) -> Client:
        app = build_app(mailroom, settings(admin_token), callback_key=KEY)
        conformance.watch(app)
        client: Client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()
    assert conformance.breaches == []


@pytest.fixture
async def client(make_client: MakeClient) -> Client:
    return await make_client()
