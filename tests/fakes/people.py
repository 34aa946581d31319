"""The operators of a FakeMailroom: changed by the rules of the store, listed as its view lists them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.checks import judge
from engine.checks.model import CheckReport, verdict_of
from engine.errors import SourceError
from engine.model import Operator, OperatorId
from engine.operators import OperatorChange, check_changes


@dataclass
class People:
    """``operators`` by id; ``changes`` are all that were made, in order; ``said`` overlays an operator's row."""

    operators: dict[OperatorId, Operator] = field(default_factory=dict)
    changes: list[OperatorChange] = field(default_factory=list)
    said: dict[OperatorId, dict[str, Any]] = field(default_factory=dict)
    broken: dict[OperatorId, SourceError] = field(default_factory=dict)
    checked: list[tuple[OperatorId, bool]] = field(default_factory=list)

    def change(self, changes: Sequence[OperatorChange]) -> None:
        """As ``Store.change_operators``."""
        check_changes(changes, self.operators)
        self.changes += changes
        self.operators |= {change.after.operator_id: change.after for change in changes}

    def check(self, operator: Operator, *, round_trip: bool) -> CheckReport:
        """All steps are well, but for those that ``broken`` names for the operator."""
        self.checked.append((operator.operator_id, round_trip))
        steps = [judge.profile(operator), *judge.access(operator, self.broken.get(operator.operator_id))]
        whole = judge.completed(steps)
        return CheckReport(operator.operator_id, operator.email, operator.email_sync, tuple(whole), verdict_of(whole))

    def rows(self) -> list[dict[str, Any]]:
        """Rows of the view ``operators``."""
        return [self._row(self.operators[one]) for one in sorted(self.operators)]

    def _row(self, operator: Operator) -> dict[str, Any]:
        nothing = dict.fromkeys(("last_success_at", "next_sync_at", "error_code", "cause", "remedy"))
        status = "synced" if operator.email_sync else "disabled"
        row = {**asdict(operator), "status": status, **nothing, "pending": 0}
        return {**row, **self.said.get(operator.operator_id, {})}
