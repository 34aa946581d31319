"""Real emails, and contacts made of every second sender: who has such an address is associated, and nobody else."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.crm.keys import fold
from engine.crm.model import CrmRecord, RecordKind
from engine.simulator import SimulatedExchange
from engine.simulator.messages import Item
from tests.unit.associations.words import WHO, Room, person
from tests.unit.simulator.ews import MAIL, ONE

pytestmark = pytest.mark.skipif(not MAIL.exists(), reason="the corpus of real mail is not here")


def row(one: Item) -> dict[str, Any]:
    return {
        "item_id": one.item_id,
        "sender_address": one.sender.address if one.sender else None,
        "to_recipients": [person(each.address) for each in one.to],
        "cc_recipients": [person(each.address) for each in one.cc],
        "bcc_recipients": [person(each.address) for each in one.bcc],
        "received_at": datetime.fromtimestamp(one.received_at, UTC),
        "message_id": one.message_id,
        "in_reply_to": one.in_reply_to,
        "references": one.references,
    }


def folded(given: dict[str, Any]) -> set[str]:
    people = [one["address"] for name in ("to", "cc", "bcc") for one in given[f"{name}_recipients"]]
    return {fold(one) for one in (given["sender_address"], *people) if one and "@" in one}


@pytest.mark.parametrize("crm_first", [True, False])
async def test_half_of_the_senders_are_contacts(tmp_path: Path, crm_first: bool) -> None:
    rows = [row(one) for one in SimulatedExchange(mail_dir=MAIL, operators=1).items(ONE)]
    senders = sorted({one["sender_address"] for one in rows if one["sender_address"] and "@" in one["sender_address"]})
    people = {fold(address): address for address in senders[::2]}
    contacts = [CrmRecord(RecordKind.CONTACT, who, addresses=(address,)) for who, address in people.items()]
    assert len(contacts) > 50
    room = await Room(tmp_path / "store.duckdb").open()
    if crm_first:
        await room.put(*contacts)
    for start in range(0, len(rows), 64):
        await room.land(WHO[0], *rows[start : start + 64])
    if not crm_first:
        await room.put(*contacts)
        assert await room.catch_up(20) > 2
    direct = await room.associations(("item_id", "record_id"), "rule <> 'conversation'")
    inherited = await room.associations(("item_id",), "rule = 'conversation'")
    await room.store.close()
    expected = {(one["item_id"], who) for one in rows for who in folded(one) & people.keys()}
    assert direct == expected
    assert 50 < len({item for item, _ in expected}) < len(rows)
    assert not {item for (item,) in inherited} & {item for item, _ in direct}
