"""MemoryStore's CRM records: ``ports.CrmStore``; and a queue of ``ports.AssociationStore`` with nothing to be made."""

from abc import abstractmethod
from datetime import datetime

from engine.associations.model import AssociationProgress
from engine.crm.change import CrmChange, CrmOutcome
from engine.crm.model import CrmRecord, RecordKind


class MemoryCrm:
    """``records``: by kind and id; ``queued``: how many emails wait for being associated anew."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[tuple[RecordKind, str], CrmRecord] = {}
        self.queued = 0
        self._steps: list[tuple[datetime, int]] = []

    @abstractmethod
    def _check(self) -> None: ...

    @abstractmethod
    def _now(self) -> datetime: ...

    async def put_crm(self, change: CrmChange) -> CrmOutcome:
        self._check()
        gone = {(change.kind, one) for one in change.deleted}
        given = {(change.kind, one.record_id): one for one in change.records}
        given = {key: one for key, one in given.items() if key not in gone}
        new = sum(key not in self.records for key in given)
        same = sum(self.records.get(key) == one for key, one in given.items())
        there = gone & self.records.keys()
        if not change.dry_run:
            self.records = {key: one for key, one in self.records.items() if key not in gone} | given
            self.queued += 1
        return CrmOutcome(new, len(given) - new - same, same, len(there), len(gone) - len(there))

    async def associate_some(self, limit: int) -> AssociationProgress:
        self._check()
        done = min(limit, self.queued)
        self.queued -= done
        self._steps.append((self._now(), done))
        return AssociationProgress(done, self.queued)

    async def associations_left(self) -> int:
        self._check()
        return self.queued

    def _associated_since(self, since: datetime) -> int:
        return sum(done for at, done in self._steps if at >= since)

    async def associate_all(self) -> int:
        self._check()
        self.queued = 1
        return self.queued
