"""The associator: what the store's writer knows of rules, owners and the CRM, and does with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb

from engine.associations.model import AssociationProgress, RuleSet
from engine.associations.participants import Participants
from engine.associations.rule_set import basis, rule_set
from engine.crm.change import CrmChange, CrmOutcome
from engine.model import Operator, OperatorId
from engine.store.associating import anew
from engine.store.associating.known import Known
from engine.store.associating.rows import Item, decide_all
from engine.store.crm import changing


class Associator:
    """Belongs to the writer's thread. Before ``follow`` has been called, defaults rule and nobody owns anything."""

    def __init__(self) -> None:
        self.known = Known(rule_set({}, ()))
        self._owners: dict[OperatorId, str] = {}

    @property
    def rules(self) -> RuleSet:
        """The rules that rule."""
        return self.known.rules

    @property
    def owners(self) -> Mapping[OperatorId, str]:
        """Everybody's address."""
        return self._owners

    def follow(
        self,
        connection: duckdb.DuckDBPyConnection,
        operators: Sequence[Operator],
        email_sync: Mapping[str, Any],
    ) -> None:
        """Work by that section of the settings and for these operators, and queue what was associated otherwise.

        Inside the caller's transaction.
        """
        owners = {one.operator_id: one.email for one in operators}
        rules = rule_set(email_sync, owners.values())
        moved = [one for one, email in owners.items() if self._owners.get(one, email) != email]
        self._owners = owners
        if rules != self.known.rules:
            self.known.follow(rules)
        anew.follow(connection, rules, basis(rules), moved)

    def land(
        self, connection: duckdb.DuckDBPyConnection, items: Sequence[Item], people: Participants, now: datetime
    ) -> None:
        """Associate emails that go in; ``people``: who takes part in them, row by row."""
        decide_all(connection, items, people, self.known, self._owners).insert(connection, now)

    def start_over(self) -> None:
        """A transaction was rolled back: what was learned in it is not so."""
        self.known.forget()

    def put_crm(self, connection: duckdb.DuckDBPyConnection, change: CrmChange) -> CrmOutcome:
        """Change CRM records, inside the caller's transaction."""
        outcome = changing.put_crm(connection, change)
        if change.dry_run:
            return outcome
        if outcome.changed or outcome.deleted:
            self.known.forget()
        elif outcome.new:
            self.known.add(changing.keys_of(change.records))
        return outcome

    def some(self, connection: duckdb.DuckDBPyConnection, limit: int, now: datetime) -> AssociationProgress:
        """Associate some of the queue anew, inside the caller's transaction."""
        return anew.some(connection, limit, now, self.known, self._owners)
