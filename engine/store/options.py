"""What can be chosen about a store."""

from dataclasses import dataclass, field
from typing import Literal

from engine.querying import Limits


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Sizes and habits of one store.

    ``deletions``: ``mark`` keeps deleted emails as tombstones, ``remove`` takes them out of the file.
    ``memory_limit``: DuckDB's ("4GB", or a share of the machine's).
    ``spill_limit``: how much DuckDB may put into ``PATH.tmp`` beside the file when memory does not do.
    ``threads``: DuckDB's threads, shared by writer and queries; None is one a core.
    ``limits``: of people's queries. ``lock_patience``: seconds to wait for a dying predecessor's file lock.
    ``checkpoint_at``: the size of the log at which it is folded into the file; each time, the last row groups are
    compressed anew, and after a crash this much is replayed.
    ``group_pace``: groups begin at least this many seconds apart, so that a trickle of single emails shares commits
    too; a landing that finds the store idle does not wait.
    ``group_rows`` and ``group_bytes`` bound one transaction; a single landing may exceed them.
    ``suppression_key``: what the addresses of erased people are hashed with (``engine.privacy.suppression``).
    """

    deletions: Literal["mark", "remove"] = "mark"
    memory_limit: str = "50%"
    spill_limit: str = "4GB"
    threads: int | None = None
    limits: Limits = field(default_factory=Limits)
    lock_patience: float = 10.0
    checkpoint_at: str = "256MB"
    group_pace: float = 0.03
    group_rows: int = 20_000
    group_bytes: int = 64_000_000
    suppression_key: bytes = field(default=b"", repr=False)
