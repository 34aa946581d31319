"""exchangelib, used as its documentation shows, against the simulator."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.simulator import ServerVersion, SimulatedExchange
from tests.unit.simulator.ews import ONE, TWO, Client, serving

exchangelib = pytest.importorskip("exchangelib")


def account(exchange: SimulatedExchange, email: str = ONE, access: str = "impersonation") -> Any:
    options = exchange.options
    credentials = exchangelib.Credentials(options.username, options.password)
    configuration = exchangelib.Configuration(
        service_endpoint=exchange.url,
        credentials=credentials,
        auth_type=exchangelib.BASIC,
        retry_policy=exchangelib.FailFast(),
    )
    return exchangelib.Account(email, config=configuration, autodiscover=False, access_type=access)


async def using(client: Client, work: Callable[[Any], Any], **options: Any) -> Any:
    def run() -> Any:
        opened = account(client.exchange, **options)
        try:
            return work(opened)
        finally:
            opened.protocol.close()
            exchangelib.close_connections()

    return await asyncio.to_thread(run)


@pytest.mark.parametrize("version", list(ServerVersion))
@pytest.mark.parametrize("access", ["impersonation", "delegate"])
async def test_all_mail_is_read(version: ServerVersion, access: str) -> None:
    async with serving(version=version, emails=30) as client:
        found = await using(client, lambda a: {i.id: i for i in a.inbox.all()}, access=access)
        truth = client.exchange.items(ONE, "inbox")
        assert set(found) == {item.item_id for item in truth}
        for item in truth:
            got = found[item.item_id]
            assert (got.subject, got.message_id, got.is_read) == (item.subject, item.message_id, item.is_read)
            assert int(got.datetime_received.timestamp()) == item.received_at
            assert str(got.body).replace("\r\n", "\n") == (item.body_html or item.body_text).replace("\r\n", "\n")
            assert got.author.email_address == (item.author.address if item.author else "")
            assert [a.name for a in got.attachments] == list(item.attachments)
            assert got.changekey == item.change_key


async def test_filter_order_and_count() -> None:
    def work(a: Any) -> tuple[Any, ...]:
        unread = [i.id for i in a.inbox.filter(is_read=False).only("subject")]
        newest = [i.id for i in a.inbox.all().order_by("-datetime_received").only("subject")[:5]]
        return (
            a.inbox.total_count,
            a.inbox.all().count(),
            unread,
            newest,
            a.inbox.filter(subject__icontains="a").count(),
        )

    async with serving(emails=60) as client:
        truth = client.exchange.items(ONE, "inbox")
        total, counted, unread, newest, with_a = await using(client, work)
        assert total == counted == len(truth)
        assert set(unread) == {i.item_id for i in truth if not i.is_read}
        assert newest == [i.item_id for i in sorted(truth, key=lambda i: -i.received_at)[:5]]
        assert with_a == sum("a" in i.subject.lower() for i in truth)


async def test_folders_are_walked() -> None:
    async with serving(emails=30) as client:
        names = await using(client, lambda a: {f.name: f.total_count for f in a.root.walk()})
        truth = {f.name: len(f.entries) for f in client.exchange.folders(ONE) if f.name}
        assert names == truth


async def test_sync_items_follows_changes() -> None:
    def work(a: Any) -> tuple[list[Any], str]:
        return list(a.inbox.sync_items(only_fields=["subject"])), a.inbox.item_sync_state

    async with serving(emails=20) as client:
        first, state = await using(client, work)
        assert {kind for kind, _ in first} == {"create"}
        assert {i.id for _, i in first} == {i.item_id for i in client.exchange.items(ONE, "inbox")}
        item = client.exchange.items(ONE, "inbox")[0]
        client.exchange.mark_read(ONE, item.item_id, not item.is_read)
        client.exchange.deliver(ONE)
        changes = await using(client, lambda a: list(a.inbox.sync_items(sync_state=state, only_fields=["subject"])))
        assert sorted(kind for kind, _ in changes) == ["create", "read_flag_change"]
        with pytest.raises(exchangelib.errors.ErrorInvalidSyncStateData):
            await using(client, lambda a: list(a.inbox.sync_items(sync_state="nonsense")))


async def test_mail_is_written_sent_changed_and_deleted() -> None:
    def write(a: Any) -> None:
        body = exchangelib.HTMLBody("<p>Grüße &amp; ✓</p>")
        message = exchangelib.Message(account=a, folder=a.sent, subject="Hello", body=body, to_recipients=[TWO])
        message.attach(exchangelib.FileAttachment(name="a.txt", content=b"abc"))
        message.send_and_save()
        draft = exchangelib.Message(account=a, folder=a.drafts, subject="Draft", body="x", to_recipients=[TWO]).save()
        draft.attach(exchangelib.FileAttachment(name="b.txt", content=b"abc"))
        draft.subject = "Final"
        draft.save()
        draft.send()

    def read(a: Any) -> list[tuple[Any, ...]]:
        found = list(a.inbox.all().order_by("subject"))
        for item in found:
            item.is_read = True
            item.categories = ["Seen"]
            item.save(update_fields=["is_read", "categories"])
        rows = [(i.subject, i.text_body.strip(), [x.content for x in i.attachments]) for i in found]
        found[0].move(a.junk)
        found[1].delete()
        return rows

    async with serving(emails=0) as client:
        await using(client, write)
        rows = await using(client, read, email=TWO)
        assert rows == [("Final", "x", [b"abc"]), ("Hello", "Grüße & ✓", [b"abc"])]
        assert client.exchange.items(TWO, "inbox") == []
        (junk,) = client.exchange.items(TWO, "junkemail")
        assert (junk.is_read, junk.categories) == (True, ("Seen",))
        assert {i.subject for i in client.exchange.items(ONE, "sentitems")} == {"Hello", "Final"}


async def test_errors_have_their_types() -> None:
    errors = exchangelib.errors
    async with serving(aliases={"sales@example.com": ONE}, denied=frozenset({TWO})) as client:
        for email, error in (
            ("sales@example.com", errors.ErrorNonPrimarySmtpAddress),
            (TWO, errors.ErrorImpersonateUserDenied),
            ("nobody@example.com", errors.ErrorNonExistentMailbox),
        ):
            with pytest.raises(error):
                await using(client, lambda a: a.inbox.total_count, email=email)
        client.exchange.faults.add("busy_fault", operation="SyncFolderItems", backoff_ms=1500)
        with pytest.raises(errors.ErrorServerBusy) as busy:
            await using(client, lambda a: list(a.inbox.sync_items()))
        assert busy.value.back_off == 1.5
