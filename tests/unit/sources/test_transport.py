import asyncio
import gzip
import logging
import pickle
import socket
import ssl
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from engine import errors
from engine.settings import ExchangeSettings
from engine.sources.ews.source import EwsSource
from tests.unit.sources.conftest import INBOX, MAILBOX, Make, Responder, exchange_settings
from tests.unit.sources.soap import SECRET, page, soap_fault


async def read(source: EwsSource) -> bool:
    return (await source.read_changes(MAILBOX, INBOX, None, 512)).last


async def refused(source: EwsSource) -> errors.SourceError:
    with pytest.raises(errors.SourceError) as caught:
        await read(source)
    error = caught.value
    assert SECRET not in f"{error!r}{error}{error.__cause__!r}"
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), str(again)) == (type(error), str(error))
    return error


@pytest.mark.parametrize("status", [200, 400, 500, 503])
async def test_faults_are_read_whatever_the_status(source: EwsSource, responder: Responder, status: int) -> None:
    responder.reply(soap_fault("ErrorServerBusy"), status=status, Retry_After="9")
    error = await refused(source)
    assert isinstance(error, errors.Throttled)
    assert (error.code, error.retry_after) == ("ErrorServerBusy", 9.0)


async def test_xml_that_is_no_soap_is_no_ews(source: EwsSource, responder: Responder) -> None:
    responder.reply("<Autodiscover/>")
    assert type(await refused(source)) is errors.EndpointInvalid


async def test_answers_may_come_without_charset_compressed_and_in_pieces(
    source: EwsSource, responder: Responder
) -> None:
    async def pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/xml"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for byte in page().encode():
            await response.write(bytes([byte]))
        return response

    responder.reply(gzip.compress(page().encode()), Content_Encoding="gzip", Content_Type="text/xml")
    responder.replies.append(pieces)
    assert await read(source)
    assert await read(source)


async def test_a_broken_compression_is_unreadable(source: EwsSource, responder: Responder) -> None:
    responder.reply(b"not gzip at all", Content_Encoding="gzip")
    assert type(await refused(source)) is errors.ResponseUnreadable


async def test_xml_that_ends_early_is_unreadable(source: EwsSource, responder: Responder) -> None:
    responder.reply(page()[:-40])
    assert type(await refused(source)) is errors.ResponseUnreadable


