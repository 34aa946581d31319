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

NICE = 10
"""A tenth of the processor time of others, where they want it."""

_THREADS = Path("/proc/self/task")


def step_back() -> None:
    """Let this thread have what others leave, from now to its end: few may take it back."""
    _set_back(threading.get_native_id())


@contextmanager
def started_behind() -> Iterator[None]:
    """Threads that are started inside, by anybody, step back."""
    before = _threads()
    yield
    for thread in _threads() - before:
        _set_back(thread)


def _set_back(thread: int) -> None:
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, thread, NICE)


def _threads() -> set[int]:
    try:
        return {int(entry.name) for entry in _THREADS.iterdir()}
    except OSError:
        return set()
