"""Emails into rows: epochs, upserts, deletes, read flags, attachments."""

import pytest

from engine import errors
from engine.model import (
    ItemId,
    Landing,
    LandingResult,
    OperatorId,
    ReadFlag,
)
from tests.fakes.store_emails import attachments, emails
from tests.fakes.store_inspect import all_attachments, all_rows, current_rows
from tests.fakes.store_words import ANN, BOB, INBOX, SENT, START, AnyStore, Lander, Time, activate, ids, page

# Epochs


async def test_each_activation_fences_the_ones_before(store: AnyStore) -> None:
    old, new = await activate(store), await activate(store)
    assert new.epoch > old.epoch
    with pytest.raises(errors.StaleEpoch):
        await store.land(Landing(ANN, old.epoch, folder=INBOX, emails=emails({"item_id": "1"})))
    assert all_rows(store, ANN) == {}
    result = await store.land(Landing(ANN, new.epoch, folder=INBOX, emails=emails({"item_id": "1"})))
    assert result.inserted == 1


async def test_an_operator_never_activated_may_not_land(store: AnyStore) -> None:
    with pytest.raises(errors.StaleEpoch):
        await store.land(Landing(ANN, 1))


async def test_activating_one_does_not_fence_another(store: AnyStore) -> None:
    ann, bob = await store.activate([ANN, BOB])
    await store.activate([BOB])
    await store.land(Landing(ANN, ann.epoch, folder=INBOX, emails=emails({"item_id": "1"})))
    with pytest.raises(errors.StaleEpoch):
        await store.land(Landing(BOB, bob.epoch))


async def test_unknown_operators_are_left_out_of_activations(store: AnyStore) -> None:
    answer = await store.activate([OperatorId("nobody"), BOB, ANN])
    assert [one.operator.operator_id for one in answer] == [BOB, ANN]


async def test_a_landing_with_items_wants_a_folder(land: Lander) -> None:
    with pytest.raises(ValueError, match="folder"):
        await land(emails=emails({"item_id": "1"}))


# Rows


async def test_an_email_lands_whole(store: AnyStore, land: Lander) -> None:
    row = {
        "item_id": "1",
        "change_key": "k",
        "subject": "Grüße 🎈",
        "to_recipients": [{"name": "Ann", "address": "ann@example.com"}, {"name": None, "address": "x@example.com"}],
        "cc_recipients": [],
        "received_at": START,
        "references": "<a> <b>",
        "is_read": False,
        "size": 1 << 40,
        "categories": ["red", "blue"],
    }
    assert await land(folder=INBOX, emails=emails(row)) == LandingResult(inserted=1)
    landed = current_rows(store, ANN)[ItemId("1")]
    assert {name: landed[name] for name in row} == row
    own = {"folder_id": INBOX.folder_id, "folder": "inbox", "landed_at": START, "first_landed_at": START}
    assert {name: landed[name] for name in own} == own
    assert landed["deleted_at"] is None


async def test_another_change_key_replaces_the_row(store: AnyStore, land: Lander, time: Time) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "subject": "old"}))
    time.pass_by(hours=1)
    result = await land(folder=INBOX, emails=emails({"item_id": "1", "change_key": "2", "subject": "new"}))
    assert result == LandingResult(updated=1)
    row = current_rows(store, ANN)[ItemId("1")]
    assert (row["subject"], row["first_landed_at"], row["landed_at"]) == ("new", START, time.now)


async def test_the_same_change_key_changes_nothing(store: AnyStore, land: Lander, time: Time) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "subject": "a"}, {"item_id": "2"}))
    before = all_rows(store, ANN)
    time.pass_by(hours=1)
    result = await land(folder=INBOX, emails=emails({"item_id": "1", "subject": "b"}, {"item_id": "3"}))
    assert result == LandingResult(inserted=1)
    after = all_rows(store, ANN)
    assert {one: after[one] for one in before} == before


async def test_an_email_without_a_change_key_is_always_taken(store: AnyStore, land: Lander) -> None:
    for subject in ("a", "b"):
        await land(folder=INBOX, emails=emails({"item_id": "1", "change_key": None, "subject": subject}))
    assert current_rows(store, ANN)[ItemId("1")]["subject"] == "b"


async def test_an_item_twice_in_one_landing_lands_once(store: AnyStore, land: Lander) -> None:
    both = emails({"item_id": "1", "subject": "a"}, {"item_id": "1", "subject": "b"})
    assert await land(folder=INBOX, emails=both) == LandingResult(inserted=1)
    assert current_rows(store, ANN)[ItemId("1")]["subject"] == "b"


async def test_operators_may_have_items_of_the_same_id(store: AnyStore) -> None:
    ann, bob = (Lander(store, one) for one in await store.activate([ANN, BOB]))
    await ann(folder=INBOX, emails=emails({"item_id": "1"}))
    assert await bob(folder=INBOX, emails=emails({"item_id": "1"})) == LandingResult(inserted=1)
    await ann(folder=INBOX, deleted=ids("1"))
    assert (len(current_rows(store, ANN)), len(current_rows(store, BOB))) == (0, 1)


