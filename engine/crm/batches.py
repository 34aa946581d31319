"""Many records, or the JSON objects of a request, as changes of the store's: some at a time.

A change is one transaction, and what lands waits for it meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TypeVar

from engine.crm.change import CrmChange, CrmOutcome
from engine.crm.model import CrmRecord, RecordKind
from engine.crm.reading import CrmTable, RowProblem, read_record
from engine.crm.values import Unfit, read_id

MOST = 10_000
"""Records of one change, and ids to delete."""
_T = TypeVar("_T")


def read_objects(kind: RecordKind, given: Sequence[Mapping[str, object]]) -> CrmTable:
    """JSON objects as a table; lines are their positions, from 1. Of several with one id the last counts."""
    records: dict[str, CrmRecord] = {}
    problems: list[RowProblem] = []
    several: set[str] = set()
    for line, one in enumerate(given, 1):
        found = read_record(kind, one, line)
        if isinstance(found, tuple):
            problems += found
            continue
        if found.record_id in records:
            several.add(found.record_id)
        records[found.record_id] = found
    what = "1 id is given" if len(several) == 1 else f"{len(several):,} ids are given"
    warnings = (f"{what} more than once, and the last record of each counts.",) if several else ()
    return CrmTable(tuple(records.values()), tuple(problems), len(given), (), {}, warnings)


def as_kept(record_id: str) -> str:
    """An id as a record of it would have it; what no record can have stays as it is, and is not found."""
    try:
        return read_id(record_id)
    except Unfit:
        return record_id


def batches(
    kind: RecordKind, records: Sequence[CrmRecord], deleted: Sequence[str] = (), *, dry_run: bool = False
) -> Iterator[CrmChange]:
    """The changes that come to it, each id in one of them: what is given and deleted is deleted."""
    gone = tuple(dict.fromkeys(deleted))
    kept = records
    if gone:
        left_out = set(gone)
        kept = tuple(one for one in records if one.record_id not in left_out)
    for some, ids in zip_longest(_cut(kept), _cut(gone), fillvalue=()):
        yield CrmChange(kind, tuple(some), tuple(ids), dry_run)


def total(one: CrmOutcome, other: CrmOutcome) -> CrmOutcome:
    """Two outcomes in one."""
    return CrmOutcome(
        one.new + other.new,
        one.changed + other.changed,
        one.unchanged + other.unchanged,
        one.deleted + other.deleted,
        one.missing + other.missing,
    )


def _cut(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), MOST):
        yield items[start : start + MOST]
