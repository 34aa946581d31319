import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from lxml import etree
from pydantic import SecretStr

from engine.model import Folder, FolderId
from engine.settings import ExchangeSettings, ExchangeVersion
from engine.sources.ews.source import EwsSource
from tests.fakes.certificate import self_signed
from tests.unit.sources.soap import SECRET

Reply = Callable[[web.Request], Any] | web.StreamResponse

INBOX = Folder(FolderId("inbox-id"), "inbox")
MAILBOX = "ann@example.com"


@dataclass
class Recorded:
    body: bytes
    headers: dict[str, str]

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.body)


@dataclass
class Responder:
    """A server that answers with what it was told to, the last reply again and again."""

    replies: list[Reply] = field(default_factory=list)
    requests: list[Recorded] = field(default_factory=list)
    url: str = ""

    def reply(self, body: bytes | str = b"", status: int = 200, **headers: str) -> None:
        content = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Content-Type", "text/xml; charset=utf-8")

        def answer(request: web.Request) -> web.Response:
            return web.Response(body=content, status=status, headers=named)

        self.replies.append(answer)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(Recorded(await request.read(), dict(request.headers)))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        answer = reply(request) if callable(reply) else reply
        result: web.StreamResponse = await answer if hasattr(answer, "__await__") else answer
        return result


@pytest.fixture
async def responder() -> AsyncIterator[Responder]:
    made = Responder()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{tail:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/EWS/Exchange.asmx"
    yield made
    await runner.cleanup()


def exchange_settings(url: str, **changes: Any) -> ExchangeSettings:
    values: dict[str, Any] = {
        "url": url,
        "username": "svc@example.com",
        "password": SecretStr(SECRET),
        "client_secret": SecretStr(SECRET),
        "timeout": 5.0,
        **changes,
    }
    return ExchangeSettings(**values)


Make = Callable[..., EwsSource]


@pytest.fixture
async def make_source(responder: Responder) -> AsyncIterator[Make]:
    made: list[EwsSource] = []

    def make(url: str = "", concurrency: int = 1, **changes: Any) -> EwsSource:
        source = EwsSource(exchange_settings(url or responder.url, **changes), concurrency)
        made.append(source)
        return source

    yield make
    for source in made:
        await source.close()


@pytest.fixture
def source(make_source: Make) -> EwsSource:
    return make_source()


@pytest.fixture
def source_2010(make_source: Make) -> EwsSource:
    return make_source(version=ExchangeVersion.EXCHANGE2010)


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS context with a certificate that nobody has signed."""
    return self_signed(tmp_path).context
