"""The Store actor: the one process that opens the database file."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from actors.wire import PackedLanding, unpack
from engine import logs
from engine.clock import SystemClock
from engine.errors import MailroomError
from engine.model import Activation, LandingResult, Operator, OperatorId
from engine.status import DueOperator, Status
from engine.store.options import StoreOptions
from engine.store.store import DuckDBStore


class StoreActor:
    """``engine.store.DuckDBStore``, callable from other processes. Landings come and are answered in batches."""

    def __init__(self, path: str, options: StoreOptions) -> None:
        logs.configure()
        self._path = Path(path)
        self._options = options
        self._opening: asyncio.Task[DuckDBStore] | None = None

    async def opened(self) -> None:
        """Return when the file is open; raise why it could not be."""
        await self._opened()

    async def land(self, landings: Sequence[PackedLanding]) -> list[LandingResult | MailroomError]:
        """Land each; one that fails is answered by its error and sinks no other."""
        store = await self._opened()
        results = await asyncio.gather(*(store.land(one) for one in unpack(landings)), return_exceptions=True)
        return [_answer(result) for result in results]

    async def activate(self, operator_ids: Sequence[OperatorId]) -> list[Activation]:
        """See ``ports.Store``."""
        store = await self._opened()
        return await store.activate(operator_ids)

    async def put_operators(self, operators: Sequence[Operator]) -> None:
        """See ``ports.Store``."""
        store = await self._opened()
        await store.put_operators(operators)

    async def operators(self) -> list[Operator]:
        """See ``ports.Store``."""
        store = await self._opened()
        return await store.operators()

    async def due(self, now: datetime, limit: int) -> list[DueOperator]:
        """See ``ports.Store``."""
        store = await self._opened()
        return await store.due(now, limit)

    async def heard(self, serials: Sequence[tuple[OperatorId, str, datetime]]) -> None:
        """See ``ports.Store``."""
        store = await self._opened()
        await store.heard(serials)

    async def make_due(self, operator_ids: Sequence[OperatorId]) -> None:
        """See ``ports.Store``."""
        store = await self._opened()
        await store.make_due(operator_ids)

    async def status(self) -> Status:
        """See ``ports.Store``."""
        store = await self._opened()
        return await store.status()

    async def query(self, sql: str, params: Sequence[object], max_rows: int) -> tuple[pa.Table, bool]:
        """See ``ports.Store``."""
        store = await self._opened()
        return await store.query(sql, params, max_rows)

    async def close(self) -> None:
        """See ``ports.Store``."""
        if self._opening is not None and self._opening.done() and self._opening.exception() is None:
            await self._opening.result().close()

    async def _opened(self) -> DuckDBStore:
        """The open store.

        Whoever comes first opens it and all wait for that attempt; who comes after it failed tries again, since another
        process may have held the file for a while only.
        """
        if self._opening is None or (self._opening.done() and self._opening.exception() is not None):
            self._opening = asyncio.create_task(DuckDBStore.open(self._path, SystemClock().now, self._options))
        return await asyncio.shield(self._opening)


def _answer(result: LandingResult | BaseException) -> LandingResult | MailroomError:
    if isinstance(result, LandingResult | MailroomError):
        return result
    return MailroomError(f"{type(result).__name__}: {result}")
