"""A simulated Exchange in a thread of the test's own process."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from engine.simulator import SimulatedExchange

T = TypeVar("T")


class ExchangeThread:
    """Runs it on its own event loop; ``do`` runs a function of it there and gives the result."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="exchange", daemon=True)
        self.exchange: SimulatedExchange

    def __enter__(self) -> Self:
        self._thread.start()
        self.exchange = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self.exchange.stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def do(self, work: Callable[[SimulatedExchange], T]) -> T:
        """Run ``work`` on the loop."""

        async def run() -> T:
            return work(self.exchange)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(30)

    async def _start(self) -> SimulatedExchange:
        exchange = SimulatedExchange(**self._options)
        await exchange.start()
        return exchange
