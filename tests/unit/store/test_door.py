"""What a policy keeps out of the store, what is known of it after, and how it comes in once it may."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.crm.model import CrmRecord, RecordKind
from engine.errors import StoreUnavailable, UnknownOperator
from engine.model import ItemId, Operator, OperatorId, PendingPage
from engine.policy.purge import PurgeRequest
from engine.store import DuckDBStore
from engine.store.terms import Terms
from tests.fakes.store_words import Time
from tests.unit.associations.words import INBOX, SENT, WHO, Room, person

ANN, BOB = WHO
SECRET = "the secret of the private message"


def mail(item_id: str, sender: str = "bea@x.example", **more: Any) -> dict[str, Any]:
    row = {"item_id": item_id, "sender_address": sender, "subject": f"about {item_id}", "body_text": "words"}
    return row | {"to_recipients": [person("ann@us.example")]} | more


async def landed(room: Room) -> set[str]:
    table, _ = await room.store.query("SELECT item_id FROM all_emails")
    return set(table.column("item_id").to_pylist())


async def kept(room: Room) -> dict[tuple[str, str], int]:
    table, _ = await room.store.query("FROM kept_out")
    return {(row["operator_id"], row["reason"]): row["emails"] for row in table.to_pylist()}


async def pending(room: Room, who: Any = ANN) -> list[tuple[str, tuple[str, ...]]]:
    [activation] = await room.store.activate([who])
    room._epochs[who] = activation.epoch  # as a host would after being fenced
    return [(page.folder_id, tuple(page.item_ids)) for page in activation.pending]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.duckdb"


async def test_no_byte_of_a_private_message_is_in_the_file_or_its_log(path: Path) -> None:
    room = await Room(path).open()
    long = " ".join(f"{SECRET} {n}" for n in range(2000))
    for number in range(40):
        await room.land(
            ANN,
            mail(f"p{number}", sensitivity="Private", subject=f"{SECRET} subject", body_text=long, body_html=long),
            mail(f"o{number}"),
        )
    files = [one for one in path.parent.iterdir() if one.is_file()]
    assert any(one.suffix == ".wal" for one in files)
    assert not any(SECRET.encode() in one.read_bytes() for one in files)
    assert await landed(room) == {f"o{number}" for number in range(40)}
    assert await kept(room) == {(ANN, "private"): 40}
    await room.store.close()
    assert not any(SECRET.encode() in one.read_bytes() for one in path.parent.iterdir() if one.is_file())


async def test_before_there_are_settings_private_mail_is_kept_out_too(path: Path) -> None:
    room = Room(path)
    await room.open()
    await room.land(ANN, mail("1", sensitivity="Confidential"))
    assert await landed(room) == set()


async def test_what_was_kept_out_is_not_asked_for_again_and_comes_once_it_may(path: Path) -> None:
    room = await Room(path).open()
    await room.land(ANN, mail("1", sensitivity="Private"), mail("2"))
    page = PendingPage("p", INBOX.folder_id, (ItemId("1"), ItemId("2"), ItemId("3")))
    listed = {ItemId("1"): "1-1", ItemId("2"): "2-1", ItemId("3"): "3-1"}
    await room.land(ANN, queued=(page,), listed=listed)
    assert await pending(room) == [(INBOX.folder_id, ("3",))]
    await room.land(ANN, finished_pages=("p",))
    await room.change(skip_private=False)
    assert await kept(room) == {}
    assert await pending(room) == [(INBOX.folder_id, ("1",))]
    await room.land(ANN, mail("1", sensitivity="Private"))
    assert await landed(room) == {"1", "2"}


async def test_mail_that_becomes_private_goes_and_deleted_mail_is_kept_out_no_longer(path: Path) -> None:
    room = await Room(path).open()
    await room.land(ANN, mail("1"), mail("2"))
    await room.land(ANN, mail("1", sensitivity="Private", change_key="1-2"))
    assert (await landed(room), await kept(room)) == ({"2"}, {(ANN, "private"): 1})
    await room.delete(ANN, "1")
    assert await kept(room) == {}
    await room.land(ANN, mail("2", sensitivity="Private", change_key="2-2"))
    await room.land(ANN, mail("2", change_key="2-3"))
    assert (await landed(room), await kept(room)) == ({"2"}, {})


async def test_a_new_contact_brings_in_that_persons_mail_and_nobody_elses(path: Path) -> None:
    room = await Room(path).open({"only_known": True})
    await room.land(ANN, mail("1"), mail("2", "cyd@x.example"), mail("3", "eve@firm.example"))
    assert (await landed(room), await kept(room)) == (set(), {(ANN, "unknown"): 3})
    await room.put(CrmRecord(RecordKind.CONTACT, "c", addresses=("Bea+x@X.example", "bea@x.example")))
    assert await pending(room) == [(INBOX.folder_id, ("1",))]
    await room.land(ANN, mail("1"))
    await room.put(CrmRecord(RecordKind.ACCOUNT, "a", domains=("firm.example",)))
    assert {ids for _, ids in await pending(room)} >= {("3",)}
    assert (await landed(room), await kept(room)) == ({"1"}, {(ANN, "unknown"): 1})


async def test_folders_and_lists_and_internal_mail(path: Path) -> None:
    section = {"skip_folders": ["SentItems"], "deny": ["bad.example"], "skip_internal": True}
    room = await Room(path).open(section)
    await room.land(ANN, mail("1"), mail("2", "x@bad.example"), mail("3", "bob@us.example"))
    await room.land(ANN, mail("4"), folder=SENT)
    assert await landed(room) == {"1"}
    assert await kept(room) == {(ANN, "denied"): 1, (ANN, "internal"): 1, (ANN, "folder"): 1}
    await room.change(deny=[], skip_folders=[])
    assert sorted(await pending(room)) == [(INBOX.folder_id, ("2",)), (SENT.folder_id, ("4",))]
    await room.change(own_domains=["elsewhere.example"])
    assert await kept(room) == {}


async def test_a_landing_of_before_the_change_is_refused_and_nothing_is_lost(path: Path) -> None:
    room = await Room(path).open()
    await room.land(ANN, mail("1", sensitivity="Private"))
    await room.change(skip_private=False)
    with pytest.raises(Exception, match="Epoch"):
        await room.land(ANN, mail("2"))
    assert await pending(room) == [(INBOX.folder_id, ("1",))]
    await room.land(ANN, mail("1", sensitivity="Private"), mail("2"), finished_pages=())
    assert await landed(room) == {"1", "2"}


async def test_many_come_in_pages_and_each_once(path: Path) -> None:
    room = await Room(path).open()
    rows = [mail(f"{number:03}", sensitivity="Private") for number in range(150)]
    await room.land(ANN, *rows)
    await room.land(BOB, *rows[:3])
    await room.change(skip_private=False)
    pages = await pending(room)
    assert sorted(len(ids) for _, ids in pages) == [22, 64, 64]
    assert {one for _, ids in pages for one in ids} == {row["item_id"] for row in rows}
    assert [len(ids) for _, ids in await pending(room, BOB)] == [3]


async def test_a_purge_counts_then_takes_out_what_would_be_kept_out_and_leaves_no_byte(path: Path) -> None:
    room = await Room(path).open({"skip_private": False})
    await room.land(
        ANN, mail("1", sensitivity="Private", body_text=SECRET * 100), mail("2", "x@bad.example"), mail("3")
    )
    await room.land(BOB, mail("1", sensitivity="Private"), mail("4", "bob@us.example"))
    await room.change(skip_private=True, deny=["bad.example"], skip_internal=True)
    counted = await room.store.purge(PurgeRequest("p1", "test", dry_run=True))
    expected = {("denied", ANN, 1), ("internal", BOB, 1), ("private", ANN, 1), ("private", BOB, 1)}
    assert {(one.reason.value, one.operator_id, one.emails) for one in counted.counts} == expected
    assert await landed(room) == {"1", "2", "3", "4"}
    receipt = await room.store.purge(PurgeRequest("p2", "test"))
    assert (receipt.counts, receipt.emails, receipt.rewrite_problem) == (counted.counts, 4, None)
    assert receipt.rewritten_at is not None
    assert await landed(room) == {"3"}
    assert await kept(room) == {(who, reason): n for reason, who, n in expected}
    assert not any(SECRET.encode() in one.read_bytes() for one in path.parent.iterdir() if one.is_file())
    assert (await room.store.purge(PurgeRequest("p3", "test", dry_run=True))).emails == 0
    await room.change(skip_private=True, deny=[], skip_internal=True)
    assert await pending(room) == [(INBOX.folder_id, ("2",))]


async def test_a_purge_to_be_finished_later_is_finished_at_the_next_start(path: Path) -> None:
    room = await Room(path).open({"skip_private": False})
    await room.land(ANN, mail("1", sensitivity="Private", body_text=SECRET * 100))
    await room.change(skip_private=True)
    assert (await room.store.purge(PurgeRequest("p", "test", later=True))).rewritten_at is None
    await room.store.close()
    room = await Room(path).open()
    table, _ = await room.store.query("SELECT count(*) AS n FROM all_emails")
    await room.store.close()
    assert table.column("n")[0].as_py() == 0
    assert SECRET.encode() not in path.read_bytes()  # noqa: ASYNC240  # nothing else is under way


async def test_an_operators_own_policy_adds_to_everybodys_and_lets_in_when_it_goes(path: Path) -> None:
    room = await Room(path).open()
    await room.store.put_operator_policy(ANN, {"deny": ["x.example"], "only_known": True}, "test")
    await room.land(ANN, mail("1"), mail("2", "eve@y.example"), mail("3", sensitivity="Private"))
    await room.land(BOB, mail("1"))
    assert await kept(room) == {(ANN, "denied"): 1, (ANN, "unknown"): 1, (ANN, "private"): 1}
    standing = await room.store.policy_standing(ANN)
    assert standing.kept_out == {"denied": 1, "private": 1, "unknown": 1}
    assert standing.operators == {ANN: {"deny": ["x.example"], "only_known": True}}
    await room.store.put_operator_policy(ANN, {"only_known": True}, "test")
    assert await pending(room) == [(INBOX.folder_id, ("1",))]
    await room.store.put_operator_policy(ANN, {}, "test")
    assert {ids for _, ids in await pending(room)} == {("1",), ("2",)}
    assert (await room.store.policy_standing()).operators == {}
    with pytest.raises(UnknownOperator):
        await room.store.put_operator_policy(OperatorId("nobody"), {}, "test")
    with pytest.raises(UnknownOperator):
        await room.store.policy_standing("nobody")


async def test_policies_hold_after_a_restart(path: Path) -> None:
    room = await Room(path).open({"deny": ["x.example"]})
    await room.store.put_operator_policy(BOB, {"skip_internal": True}, "test")
    await room.store.close()
    room = await Room(path).open({"deny": ["x.example"]})
    await room.land(ANN, mail("1"), mail("2", "bob@us.example"))
    await room.land(BOB, mail("3", "ann@us.example"))
    assert await landed(room) == {"2"}


async def test_a_change_of_settings_that_fails_leaves_the_policy_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await Room(path).open()
    follow = Terms.follow

    def fails(*args: Any) -> Any:
        follow(*args)
        monkeypatch.undo()
        raise duckdb.IOException("the disk is full")

    monkeypatch.setattr(Terms, "follow", fails)
    with pytest.raises(StoreUnavailable):
        await room.change(skip_private=False)
    await room.land(ANN, mail("1", sensitivity="Private"), mail("2"))
    assert await landed(room) == {"2"}


async def test_operators_of_the_file_make_own_domains_too(path: Path) -> None:
    store = DuckDBStore(path, Time())
    await store.seed_settings({"email_sync": {}})
    await store.seed_operators([Operator(ANN, "ann@us.example")])
    assert (await store.policy_standing()).own_domains == ("us.example",)
    await store.close()


async def test_whose_address_changes_is_associated_anew_though_the_first_attempt_failed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await Room(path).open()
    await room.land(ANN, mail("1"))
    follow = Terms.follow

    def fails(*args: Any) -> Any:
        follow(*args)
        monkeypatch.undo()
        raise duckdb.IOException("the disk is full")

    monkeypatch.setattr(Terms, "follow", fails)
    moved = Operator(ANN, "ann.lee@us.example")
    with pytest.raises(StoreUnavailable):
        await room.store.put_operators([moved])
    await room.store.put_operators([moved])
    assert await room.store.associations_left() == 1
