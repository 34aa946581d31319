"""Which emails a change of the CRM concerns: those are associated anew, and no others."""

from pathlib import Path
from typing import Any

import pytest

from engine.crm.change import CrmChange
from engine.crm.model import CrmRecord, RecordKind
from tests.unit.associations.words import WHO, Room

ANN = WHO[0]
BEA, ELSE = "bea@acme.example", "eve@far.example"
CONTACT = CrmRecord(RecordKind.CONTACT, "c1", addresses=(BEA,), account_id="a1")
ACCOUNT = CrmRecord(RecordKind.ACCOUNT, "a1", domains=("acme.example",))
MOVED = CrmRecord(RecordKind.CONTACT, "c1", addresses=("x@y.example",))
BARE = CrmRecord(RecordKind.ACCOUNT, "a1")
DEAL = CrmRecord(RecordKind.OPPORTUNITY, "o1", account_id="a1", owner="ann")


def put(*records: CrmRecord) -> list[CrmChange]:
    return [CrmChange(one.kind, (one,)) for one in records]


def drop(*records: CrmRecord) -> list[CrmChange]:
    return [CrmChange(one.kind, deleted=(one.record_id,)) for one in records]


CASES: dict[str, tuple[list[CrmChange], list[CrmChange], set[tuple[str, str]]]] = {
    "a contact's address": ([], put(CONTACT), {("contact", "c1")}),
    "a contact that had it": (put(CONTACT), put(MOVED), set()),
    "a contact dropped": (put(CONTACT), drop(CONTACT), set()),
    "an account's domain": ([], put(ACCOUNT), {("account", "a1")}),
    "an account whose domain it was": (put(ACCOUNT), put(BARE), set()),
    "an account dropped": (put(ACCOUNT), drop(ACCOUNT), set()),
    "a contact's account": (
        put(CONTACT), put(BARE), {("contact", "c1"), ("account", "a1")},
    ),
    "a contact's account dropped": (put(CONTACT, BARE), drop(ACCOUNT), {("contact", "c1")}),
    "an opportunity of the account by domain": (put(ACCOUNT), put(DEAL), {("account", "a1"), ("opportunity", "o1")}),
    "an opportunity of another owner": (
        put(ACCOUNT, DEAL), put(CrmRecord(RecordKind.OPPORTUNITY, "o1", account_id="a1", owner="bob")),
        {("account", "a1")},
    ),
    "an opportunity by contact": (
        put(CONTACT), put(CrmRecord(RecordKind.OPPORTUNITY, "o1", contact_ids=("c1",))),
        {("contact", "c1"), ("opportunity", "o1")},
    ),
    "an opportunity dropped": (put(ACCOUNT, DEAL), drop(DEAL), {("account", "a1")}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
async def test_what_a_change_touches(tmp_path: Path, name: str) -> None:
    before, after, expected = CASES[name]
    room = await Room(tmp_path / "store.duckdb").open()
    for change in before:
        await room.store.put_crm(change)
    await room.catch_up()
    rows: list[dict[str, Any]] = [
        {"item_id": "bea", "sender_address": BEA},
        {"item_id": "else", "sender_address": ELSE},
    ]
    await room.land(ANN, *rows)
    was = await room.associations(("item_id", "record_kind", "record_id"))
    for change in after:
        await room.store.put_crm(change)
    assert (await room.store.associate_some(100)).done == 1
    assert await room.store.associations_left() == 0
    now = await room.associations(("record_kind", "record_id"), "item_id = 'bea'")
    assert now == expected
    assert {row[1:] for row in was} != now
    assert not await room.associations(("item_id",), "item_id = 'else'")
