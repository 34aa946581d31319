"""A Mailroom without a cluster: it keeps what it is told and answers what it was given."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from engine.errors import HostUnavailable
from engine.notices import Notice, NoticeAnswer
from engine.status import Readiness, Status


@dataclass
class FakeMailroom:
    """``error`` is raised by every call; ``unsubscribe`` are the subscription ids answered Unsubscribe; ``hang``
    makes every call wait until it is cancelled; ``away`` are the subscription ids no host takes.
    """

    figures: Status = field(default_factory=Status)
    readiness: Readiness = field(default_factory=lambda: Readiness(store=True, coordinator=True, hosts=1))
    table: pa.Table = field(default_factory=lambda: pa.table({"n": [1]}))
    truncated: bool = False
    error: Exception | None = None
    unsubscribe: frozenset[str] = frozenset()
    away: frozenset[str] = frozenset()
    hang: bool = False
    notices: list[Notice] = field(default_factory=list)
    queries: list[tuple[str, list[object]]] = field(default_factory=list)

    async def notify(self, notice: Notice) -> NoticeAnswer:
        await self._trouble()
        if notice.subscription_id in self.away:
            raise HostUnavailable("The host is restarting.")
        self.notices.append(notice)
        return NoticeAnswer.UNSUBSCRIBE if notice.subscription_id in self.unsubscribe else NoticeAnswer.OK

    async def status(self) -> Status:
        await self._trouble()
        return self.figures

    async def query(self, sql: str, params: Sequence[object] = (), max_rows: int = 100_000) -> tuple[pa.Table, bool]:
        await self._trouble()
        self.queries.append((sql, list(params)))
        return self.table, self.truncated

    async def ready(self) -> Readiness:
        await self._trouble()
        return self.readiness

    async def _trouble(self) -> None:
        if self.error is not None:
            raise self.error
        if self.hang:
            await asyncio.Event().wait()
