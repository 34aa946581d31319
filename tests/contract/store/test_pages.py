"""Pending pages, reconciling drains, and the records of a mailbox."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.model import (
    FolderRecord,
    ItemId,
    LandingResult,
    MailboxRecord,
    MailboxStatus,
    Operator,
    QuarantinedItem,
    SyncToken,
)
from tests.fakes.store_emails import emails
from tests.fakes.store_inspect import current_rows
from tests.fakes.store_words import ANN, INBOX, SENT, START, AnyStore, Lander, activate, ids, page

# Pages


async def test_pages_are_kept_newest_first_until_finished(store: AnyStore, land: Lander) -> None:
    old, new, undated = (
        page("a", "1", newest_at=START),
        page("b", "2", "3", newest_at=START + timedelta(1)),
        page("c", "4"),
    )
    assert (await land(folder=INBOX, queued=(old, new, undated))).queued == (old, new, undated)
    assert (await activate(store)).pending == (new, old, undated)
    land.epoch = (await activate(store)).epoch
    await land(folder=INBOX, finished_pages=("b", "unknown"), amended_pages=(replace(old, item_ids=ids("9")),))
    assert (await activate(store)).pending == (replace(old, item_ids=ids("9")), undated)


async def test_queued_items_that_have_landed_are_dropped(store: AnyStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails(*({"item_id": one} for one in "123")))
    await land(folder=SENT, emails=emails({"item_id": "4"}))
    await land(folder=INBOX, deleted=ids("3"))
    listed = {ItemId(one): f"{one}-1" for one in "134"} | {ItemId("2"): "other"}
    result = await land(folder=INBOX, queued=(page("p", *"12345"), page("q", "1")), listed=listed)
    assert result == LandingResult(relisted=2, queued=(page("p", *"2345"),))
    assert (await activate(store)).pending == (page("p", *"2345"),)


async def test_relisted_counts_listed_items_that_were_current(land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1"}))
    result = await land(
        folder=INBOX, deleted=ids("1"), emails=emails({"item_id": "2"}), listed={ItemId("1"): "x", ItemId("2"): "2-1"}
    )
    assert result == LandingResult(inserted=1, deleted=1, relisted=1)


@pytest.mark.parametrize(("reconciling", "marked"), [(False, True), (True, False)])
async def test_a_folder_whose_items_are_listed_again_is_marked(
    store: AnyStore, land: Lander, reconciling: bool, marked: bool
) -> None:
    record = FolderRecord(INBOX.folder_id, "inbox", SyncToken("t"), reconciling=reconciling)
    await land(folder=INBOX, emails=emails({"item_id": "1"}), folder_record=record, listed={ItemId("1"): "1-1"})
    assert (await activate(store)).folders == (record,)
    land.epoch = (await activate(store)).epoch
    await land(folder=INBOX, folder_record=record, listed={ItemId("1"): "other"})
    assert (await activate(store)).folders == (replace(record, relisted=marked),)


async def test_an_item_landed_and_queued_at_once_is_landed(land: Lander) -> None:
    result = await land(
        folder=INBOX, emails=emails({"item_id": "1"}), queued=(page("p", "1", "2"),), listed={ItemId("1"): "1-1"}
    )
    assert result.queued == (page("p", "2"),)


# Reconciling


async def test_what_a_reconciling_drain_has_not_seen_is_tombstoned(store: AnyStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails(*({"item_id": one} for one in "12345678")))
    await land(folder=SENT, emails=emails({"item_id": "s"}))
    await land(folder=INBOX, seen=ids("1", "8"), forget_seen=True)
    await land(folder=INBOX, seen=ids("2"), forget_seen=True)
    result = await land(
        folder=INBOX,
        seen=ids("3"),
        emails=emails({"item_id": "4"}, {"item_id": "9"}),
        queued=(page("p", "5"),),
        listed={ItemId("6"): "x"},
        reconciled=True,
    )
    assert (result.inserted, result.deleted) == (1, 3)
    assert set(current_rows(store, ANN)) == set("234569s")
    await land(folder=INBOX, seen=ids("2"), reconciled=True)
    assert set(current_rows(store, ANN)) == {"2", "s"}, "the seen of the first drain are forgotten"


async def test_retiring_a_folder_takes_everything_of_it(store: AnyStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1"}), queued=(page("p", "2"),), seen=ids("1"))
    later = QuarantinedItem(INBOX.folder_id, ItemId("3"), "ITEM_UNREADABLE", "x", 1, START)
    await land(quarantined=(later,), folder_record=FolderRecord(INBOX.folder_id, "inbox", SyncToken("t")))
    await land(folder=SENT, emails=emails({"item_id": "s"}), queued=(page("q", "t", folder=SENT),))
    assert await land(retired_folders=(INBOX.folder_id,)) == LandingResult(deleted=1)
    activation = await activate(store)
    assert (activation.folders, activation.quarantined) == ((), ())
    assert activation.pending == (page("q", "t", folder=SENT),)
    assert activation.landed == {SENT.folder_id: 1}


# Records


async def test_records_come_back_as_they_were_put(store: AnyStore, land: Lander) -> None:
    inbox = FolderRecord(INBOX.folder_id, "inbox", SyncToken("t"), drained=True, reconciling=True, empty_seen_at=START)
    mailbox = MailboxRecord(
        MailboxStatus.FAILING,
        START,
        START,
        START,
        START,
        attempts=3,
        error_code="AUTH_FAILED",
        error="401",
        error_at=START,
    )
    item = QuarantinedItem(INBOX.folder_id, ItemId("3"), "ITEM_UNREADABLE", "bad", 2, START)
    await land(folder=INBOX, folder_record=inbox, mailbox=mailbox, quarantined=(item,))
    activation = await activate(store)
    assert (activation.folders, activation.mailbox, activation.quarantined) == ((inbox,), mailbox, (item,))
    land.epoch = activation.epoch
    await land(folder_record=replace(inbox, token=None), released=ids("3"), mailbox=MailboxRecord())
    activation = await activate(store)
    assert activation.folders == (replace(inbox, token=None),)
    assert (activation.mailbox, activation.quarantined) == (MailboxRecord(), ())
    assert activation.operator == Operator(ANN, "ann@example.com", "Ann")
