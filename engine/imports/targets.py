"""Whom a row means: an operator there is, or a new one; and whether another row means the same.

An id says it. Without one the address does, in whatever case it is written; an address nobody has makes a new
operator, whose id is the address as given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.imports.headers import Columns
from engine.imports.problems import Code
from engine.imports.values import Row
from engine.model import Operator, OperatorId


@dataclass(frozen=True, slots=True)
class Target:
    """The operator as there is (None: new), and as the row wants it."""

    current: Operator | None
    wanted: Operator


class Register:
    """The operators there are, by id and by address."""

    def __init__(self, operators: Mapping[OperatorId, Operator]) -> None:
        self.operators = operators
        self._holders: dict[str, list[OperatorId]] = {}
        for operator in operators.values():
            self._holders.setdefault(operator.email.lower(), []).append(operator.operator_id)

    def holders(self, email: str) -> list[OperatorId]:
        """Whose address this is. The store does not keep two operators from having one address."""
        return self._holders.get(email.lower(), [])


def find_target(row: Row, register: Register, columns: Columns, email_sync: bool) -> Target | None:
    """Whom the row means, new ones with ``email_sync`` where the row says nothing; None, and a problem, if unclear."""
    current = None
    if row.operator_id:
        current = register.operators.get(OperatorId(row.operator_id))
    elif row.email:
        holders = register.holders(row.email)
        if len(holders) > 1:
            row.add(Code.EMAIL_AMBIGUOUS, columns.title("email"), row.email, ", ".join(sorted(holders)))
            return None
        current = register.operators[holders[0]] if holders else None
    if current is not None:
        return Target(current, _changed(current, row))
    if not row.email:
        row.add(Code.EMAIL_MISSING, columns.title("email"))
        return None
    operator_id = OperatorId(row.operator_id or row.email)
    if not row.operator_id and operator_id in register.operators:
        other = register.operators[operator_id]
        detail = f"{other.operator_id} with the address {other.email}"
        row.add(Code.ID_TAKEN, columns.title("operator_id"), row.email, detail)
        return None
    sync = email_sync if row.email_sync is None else row.email_sync
    return Target(None, Operator(operator_id, row.email, row.name or "", sync))


def find_twice(pairs: Iterable[tuple[Row, Target | None]], columns: Columns) -> None:
    """Mark each row that means an operator, or writes an address, that a row before it did, though that be in error."""
    by_id: dict[str, int] = {}
    by_email: dict[str, int] = {}
    for row, target in pairs:
        if not row.clear:
            continue
        operator_id = target.wanted.operator_id if target else row.operator_id
        first = by_id.setdefault(operator_id, row.line) if operator_id else row.line
        same = by_email.setdefault(row.email.lower(), row.line) if row.email else row.line
        if first != row.line:
            row.add(Code.ID_TWICE, columns.title("operator_id"), operator_id or "", str(first))
        elif same != row.line:
            row.add(Code.EMAIL_TWICE, columns.title("email"), row.email or "", str(same))


def _changed(current: Operator, row: Row) -> Operator:
    """The operator after the row; the very same where nothing changes.

    An address in another case is the same address: writing it anew would have the whole mailbox subscribed again.
    """
    email = row.email if row.email and row.email.lower() != current.email.lower() else current.email
    name = current.name if row.name is None else row.name
    sync = current.email_sync if row.email_sync is None else row.email_sync
    wanted = Operator(current.operator_id, email, name, sync)
    return current if wanted == current else wanted
