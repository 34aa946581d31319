"""``ports.Store`` from another process: calls to the Store actor, landings gathered into batches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from actors.batching import Batcher
from actors.calls import call
from actors.options import STORE
from actors.wire import pack
from engine.errors import StoreUnavailable
from engine.model import Activation, Landing, LandingResult, Operator, OperatorId
from engine.status import DueOperator, Status

_LANDINGS_A_CALL = 256
_CALLS_AT_ONCE = 2


class RemoteStore:
    """See ``ports.Store``. What cannot be answered raises StoreUnavailable: it may or may not have been done."""

    def __init__(self) -> None:
        self._landings: Batcher[Landing, LandingResult] = Batcher(
            lambda landings: self._call("land", pack(landings)), _LANDINGS_A_CALL, _CALLS_AT_ONCE
        )

    async def land(self, landing: Landing) -> LandingResult:
        """See ``ports.Store``."""
        return await self._landings.submit(landing)

    async def activate(self, operator_ids: Sequence[OperatorId]) -> list[Activation]:
        """See ``ports.Store``."""
        activations: list[Activation] = await self._call("activate", operator_ids)
        return activations

    async def put_operators(self, operators: Sequence[Operator]) -> None:
        """See ``ports.Store``."""
        await self._call("put_operators", operators)

    async def operators(self) -> list[Operator]:
        """See ``ports.Store``."""
        operators: list[Operator] = await self._call("operators")
        return operators

    async def due(self, now: datetime, limit: int) -> list[DueOperator]:
        """See ``ports.Store``."""
        due: list[DueOperator] = await self._call("due", now, limit)
        return due

    async def heard(self, serials: Sequence[tuple[OperatorId, str, datetime]]) -> None:
        """See ``ports.Store``."""
        await self._call("heard", serials)

    async def make_due(self, operator_ids: Sequence[OperatorId]) -> None:
        """See ``ports.Store``."""
        await self._call("make_due", operator_ids)

    async def status(self) -> Status:
        """See ``ports.Store``."""
        status: Status = await self._call("status")
        return status

    async def query(self, sql: str, params: Sequence[object] = (), max_rows: int = 100_000) -> tuple[pa.Table, bool]:
        """See ``ports.Store``."""
        result: tuple[pa.Table, bool] = await self._call("query", sql, params, max_rows)
        return result

    async def close(self) -> None:
        """See ``ports.Store``."""
        await self._call("close")

    async def _call(self, method: str, *args: Any) -> Any:
        return await call(STORE, method, *args, lost=StoreUnavailable)
