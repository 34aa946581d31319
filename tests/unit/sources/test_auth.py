import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import spnego
from aiohttp import web

from engine import errors
from engine.sources.ews.oauth import Tokens
from engine.sources.ews.source import EwsSource
from tests.unit.sources.conftest import INBOX, MAILBOX, Make, Responder, exchange_settings
from tests.unit.sources.soap import SECRET, page


async def read(source: EwsSource) -> bool:
    return (await source.read_changes(MAILBOX, INBOX, None, 512)).last


@dataclass
class Tenant:
    """A token endpoint and the EWS that takes its tokens."""

    responder: Responder
    url: str = ""
    forms: list[dict[str, str]] = field(default_factory=list)
    good: set[str] = field(default_factory=set)
    refusal: tuple[int, str] | None = None
    seconds: int = 3600

    async def token(self, request: web.Request) -> web.Response:
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        if self.refusal:
            status, text = self.refusal
            return web.Response(status=status, text=text, content_type="application/json")
        token = f"token-{len(self.forms)}"
        self.good.add(token)
        return web.json_response({"token_type": "Bearer", "expires_in": self.seconds, "access_token": token})

    def ews(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        return web.Response(status=200 if token in self.good else 401, body=page().encode(), content_type="text/xml")


@pytest.fixture
async def tenant(responder: Responder) -> AsyncIterator[Tenant]:
    made = Tenant(responder)
    app = web.Application()
    app.router.add_post("/token", made.token)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    responder.replies.append(made.ews)
    yield made
    await runner.cleanup()


@pytest.fixture
def oauth_source(make_source: Make, tenant: Tenant) -> EwsSource:
    return make_source(auth="oauth2", client_id="app", token_url=tenant.url, concurrency=4)


async def test_basic_sends_the_service_account(make_source: Make, responder: Responder) -> None:
    responder.reply(page())
    await read(make_source())
    sent = base64.b64decode(responder.requests[0].headers["Authorization"].removeprefix("Basic ")).decode()
    assert sent == f"svc@example.com:{SECRET}"


async def test_one_token_serves_all_connections(oauth_source: EwsSource, tenant: Tenant) -> None:
    assert all(await asyncio.gather(*(read(oauth_source) for _ in range(8))))
    (form,) = tenant.forms
    assert form == {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_secret": SECRET,
        "scope": "https://127.0.0.1/.default",
    }


async def test_a_token_refused_before_its_time_is_renewed_once(oauth_source: EwsSource, tenant: Tenant) -> None:
    assert await read(oauth_source)
    tenant.good.clear()
    assert await read(oauth_source)
    assert len(tenant.forms) == 2


async def test_a_fresh_token_refused_is_a_failure(oauth_source: EwsSource, tenant: Tenant) -> None:
    tenant.responder.replies[:] = [lambda _: web.Response(status=401)]
    with pytest.raises(errors.AuthenticationFailed):
        await read(oauth_source)
    assert len(tenant.forms) == 2
    assert len(tenant.responder.requests) == 2


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        (
            (400, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret.\r\nTrace ID: 1"}),
            errors.AuthenticationFailed,
            "invalid_client: AADSTS7000215: Invalid secret.",
        ),
        ((401, {"error": "unauthorized_client"}), errors.AuthenticationFailed, "unauthorized_client"),
        ((404, {}), errors.AuthenticationFailed, "tenant_id"),
        ((200, {"hello": 1}), errors.AuthenticationFailed, "token endpoint"),
        ((200, []), errors.AuthenticationFailed, "token endpoint"),
        ((429, {}), errors.Throttled, "429"),
        ((503, {"error": "temporarily_unavailable"}), errors.Throttled, "temporarily"),
        ((500, {}), errors.SourceUnavailable, "500"),
    ],
)
async def test_a_token_that_is_not_given_is_told(
    oauth_source: EwsSource, tenant: Tenant, given: tuple[int, object], kind: type[errors.SourceError], words: str
) -> None:
    tenant.refusal = (given[0], json.dumps(given[1]))
    with pytest.raises(errors.SourceError, match=words) as caught:
        await read(oauth_source)
    assert type(caught.value) is kind
    assert "Trace ID" not in str(caught.value)
    assert SECRET not in f"{caught.value!r}{caught.value.__cause__!r}"


