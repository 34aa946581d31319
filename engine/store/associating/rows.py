"""Decisions as rows: of which emails, and written or taken out."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from engine.associations.decide import Decision, Owner, decide
from engine.associations.outcome import Outcome
from engine.associations.participants import Participants
from engine.model import OperatorId
from engine.store.associating.known import Known
from engine.store.keys import item_key
from engine.store.staging import registered
from engine.store.tables import TEXT, columns

_MADE = pa.schema(
    [
        ("operator_id", TEXT), ("item_id", TEXT), ("record_kind", TEXT), ("record_id", TEXT), ("rule", TEXT),
        ("address", TEXT), ("confidence", pa.float64()),
    ]
)  # fmt: skip
_DOUBTFUL = pa.schema(
    [
        ("operator_id", TEXT), ("item_id", TEXT), ("record_kind", TEXT), ("rule", TEXT), ("address", TEXT),
        ("candidates", pa.list_(TEXT)),
    ]
)  # fmt: skip
Item = tuple[str, str]
"""operator_id and item_id."""


class Decisions:
    """The associations and ambiguities of some emails, as tables."""

    def __init__(self, decided: Mapping[Item, Decision]) -> None:
        made = [
            (*item, one.kind.value, one.record_id, one.rule.value, one.address, one.confidence)
            for item, decision in decided.items()
            for one in decision.associations
        ]
        doubtful = [
            (*item, one.kind.value, one.rule.value, one.address, list(one.candidates))
            for item, decision in decided.items()
            for one in decision.ambiguities
        ]
        self.made = columns(made, _MADE)
        self.doubtful = columns(doubtful, _DOUBTFUL)

    def insert(self, connection: duckdb.DuckDBPyConnection, now: datetime, only_new: str = "") -> None:
        """Write them; ``only_new``: a condition that leaves out associations (``m``) that stand already."""
        if self.made.num_rows:
            with registered(connection, "made", self.made):
                connection.execute(
                    f"""
                    INSERT INTO _mailroom.associations
                    SELECT {item_key("m")}, m.operator_id, m.item_id, m.record_kind, m.record_id, m."rule", m.address,
                           m.confidence, $1
                    FROM made AS m {only_new}
                    """,  # noqa: S608 (our own words only)
                    [now],
                )
        if self.doubtful.num_rows:
            with registered(connection, "doubtful", self.doubtful):
                connection.execute(
                    f"INSERT INTO _mailroom.ambiguities SELECT {item_key('d')}, d.* FROM doubtful AS d"  # noqa: S608
                )


def decide_all(
    connection: duckdb.DuckDBPyConnection,
    items: Sequence[Item],
    people: Participants,
    known: Known,
    owners: Mapping[OperatorId, str],
) -> Decisions:
    """What emails, row by row as ``people`` has them, are associated with."""
    keys = zip(people.address_keys, people.domain_keys, strict=True)
    outcomes = known.outcomes(connection, dict(zip(people.addresses, keys, strict=True)))
    if not outcomes:
        return Decisions({})
    by_number: dict[int, tuple[str, Outcome]] = {
        number: (address, outcomes[address]) for number, address in enumerate(people.addresses) if address in outcomes
    }
    decided: dict[Item, Decision] = {}
    for row, item in enumerate(items):
        numbers = people.rows[row]
        if not any(number in by_number for number in numbers):
            continue
        if len(people.distinct(row)) > known.rules.mass_mail_over:
            sender = people.senders[row]
            numbers = [] if sender is None else [sender]
        counting = [by_number[number] for number in dict.fromkeys(numbers) if number in by_number]
        if len(counting) == 1 and not counting[0][1].depends_on_owner:
            decided[item] = known.decided(*counting[0])
        else:
            owner = Owner(item[0], owners.get(OperatorId(item[0]), ""))
            decided[item] = decide(counting, owner, known.rules)
    return Decisions(decided)


def forget(connection: duckdb.DuckDBPyConnection, items: str) -> None:
    """Take out the associations of emails; ``items`` selects their keys."""
    for table in ("associations", "ambiguities"):
        connection.execute(f"DELETE FROM _mailroom.{table} WHERE item_key IN ({items})")  # noqa: S608
