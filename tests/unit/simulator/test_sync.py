import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.simulator import tokens
from engine.simulator.compose import compose
from engine.simulator.ids import guid_of
from engine.simulator.mailbox import Mailbox
from engine.simulator.tokens import ITEMS, Segment
from tests.unit.simulator.ews import FOLDER_SHAPE, ONE, SHAPE, Client, serving


def kinds(answer: Any) -> list[str]:
    return [change.tag.rpartition("}")[2] for change in answer.one("m:Changes")]


async def state_of(client: Client, folder: str = "inbox") -> str:
    answer = await client.sync(folder)
    return answer.text("m:SyncState")


async def test_the_first_listing_is_everything_from_newest_to_oldest() -> None:
    async with serving(emails=60) as client:
        truth = client.exchange.items(ONE, "inbox")
        seen: list[str] = []
        state = ""
        for _ in range(50):
            answer = await client.sync(state=state, most=7)
            assert set(kinds(answer)) == {"Create"}
            seen += answer.ids
            state = answer.text("m:SyncState")
            if answer.text("m:IncludesLastItemInRange") == "true":
                break
        assert seen == [item.item_id for item in reversed(truth)]
        assert kinds(await client.sync(state=state)) == []


async def test_changes_collapse_as_at_exchange() -> None:
    async with serving(emails=40) as client:
        exchange = client.exchange
        state = await state_of(client)
        first, second, third, *_ = exchange.items(ONE, "inbox")
        new = exchange.deliver(ONE, subject="one")
        exchange.update(ONE, new.item_id, subject="two")
        exchange.delete(ONE, exchange.deliver(ONE).item_id)
        exchange.mark_read(ONE, first.item_id, not first.is_read)
        exchange.update(ONE, second.item_id, subject="changed")
        exchange.mark_read(ONE, second.item_id, not second.is_read)
        exchange.update(ONE, third.item_id, subject="gone")
        exchange.delete(ONE, third.item_id)
        answer = await client.sync(state=state, shape=SHAPE.format("Default"))
        assert sorted(kinds(answer)) == ["Create", "Delete", "ReadFlagChange", "Update"]
        assert answer.one("t:Create").find(".//{*}Subject").text == "two"  # type: ignore[union-attr]
        assert answer.one("t:Delete/t:ItemId").get("Id") == third.item_id
        assert answer.one("t:ReadFlagChange/t:ItemId").get("ChangeKey") != first.change_key
        assert answer.one("t:Update/t:Message/t:ItemId").get("Id") == second.item_id
        assert kinds(await client.sync(state=answer.text("m:SyncState"))) == []


async def test_a_move_is_a_delete_and_a_create_with_another_id() -> None:
    async with serving(emails=40) as client:
        inbox, bin_ = await state_of(client), await state_of(client, "deleteditems")
        item = client.exchange.items(ONE, "inbox")[0]
        moved = client.exchange.move(ONE, item.item_id, "deleteditems")
        assert moved.item_id != item.item_id
        assert kinds(await client.sync(state=inbox)) == ["Delete"]
        answer = await client.sync("deleteditems", bin_)
        assert kinds(answer) == ["Create"]
        assert answer.ids == [moved.item_id]
        assert (await client.get_items([item.item_id])).codes == ["ErrorItemNotFound"]


async def test_tokens_belong_to_a_folder_and_mailbox() -> None:
    async with serving(emails=5) as client:
        state = await state_of(client)
        other = await client.sync(state=state, who="operator0002@example.com")
        for answer in (
            await client.sync("sentitems", state),
            await client.sync(state="garbage"),
            await client.sync(state=state[:-8]),
            other,
        ):
            assert answer.codes == ["ErrorInvalidSyncStateData"]


@pytest.mark.parametrize("most", [0, 513, -1])
async def test_a_page_has_one_to_512_changes(most: int) -> None:
    async with serving() as client:
        assert (await client.sync(most=most)).codes == ["ErrorSchemaValidation"]


async def test_ignored_items_are_left_out() -> None:
    async with serving(emails=40) as client:
        item = client.exchange.items(ONE, "inbox")[0].item_id
        answer = await client.sync(ignore=f'<m:Ignore><t:ItemId Id="{item}"/></m:Ignore>')
        assert item not in answer.ids


