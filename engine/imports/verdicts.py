"""Rows against the operators there are: what each row would do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.imports.addresses import find_taken
from engine.imports.headers import FIELDS, Columns
from engine.imports.problems import Problem
from engine.imports.records import Record
from engine.imports.targets import Register, Target, find_target, find_twice
from engine.imports.values import Row, read_row
from engine.model import Operator, OperatorId


class Verdict(StrEnum):
    """What a row would do."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an operator, before and after."""

    field: str
    old: str | bool
    new: str | bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A row with its verdict: the operator ``before`` (None: new) and after it (``operator``; None: an error).

    ``given`` is what the row says, by field, for whoever mends it: errors only.
    """

    line: int
    verdict: Verdict
    before: Operator | None = None
    operator: Operator | None = None
    problems: tuple[Problem, ...] = ()
    given: Mapping[str, str] | None = None

    def changes(self) -> tuple[FieldChange, ...]:
        """What would be different; nothing for a new operator, all of which is new."""
        if self.before is None or self.operator is None:
            return ()
        pairs = ((field, getattr(self.before, field), getattr(self.operator, field)) for field in FIELDS)
        return tuple(FieldChange(field, old, new) for field, old, new in pairs if old != new)


def judge(
    records: Iterable[Record], columns: Columns, operators: Mapping[OperatorId, Operator], *, email_sync: bool
) -> list[Judged]:
    """Every row's verdict, in the order of the file; ``email_sync`` is for new operators the file does not say it of.

    What the rows without an error do together leaves no two operators with one address that had not one before.

    Raises:
        ImportRefused: the records come to too many rows.
    """
    register = Register(operators)
    rows = [read_row(record, columns) for record in records]
    targets = [find_target(row, register, columns, email_sync) if row.clear else None for row in rows]
    find_twice(zip(rows, targets, strict=True), columns)
    sound = [(row, target) for row, target in zip(rows, targets, strict=True) if target and not row.problems]
    find_taken(sound, register, columns)
    return [_judged(row, target) for row, target in zip(rows, targets, strict=True)]


def _judged(row: Row, target: Target | None) -> Judged:
    if row.problems or target is None:
        return Judged(row.line, Verdict.ERROR, problems=row.problems, given=row.given or _said(row))
    if target.current is None:
        return Judged(row.line, Verdict.NEW, None, target.wanted)
    verdict = Verdict.UNCHANGED if target.wanted is target.current else Verdict.CHANGED
    return Judged(row.line, verdict, target.current, target.wanted)


def _said(row: Row) -> dict[str, str]:
    sync = "" if row.email_sync is None else str(row.email_sync).lower()
    return {
        "operator_id": row.operator_id or "",
        "email": row.email or "",
        "name": row.name or "",
        "email_sync": sync,
    }
