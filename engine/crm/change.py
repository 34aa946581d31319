"""Changes of CRM records, and what they came to."""

from dataclasses import dataclass

from engine.crm.model import CrmRecord, RecordKind


@dataclass(frozen=True, slots=True)
class CrmChange:
    """Records of one kind to insert or replace, by id (of several with one id the last counts), and ids to delete.

    ``dry_run``: say what it would come to, and change nothing.
    """

    kind: RecordKind
    records: tuple[CrmRecord, ...] = ()
    deleted: tuple[str, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class CrmOutcome:
    """How many records were new, changed, the same as before and deleted; ``missing``: to be deleted, and not there."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    missing: int = 0
