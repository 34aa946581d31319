"""Words of the store's contract tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.model import Activation, Folder, FolderId, ItemId, Landing, LandingResult, OperatorId, PendingPage
from engine.store import DuckDBStore
from tests.fakes.store import MemoryStore

ANN = OperatorId("ann")
BOB = OperatorId("bob")
INBOX = Folder(FolderId("F-in"), "inbox")
SENT = Folder(FolderId("F-sent"), "sent")
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

AnyStore = MemoryStore | DuckDBStore


class Time:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


async def activate(store: AnyStore, operator_id: OperatorId = ANN) -> Activation:
    [activation] = await store.activate([operator_id])
    return activation


class Lander:
    """Lands for one operator, at its current epoch."""

    def __init__(self, store: AnyStore, activation: Activation) -> None:
        self.store = store
        self.operator_id = activation.operator.operator_id
        self.epoch = activation.epoch

    def at(self, epoch: int) -> "Lander":
        self.epoch = epoch
        return self

    async def __call__(self, **parts: Any) -> LandingResult:
        return await self.store.land(Landing(self.operator_id, self.epoch, **parts))


def page(page_id: str, *ids: str, folder: Folder = INBOX, newest_at: datetime | None = None) -> PendingPage:
    return PendingPage(page_id, folder.folder_id, tuple(ItemId(one) for one in ids), newest_at)


def ids(*names: str) -> tuple[ItemId, ...]:
    return tuple(ItemId(name) for name in names)
