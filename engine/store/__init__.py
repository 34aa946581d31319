"""The store: DuckDB behind ``ports.Store``. The only package that imports duckdb.

::

    callers (asyncio) ──▶ store.DuckDBStore ──queue──▶ writer.Writer (one thread) ──▶ group: one transaction
                                 │                                                     landings, operators, signs,
                                 │                                                     jobs, alerts; then activations
                                 └──▶ queries.Readers (own cursors, own snapshots)

Promises:

- What ``land`` returned for is durable; what it raised ``StaleEpoch`` or ``ValueError`` for has changed nothing;
  after ``StoreUnavailable`` either may be so, and ``activate`` tells.
- A landing is wholly in the file or not at all, whatever dies when.
- Memory follows the file: counts and epochs change after COMMIT only.
- Readers see committed states only and never make the writer wait.
"""

from engine.store.options import StoreOptions
from engine.store.store import DuckDBStore

__all__ = ["DuckDBStore", "StoreOptions"]
