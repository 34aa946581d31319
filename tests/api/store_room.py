"""A Mailroom over a real DuckDB file in this process: the store's part is real, the cluster's is a fake's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from engine.clock import SystemClock
from engine.crm.change import CrmChange
from engine.crm.model import CrmRecord, RecordKind
from engine.model import Folder, FolderId, Landing, Operator, OperatorId
from engine.ports import Mailroom
from engine.store import DuckDBStore, StoreOptions
from tests.fakes.mailroom import FakeMailroom
from tests.fakes.store_emails import emails

OF_THE_CLUSTER = frozenset(
    {"notify", "jobs", "change_job", "run_job", "settings", "change_settings", "check", "hosts", "ready"}
)
OPERATORS = tuple(
    Operator(OperatorId(name), f"{name}@example.com", name.title(), email_sync=name != "carl")
    for name in ("ann", "bob", "carl")
)
KNOWN_IDS = {"id": ["ann", "bob", "ann/1+=="]}
"""Names of things there are, by parameter of a path."""


class StoreRoom:
    """Methods of ``ports.Mailroom``, from the one or the other."""

    def __init__(self, store: DuckDBStore, cluster: FakeMailroom) -> None:
        self._store, self._cluster = store, cluster

    def __getattr__(self, name: str) -> Any:
        of_store = name not in OF_THE_CLUSTER and hasattr(self._store, name)
        return getattr(self._store if of_store else self._cluster, name)


@asynccontextmanager
async def store_room(folder: Path, cluster: FakeMailroom) -> AsyncIterator[Mailroom]:
    """A store with some mail in it, and the cluster's part from ``cluster``."""
    options = StoreOptions(suppression_key=b"a key of the tests")
    store = await DuckDBStore.open(folder / "room.duckdb", SystemClock().now, options)
    try:
        await store.put_operators(OPERATORS)
        for kind in RecordKind:
            await store.put_crm(CrmChange(kind, (CrmRecord(kind, "ann", "Ann", ("ann@example.org",), owner="bob"),)))
        for activation in await store.activate([one.operator_id for one in OPERATORS if one.email_sync]):
            rows = [_email(activation.operator.operator_id, number) for number in range(20)]
            inbox = Folder(FolderId(f"{activation.operator.operator_id}-inbox"), "inbox")
            await store.land(
                Landing(activation.operator.operator_id, activation.epoch, folder=inbox, emails=emails(*rows))
            )
        yield cast("Mailroom", StoreRoom(store, cluster))
    finally:
        await store.close()


def _email(operator_id: str, number: int) -> dict[str, Any]:
    at = datetime(2026, 3, 1, number, tzinfo=UTC)
    return {
        "item_id": f"{operator_id}/{number}+==",
        "subject": f"Offer {number}",
        "sender_name": "Dora",
        "sender_address": "dora@example.org",
        "received_at": at,
        "sent_at": at,
        "message_id": f"<{operator_id}.{number}@example.org>",
        "body_text": "Hello, the offer you asked for.",
    }
