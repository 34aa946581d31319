"""The stores under contract: every test here runs over the fake and the real one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.model import Operator
from engine.store import DuckDBStore, StoreOptions
from tests.fakes.store import MemoryStore
from tests.fakes.store_words import ANN, BOB, AnyStore, Lander, Time, activate


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["memory", "duckdb"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def store(kind: str, time: Time, tmp_path: Path) -> AsyncIterator[AnyStore]:
    store = MemoryStore(time) if kind == "memory" else await DuckDBStore.open(tmp_path / "store.duckdb", time)
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann"), Operator(BOB, "bob@example.com", "Bob")])
    yield store
    await store.close()


@pytest.fixture
async def removing(kind: str, time: Time, tmp_path: Path) -> AsyncIterator[AnyStore]:
    store: AnyStore
    if kind == "memory":
        store = MemoryStore(time, deletions="remove")
    else:
        store = await DuckDBStore.open(tmp_path / "removing.duckdb", time, StoreOptions(deletions="remove"))
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann")])
    yield store
    await store.close()


@pytest.fixture
async def land(store: AnyStore) -> Lander:
    return Lander(store, await activate(store))
