"""An event loop in a thread of the test's own process, for servers the processes under test talk to."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_WITHIN = 60.0


class LoopThread:
    """Started when made; ``stop`` ends it, once whatever runs on it has been stopped."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there, and give its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WITHIN)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WITHIN)
        self._loop.close()
