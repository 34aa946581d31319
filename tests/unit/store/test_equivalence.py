"""Random landings, several at once, into DuckDBStore and MemoryStore: afterwards both hold the same."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.model import (
    Activation,
    Folder,
    FolderId,
    FolderRecord,
    ItemId,
    Landing,
    Operator,
    OperatorId,
    PendingPage,
    QuarantinedItem,
    ReadFlag,
    SyncToken,
)
from engine.store import DuckDBStore, StoreOptions
from tests.fakes.store import MemoryStore
from tests.fakes.store_emails import attachments, emails
from tests.fakes.store_inspect import all_attachments, all_rows

FOLDERS = tuple(Folder(FolderId(f"F{n}"), f"folder-{n}") for n in range(3))
ITEMS = tuple(ItemId(f"i{n}") for n in range(6))
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

item = st.sampled_from(ITEMS)
change_key = st.sampled_from(["k1", "k2", "k3"])
items = st.lists(item, max_size=3).map(tuple)


@dataclass
class Step:
    """Landings awaited together, by operator number; the time that passes before them."""

    landings: list[tuple[int, dict[str, Any]]]
    hours: int


@st.composite
def email_rows(draw: st.DrawFn) -> dict[str, Any]:
    one = draw(item)
    message = draw(st.sampled_from([None, "", "<m1>", "<m2>"]))
    return {
        "item_id": one,
        "change_key": draw(st.one_of(change_key, st.none())),
        "message_id": message,
        "is_read": draw(st.booleans()),
        "subject": draw(st.sampled_from(["a", "b"])),
        "to_recipients": [{"name": "n", "address": "a@example.com"}],
    }


def pages(folder: Folder) -> st.SearchStrategy[PendingPage]:
    ids = st.lists(item, min_size=1, max_size=3, unique=True).map(tuple)
    return st.builds(PendingPage, st.sampled_from(["p1", "p2", "p3"]), st.just(folder.folder_id), ids)


@st.composite
def parts(draw: st.DrawFn) -> dict[str, Any]:
    """The parts of a landing, each there now and then."""
    folder = draw(st.sampled_from(FOLDERS))
    rows = draw(st.lists(email_rows(), max_size=4))
    optional: dict[str, st.SearchStrategy[Any]] = {
        "retired_folders": st.sampled_from([(one.folder_id,) for one in FOLDERS]),
        "deleted": items,
        "read_flags": st.lists(st.builds(ReadFlag, item, st.one_of(change_key, st.just("")), st.booleans())).map(tuple),
        "emails": st.just(emails(*rows)),
        "attachments": st.just(
            attachments(*({"item_id": one, "attachment_id": f"{one}-{n}"} for n, one in enumerate(draw(items))))
        ),
        "finished_pages": st.sampled_from([("p1",), ("p2", "p3")]),
        "amended_pages": pages(folder).map(lambda page: (page,)),
        "queued": st.lists(pages(folder), max_size=2, unique_by=lambda page: page.page_id).map(tuple),
        "listed": st.dictionaries(item, change_key, max_size=3),
        "seen": items,
        "forget_seen": st.booleans(),
        "reconciled": st.booleans(),
        "quarantined": item.map(lambda i: (QuarantinedItem(folder.folder_id, i, "C", "r", 1, START),)),
        "released": items,
        "folder_record": st.just(FolderRecord(folder.folder_id, folder.name, SyncToken("t"))),
    }
    rare = {"retired_folders": 12, "reconciled": 6}
    chosen = {name for name in optional if draw(st.integers(0, rare.get(name, 2))) == 0}
    return {"folder": folder, **{name: draw(optional[name]) for name in optional if name in chosen}}


step = st.builds(
    Step, st.lists(st.tuples(st.integers(0, 2), parts()), min_size=1, max_size=5), st.sampled_from([0, 1, 20, 170])
)


@dataclass
class House:
    """Both stores with one clock. Each example has operators of its own."""

    duck: DuckDBStore
    memory: MemoryStore
    now: list[datetime]
    run: Callable[[Any], Any]
    examples: list[int] = field(default_factory=lambda: [0])

    async def check(self, steps: list[Step]) -> None:
        self.examples[0] += 1
        who = [OperatorId(f"o{self.examples[0]}-{n}") for n in range(3)]
        for store in (self.duck, self.memory):
            await store.put_operators([Operator(one, f"{one}@example.com") for one in who])
        ours, theirs = await self.duck.activate(who), await self.memory.activate(who)
        for one in steps:
            self.now[0] += timedelta(hours=one.hours)
            real = [self.duck.land(Landing(who[n], ours[n].epoch, **given)) for n, given in one.landings]
            fake = [self.memory.land(Landing(who[n], theirs[n].epoch, **given)) for n, given in one.landings]
            assert await asyncio.gather(*real) == [await each for each in fake]
        ours, theirs = await self.duck.activate(who), await self.memory.activate(who)
        for mine, other in zip(ours, theirs, strict=True):
            operator_id = mine.operator.operator_id
            assert _flat(all_rows(self.duck, operator_id)) == _flat(all_rows(self.memory, operator_id))
            assert all_attachments(self.duck, operator_id) == all_attachments(self.memory, operator_id)
            assert _without_epoch(mine) == _without_epoch(other)


def _flat(rows: dict[ItemId, dict[str, Any]]) -> set[str]:
    """One entry a field, so that a difference is named."""
    return {f"{item_id}.{name} = {value}" for item_id, row in rows.items() for name, value in row.items()}


def _without_epoch(activation: Activation) -> tuple[Any, ...]:
    return (
        activation.mailbox,
        activation.folders,
        activation.pending,
        activation.quarantined,
        activation.landed,
    )


@pytest.fixture(scope="module", params=["mark", "remove"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    now = [START]
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        duck = DuckDBStore(Path(folder) / "store.duckdb", lambda: now[0], StoreOptions(deletions=request.param))
        memory = MemoryStore(lambda: now[0], deletions=request.param)
        yield House(duck, memory, now, runner.run)
        runner.run(duck.close())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(steps=st.lists(step, min_size=1, max_size=6))
def test_both_stores_hold_the_same(house: House, steps: list[Step]) -> None:
    house.run(house.check(steps))
