"""What emails inherit from their conversation, and what they do not."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from engine.crm.model import CrmRecord, RecordKind
from tests.unit.associations.words import WHO, Room, person

ANN, BOB = WHO
START = datetime(2026, 1, 1, tzinfo=UTC)
BEA = CrmRecord(RecordKind.CONTACT, "bea", addresses=("bea@acme.example",))
CID = CrmRecord(RecordKind.CONTACT, "cid", addresses=("cid@acme.example",))
LEA = CrmRecord(RecordKind.LEAD, "lea", addresses=("lea@acme.example",))
COLUMNS = ("item_id", "record_id", '"rule"', "via_item_id")


def mail(item_id: str, hour: int, *people: str, **more: Any) -> dict[str, Any]:
    return {
        "item_id": item_id, "sender_address": "ann@us.example", "to_recipients": [person(one) for one in people],
        "received_at": START + timedelta(hours=hour), "message_id": f"<{item_id}@x>", **more,
    }  # fmt: skip


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    room = await Room(tmp_path / "store.duckdb").open()
    await room.put(BEA, CID)
    await room.put(LEA)
    yield room
    await room.store.close()


FIRST = mail("first", 1, "bea@acme.example")
REPLIES = {
    "in reply to it": {"in_reply_to": "<first@x>"},
    "that refers to it": {"references": "<first@x> <other@x>"},
    "that refers to it last": {"references": "<other@x> <first@x>"},
}


@pytest.mark.parametrize("link", REPLIES.values(), ids=REPLIES.keys())
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_reply_whichever_lands_first_and_in_whose_mailbox(
    room: Room, link: dict[str, str], order: tuple[int, int]
) -> None:
    both = [(ANN, FIRST), (BOB, mail("reply", 2, "bob@us.example", **link))]
    for number in order:
        await room.land(both[number][0], both[number][1])
    assert await room.associations(COLUMNS) == {
        ("first", "bea", "exact_address", None),
        ("reply", "bea", "conversation", "first"),
    }


async def test_the_conversation_of_one_mailbox(room: Room) -> None:
    rows = [mail("a", 1, "bea@acme.example", conversation_id="c"), mail("b", 2, conversation_id="c")]
    for order in permutations(rows):
        await room.land(ANN, *order)
    await room.land(BOB, mail("theirs", 3, conversation_id="c"))
    assert await room.associations(COLUMNS, "item_id <> 'a'") == {("b", "bea", "conversation", "a")}


async def test_what_came_before_does_not_inherit(room: Room) -> None:
    await room.land(ANN, mail("root", 0), mail("later", 1, "bea@acme.example", references="<root@x>"))
    assert await room.associations(COLUMNS) == {("later", "bea", "exact_address", None)}


async def test_whoever_has_one_of_the_kind_inherits_none_of_it(room: Room) -> None:
    reply = mail("reply", 2, "cid@acme.example", in_reply_to="<first@x>")
    await room.land(ANN, mail("first", 1, "bea@acme.example", "lea@acme.example"), reply)
    assert await room.associations(COLUMNS, "item_id = 'reply'") == {
        ("reply", "cid", "exact_address", None),
        ("reply", "lea", "conversation", "first"),
    }


async def test_the_earliest_hands_on(room: Room) -> None:
    second = mail("second", 2, "bea@acme.example", references="<first@x>")
    await room.land(ANN, mail("third", 3, references="<first@x> <second@x>"), second, FIRST)
    assert await room.associations(COLUMNS, "item_id = 'third'") == {("third", "bea", "conversation", "first")}


async def test_the_rule_switched_off(room: Room) -> None:
    await room.land(ANN, FIRST, mail("reply", 2, in_reply_to="<first@x>"))
    await room.change(association_rules=["exact_address"])
    assert await room.associations(("item_id",)) == {("first",)}


async def test_a_conversation_of_more_than_fifty_hands_on_nobody(room: Room) -> None:
    many = [CrmRecord(RecordKind.CONTACT, f"p{n}", addresses=(f"p{n}@far.example",)) for n in range(51)]
    await room.put(*many)
    rows = [mail(f"m{n}", n, f"p{n}@far.example", references="<root@x>") for n in range(51)]
    await room.land(ANN, *rows[:50], mail("last", 99, references="<root@x>"))
    assert len(await room.associations(COLUMNS, "item_id = 'last'")) == 50
    await room.land(ANN, rows[50])
    assert await room.associations(COLUMNS, "item_id = 'last'") == set()


async def test_a_deleted_email_goes_on_handing_on_and_is_shown_no_more(room: Room) -> None:
    await room.land(ANN, FIRST, mail("reply", 2, in_reply_to="<first@x>"))
    await room.delete(ANN, "first")
    assert await room.associations(COLUMNS) == {("reply", "bea", "conversation", "first")}


async def test_mass_mail_counts_its_sender_alone(room: Room) -> None:
    crowd = [f"p{n}@far.example" for n in range(50)]
    await room.land(ANN, mail("to many", 1, "bea@acme.example", *crowd))
    await room.land(ANN, mail("of one", 2, *crowd, sender_address="bea@acme.example"))
    await room.land(ANN, mail("to fifty", 3, "bea@acme.example", *crowd[:48]))
    assert {item for item, *_ in await room.associations(COLUMNS)} == {"of one", "to fifty"}


async def test_threads_across_mailboxes(room: Room) -> None:
    await room.land(ANN, FIRST, mail("reply", 2, references="<first@x>"))
    await room.land(BOB, {**FIRST, "item_id": "his copy"}, mail("other", 5))
    table, _ = await room.store.query("SELECT subject, emails, copies, operators FROM threads ORDER BY copies")
    assert [tuple(one.values()) for one in table.to_pylist()] == [(None, 1, 1, ["bob"]), (None, 2, 3, ["ann", "bob"])]
