"""The Store actor as the plain class it is."""

import asyncio
from pathlib import Path

import pytest

from actors.store import StoreActor
from actors.wire import pack
from engine.clock import SystemClock
from engine.errors import StaleEpoch, StoreLocked
from engine.model import Landing, Operator, OperatorId
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
