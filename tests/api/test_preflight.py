import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from api.app import build_app
from api.preflight import HANDFUL, check_exchange, check_listener, check_reachable, check_store
from api.serve_http import Listening, start_http
from engine import errors
from engine.model import Operator, OperatorId
from engine.settings import GatewaySettings
from tests.api.conftest import KEY, settings
from tests.fakes.mail_source import FakeMailSource
from tests.fakes.mailroom import FakeMailroom

FOLDERS = ("inbox", "sentitems")


def operators(*names: str) -> list[Operator]:
    return [Operator(OperatorId(name), f"{name}@example.com") for name in names]


def source(*names: str) -> FakeMailSource:
    made = FakeMailSource()
    for name in names:
        made.add_mailbox(f"{name}@example.com")
    return made


async def test_one_operator_that_works_is_enough() -> None:
    exchange, said = source("anna", "berta"), list[str]()
    await check_exchange(exchange, operators("anna", "berta"), FOLDERS, said.append)
    assert said == []
    assert len(exchange.calls) == 1


async def test_a_broken_operator_is_told_and_the_next_is_tried() -> None:
    said: list[str] = []
    await check_exchange(source("berta"), operators("anna", "berta"), FOLDERS, said.append)
    (line,) = said
    assert line.startswith("anna: Exchange knows no mailbox with this primary address. Correct the operator's email")


async def test_every_operator_broken_ends_the_start() -> None:
    said: list[str] = []
    people = operators(*"abcdefgh")
    with pytest.raises(errors.SettingsError, match=f"operators: none of the {HANDFUL} tried can be synchronised"):
        await check_exchange(source(), people, FOLDERS, said.append)
    assert len(said) == HANDFUL


@pytest.mark.parametrize(
    "error",
    [
        errors.AuthenticationFailed("no"),
        errors.EndpointInvalid("no"),
        errors.VersionInvalid("no"),
        errors.EwsBlocked("no"),
    ],
)
async def test_trouble_of_the_whole_installation_ends_the_start(error: errors.SourceError) -> None:
    exchange = source("anna", "berta")
    exchange.fail_next(error)
    with pytest.raises(type(error)):
        await check_exchange(exchange, operators("anna", "berta"), FOLDERS, lambda _: None)


@pytest.mark.parametrize("error", [errors.SourceUnavailable("busy"), errors.Throttled("slow down")])
async def test_what_passes_is_told_and_does_not_end_the_start(error: errors.SourceError) -> None:
    exchange, said = source("anna"), list[str]()
    exchange.fail_next(error)
    await check_exchange(exchange, operators("anna"), FOLDERS, said.append)
    assert len(said) == 1


async def test_a_missing_folder_is_told() -> None:
    said: list[str] = []
    await check_exchange(source("anna"), operators("anna"), ("inbox", "Projects"), said.append)
    assert said == ["anna: no folder Projects in this mailbox."]


async def test_no_operators_no_question() -> None:
    exchange = source()
    await check_exchange(exchange, [], FOLDERS, lambda _: None)
    assert not exchange.calls


async def test_an_unknown_host() -> None:
    with pytest.raises(errors.SettingsError, match=r"exchange\.url: the host no-such-host\.invalid is unknown"):
        await check_reachable("https://no-such-host.invalid/EWS/Exchange.asmx")


async def test_nothing_listens_there(unused_port: int) -> None:
    with pytest.raises(errors.SettingsError, match=rf"127\.0\.0\.1 port {unused_port} \(Connection refused\)"):
        await check_reachable(f"http://127.0.0.1:{unused_port}/EWS/Exchange.asmx")


async def test_something_listens_there(gateway: Listening) -> None:
    await check_reachable(gateway.url)


async def test_behind_a_proxy_nothing_is_guessed(unused_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    await check_reachable(f"http://exchange.invalid:{unused_port}/")


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


@pytest.fixture
async def gateway() -> AsyncIterator[Listening]:
    app = build_app(FakeMailroom(), settings(), callback_key=KEY)
    listening = await start_http(app, GatewaySettings(port=0))
    yield listening
    await listening.stop()


@pytest.mark.parametrize("path", ["", "/", "/ews/notifications", "/ews/notifications/"])
async def test_our_own_listener_is_recognised(gateway: Listening, path: str) -> None:
    said: list[str] = []
    await check_listener(gateway.url + path, KEY, said.append)
    assert said == []


async def test_another_mailroom_is_not_ours(gateway: Listening) -> None:
    said: list[str] = []
    await check_listener(gateway.url, b"another key", said.append)
    (line,) = said
    assert line.startswith(f"email_sync.notification_url: {gateway.url} does not lead to this gateway")
    assert "(HTTP 404)" in line


async def test_another_web_server_is_not_ours() -> None:
    said: list[str] = []
    listening = await start_http(web.Application(), GatewaySettings(port=0))
    await check_listener(listening.url, KEY, said.append)
    await listening.stop()
    assert "(HTTP 404)" in said[0]


async def test_a_silent_address_is_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.preflight.CONNECT_SECONDS", 0.2)
    said: list[str] = []

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        await check_listener(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", KEY, said.append)
        await asyncio.sleep(1)
    assert "(no answer)" in said[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
async def test_an_address_that_leads_nowhere_ends_the_start(unused_port: int, host: str) -> None:
    with pytest.raises(
        errors.SettingsError, match=r"email_sync\.notification_url: .* leads nowhere \(.+\)\. Set it to"
    ):
        await check_listener(f"http://{host}:{unused_port}", KEY, lambda _: None)


def test_a_store_that_can_be_made(tmp_path: Path) -> None:
    check_store(tmp_path / "new" / "deeper" / "mailroom.duckdb")
    (tmp_path / "there.duckdb").touch()
    check_store(tmp_path / "there.duckdb")


def test_a_store_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.SettingsError, match=r"store\.path: .* is not a file"):
        check_store(tmp_path)


def test_a_store_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(errors.SettingsError, match=r"store\.path: .* cannot be made"):
        check_store(tmp_path / "file" / "mailroom.duckdb")


def test_a_store_nobody_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(errors.SettingsError, match=r"cannot be made: this user may not write in"):
        check_store(tmp_path / "mailroom.duckdb")
    (tmp_path / "mailroom.duckdb").touch()
    with pytest.raises(errors.SettingsError, match=r"cannot be read and written by this user"):
        check_store(tmp_path / "mailroom.duckdb")
