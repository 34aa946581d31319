"""A store in a folder of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.model import Operator
from engine.store import DuckDBStore
from tests.fakes.store_words import ANN, BOB, Lander, Time, activate


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.duckdb"


@pytest.fixture
async def store(path: Path, time: Time) -> AsyncIterator[DuckDBStore]:
    store = await DuckDBStore.open(path, time)
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann"), Operator(BOB, "bob@example.com", "Bob")])
    yield store
    await store.close()


@pytest.fixture
async def land(store: DuckDBStore) -> Lander:
    return Lander(store, await activate(store))
