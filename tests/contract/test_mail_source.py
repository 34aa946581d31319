"""What every ``ports.MailSource`` does: the fake, and EwsSource against the simulated Exchange."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS
from engine.errors import FolderMissing, MailboxNotFound, SyncTokenRefused
from engine.model import Change, ChangeKind, Folder, ItemId, SyncToken
from engine.ports import MailSource
from engine.settings import ExchangeSettings
from engine.simulator import FaultKind, SimulatedExchange
from engine.sources.ews.source import EwsSource
from tests.fakes.mail_source import FakeMailSource

WHEN = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)


class World(Protocol):
    """A mail source, and hands to change what it reads."""

    source: MailSource
    mailbox: str

    def deliver(self, folder: str, subject: str, *, at: datetime = WHEN) -> ItemId: ...

    def rename(self, item_id: ItemId, subject: str) -> None: ...

    def mark_read(self, item_id: ItemId, is_read: bool) -> None: ...

    def delete(self, item_id: ItemId) -> None: ...

    def move(self, item_id: ItemId, folder: str) -> ItemId: ...

    def refuse_tokens(self, *, silently: bool) -> None: ...

    def break_item(self, item_id: ItemId) -> None: ...


class FakeWorld:
    mailbox = "ann@example.com"

    def __init__(self) -> None:
        self.fake = FakeMailSource()
        self.fake.add_mailbox(self.mailbox)
        self.source: MailSource = self.fake

    def deliver(self, folder: str, subject: str, *, at: datetime = WHEN) -> ItemId:
        return self.fake.deliver(self.mailbox, folder, subject=subject, received_at=at, is_read=False)

    def rename(self, item_id: ItemId, subject: str) -> None:
        self.fake.update(self.mailbox, item_id, subject=subject)

    def mark_read(self, item_id: ItemId, is_read: bool) -> None:
        self.fake.mark_read(self.mailbox, item_id, is_read)

    def delete(self, item_id: ItemId) -> None:
        self.fake.delete(self.mailbox, item_id)

    def move(self, item_id: ItemId, folder: str) -> ItemId:
        return self.fake.move(self.mailbox, item_id, folder)

    def refuse_tokens(self, *, silently: bool) -> None:
        self.fake.refuse_tokens(self.mailbox, silently=silently)

    def break_item(self, item_id: ItemId) -> None:
        self.fake.unreadable(item_id, "ErrorCorruptData")


class EwsWorld:
    def __init__(self, exchange: SimulatedExchange, source: EwsSource) -> None:
        self.exchange = exchange
        self.source: MailSource = source
        self.mailbox = exchange.operators[0].email

    def deliver(self, folder: str, subject: str, *, at: datetime = WHEN) -> ItemId:
        received = int(at.timestamp())
        made = self.exchange.deliver(self.mailbox, folder, subject=subject, received_at=received, is_read=False)
        return ItemId(made.item_id)

    def rename(self, item_id: ItemId, subject: str) -> None:
        self.exchange.update(self.mailbox, item_id, subject=subject)

    def mark_read(self, item_id: ItemId, is_read: bool) -> None:
        self.exchange.mark_read(self.mailbox, item_id, is_read)

    def delete(self, item_id: ItemId) -> None:
        self.exchange.delete(self.mailbox, item_id)

    def move(self, item_id: ItemId, folder: str) -> ItemId:
        return ItemId(self.exchange.move(self.mailbox, item_id, folder).item_id)

    def refuse_tokens(self, *, silently: bool) -> None:
        self.exchange.faults.add(FaultKind.TOKEN_IGNORED if silently else FaultKind.TOKEN_REFUSED, times=1)

    def break_item(self, item_id: ItemId) -> None:
        self.exchange.faults.add(FaultKind.UNREADABLE, item_id=item_id, code="ErrorCorruptData")


@pytest.fixture(params=["fake", "ews"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    async with SimulatedExchange(operators=1, emails=0) as exchange:
        settings = ExchangeSettings(
            url=exchange.url, username=exchange.options.username, password=SecretStr(exchange.options.password)
        )
        source = EwsSource(settings, 2)
        yield EwsWorld(exchange, source)
        await source.close()


@pytest.fixture
async def inbox(world: World) -> Folder:
    return (await world.source.resolve_folders(world.mailbox, ["inbox"])).found[0]


async def drain(
    world: World, folder: Folder, token: SyncToken | None, limit: int = 512
) -> tuple[list[Change], SyncToken]:
    changes: list[Change] = []
    while True:
        page = await world.source.read_changes(world.mailbox, folder, token, limit)
        assert len(page.changes) <= limit
        changes += page.changes
        token = page.token
        if page.last:
            return changes, token


def short(changes: list[Change]) -> list[tuple[ChangeKind, str]]:
    return sorted((change.kind, change.item_id) for change in changes)


async def subjects(world: World, folder: Folder, *ids: ItemId) -> list[Any]:
    found = await world.source.fetch_items(world.mailbox, folder, ids)
    listed: list[Any] = found.emails.column("subject").to_pylist()
    return listed


async def test_folders_are_found_by_name_and_the_others_reported(world: World) -> None:
    found = await world.source.resolve_folders(world.mailbox, ["Inbox", "nothing", "sentitems"])
    assert [folder.name for folder in found.found] == ["Inbox", "sentitems"]
    assert found.missing == ("nothing",)
    assert len({folder.folder_id for folder in found.found}) == 2


async def test_an_empty_folder_has_a_token(world: World, inbox: Folder) -> None:
    page = await world.source.read_changes(world.mailbox, inbox, None, 512)
    assert (page.changes, page.last) == ((), True)
    assert page.token


async def test_pages_together_list_everything_once(world: World, inbox: Folder) -> None:
    ids = [world.deliver("inbox", f"Message {n}") for n in range(7)]
    changes, token = await drain(world, inbox, None, limit=3)
    assert short(changes) == sorted((ChangeKind.CREATE, item_id) for item_id in ids)
    assert all(change.received_at == WHEN and change.is_read is False for change in changes)
    assert all(change.change_key and change.size for change in changes)
    assert (await drain(world, inbox, token))[0] == []


async def test_each_change_is_told_as_what_it_is(world: World, inbox: Folder) -> None:
    kept, renamed, read, deleted = (world.deliver("inbox", name) for name in "abcd")
    _, token = await drain(world, inbox, None)
    world.rename(renamed, "new")
    world.mark_read(read, is_read=True)
    world.delete(deleted)
    created = world.deliver("inbox", "e")
    changes, _ = await drain(world, inbox, token)
    assert short(changes) == sorted(
        [
            (ChangeKind.UPDATE, renamed),
            (ChangeKind.READ_FLAG, read),
            (ChangeKind.DELETE, deleted),
            (ChangeKind.CREATE, created),
        ]
    )
    assert next(change.is_read for change in changes if change.kind is ChangeKind.READ_FLAG) is True
    assert kept not in {change.item_id for change in changes}


async def test_changes_collapse_into_what_is_left_of_them(world: World, inbox: Folder) -> None:
    old = world.deliver("inbox", "old")
    _, token = await drain(world, inbox, None)
    fresh, brief = world.deliver("inbox", "fresh"), world.deliver("inbox", "brief")
    world.rename(fresh, "fresher")
    world.delete(brief)
    world.mark_read(old, is_read=True)
    world.rename(old, "older")
    changes, _ = await drain(world, inbox, token)
    assert short(changes) == sorted([(ChangeKind.CREATE, fresh), (ChangeKind.UPDATE, old)])


async def test_a_token_may_be_used_again(world: World, inbox: Folder) -> None:
    _, token = await drain(world, inbox, None)
    item_id = world.deliver("inbox", "x")
    once, _ = await drain(world, inbox, token)
    assert short(once) == short((await drain(world, inbox, token))[0]) == [(ChangeKind.CREATE, item_id)]


async def test_a_token_belongs_to_its_folder(world: World, inbox: Folder) -> None:
    _, token = await drain(world, inbox, None)
    sent = (await world.source.resolve_folders(world.mailbox, ["sentitems"])).found[0]
    with pytest.raises(SyncTokenRefused):
        await world.source.read_changes(world.mailbox, sent, token, 512)
    with pytest.raises(SyncTokenRefused):
        await world.source.read_changes(world.mailbox, inbox, SyncToken("bogus"), 512)


async def test_the_newest_are_found_beside_a_listing(world: World, inbox: Folder) -> None:
    assert await world.source.find_newest(world.mailbox, inbox, 3) == ()
    ids = [world.deliver("inbox", name, at=WHEN + timedelta(minutes=n)) for n, name in enumerate("acb")]
    old = world.deliver("inbox", "old", at=WHEN - timedelta(days=1))
    first = await world.source.read_changes(world.mailbox, inbox, None, 2)
    found = await world.source.find_newest(world.mailbox, inbox, 3)
    assert [change.item_id for change in found] == ids[::-1]
    assert found[-1].received_at == WHEN
    changes, _ = await drain(world, inbox, first.token)
    listed = {change.item_id: change for change in (*first.changes, *changes)}
    assert listed.keys() == {*ids, old}
    assert all(listed[change.item_id] == change for change in found)


async def test_a_refused_token_is_told(world: World, inbox: Folder) -> None:
    _, token = await drain(world, inbox, None)
    world.refuse_tokens(silently=False)
    with pytest.raises(SyncTokenRefused):
        await world.source.read_changes(world.mailbox, inbox, token, 512)


async def test_a_silently_ignored_token_lists_everything(world: World, inbox: Folder) -> None:
    item_id = world.deliver("inbox", "x")
    _, token = await drain(world, inbox, None)
    world.refuse_tokens(silently=True)
    changes, _ = await drain(world, inbox, token)
    assert short(changes) == [(ChangeKind.CREATE, item_id)]


async def test_a_move_is_a_delete_and_a_create_with_another_id(world: World, inbox: Folder) -> None:
    sent = (await world.source.resolve_folders(world.mailbox, ["sentitems"])).found[0]
    old = world.deliver("inbox", "x")
    (_, here), (_, there) = await drain(world, inbox, None), await drain(world, sent, None)
    new = world.move(old, "sentitems")
    assert new != old
    assert short((await drain(world, inbox, here))[0]) == [(ChangeKind.DELETE, old)]
    assert short((await drain(world, sent, there))[0]) == [(ChangeKind.CREATE, new)]
    assert (await world.source.fetch_items(world.mailbox, inbox, [old])).missing == (old,)
    assert (await world.source.fetch_items(world.mailbox, inbox, [new])).missing == (new,)
    assert await subjects(world, sent, new) == ["x"]


async def test_every_id_is_in_one_group(world: World, inbox: Folder) -> None:
    good, gone, bad = (world.deliver("inbox", name) for name in "abc")
    world.delete(gone)
    world.break_item(bad)
    found = await world.source.fetch_items(world.mailbox, inbox, [good, gone, bad, good])
    assert (found.emails.schema, found.attachments.schema) == (FETCHED_EMAILS, FETCHED_ATTACHMENTS)
    assert found.emails.column("item_id").to_pylist() == [good]
    assert found.missing == (gone,)
    assert [(one.item_id, one.code) for one in found.unreadable] == [(bad, "ErrorCorruptData")]
    assert found.unreadable[0].reason


async def test_a_listed_change_key_is_the_fetched_one(world: World, inbox: Folder) -> None:
    item_id = world.deliver("inbox", "x")
    world.rename(item_id, "y")
    (change,), _ = await drain(world, inbox, None)
    (row,) = (await world.source.fetch_items(world.mailbox, inbox, [item_id])).emails.to_pylist()
    assert (row["change_key"], row["received_at"], row["subject"]) == (change.change_key, WHEN, "y")


async def test_nothing_asked_is_nothing_fetched(world: World, inbox: Folder) -> None:
    found = await world.source.fetch_items(world.mailbox, inbox, [])
    assert (found.emails.num_rows, found.attachments.num_rows, found.missing, found.unreadable) == (0, 0, (), ())


async def test_a_subscription_has_an_id_of_its_own(world: World, inbox: Folder) -> None:
    first, _ = await world.source.subscribe(world.mailbox, [inbox], "http://127.0.0.1:9/a", 30)
    second, _ = await world.source.subscribe(world.mailbox, [inbox], "http://127.0.0.1:9/b", 1440)
    assert first
    assert second
    assert first != second


async def test_who_is_not_there_is_told(world: World, inbox: Folder) -> None:
    nobody = "nobody@example.com"
    with pytest.raises(MailboxNotFound):
        await world.source.resolve_folders(nobody, ["inbox"])
    with pytest.raises(MailboxNotFound):
        await world.source.read_changes(nobody, inbox, None, 512)


async def test_a_folder_that_is_not_there_is_told(world: World, inbox: Folder) -> None:
    gone = Folder(inbox.folder_id.__class__("bm8gc3VjaCBmb2xkZXI="), "gone")
    with pytest.raises(FolderMissing):
        await world.source.read_changes(world.mailbox, gone, None, 512)
    with pytest.raises(FolderMissing):
        await world.source.find_newest(world.mailbox, gone, 3)
    with pytest.raises(FolderMissing):
        await world.source.subscribe(world.mailbox, [gone], "http://127.0.0.1:9/a", 30)
