"""MemoryStore's CRM records: ``ports.CrmStore``; and a queue of ``ports.AssociationStore`` with nothing to be made."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

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


def crm_rows(records: Iterable[CrmRecord]) -> list[dict[str, Any]]:
    """The rows of the view ``crm_records``, in the order of its list."""
    return [_row(one) for one in sorted(records, key=lambda one: (one.kind, one.record_id))]


def _row(one: CrmRecord) -> dict[str, Any]:
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(one).items()}
    first = {name: values[name] for name in ("kind", "record_id", "name")}
    return first | {"email": one.addresses[0] if one.addresses else None} | values
