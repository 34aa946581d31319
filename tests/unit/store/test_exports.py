"""Exports of a real file: given up when idle, and before the file is written anew."""

from pathlib import Path

import pytest

from engine import errors
from engine.exporting import ExportRequest
from engine.model import Operator
from engine.privacy.erasure import ErasureRequest
from engine.store import DuckDBStore, StoreOptions, exports
from tests.contract.store.test_exports import read
from tests.fakes.store_emails import emails
from tests.fakes.store_erasures import KEY
from tests.fakes.store_words import ANN, INBOX, Lander, Time, activate


@pytest.fixture
async def store(path: Path, time: Time) -> DuckDBStore:
    store = await DuckDBStore.open(path, time, StoreOptions(suppression_key=KEY))
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann")])
    return store


async def test_one_that_nobody_reads_makes_room_for_another(store: DuckDBStore, time: Time) -> None:
    for name in ("x1", "x2"):
        await store.begin_export(ExportRequest(name))
    time.pass_by(minutes=4)
    await store.read_export("x2", 0, 0)
    time.pass_by(minutes=4)
    await store.begin_export(ExportRequest("x3"))
    with pytest.raises(errors.ExportGone, match="Begin another"):
        await store.read_export("x1", 0, 0)
    await store.read_export("x2", 0, 0)
    await store.close()


async def test_an_erasure_ends_it(store: DuckDBStore) -> None:
    land = Lander(store, await activate(store))
    await land(folder=INBOX, emails=emails({"item_id": "1", "sender_address": "zoe@example.org"}, {"item_id": "2"}))
    await store.begin_export(ExportRequest("x1"))
    receipt = await store.erase(ErasureRequest("e", "zoe@example.org", "tester"))
    assert receipt.rewritten_at is not None
    with pytest.raises(errors.ExportGone):
        await store.read_export("x1", 0, 0)
    await store.begin_export(ExportRequest("x1"))
    assert (await read(store, "x1", 0)).column("item_id").to_pylist() == ["2"]
    await store.close()


async def test_large_parts_come_in_pieces(store: DuckDBStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_PIECE", 10_000)
    land = Lander(store, await activate(store))
    rows = [{"item_id": f"{n}", "body_text": f"{n} " + "word " * 50} for n in range(3000)]
    await land(folder=INBOX, emails=emails(*rows))
    await store.begin_export(ExportRequest("x1"))
    first = await store.read_export("x1", 0, 0)
    assert (first.more, 0 < first.table.num_rows < 3000) == (True, True)
    assert (await read(store, "x1", 0)).num_rows == 3000
    await store.close()


async def test_closing_the_store_ends_all(store: DuckDBStore) -> None:
    await store.begin_export(ExportRequest("x1"))
    await store.close()
    with pytest.raises((errors.StoreUnavailable, errors.ExportGone)):
        await store.read_export("x1", 0, 0)
