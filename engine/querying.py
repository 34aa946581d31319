"""Queries of people: what is asked, what comes back, and how much one may take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

Params = Sequence[object] | Mapping[str, object]
"""Values for ``?`` and ``$1`` by place, or for ``$name`` by name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may take, and all of them together.

    One query: ``seconds`` of running; ``rows`` unless it asks for another number, up to ``most_rows``; ``size`` bytes
    of answer, as Arrow; ``text`` characters of SQL; ``share`` of the store's memory limit.
    All: ``at_once`` run, ``waiting`` more wait, ``held`` bytes of answers wait to be fetched, each ``idle`` seconds at
    most. ``chunk`` is the size of the pieces answers are fetched in. A query that does not stop when it is told to is
    given up after ``grace`` seconds; at ``stuck`` of these, queries are refused until one ends.
    """

    seconds: float = 30.0
    rows: int = 100_000
    most_rows: int = 1_000_000
    size: int = 64 << 20
    text: int = 100_000
    share: float = 0.5
    at_once: int = 4
    waiting: int = 32
    held: int = 256 << 20
    idle: float = 60.0
    chunk: int = 4 << 20
    grace: float = 1.0
    stuck: int = 4


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT. ``query_id`` is of the asker's choosing and names it from the first moment on, to end it by."""

    query_id: str
    sql: str
    params: Params = ()
    max_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of a query. ``truncated``: there were more than fit; ``more``: the rest is fetched by ``read_query``."""

    schema: pa.Schema
    batches: tuple[pa.RecordBatch, ...]
    truncated: bool
    more: bool

    @property
    def table(self) -> pa.Table:
        """The rows that are here."""
        return pa.Table.from_batches(self.batches, schema=self.schema)
