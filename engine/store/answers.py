"""What a query is answered: at most so many rows and bytes, collected as they come and given out in pieces.

An answer is collected before it is given out, so that a slow client keeps neither a thread nor a snapshot busy, so that
``truncated`` is known from the first byte on, and so that a query that fails has failed before anything was sent.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import duckdb
import pyarrow as pa

from engine.errors import QueryBusy, QueryRefused
from engine.querying import Answer, Limits

_ROWS = 2048


@dataclass(frozen=True, slots=True)
class Collected:
    """All of an answer."""

    schema: pa.Schema
    batches: tuple[pa.RecordBatch, ...]
    truncated: bool


def collect(relation: duckdb.DuckDBPyRelation, most_rows: int, most_bytes: int) -> Collected:
    """Rows until there are enough, and whether there were more; a huge answer is never held whole."""
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    with relation.to_arrow_reader(min(_ROWS, most_rows + 1)) as reader:
        schema = reader.schema
        for batch in reader:
            kept = batch.slice(0, most_rows - rows)
            kept = kept.slice(0, _fitting(kept, most_bytes - size))
            if kept.num_rows or not batch.num_rows:
                batches.append(kept)
                rows += kept.num_rows
                size += kept.nbytes
            if kept.num_rows < batch.num_rows:
                return Collected(schema, tuple(batches), truncated=True)
    return Collected(schema, tuple(batches), truncated=False)


def _fitting(batch: pa.RecordBatch, room: int) -> int:
    """How many rows of it fit."""
    if batch.nbytes <= room:
        return int(batch.num_rows)
    low, high = 0, int(batch.num_rows)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if batch.slice(0, middle).nbytes <= room else (low, middle)
    return low


class Shelf:
    """Answers that wait to be fetched, piece by piece, by the ids of their queries."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = Lock()
        self._held: dict[str, tuple[Collected, deque[pa.RecordBatch], float]] = {}

    def give(self, query_id: str, collected: Collected) -> Answer:
        """The first piece; the rest is held.

        Raises:
            QueryBusy: too much is held already.
        """
        size = sum(batch.nbytes for batch in collected.batches)
        with self._lock:
            self._forget_idle()
            rest = deque(collected.batches)
            if size > self._limits.chunk:
                held = sum(batch.nbytes for _, waiting, _ in self._held.values() for batch in waiting)
                if held + size > self._limits.held:
                    raise QueryBusy(f"{len(self._held)} answers wait to be fetched.")
            return self._next(query_id, collected, rest)

    def next(self, query_id: str) -> Answer:
        """The next piece.

        Raises:
            QueryRefused: nothing is held under this id (any more).
        """
        with self._lock:
            self._forget_idle()
            if query_id not in self._held:
                raise QueryRefused(
                    "The rest of the answer is gone: it was not fetched in time, or the store restarted."
                )
            collected, rest, _ = self._held.pop(query_id)
            return self._next(query_id, collected, rest)

    def drop(self, query_id: str) -> None:
        """Nobody wants the rest."""
        with self._lock:
            self._held.pop(query_id, None)

    def _next(self, query_id: str, collected: Collected, rest: deque[pa.RecordBatch]) -> Answer:
        piece: list[pa.RecordBatch] = []
        size = 0
        while rest and (not piece or size + rest[0].nbytes <= self._limits.chunk):
            size += rest[0].nbytes
            piece.append(rest.popleft())
        if rest:
            self._held[query_id] = (collected, rest, self._clock())
        return Answer(collected.schema, tuple(piece), collected.truncated, bool(rest))

    def _forget_idle(self) -> None:
        now = self._clock()
        for query_id in [one for one, (_, _, at) in self._held.items() if now - at > self._limits.idle]:
            del self._held[query_id]
