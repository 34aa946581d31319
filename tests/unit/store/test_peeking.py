"""What can be seen of a store before it is opened."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from engine.model import Landing, MailboxStatus, Operator, OperatorId
from engine.store import DuckDBStore
from engine.store.peeking import has_synchronised

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ANN = Operator(OperatorId("ann"), "ann@example.com")


async def test_only_a_store_with_a_synced_mailbox_has_synchronised(tmp_path: Path) -> None:
    path = tmp_path / "mailroom.duckdb"
    assert not has_synchronised(path)
    assert not path.exists()
    store = await DuckDBStore.open(path, lambda: NOW)
    await store.put_operators([ANN])
    await store.close()
    assert not has_synchronised(path)
    store = await DuckDBStore.open(path, lambda: NOW)
    (activation,) = await store.activate([ANN.operator_id])
    synced = replace(activation.mailbox, status=MailboxStatus.SYNCED, last_success_at=NOW)
    await store.land(Landing(ANN.operator_id, activation.epoch, mailbox=synced))
    await store.close()
    assert has_synchronised(path)


def test_what_is_no_store_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mailroom.duckdb"
    path.write_text("no store")
    assert not has_synchronised(path)
