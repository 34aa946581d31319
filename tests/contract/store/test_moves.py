"""A delete and a create of one message are a move."""

from engine.model import (
    ItemId,
)
from tests.fakes.store_emails import emails
from tests.fakes.store_inspect import all_rows, current_rows
from tests.fakes.store_words import ANN, BOB, INBOX, SENT, START, AnyStore, Lander, Time, activate, ids

MESSAGE = "<m@example.com>"


async def test_a_move_whose_delete_comes_first(store: AnyStore, land: Lander, time: Time) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "message_id": MESSAGE}))
    time.pass_by(days=30)
    await land(folder=INBOX, deleted=ids("1"))
    time.pass_by(hours=1)
    await land(folder=SENT, emails=emails({"item_id": "2", "message_id": MESSAGE}))
    row = current_rows(store, ANN)[ItemId("2")]
    assert (row["moved_from"], row["first_landed_at"], row["landed_at"]) == ("1", START, time.now)


async def test_a_move_whose_create_comes_first(store: AnyStore, land: Lander, time: Time) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "message_id": MESSAGE}))
    time.pass_by(days=30)
    await land(folder=SENT, emails=emails({"item_id": "2", "message_id": MESSAGE}))
    assert current_rows(store, ANN)[ItemId("2")]["moved_from"] is None
    time.pass_by(hours=1)
    await land(folder=INBOX, deleted=ids("1"))
    row = current_rows(store, ANN)[ItemId("2")]
    assert (row["moved_from"], row["first_landed_at"]) == ("1", START)


async def test_moves_are_linked_where_deletions_remove(removing: AnyStore) -> None:
    land = Lander(removing, await activate(removing))
    await land(folder=INBOX, emails=emails({"item_id": "1", "message_id": MESSAGE}))
    await land(folder=INBOX, deleted=ids("1"))
    await land(folder=SENT, emails=emails({"item_id": "2", "message_id": MESSAGE}))
    await land(folder=INBOX, emails=emails({"item_id": "3", "message_id": MESSAGE}))
    await land(folder=SENT, deleted=ids("2"))
    rows = all_rows(removing, ANN)
    assert {one: row["moved_from"] for one, row in rows.items()} == {"3": "2"}


async def test_a_delete_explains_one_create_only(store: AnyStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "message_id": MESSAGE}))
    await land(folder=INBOX, deleted=ids("1"))
    for name in ("2", "3"):
        await land(folder=SENT, emails=emails({"item_id": name, "message_id": MESSAGE}))
    assert [current_rows(store, ANN)[ItemId(one)]["moved_from"] for one in ("2", "3")] == ["1", None]


async def test_no_link_across_operators_nor_without_a_message_id(store: AnyStore) -> None:
    ann, bob = (Lander(store, one) for one in await store.activate([ANN, BOB]))
    for land, message in ((ann, MESSAGE), (bob, "")):
        await land(folder=INBOX, emails=emails({"item_id": "1", "message_id": message}))
        await land(folder=INBOX, deleted=ids("1"))
    await ann(folder=SENT, emails=emails({"item_id": "2", "message_id": ""}, {"item_id": "3"}))
    await bob(folder=SENT, emails=emails({"item_id": "2", "message_id": MESSAGE}, {"item_id": "3", "message_id": ""}))
    for who in (ANN, BOB):
        assert {row["moved_from"] for row in current_rows(store, who).values()} == {None}


async def test_what_left_long_ago_is_no_move(store: AnyStore, land: Lander, time: Time) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "message_id": MESSAGE}))
    await land(folder=INBOX, deleted=ids("1"))
    time.pass_by(days=8)
    await land(folder=SENT, emails=emails({"item_id": "2", "message_id": MESSAGE}))
    assert current_rows(store, ANN)[ItemId("2")]["moved_from"] is None