async def test_a_delete_leaves_a_tombstone(store: AnyStore, land: Lander, time: Time) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "subject": "a"}, {"item_id": "2"}))
    time.pass_by(hours=1)
    assert await land(folder=INBOX, deleted=ids("1", "unknown")) == LandingResult(deleted=1)
    assert await land(folder=INBOX, deleted=ids("1")) == LandingResult()
    row = all_rows(store, ANN)[ItemId("1")]
    assert (row["deleted_at"], row["subject"]) == (time.now, "a")
    assert set(current_rows(store, ANN)) == {"2"}


async def test_deletions_may_remove(removing: AnyStore) -> None:
    land = Lander(removing, await activate(removing))
    await land(folder=INBOX, emails=emails({"item_id": "1"}, {"item_id": "2"}))
    assert await land(folder=INBOX, deleted=ids("1")) == LandingResult(deleted=1)
    assert set(all_rows(removing, ANN)) == {"2"}
    assert (await activate(removing)).landed == {INBOX.folder_id: 1}


async def test_an_item_that_comes_back_is_current_again(store: AnyStore, land: Lander, time: Time) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1"}))
    await land(folder=INBOX, deleted=ids("1"))
    time.pass_by(hours=1)
    assert await land(folder=SENT, emails=emails({"item_id": "1"})) == LandingResult(inserted=1)
    row = current_rows(store, ANN)[ItemId("1")]
    assert (row["folder"], row["first_landed_at"]) == ("sent", START)


async def test_deleted_and_landed_in_one_landing_is_current(store: AnyStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1"}))
    result = await land(folder=INBOX, deleted=ids("1"), emails=emails({"item_id": "1"}))
    assert result == LandingResult(inserted=1, deleted=1)
    assert set(current_rows(store, ANN)) == {"1"}


async def test_an_item_that_moved_keeping_its_id_belongs_to_the_new_folder(store: AnyStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1"}))
    assert await land(folder=SENT, emails=emails({"item_id": "1"})) == LandingResult(updated=1)
    assert await land(folder=INBOX, deleted=ids("1")) == LandingResult()
    assert current_rows(store, ANN)[ItemId("1")]["folder_id"] == SENT.folder_id
    assert (await activate(store)).landed == {SENT.folder_id: 1}


# Read flags


async def test_read_flags_apply_to_current_rows_of_the_folder(store: AnyStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "is_read": False}, {"item_id": "2", "is_read": False}))
    await land(folder=SENT, emails=emails({"item_id": "3", "is_read": False}))
    flags = tuple(ReadFlag(ItemId(one), "", True) for one in ("1", "3", "unknown"))
    await land(folder=INBOX, read_flags=flags)
    assert {one: row["is_read"] for one, row in current_rows(store, ANN).items()} == {"1": True, "2": False, "3": False}
    assert current_rows(store, ANN)[ItemId("1")]["change_key"] == "1-1"


async def test_a_flags_change_key_does_not_make_a_pending_update_look_landed(store: AnyStore, land: Lander) -> None:
    """The drain of an update is still pending when a read flag brings the item's newest change_key."""
    await land(folder=INBOX, emails=emails({"item_id": "1", "change_key": "a", "subject": "old", "is_read": False}))
    await land(folder=INBOX, read_flags=(ReadFlag(ItemId("1"), "c", True),))
    assert current_rows(store, ANN)[ItemId("1")]["change_key"] == "c"
    listing = await land(folder=INBOX, queued=(page("p", "1"),), listed={ItemId("1"): "c"})
    assert listing.queued == (page("p", "1"),)
    fetched = emails({"item_id": "1", "change_key": "c", "subject": "new", "is_read": True})
    assert await land(folder=INBOX, emails=fetched, finished_pages=("p",)) == LandingResult(updated=1)
    assert current_rows(store, ANN)[ItemId("1")]["subject"] == "new"
    assert await land(folder=INBOX, emails=fetched) == LandingResult()


async def test_a_flag_with_the_landed_change_key_keeps_the_row_landed(land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "change_key": "a"}))
    await land(folder=INBOX, read_flags=(ReadFlag(ItemId("1"), "a", True),))
    assert await land(folder=INBOX, emails=emails({"item_id": "1", "change_key": "a"})) == LandingResult()


async def test_flag_and_update_in_one_landing(store: AnyStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "change_key": "a", "subject": "old"}))
    result = await land(
        folder=INBOX,
        read_flags=(ReadFlag(ItemId("1"), "b", True),),
        emails=emails({"item_id": "1", "change_key": "b", "subject": "new"}),
    )
    assert result == LandingResult(updated=1)
    assert current_rows(store, ANN)[ItemId("1")]["subject"] == "new"


# Attachments


async def test_attachments_follow_their_email(store: AnyStore, land: Lander) -> None:
    one, two, other = ({"item_id": i, "attachment_id": a} for i, a in (("1", "x"), ("1", "y"), ("9", "z")))
    await land(folder=INBOX, emails=emails({"item_id": "1"}), attachments=attachments(one, two, other))
    assert all_attachments(store, ANN) == {"1": ["x", "y"]}
    await land(folder=INBOX, emails=emails({"item_id": "1"}), attachments=attachments(two))
    assert all_attachments(store, ANN) == {"1": ["x", "y"]}, "a relisted email changes nothing"
    await land(folder=INBOX, emails=emails({"item_id": "1", "change_key": "2"}), attachments=attachments(two))
    assert all_attachments(store, ANN) == {"1": ["y"]}
    await land(folder=INBOX, deleted=ids("1"))
    assert all_attachments(store, ANN) == {}
