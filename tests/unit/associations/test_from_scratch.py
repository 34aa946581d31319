"""Whatever comes in whatever order: in the end the store says what a store says that gets it all at once."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.associations.model import Rule
from engine.crm.change import CrmChange
from engine.crm.model import CrmRecord, RecordKind
from engine.model import OperatorId
from tests.unit.associations.words import INBOX, SENT, WHO, Room, person

START = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESSES = ("ann@us.example", "Bea@acme.example", "bea@acme.example", "bea+x@acme.example", "cid@acme.example",
             "dora@gmail.com", "eve@far.example")  # fmt: skip
IDS = ("i1", "i2", "i3", "i4")
MESSAGES = ("<m1@x>", "<m2@x>", "<m3@x>", "")

address = st.sampled_from(ADDRESSES)
addresses = st.lists(address, max_size=2, unique=True)


@st.composite
def mail(draw: st.DrawFn) -> dict[str, Any]:
    parent = draw(st.sampled_from(["", *MESSAGES]))
    return {
        "item_id": draw(st.sampled_from(IDS)),
        "change_key": draw(st.sampled_from(["k1", "k2", "k3"])),
        "sender_address": draw(address),
        "to_recipients": [person(one) for one in draw(addresses)],
        "cc_recipients": [person(one) for one in draw(addresses)],
        "received_at": START + timedelta(hours=draw(st.integers(0, 5))),
        "message_id": draw(st.sampled_from(MESSAGES)),
        "in_reply_to": parent or None,
        "references": draw(st.sampled_from([None, f"<m0@x> {parent}"])),
        "conversation_id": draw(st.sampled_from([None, "c1", "c2"])),
    }


@st.composite
def record(draw: st.DrawFn) -> CrmRecord:
    kind = draw(st.sampled_from(RecordKind))
    return CrmRecord(
        kind,
        f"{kind.value[0]}{draw(st.integers(1, 2))}",
        addresses=tuple(draw(addresses)),
        domains=tuple(draw(st.lists(st.sampled_from(["acme.example", "gmail.com", "us.example"]), max_size=1))),
        owner=draw(st.sampled_from(["ann", "bob@us.example", ""])),
        account_id=draw(st.sampled_from(["", "a1", "o1"])),
        is_open=draw(st.booleans()),
        contact_ids=tuple(draw(st.lists(st.sampled_from(["c1", "c2"]), max_size=2, unique=True))),
        active_at=draw(st.sampled_from([None, START, START + timedelta(days=1)])),
    )


@dataclass
class World:
    """The end of the story, as it would be told to somebody new."""

    mails: dict[tuple[OperatorId, str], tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    records: dict[tuple[RecordKind, str], CrmRecord] = field(default_factory=dict)
    section: dict[str, Any] = field(default_factory=dict)


Step = tuple[str, Any]
folder = st.sampled_from([INBOX, SENT])
who = st.sampled_from(WHO)
rules = st.lists(st.sampled_from(Rule), unique=True).map(lambda them: {"association_rules": sorted(them)})
kinds = st.lists(st.sampled_from(RecordKind), unique=True).map(
    lambda them: {"associate_with": [k.plural for k in them]}
)
other = st.sampled_from([{"mass_mail_over": 1}, {"mass_mail_over": 50}, {"own_domains": ["acme.example"]},
                         {"own_domains": []}, {"free_mail_domains": ["acme.example"]}])  # fmt: skip
step: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("land"), st.tuples(who, folder, mail())),
    st.tuples(st.just("land"), st.tuples(who, folder, mail())),
    st.tuples(st.just("delete"), st.tuples(who, folder, st.sampled_from(IDS))),
    st.tuples(st.just("put"), record()),
    st.tuples(st.just("put"), record()),
    st.tuples(st.just("put"), record()),
    st.tuples(st.just("land"), st.tuples(who, folder, mail())),
    st.tuples(st.just("drop"), st.tuples(st.sampled_from(RecordKind), st.integers(1, 2))),
    st.tuples(st.just("set"), st.one_of(rules, kinds, other)),
    st.tuples(st.just("some"), st.integers(1, 3)),
)


async def live(room: Room, world: World, steps: list[Step]) -> None:
    for what, how in steps:
        if what == "land":
            operator_id, place, row = how
            await room.land(operator_id, row, folder=place)
            known = world.mails.get((operator_id, row["item_id"]))
            if known is None or known[0] != place or known[1]["change_key"] != row["change_key"]:
                world.mails[operator_id, row["item_id"]] = (place, row)
        elif what == "delete":
            operator_id, place, item_id = how
            await room.delete(operator_id, item_id, folder=place)
            if world.mails.get((operator_id, item_id), (None,))[0] == place:
                del world.mails[operator_id, item_id]
        elif what == "put":
            await room.put(how)
            world.records[how.kind, how.record_id] = how
        elif what == "drop":
            kind, number = how
            await room.put(gone=[f"{kind.value[0]}{number}"], kind=kind)
            world.records.pop((kind, f"{kind.value[0]}{number}"), None)
        elif what == "set":
            await room.change(**how)
            world.section |= how
        else:
            await room.store.associate_some(how)
    await room.catch_up(2)


async def tell(room: Room, world: World) -> None:
    for kind in RecordKind:
        theirs = tuple(one for (its, _), one in world.records.items() if its is kind)
        await room.store.put_crm(CrmChange(kind, theirs))
    await room.change(**world.section)
    await room.catch_up()
    for (operator_id, _), (place, row) in world.mails.items():
        await room.land(operator_id, row, folder=place)


async def both(path: Path, steps: list[Step]) -> None:
    # Deleted rows are removed: a tombstone goes on handing on in its conversation, and nobody new is told of it.
    world, lived = World(), await Room(path / "lived.duckdb", "remove").open()
    await live(lived, world, steps)
    told = await Room(path / "told.duckdb", "remove").open()
    await tell(told, world)
    assert not await told.store.associations_left()
    try:
        assert await lived.associations() == await told.associations()
        assert await lived.doubts() == await told.doubts()
    finally:
        await lived.store.close()
        await told.store.close()


@pytest.fixture(scope="module")
def run() -> Any:
    with asyncio.Runner() as runner:
        yield runner.run


@settings(max_examples=20)
@given(steps=st.lists(step, min_size=4, max_size=16))
def test_anew_is_as_along_the_way(run: Callable[[Any], Any], steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(both(Path(folder), steps))
