"""What a round has done so far, landing by landing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from engine.model import FolderId, ItemId, Landing, LandingResult, PendingPage
from engine.store.door.doorkeeper import Kept
from engine.store.terms import Terms


@dataclass(slots=True)
class Tally:
    """The counts of one landing; ``growth`` is how many current rows each folder gained or lost."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    relisted: int = 0
    queued: tuple[PendingPage, ...] = ()
    growth: Counter[FolderId] = field(default_factory=Counter)

    def result(self) -> LandingResult:
        """As the caller of ``land`` is told."""
        return LandingResult(self.inserted, self.updated, self.deleted, self.relisted, self.queued)


@dataclass(slots=True)
class Round:
    """Landings of different operators on their way into one transaction.

    ``hidden``: what was left off each landing, by id.
    ``buried``: rows this round has tombstoned; ``rekeyed``: rows to which its read flags have given another
    change_key. Both correct what the hits, read once at the start, say.
    """

    connection: duckdb.DuckDBPyConnection
    landings: Sequence[Landing]
    now: datetime
    terms: Terms
    hidden: Sequence[dict[ItemId, Kept]] = ()
    tallies: list[Tally] = field(default_factory=list)
    buried: set[int] = field(default_factory=set)
    rekeyed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.tallies = [Tally() for _ in self.landings]
