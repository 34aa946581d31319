"""Landings go before queries, by the priorities the system gives threads.

DuckDB runs a query in the thread that asks and in its own ones, which it shares among all connections; so the thread of
a query steps back, and so do DuckDB's, while the writer's stays as it is. Only what runs inside DuckDB is done from
behind: a thread that holds Python's lock and is not given the processor holds up everybody. Where the system has no
priorities of threads, nothing changes.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NICE = 19
"""What others leave. Beside eight clients, on two busy cores, landings kept 0.61 of their speed at 10, 0.94 at 19."""

A_LITTLE = 5
"""A third of what others have: somebody looks at a list and waits, and there are never many."""

_THREADS = Path("/proc/self/task")


def step_back(nice: int = NICE) -> None:
    """Let this thread have what others leave, from now to its end: few may take it back."""
    _set_back(threading.get_native_id(), nice)


@contextmanager
def started_behind() -> Iterator[None]:
    """Threads that are started inside, by anybody, step back."""
    before = _threads()
    yield
    for thread in _threads() - before:
        _set_back(thread, NICE)


def _set_back(thread: int, nice: int) -> None:
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, thread, nice)


def _threads() -> set[int]:
    try:
        return {int(entry.name) for entry in _THREADS.iterdir()}
    except OSError:
        return set()
