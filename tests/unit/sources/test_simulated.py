"""EwsSource against the simulated Exchange: every field, every version, every fault it can order."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from engine import errors
from engine.model import Folder
from engine.settings import ExchangeSettings, ExchangeVersion
from engine.simulator import FaultKind, Item, ServerVersion, SimulatedExchange
from engine.sources.ews.source import EwsSource

SERVERS = {
    ExchangeVersion.EXCHANGE2010: ServerVersion.EXCHANGE_2010,
    ExchangeVersion.EXCHANGE2013: ServerVersion.EXCHANGE_2013,
    ExchangeVersion.EXCHANGE2016: ServerVersion.EXCHANGE_2016,
    ExchangeVersion.EXCHANGE365: ServerVersion.EXCHANGE_365,
}


def connect(exchange: SimulatedExchange, **changes: Any) -> EwsSource:
    options = exchange.options
    values: dict[str, Any] = {
        "url": exchange.url,
        "username": options.username,
        "password": SecretStr(options.password),
        "timeout": 5.0,
        **changes,
    }
    return EwsSource(ExchangeSettings(**values), 2)


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    async with SimulatedExchange(
        operators=3,
        emails=40,
        aliases={"alias@example.com": "operator0001@example.com"},
        denied=frozenset({"operator0002@example.com"}),
    ) as made:
        yield made


@pytest.fixture
async def source(exchange: SimulatedExchange) -> AsyncIterator[EwsSource]:
    made = connect(exchange)
    yield made
    await made.close()


@pytest.fixture
def mailbox(exchange: SimulatedExchange) -> str:
    return exchange.operators[0].email


async def inbox_of(source: EwsSource, mailbox: str) -> Folder:
    return (await source.resolve_folders(mailbox, ["inbox"])).found[0]


async def rows_of(source: EwsSource, mailbox: str) -> dict[str, dict[str, Any]]:
    inbox = await inbox_of(source, mailbox)
    page = await source.read_changes(mailbox, inbox, None, 512)
    found = await source.fetch_items(mailbox, inbox, [change.item_id for change in page.changes])
    assert (found.missing, found.unreadable) == ((), ())
    return {row["item_id"]: row for row in found.emails.to_pylist()}


def expected(item: Item) -> dict[str, Any]:
    def moment(seconds: int | None) -> datetime | None:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def people(given: Any) -> list[dict[str, str]]:
        return [{"name": person.name, "address": person.address} for person in given]

    author = item.author or item.sender
    return {
        "change_key": item.change_key,
        "item_class": item.item_class,
        "subject": item.subject,
        "sender_name": author.name if author else None,
        "sender_address": author.address if author else None,
        "to_recipients": people(item.to),
        "cc_recipients": people(item.cc),
        "bcc_recipients": people(item.bcc),
        "sent_at": moment(item.sent_at),
        "received_at": moment(item.received_at),
        "modified_at": moment(item.modified_at),
        "message_id": item.message_id,
        "conversation_id": item.conversation_id,
        "in_reply_to": item.in_reply_to or None,
        "references": item.references or None,
        "is_read": item.is_read,
        "importance": item.importance,
        "sensitivity": item.sensitivity,
        "has_attachments": item.has_attachments,
        "size": item.size,
        "categories": list(item.categories),
        "body_html": item.body_html,
    }


@pytest.mark.parametrize("version", list(ExchangeVersion))
async def test_what_is_fetched_is_what_exchange_has(version: ExchangeVersion) -> None:
    async with SimulatedExchange(operators=1, emails=40, version=SERVERS[version]) as exchange:
        mailbox = exchange.operators[0].email
        source = connect(exchange, version=version)
        rows = await rows_of(source, mailbox)
        await source.close()
        items = {item.item_id: item for item in exchange.items(mailbox, "inbox")}
    assert rows.keys() == items.keys()
    assert len(rows) > 10
    for item_id, item in items.items():
        row, wanted = rows[item_id], expected(item)
        assert {name: row[name] for name in wanted} == wanted
        if version is ExchangeVersion.EXCHANGE2010 and item.body_html is not None:
            assert row["body_text"].split()[:3] == item.body_text.split()[:3]
        else:
            assert row["body_text"] == item.body_text


async def test_oauth2_signs_in_and_renews_an_expired_token() -> None:
    async with SimulatedExchange(operators=1, emails=5, token_seconds=1) as exchange:
        options = exchange.options
        source = connect(
            exchange,
            auth="oauth2",
            client_id=options.client_id,
            client_secret=SecretStr(options.client_secret),
            token_url=exchange.token_url,
        )
        mailbox = exchange.operators[0].email
        for _ in range(2):
            assert await rows_of(source, mailbox)
        await source.close()
        wrong = connect(
            exchange,
            auth="oauth2",
            client_id=options.client_id,
            client_secret=SecretStr("wrong"),
            token_url=exchange.token_url,
        )
        with pytest.raises(errors.AuthenticationFailed):
            await inbox_of(wrong, mailbox)
        await wrong.close()


@pytest.mark.parametrize(
    ("kind", "fields", "error"),
    [
        (FaultKind.BUSY, {"backoff_ms": 0}, errors.Throttled),
        (FaultKind.BUSY_FAULT, {"backoff_ms": 2000}, errors.Throttled),
        (FaultKind.BUSY_INNER, {}, errors.Throttled),
        (FaultKind.UNAVAILABLE, {"retry_after": 3}, errors.Throttled),
        (FaultKind.RESET, {}, errors.SourceUnavailable),
        (FaultKind.BAD_REQUEST, {}, errors.SourceUnavailable),
        (FaultKind.WRONG_PASSWORD, {}, errors.AuthenticationFailed),
        (FaultKind.EWS_DISABLED, {}, errors.EwsBlocked),
        (FaultKind.DENIED, {}, errors.ImpersonationDenied),
        (FaultKind.MISSING_MAILBOX, {}, errors.MailboxNotFound),
        (FaultKind.ERROR, {"code": "ErrorMailboxMoveInProgress"}, errors.MailboxMoving),
        (FaultKind.FAULT, {"code": "ErrorAccountDisabled"}, errors.AccountDisabled),
        (FaultKind.TOKEN_REFUSED, {}, errors.SyncTokenRefused),
    ],
)
async def test_faults_become_our_errors_and_pass(
    exchange: SimulatedExchange, source: EwsSource, kind: FaultKind, fields: dict[str, Any], error: type[Exception]
) -> None:
    mailbox = exchange.operators[0].email
    inbox = await inbox_of(source, mailbox)
    token = (await source.read_changes(mailbox, inbox, None, 512)).token
    exchange.faults.add(kind, times=1, **fields)
    with pytest.raises(errors.SourceError) as caught:
        await source.read_changes(mailbox, inbox, token, 512)
    assert type(caught.value) is error
    assert mailbox in str(caught.value) or exchange.url in str(caught.value)
    if isinstance(caught.value, errors.Throttled) and "backoff_ms" in fields:
        assert caught.value.retry_after == fields["backoff_ms"] / 1000
    assert (await source.read_changes(mailbox, inbox, token, 512)).last


async def test_a_busy_server_during_a_fetch_raises(
    exchange: SimulatedExchange, source: EwsSource, mailbox: str
) -> None:
    inbox = await inbox_of(source, mailbox)
    page = await source.read_changes(mailbox, inbox, None, 10)
    ids = [change.item_id for change in page.changes]
    exchange.faults.add(FaultKind.BUSY, times=1, operation="GetItem", backoff_ms=500)
    with pytest.raises(errors.Throttled) as caught:
        await source.fetch_items(mailbox, inbox, ids)
    assert caught.value.retry_after == 0.5
    assert (await source.fetch_items(mailbox, inbox, ids)).emails.num_rows == 10


@pytest.mark.parametrize("kind", [FaultKind.NANOSECONDS, FaultKind.NO_CHARSET, FaultKind.NO_CHANGE_KEY])
async def test_odd_servers_are_read_all_the_same(
    exchange: SimulatedExchange, source: EwsSource, mailbox: str, kind: FaultKind
) -> None:
    exchange.faults.add(kind)
    rows = await rows_of(source, mailbox)
    assert rows.keys() == {item.item_id for item in exchange.items(mailbox, "inbox")}
    assert all(row["received_at"] for row in rows.values())


async def test_forbidden_characters_are_survived(exchange: SimulatedExchange, source: EwsSource, mailbox: str) -> None:
    exchange.faults.add(FaultKind.INVALID_CHARACTER)
    rows = await rows_of(source, mailbox)
    assert rows.keys() == {item.item_id for item in exchange.items(mailbox, "inbox")}


async def test_items_vanish_and_break_one_by_one(exchange: SimulatedExchange, source: EwsSource, mailbox: str) -> None:
    inbox = await inbox_of(source, mailbox)
    ids = [change.item_id for change in (await source.read_changes(mailbox, inbox, None, 3)).changes]
    exchange.faults.add(FaultKind.VANISHED, item_id=ids[0])
    exchange.faults.add(FaultKind.UNREADABLE, item_id=ids[1])
    found = await source.fetch_items(mailbox, inbox, ids)
    assert found.missing == (ids[0],)
    assert [one.item_id for one in found.unreadable] == [ids[1]]
    assert found.emails.column("item_id").to_pylist() == [ids[2]]


async def test_a_subscription_may_lack_its_watermark(
    exchange: SimulatedExchange, source: EwsSource, mailbox: str
) -> None:
    inbox = await inbox_of(source, mailbox)
    exchange.faults.add(FaultKind.NO_WATERMARK)
    subscription_id, watermark = await source.subscribe(mailbox, [inbox], "http://127.0.0.1:9/x", 30)
    assert (bool(subscription_id), watermark) == (True, None)
    with pytest.raises(errors.ListenerUrlInvalid):
        await source.subscribe(mailbox, [inbox], "ftp://127.0.0.1:9/x", 30)


async def test_who_may_not_be_read_is_told(exchange: SimulatedExchange, source: EwsSource) -> None:
    with pytest.raises(errors.MailboxNotFound) as renamed:
        await inbox_of(source, "alias@example.com")
    assert renamed.value.corrected_address == "operator0001@example.com"
    with pytest.raises(errors.ImpersonationDenied):
        await inbox_of(source, "operator0002@example.com")


async def test_folders_of_ones_own_are_found_by_path(
    exchange: SimulatedExchange, source: EwsSource, mailbox: str
) -> None:
    made = exchange.create_folder(mailbox, "Projects/2026")
    found = await source.resolve_folders(
        mailbox, ["projects/2026", "Projects", "msgfolderroot/PROJECTS/2026", "inbox/x"]
    )
    assert [folder.name for folder in found.found] == ["projects/2026", "Projects"]
    assert found.found[0].folder_id == made
    assert found.missing == ("inbox/x",)


async def test_a_wrong_password_is_told(exchange: SimulatedExchange, mailbox: str) -> None:
    source = connect(exchange, password=SecretStr("not this one"))
    with pytest.raises(errors.AuthenticationFailed) as caught:
        await inbox_of(source, mailbox)
    assert "not this one" not in str(caught.value)
    await source.close()