async def test_one_connection_serves_many_requests_without_cookies(source: EwsSource, responder: Responder) -> None:
    peers: set[object] = set()

    def note(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        answer = web.Response(body=page().encode(), content_type="text/xml")
        answer.set_cookie("X-BackEndCookie", "somebody else's")
        return answer

    responder.replies.append(note)
    for _ in range(3):
        await read(source)
    assert len(peers) == 1
    assert all("Cookie" not in one.headers for one in responder.requests)


async def test_as_many_requests_as_threads_go_at_once(make_source: Make, responder: Responder) -> None:
    most = now = 0

    async def slow(request: web.Request) -> web.Response:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        return web.Response(body=page().encode(), content_type="text/xml")

    responder.replies.append(slow)
    source = make_source(concurrency=3)
    await asyncio.gather(*(read(source) for _ in range(9)))
    assert most == 3


async def test_after_a_failure_the_next_request_goes_through(source: EwsSource, responder: Responder) -> None:
    def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    responder.replies.append(cut)
    responder.reply(page())
    error = await refused(source)
    assert type(error) is errors.SourceUnavailable
    assert "broke off" in str(error)
    assert await read(source)
    assert len(responder.requests) == 2


@pytest.fixture
async def raw_url() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that says what it is told to, byte by byte, and hangs up."""
    said: list[bytes] = []

    talks: list[asyncio.Task[None] | None] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            for part in said:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.2 if part == b" " else 0)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has heard enough
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/EWS/Exchange.asmx", said
    server.close()
    for task in talks:
        if task is not None:
            task.cancel()
    await asyncio.gather(*(task for task in talks if task is not None))
    await server.wait_closed()


@pytest.mark.parametrize(
    "said",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<cut"],
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<cut>\r\n"],
        [b"HTTP/1.1 200 OK\r\n"],
        [b"SSH-2.0-OpenSSH_9\r\n"],
        [b""],
    ],
)
async def test_half_an_answer_is_no_answer(
    make_source: Make, raw_url: tuple[str, list[bytes]], said: list[bytes]
) -> None:
    url, script = raw_url
    script += said
    assert type(await refused(make_source(url))) is errors.SourceUnavailable


async def test_a_server_that_trickles_does_not_hold_a_thread_for_ever(
    make_source: Make, raw_url: tuple[str, list[bytes]]
) -> None:
    url, script = raw_url
    script += [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b" "] * 100]
    began = time.monotonic()
    error = await refused(make_source(url, timeout=0.5))
    assert type(error) is errors.SourceUnavailable
    assert "exchange.timeout" in str(error)
    assert time.monotonic() - began < 3


async def test_a_silent_server_is_given_up(make_source: Make, responder: Responder) -> None:
    async def sleep(request: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response()

    responder.replies.append(sleep)
    error = await refused(make_source(timeout=0.2))
    assert type(error) is errors.SourceUnavailable
    assert "in time" in str(error)


async def test_nobody_listening_is_told_as_such(make_source: Make) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await refused(make_source(f"http://127.0.0.1:{port}/EWS/Exchange.asmx"))
    assert type(error) is errors.SourceUnavailable
    assert "refuses the connection" in str(error)


async def test_a_name_without_an_address_is_told_as_such(make_source: Make) -> None:
    error = await refused(make_source("https://no-such-host.invalid/EWS/Exchange.asmx"))
    assert type(error) is errors.SourceUnavailable
    assert "no-such-host.invalid has no address" in str(error)


async def test_a_url_that_is_none_is_told_as_such(make_source: Make) -> None:
    assert type(await refused(make_source("http://.bad..host/EWS"))) is errors.EndpointInvalid


async def test_plain_http_where_tls_is_expected_is_told(make_source: Make, responder: Responder) -> None:
    error = await refused(make_source(responder.url.replace("http:", "https:")))
    assert type(error) is errors.EndpointInvalid
    assert "TLS" in str(error)


async def test_a_certificate_is_verified_unless_configured(
    make_source: Make, own_certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=page().encode(), content_type="text/xml")

    app = web.Application()
    app.router.add_post("/EWS/Exchange.asmx", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=own_certificate).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/EWS/Exchange.asmx"
    try:
        error = await refused(make_source(url))
        assert type(error) is errors.EndpointInvalid
        assert "not trusted" in str(error)
        assert await read(make_source(url, verify_tls=False))
    finally:
        await runner.cleanup()


async def test_a_proxy_of_the_environment_does_not_hijack_loopback(
    make_source: Make, responder: Responder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://user:hush@127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    responder.reply(page())
    assert await read(make_source())
    error = await refused(make_source("http://mail.example.invalid/EWS/Exchange.asmx"))
    assert "HTTPS_PROXY" in str(error)
    assert "hush" not in repr(error)


async def test_nothing_secret_is_logged_or_shown(
    make_source: Make, responder: Responder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    responder.reply(page())
    responder.reply("", status=401)
    source = make_source()
    await read(source)
    await refused(source)
    shown_text = caplog.text + repr(source) + repr(vars(source)) + repr(source._protocol)
    assert SECRET not in shown_text
    basic = responder.requests[0].headers["Authorization"].split()[1]
    assert basic not in shown_text


async def test_a_closed_source_says_so(source: EwsSource) -> None:
    await source.close()
    assert type(await refused(source)) is errors.SourceUnavailable


async def test_a_mistake_of_ours_is_a_source_error_too(
    source: EwsSource, monkeypatch: pytest.MonkeyPatch, responder: Responder
) -> None:
    responder.reply(page())
    monkeypatch.setattr(source, "_account", lambda _: None)
    error = await refused(source)
    assert type(error) is errors.SourceError
    assert error.__cause__ is not None


def test_settings_are_taken_as_they_are() -> None:
    settings: ExchangeSettings = exchange_settings("http://127.0.0.1:1/")
    assert SECRET not in repr(EwsSource(settings, 1))
