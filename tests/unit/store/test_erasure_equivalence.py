"""Random landings, erasures and lifts in DuckDBStore and MemoryStore: both hold the same, and nobody erased."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ErasureRefused
from engine.model import Landing, Operator, OperatorId, PendingPage
from engine.privacy.addresses import names_of
from engine.privacy.erasure import ErasureRequest, LiftRequest, Receipt
from engine.store import DuckDBStore, StoreOptions
from tests.fakes.store import MemoryStore
from tests.fakes.store_emails import emails
from tests.fakes.store_erasures import KEY, addresses_of
from tests.fakes.store_inspect import all_attachments, all_rows
from tests.unit.store.test_equivalence import START, _flat, _without_epoch, change_key, email_rows, item, parts

SPELLINGS = ("a@x.com", " A@X.com", "a+tag@x.com", "b@x.com", "<B@x.com>", "c@x.com", "no address", "a@x.com.org", None)
ERASABLE = ("a@x.com", "B@X.COM", "a+tag@x.com")
spelling = st.sampled_from(SPELLINGS)
people = st.one_of(st.none(), st.lists(st.builds(lambda one: {"name": "n", "address": one}, spelling), max_size=2))


@st.composite
def named_parts(draw: st.DrawFn) -> dict[str, Any]:
    """Parts of a landing that brings emails, and lists what is there; the emails name people."""
    rows = [
        draw(email_rows())
        | {"sender_address": draw(spelling), "to_recipients": draw(people), "cc_recipients": draw(people)}
        | {"bcc_recipients": draw(people)}
        for _ in range(draw(st.integers(1, 5)))
    ]
    given_parts = draw(parts())
    ids = draw(st.lists(item, min_size=1, max_size=4, unique=True))
    page = PendingPage(draw(st.sampled_from(["p4", "p5"])), given_parts["folder"].folder_id, tuple(ids))
    listed = {one: draw(change_key) for one in ids}
    return {**given_parts, "emails": emails(*rows), "queued": (page,), "listed": listed}


landings = st.lists(st.tuples(st.integers(0, 1), named_parts()), min_size=1, max_size=3)
erasure = st.sampled_from(ERASABLE)
lifting = st.tuples(st.just("lift"), erasure, st.booleans())
steps = st.builds(
    lambda first, erased, later: [*first, erased, *later],
    st.lists(landings, min_size=1, max_size=2),
    erasure,
    st.lists(st.one_of(landings, landings, erasure, lifting), min_size=2, max_size=5),
)


@dataclass
class House:
    """Both stores with one clock, empty at first."""

    duck: DuckDBStore
    memory: MemoryStore
    path: Path
    options: StoreOptions
    now: list[Any]
    count: int = 0

    async def check(self, todo: list[Any]) -> None:
        self.count += 1
        self.erased: dict[str, str] = {}
        who = [OperatorId(f"o{self.count}-{n}") for n in range(3)]
        for store in (self.duck, self.memory):
            await store.put_operators([Operator(one, f"{one}@example.com") for one in who])
        for number, step in enumerate(todo):
            self.now[0] += timedelta(hours=1)
            if isinstance(step, str):
                await self._erase(step, f"e{self.count}-{number}")
            elif isinstance(step, tuple):
                await self._lift(*step[1:])
            else:
                await self._land(who, step)
            self._nobody_is_named(who)
        self.duck = await self._reopened()
        await self._compare(who)
        for address in list(self.erased):
            await self._lift(address, relist=False)

    async def _land(self, who: list[OperatorId], step: list[tuple[int, dict[str, Any]]]) -> None:
        ours, theirs = await self.duck.activate(who), await self.memory.activate(who)
        real = [self.duck.land(Landing(who[n], ours[n].epoch, **one)) for n, one in step]
        fake = [self.memory.land(Landing(who[n], theirs[n].epoch, **one)) for n, one in step]
        assert await asyncio.gather(*real) == [await each for each in fake]

    async def _erase(self, address: str, erasure_id: str) -> None:
        request = ErasureRequest(erasure_id, address, "tester")
        preview = await self.duck.erase(replace(request, dry_run=True))
        receipts = [await store.erase(request) for store in (self.duck, self.memory)]
        assert _counts(receipts[0]) == _counts(receipts[1]) == _counts(preview)
        self.erased[address.lower()] = erasure_id

    async def _lift(self, address: str, relist: bool) -> None:
        erasure_id = self.erased.pop(address.lower(), None)
        if erasure_id is not None:
            for store in (self.duck, self.memory):
                await store.lift_erasure(LiftRequest(erasure_id, "tester", relist=relist))
                with pytest.raises(ErasureRefused):
                    await store.lift_erasure(LiftRequest(erasure_id, "tester"))

    def _nobody_is_named(self, who: list[OperatorId]) -> None:
        for one in who:
            for row in all_rows(self.duck, one).values():
                named = {name for address in addresses_of(row) for name in names_of(address)}
                assert named.isdisjoint(self.erased)

    async def _reopened(self) -> DuckDBStore:
        await self.duck.close()
        self.memory.restart()
        return await DuckDBStore.open(self.path, lambda: self.now[0], self.options)

    async def _compare(self, who: list[OperatorId]) -> None:
        for mine, other in zip(await self.duck.activate(who), await self.memory.activate(who), strict=True):
            operator_id = mine.operator.operator_id
            assert _flat(all_rows(self.duck, operator_id)) == _flat(all_rows(self.memory, operator_id))
            assert all_attachments(self.duck, operator_id) == all_attachments(self.memory, operator_id)
            assert _without_epoch(mine) == _without_epoch(other)


def _counts(receipt: Receipt) -> tuple[Any, ...]:
    return receipt.mailboxes, receipt.operators, receipt.address_hash, receipt.remains


@pytest.fixture(scope="module", params=["mark", "remove"])
def house(request: pytest.FixtureRequest) -> Iterator[tuple[House, Callable[[Any], Any]]]:
    now = [START]
    # What becomes of the file is looked at in test_erasing; here it would be most of the time.
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        patch.setattr("engine.store.rewriting.is_due", lambda _: False)
        path = Path(folder) / "store.duckdb"
        options = StoreOptions(deletions=request.param, suppression_key=KEY, group_pace=0)
        memory = MemoryStore(lambda: now[0], deletions=request.param)
        house = House(DuckDBStore(path, lambda: now[0], options), memory, path, options, now)
        yield house, runner.run
        runner.run(house.duck.close())


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(todo=steps)
def test_nobody_who_was_erased_is_named(house: tuple[House, Callable[[Any], Any]], todo: list[Any]) -> None:
    rooms, run = house
    run(rooms.check(todo))
