"""A simulated Exchange in a thread of the test's own process."""

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from engine.simulator import Call, SimulatedExchange
from tests.cluster.loop_thread import LoopThread

T = TypeVar("T")


class ExchangeThread:
    """Runs it on its own event loop; ``do`` runs a function of it there and gives the result."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._thread: LoopThread
        self.exchange: SimulatedExchange

    def __enter__(self) -> Self:
        self._thread = LoopThread("exchange")
        self.exchange = self._thread.run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.run(self.exchange.stop())
        self._thread.stop()

    def do(self, work: Callable[[SimulatedExchange], T]) -> T:
        """Run ``work`` on the loop."""

        async def run() -> T:
            return work(self.exchange)

        return self._thread.run(run())

    def accept_only(self, password: str) -> None:
        """From now on every account has this password, and no other is let in."""

        def change(exchange: SimulatedExchange) -> None:
            exchange.organisation.options = replace(exchange.organisation.options, password=password)

        self.do(change)

    def calls(self, since: float) -> list[Call]:
        """What it was asked from a moment of ``time.monotonic`` on."""
        return self.do(lambda exchange: exchange.requests.since(since))

    async def _start(self) -> SimulatedExchange:
        exchange = SimulatedExchange(**self._options)
        await exchange.start()
        return exchange
