"""How much memory people's queries take.

DuckDB has one limit for a whole database, and counts neither every value a function builds nor what leaves it as Arrow.
So both are looked at: what DuckDB counts beside the tables it caches, and how the process has grown beside that.
"""

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb

from engine.errors import StoreUnavailable

_CACHED = "('BASE_TABLE', 'METADATA', 'IN_MEMORY_TABLE', 'ART_INDEX', 'TRANSACTION', 'EXTERNAL_FILE_CACHE')"
_USED = f"""
    SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT,
        coalesce(sum(memory_usage_bytes) FILTER (tag NOT IN {_CACHED}), 0)::BIGINT
    FROM duckdb_memory()
"""  # noqa: S608  # our own words
_EACH = """
    SELECT connection_id::BIGINT, metric_value::VARCHAR::BIGINT FROM duckdb_live_query_metrics()
    WHERE metric_name = 'system.total_memory_allocated'
"""
_SIZE = re.compile(r"(?P<number>[\d.]+) ?(?P<unit>[KMGT]i?B|bytes|B)")
_UNITS = {"bytes": 1, "B": 1} | {
    f"{letter}{end}": base**power for power, letter in enumerate("KMGT", 1) for end, base in (("B", 1000), ("iB", 1024))
}
_STATM = Path("/proc/self/statm")

Borrow = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


class Meter:
    """``borrow`` gives a cursor; ``share`` is how much of DuckDB's memory limit queries may have together."""

    def __init__(self, borrow: Borrow, share: float) -> None:
        self._borrow = borrow
        self._share = share
        self._most: int | None = None
        self._others: int | None = None
        """What was taken when it last was nobody's."""

    def rest(self) -> None:
        """What is taken now is not to be counted: no query runs, or one that does not stop has it."""
        self._others = None

    def look(self) -> dict[int, int] | None:
        """Bytes of each connection, by its id, if queries have too many together; else None."""
        try:
            with self._borrow() as cursor:
                if self._most is None:
                    self._most = int(self._share * memory_limit(cursor))
                counted, queries = cursor.execute(_USED).fetchall()[0]
                taken = queries + resident() - counted
                self._others = taken if self._others is None else min(self._others, taken)
                if taken - self._others <= self._most:
                    return None
                return dict(cursor.execute(_EACH).fetchall())
        except (duckdb.Error, StoreUnavailable):
            return None


def memory_limit(cursor: duckdb.DuckDBPyConnection) -> int:
    """DuckDB's, in bytes."""
    row = cursor.execute("SELECT value FROM duckdb_settings() WHERE name = 'memory_limit'").fetchone()
    found = _SIZE.fullmatch(row[0]) if row else None
    if found is None:
        raise StoreUnavailable(f"DuckDB's memory limit is {row}, which is no size.")
    return int(float(found["number"]) * _UNITS[found["unit"]])


def resident() -> int:
    """Bytes of memory this process has; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
