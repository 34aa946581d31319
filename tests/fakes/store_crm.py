"""MemoryStore's CRM records: ``ports.CrmStore``; and a queue of ``ports.AssociationStore`` with nothing to be made."""

from abc import abstractmethod

from engine.associations.model import AssociationProgress
from engine.crm.change import CrmChange, CrmOutcome
from engine.crm.model import CrmRecord, RecordKind


class MemoryCrm:
    """``records``: by kind and id; ``queued``: how many emails wait for being associated anew."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[tuple[RecordKind, str], CrmRecord] = {}
        self.queued = 0

    @abstractmethod
    def _check(self) -> None: ...

    async def put_crm(self, change: CrmChange) -> CrmOutcome:
        self._check()
        gone = {(change.kind, one) for one in change.deleted}
        given = {(change.kind, one.record_id): one for one in change.records}
        given = {key: one for key, one in given.items() if key not in gone}
        there = {key for key in gone if self.records.pop(key, None) is not None}
        new = sum(key not in self.records for key in given)
        same = sum(self.records.get(key) == one for key, one in given.items())
        self.records |= given
        self.queued += 1
        return CrmOutcome(new, len(given) - new - same, same, len(there), len(gone) - len(there))

    async def associate_some(self, limit: int) -> AssociationProgress:
        self._check()
        done = min(limit, self.queued)
        self.queued -= done
        return AssociationProgress(done, self.queued)

    async def associations_left(self) -> int:
        self._check()
        return self.queued

    async def associate_all(self) -> int:
        self._check()
        self.queued = 1
        return self.queued