async def test_the_hierarchy_syncs_too() -> None:
    body = "<m:SyncFolderHierarchy>" + FOLDER_SHAPE.format("Default") + "{}</m:SyncFolderHierarchy>"
    async with serving(emails=3) as client:
        first = await client.call(body.format(""))
        assert set(kinds(first)) == {"Create"}
        client.exchange.create_folder(ONE, "Tenders/2027")
        mailbox = client.exchange.mailbox(ONE)
        mailbox.rename_folder(mailbox.folder("Customers"), "Clients")
        mailbox.delete_folder(mailbox.folder("Projects"))
        state = f"<m:SyncState>{first.text('m:SyncState')}</m:SyncState>"
        answer = await client.call(body.format(state))
        assert sorted(kinds(answer)) == ["Create", "Create", "Delete", "Update"]
        assert (await client.call(body.format("<m:SyncState>AAAA</m:SyncState>"))).codes == [
            "ErrorInvalidSyncStateData"
        ]


class Follower:
    """A client that knows a folder only through pages of changes."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.folder = mailbox.standard["inbox"]
        self.known: dict[str, tuple[str, bool]] = {}
        self.state = ""

    def page(self, limit: int) -> bool:
        number, guid = self.folder.number, self.mailbox.guid
        segments: list[Segment] = []
        if self.state:
            segments = tokens.read(self.state, ITEMS, guid, number, self.mailbox.cn)
        page = tokens.changes(self.folder, segments, limit, self.mailbox.cn)
        assert len(page.creates) + len(page.updates) + len(page.reads) + len(page.deletes) <= limit
        for message in page.creates:
            assert message.item_id not in self.known
            self.known[message.item_id] = (message.subject, message.is_read)
        for message in page.updates:
            assert message.item_id in self.known
            self.known[message.item_id] = (message.subject, message.is_read)
        for message in page.reads:
            subject, _ = self.known[message.item_id]
            assert subject == message.subject, "a read-flag change must not hide an update"
            self.known[message.item_id] = (subject, message.is_read)
        for stone in page.deletes:
            del self.known[stone.item_id]
        self.state = tokens.write(ITEMS, guid, number, page.segments)
        return page.complete

    @property
    def truth(self) -> dict[str, tuple[str, bool]]:
        return {m.item_id: (m.subject, m.is_read) for m in self.folder.entries.values()}


KINDS = ("add", "add", "add", "update", "update", "read", "delete", "move", "back", "page", "page")
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 30)), min_size=15, max_size=80)


def happen(mailbox: Mailbox, step: str, choice: int, number: int) -> None:
    inbox, elsewhere = mailbox.standard["inbox"], mailbox.standard["deleteditems"]
    there = list((elsewhere if step == "back" else inbox).entries.values())
    if step == "add":
        mailbox.deliver(compose(mailbox, inbox, subject=str(number)), inbox)
    elif there:
        message = there[choice % len(there)]
        if step == "update":
            mailbox.update(message, subject=f"{message.subject}.{number}")
        elif step == "read":
            mailbox.mark_read(message, not message.is_read)
        elif step == "delete":
            mailbox.delete(message)
        else:
            mailbox.move(message, inbox if step == "back" else elsewhere)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(1, 5))
def test_whoever_follows_the_changes_knows_the_folder(steps: list[tuple[str, int]], limit: int) -> None:
    mailbox = Mailbox(ONE, "One", guid_of(ONE), lambda: 0.0)
    follower = Follower(mailbox)
    for number, (step, choice) in enumerate(steps):
        if step == "page":
            follower.page(limit)
        else:
            happen(mailbox, step, choice, number)
    for _ in range(200):
        if follower.page(limit):
            break
    assert follower.known == follower.truth
    assert follower.page(limit)
    assert follower.folder.unread == sum(not message.is_read for message in follower.folder.entries.values())


async def test_ten_thousand_mailboxes_start_at_once() -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with serving(operators=10_000, emails=50) as client:
        assert (await client.sync(who="operator9999@example.com")).codes == ["NoError"]
        assert loop.time() - started < 5
        assert len(client.exchange.organisation.opened()) <= 2
