"""The Store actor as the plain class it is."""

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

from actors.remote_store import RemoteStore
from actors.store import StoreActor
from actors.wire import pack
from engine.clock import SystemClock
from engine.errors import StaleEpoch, StoreLocked
from engine.jobs.model import Job, JobName, JobState
from engine.listing import Listing, View
from engine.model import Landing, Operator, OperatorId
from engine.ports import Store
from engine.store.options import StoreOptions
from engine.store.store import DuckDBStore

ANN = OperatorId("op-ann")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mailroom.duckdb"


async def test_each_landing_is_answered_by_itself(path: Path) -> None:
    actor = StoreActor(str(path), StoreOptions())
    await actor.put_operators([Operator(ANN, "ann@example.com")])
    (activation,) = await actor.activate([ANN])
    answers = await actor.land(pack([Landing(ANN, epoch) for epoch in (activation.epoch, 1, activation.epoch)]))
    assert [type(answer).__name__ for answer in answers] == ["LandingResult", "StaleEpoch", "LandingResult"]
    assert isinstance(answers[1], StaleEpoch)
    await actor.close()


async def test_a_file_held_by_another_is_tried_again(path: Path) -> None:
    holder = await DuckDBStore.open(path, SystemClock().now)
    actor = StoreActor(str(path), StoreOptions(lock_patience=0))
    refused = await asyncio.gather(*(actor.operators() for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in refused] == [StoreLocked] * 3
    with pytest.raises(StoreLocked):
        await actor.opened()
    await actor.close()
    await holder.close()
    assert await actor.operators() == []
    await actor.close()


class Caller(RemoteStore):
    """Keeps the calls it would make."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []

    async def _call(self, method: str, *args: Any) -> Any:
        self.calls.append((method, *args))


async def test_calls_travel_by_position_with_the_defaults_of_the_port() -> None:
    store = Caller()
    now = SystemClock().now()
    await store.query("SELECT 1", max_rows=5)
    await store.due(now, 9)
    await store.due(limit=9, now=now, run_started_at=now)
    await store.jobs()
    assert store.calls == [("query", "SELECT 1", (), 5), ("due", now, 9, None), ("due", now, 9, now), ("jobs",)]


def test_the_actor_answers_whatever_the_port_asks() -> None:
    asked = [name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")]
    assert "standing_failures" in asked
    assert [name for name in asked if not inspect.iscoroutinefunction(getattr(StoreActor, name, None))] == []
    assert [name for name in asked if not inspect.iscoroutinefunction(getattr(RemoteStore, name, None))] == []


async def test_what_the_store_answers_passes_through(path: Path) -> None:
    actor = StoreActor(str(path), StoreOptions())
    job = Job(JobName.EMAIL_SYNC, True, "15m")
    assert await actor.seed_jobs([job]) == [job]
    assert await actor.jobs() == [JobState(job)]
    assert (await actor.page(Listing(View.JOB_RUNS))).items == ()
    table, more = await actor.query("SELECT 1 AS n", (), 9)
    assert (table.to_pylist(), more) == ([{"n": 1}], False)
    await actor.close()


def check_types(remote: RemoteStore) -> Store:
    return remote
