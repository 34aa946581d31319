"""What lists and views say of associations: conversations with their records, and what is left to a person."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import errors
from engine.crm.model import CrmRecord, RecordKind
from engine.emails import EmailListing
from engine.listing import Listing, View
from tests.unit.associations.words import WHO, Room, person

ANN, BOB = WHO
START = datetime(2026, 1, 1, tzinfo=UTC)
BEA = CrmRecord(RecordKind.CONTACT, "bea", "Bea", addresses=("bea@acme.example",), account_id="acme")
TWINS = tuple(CrmRecord(RecordKind.LEAD, one, one.title(), addresses=("twin@far.example",)) for one in ("tim", "tom"))
ACME = CrmRecord(RecordKind.ACCOUNT, "acme", "Acme", domains=("acme.example", "free.example"))


def mail(item_id: str, hour: int, sender: str, *people: str, **more: Any) -> dict[str, Any]:
    return {
        "item_id": item_id, "sender_address": sender, "to_recipients": [person(one) for one in people],
        "received_at": START + timedelta(hours=hour), "message_id": f"<{item_id}@x>", "subject": item_id, **more,
    }  # fmt: skip


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    room = await Room(tmp_path / "store.duckdb").open({"free_mail_domains": ["free.example"], "mass_mail_over": 3})
    for records in ((BEA,), TWINS, (ACME,)):
        await room.put(*records)
    yield room
    await room.store.close()


@pytest.fixture
async def talk(room: Room) -> Room:
    """Bea writes to both, Bob answers her, and Ann, in a mailbox each; and something else is newer."""
    first = mail("first", 1, "bea@acme.example", "ann@us.example", "bob@us.example")
    reply = mail("reply", 2, "bob@us.example", "ann@us.example", references="<first@x>", conversation_id="c")
    await room.land(ANN, first, {**reply, "item_id": "copy"})
    await room.land(BOB, {**first, "item_id": "his"}, reply, mail("newer", 9, "new@far.example"))
    return room


async def rows(room: Room, view: View, limit: int = 1000, **equal: str) -> list[dict[str, Any]]:
    """Page by page; each position goes through JSON, as in a cursor."""
    found, after = list[dict[str, Any]](), None
    while True:
        page = await room.store.page(Listing(view, equal, after, limit))
        found += page.items
        if page.after is None:
            return found
        after = tuple(json.loads(json.dumps(page.after)))


async def unmatched(room: Room) -> list[tuple[str, int]]:
    return [(row["address"], row["emails"]) for row in await rows(room, View.UNMATCHED_ADDRESSES)]


async def test_conversations_with_their_records(talk: Room) -> None:
    newer, thread = await rows(talk, View.THREADS)
    assert (newer["emails"], newer["operators"], newer["records"]) == (1, ["bob"], [])
    assert (thread["subject"], thread["emails"], thread["copies"], thread["operators"]) == (
        "first", 2, 4, ["ann", "bob"],
    )  # fmt: skip
    assert thread["records"] == [
        {"record_kind": "account", "record_id": "acme", "name": "Acme"},
        {"record_kind": "contact", "record_id": "bea", "name": "Bea"},
    ]


async def test_each_message_once_with_everybody_who_has_it(talk: Room) -> None:
    thread_id = (await rows(talk, View.THREADS))[1]["thread_id"]
    first, reply = await rows(talk, View.THREAD_MESSAGES, thread_id=thread_id)
    assert (first["message_id"], reply["message_id"]) == ("<first@x>", "<reply@x>")
    assert [(one["operator_id"], one["item_id"]) for one in first["copies"]] == [("ann", "first"), ("bob", "his")]
    assert reply["sender_address"] == "bob@us.example"


async def test_an_email_with_what_it_concerns(talk: Room) -> None:
    email = await talk.store.email("copy")
    assert [(one["rule"], one["record_id"], one["name"], one["via_item_id"]) for one in email["associations"]] == [
        ("conversation", "acme", "Acme", "first"),
        ("conversation", "bea", "Bea", "first"),
    ]
    assert email["thread_id"] == (await rows(talk, View.THREADS))[1]["thread_id"]
    await talk.delete(ANN, "copy")
    deleted = await talk.store.email("copy")
    assert (len(deleted["associations"]), deleted["thread_id"]) == (2, None)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"record": "bea"}, {"first", "his", "reply", "copy"}),
        ({"record": "bea", "kind": "lead"}, set()),
        ({"kind": "account", "operator_id": "bob"}, {"his", "reply"}),
        ({"record": "bea", "text": "reply"}, {"reply", "copy"}),
    ],
)
async def test_emails_of_a_record(talk: Room, filters: dict[str, str], found: set[str]) -> None:
    page = await talk.store.emails(EmailListing(**filters))  # type: ignore[arg-type]  # texts all
    assert {row["item_id"] for row in page.items} == found
    first = await talk.store.emails(EmailListing(**filters, limit=1))  # type: ignore[arg-type]  # the same
    assert len(first.items) == min(len(found), 1)


async def test_half_a_surrogate_pair_is_no_record(talk: Room) -> None:
    with pytest.raises(errors.QueryRefused, match="record"):
        await talk.store.emails(EmailListing(record="\ud800"))


@pytest.mark.parametrize("view", [View.ASSOCIATIONS, View.THREADS, View.UNMATCHED_ADDRESSES, View.AMBIGUOUS_MATCHES])
@pytest.mark.parametrize("limit", [1, 2])
async def test_pages_show_every_row_once_and_in_order(talk: Room, view: View, limit: int) -> None:
    await talk.land(ANN, mail("t1", 4, "twin@far.example", "bea@acme.example", received_at=None))
    whole = await rows(talk, view)
    assert whole
    assert await rows(talk, view, limit) == whole


async def test_associations_newest_first(talk: Room) -> None:
    found = await rows(talk, View.ASSOCIATIONS)
    assert len(found) == 8
    assert [row["associated_at"] for row in found] == sorted((row["associated_at"] for row in found), reverse=True)
    assert {row["item_id"] for row in await rows(talk, View.ASSOCIATIONS, rule="conversation")} == {"reply", "copy"}


async def test_an_ambiguous_address_names_its_candidates(room: Room) -> None:
    await room.land(ANN, mail("a", 1, "Twin@far.example"), mail("b", 2, "TWIN@far.example"))
    (row,) = await rows(room, View.AMBIGUOUS_MATCHES)
    assert (row["address"], row["record_kind"], row["emails"]) == ("twin@far.example", "lead", 2)
    assert row["candidates"] == [{"record_id": "tim", "name": "Tim"}, {"record_id": "tom", "name": "Tom"}]


async def test_addresses_nobody_knows(room: Room) -> None:
    people = ("ann@us.example", "New@Far.example", "bea+tag@ACME.example", "any@acme.example", "twin@far.example")
    for number, address in enumerate(people):
        await room.land(ANN, mail(f"m{number}", number, address, "new@far.example", sender_name=f"N{number}"))
    await room.land(ANN, mail("free", 7, "any@free.example"), mail("odd", 8, "/o=x/cn=y"))
    await room.land(BOB, mail("gone", 9, "gone@far.example"))
    await room.delete(BOB, "gone")
    assert await unmatched(room) == [("new@far.example", 5), ("any@free.example", 1)]
    (row, _) = await rows(room, View.UNMATCHED_ADDRESSES)
    assert (row["name"], row["operator_id"], row["item_id"]) == ("N1", "ann", "m4")


async def test_of_mass_mail_the_sender_alone(room: Room) -> None:
    crowd = [f"p{number}@far.example" for number in range(3)]
    await room.land(ANN, mail("many", 1, "list@far.example", *crowd), mail("few", 2, "ann@us.example", *crowd[:2]))
    assert await unmatched(room) == [("list@far.example", 1), ("p0@far.example", 1), ("p1@far.example", 1)]
    table, _ = await room.store.query("SELECT item_id, mass_mail FROM emails ORDER BY item_id")
    assert [tuple(row.values()) for row in table.to_pylist()] == [("few", False), ("many", True)]


async def test_what_the_rules_say_is_followed(room: Room) -> None:
    await room.land(ANN, mail("a", 1, "any@acme.example"), mail("b", 2, "new@far.example"))
    await room.change(association_rules=["exact_address"], own_domains=["far.example"])
    await room.catch_up()
    assert await unmatched(room) == [("any@acme.example", 1)]


async def test_an_address_in_the_crm_is_unmatched_no_more(room: Room) -> None:
    await room.land(ANN, mail("a", 1, "new@far.example"))
    assert await unmatched(room) == [("new@far.example", 1)]
    await room.put(CrmRecord(RecordKind.CONTACT, "n", addresses=("SMTP:New@far.example",)))
    assert await unmatched(room) == []