async def test_a_token_endpoint_that_is_away_is_unavailable(make_source: Make) -> None:
    source = make_source(auth="oauth2", client_id="app", token_url="http://127.0.0.1:1/token")
    with pytest.raises(errors.SourceUnavailable, match=r"127\.0\.0\.1:1 refuses"):
        await read(source)


async def test_a_token_is_renewed_before_it_ends(tenant: Tenant) -> None:
    now = 0.0
    given = iter(range(10))

    class Answer:
        status_code = 200

        def json(self) -> dict[str, object]:
            return {"access_token": f"t{next(given)}", "expires_in": "3600"}

    settings = exchange_settings(
        "https://outlook.office365.us/EWS/Exchange.asmx", auth="oauth2", client_id="a", tenant_id="t"
    )
    asked: list[tuple[str, str]] = []

    def post(url: str, form: dict[str, str]) -> Answer:
        asked.append((url, form["scope"]))
        return Answer()

    tokens = Tokens(settings, post, lambda: now)
    assert [tokens.token(), tokens.token()] == ["t0", "t0"]
    now = 3479.0
    assert tokens.token() == "t0"
    now = 3481.0
    assert tokens.token() == "t1"
    tokens.discard("t0")
    assert tokens.token() == "t1"
    tokens.discard("t1")
    assert tokens.token() == "t2"
    assert asked[0] == (
        "https://login.microsoftonline.com/t/oauth2/v2.0/token",
        "https://outlook.office365.us/.default",
    )


async def test_no_token_or_secret_is_logged(
    oauth_source: EwsSource, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await read(oauth_source)
    text = caplog.text + repr(oauth_source._protocol.__dict__) + repr(oauth_source)
    assert SECRET not in text
    assert "token-1" not in text


async def test_ntlm_shakes_hands_once_a_connection(
    make_source: Make, responder: Responder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "users"
    users.write_text(f"EXAMPLE:svc:{SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))
    contexts: dict[object, spnego.ContextProxy] = {}

    def shake(request: web.Request) -> web.Response:
        assert request.transport is not None
        peer = request.transport.get_extra_info("peername")
        context = contexts.get(peer)
        if context is None or not context.complete:
            token = request.headers.get("Authorization", "").removeprefix("NTLM ")
            if not token:
                return web.Response(status=401, headers={"WWW-Authenticate": "NTLM"})
            context = contexts.setdefault(
                peer, spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
            )
            try:
                challenge = context.step(base64.b64decode(token))
            except spnego.exceptions.SpnegoError:
                contexts.pop(peer)
                return web.Response(status=401, headers={"WWW-Authenticate": "NTLM"})
            if not context.complete:
                header = f"NTLM {base64.b64encode(challenge or b'').decode()}"
                return web.Response(status=401, headers={"WWW-Authenticate": header})
        return web.Response(body=page().encode(), content_type="text/xml")

    responder.replies.append(shake)
    source = make_source(auth="ntlm", username="EXAMPLE\\svc")
    for _ in range(3):
        assert await read(source)
    assert len(contexts) == 1
    assert len(responder.requests) == 5
    wrong = make_source(auth="ntlm", username="EXAMPLE\\nobody")
    with pytest.raises(errors.AuthenticationFailed):
        await read(wrong)


async def test_ntlm_before_a_server_without_it_says_what_there_is(make_source: Make, responder: Responder) -> None:
    responder.reply("", status=401, WWW_Authenticate='Basic realm="x"')
    with pytest.raises(errors.AuthenticationFailed, match="It offers: Basic"):
        await read(make_source(auth="ntlm", username="EXAMPLE\\svc"))
