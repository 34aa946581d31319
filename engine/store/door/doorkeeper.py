"""The doorkeeper: the suppression list and the policies in memory, and what of a landing they keep out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from engine.associations.participants import participants
from engine.model import ItemId, Landing, OperatorId
from engine.policy.judging import judge
from engine.policy.model import Policy, Reason
from engine.policy.stated import loosened, policy_of
from engine.privacy.suppression import Suppression
from engine.store.associating.associator import Associator
from engine.store.door.doors import Doors
from engine.store.door.release import release


class Kept(NamedTuple):
    """What is remembered of an item that was kept out; ``lookup_keys``: by which a CRM record may bring it in."""

    change_key: str
    reason: Reason
    lookup_keys: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Basis:
    """By what mail was kept out until now."""

    policy: Policy
    own_domains: frozenset[str]

    def text(self) -> str:
        """As it stands in the file."""
        says = {
            "skip_private": self.policy.skip_private,
            "skip_internal": self.policy.skip_internal,
            "deny": sorted(self.policy.deny),
            "allow": sorted(self.policy.allow[0]) if self.policy.allow else [],
            "skip_folders": sorted(self.policy.skip_folders),
            "only_known": self.policy.only_known,
            "own_domains": sorted(self.own_domains),
        }
        return json.dumps(says)


class Doorkeeper:
    """Belongs to the writer's thread. Before ``follow`` has been called, private mail is kept out.

    ``suppression``: who was erased. ``any_kept``: something may be kept out by a policy. ``in_doubt``:
    what is in memory may be of a transaction that was rolled back.
    """

    def __init__(self, associator: Associator) -> None:
        self.suppression = Suppression()
        self.any_kept = False
        self.in_doubt = False
        self._associator = associator
        self._tenant = policy_of({}, skip_private=True)
        self._own: dict[OperatorId, Policy] = {}

    @property
    def looks_up(self) -> bool:
        """Whether an item may be among what was kept out."""
        return self.any_kept or bool(self.suppression)

    @property
    def doors(self) -> Doors:
        """The policies of this moment; what it holds is never changed, so any thread may look at it."""
        associator = self._associator
        return Doors(self._tenant, self._own, associator.owners, associator.rules.own_domains)

    def follow(
        self, connection: duckdb.DuckDBPyConnection, now: datetime, email_sync: Mapping[str, Any]
    ) -> list[OperatorId]:
        """Work by that section of the settings and the associator's rules, which have followed it already.

        Lets in what may be; whose activations are behind. Inside the caller's transaction.
        """
        self.in_doubt = False
        self._tenant = policy_of(email_sync, skip_private=True)
        self._read_own(connection)
        self.any_kept = bool(connection.execute("SELECT 1 FROM _mailroom.kept_out LIMIT 1").fetchall())
        basis = _Basis(self._tenant, self._associator.rules.own_domains)
        stored = connection.execute("SELECT document FROM _mailroom.policy_basis").fetchall()
        if stored == [(basis.text(),)]:
            return []
        connection.execute("DELETE FROM _mailroom.policy_basis")
        connection.execute("INSERT INTO _mailroom.policy_basis VALUES ($1)", [basis.text()])
        reasons = _loosened(json.loads(stored[0][0]), basis) if stored else frozenset[Reason]()
        return release(connection, now, reasons)

    def follow_one(
        self, connection: duckdb.DuckDBPyConnection, now: datetime, operator_id: OperatorId
    ) -> list[OperatorId]:
        """Work by one operator's own policy, which has changed in the file; else as ``follow``."""
        before = self._own.get(operator_id, Policy())
        self._read_own(connection)
        after = self._own.get(operator_id, Policy())
        return release(connection, now, loosened(before, after), operator_id)

    def screen(self, connection: duckdb.DuckDBPyConnection, landing: Landing) -> tuple[Landing, dict[ItemId, Kept]]:
        """The landing without what is kept out, and what of the items left off is remembered."""
        if not landing.emails or landing.folder is None:
            return landing, {}
        doors, known = self.doors, self._associator.known
        premises = doors.premises(landing.operator_id, lambda address: known.knows(connection, address))
        reasons = judge(landing.emails, landing.folder.name, doors.policy(landing.operator_id), premises)
        if self.suppression:
            reasons |= dict.fromkeys(self.suppression.rows_of(landing.emails), Reason.ERASED)
        if not reasons:
            return landing, {}
        ids, keys = (landing.emails.column(name).to_pylist() for name in ("item_id", "change_key"))
        # Should a source give an item twice, the last one counts: so it goes by ids and not by rows.
        last = {item_id: row for row, item_id in enumerate(ids)}
        lookups = _lookup_keys(landing.emails) if Reason.UNKNOWN in reasons.values() else {}
        hidden = {
            ids[row]: Kept(keys[row] or "", reason, lookups.get(row, ()) if reason is Reason.UNKNOWN else ())
            for row, reason in reasons.items()
            if last[ids[row]] == row
        }
        rest = [row for row, item_id in enumerate(ids) if item_id not in hidden]
        return replace(landing, emails=landing.emails.take(pa.array(rest, pa.int64()))), hidden

    def _read_own(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._own = {
            OperatorId(row[0]): policy_of(json.loads(row[1]), skip_private=False)
            for row in connection.execute("SELECT operator_id, document FROM _mailroom.operator_policies").fetchall()
        }


def _loosened(stored: Mapping[str, Any], basis: _Basis) -> frozenset[Reason]:
    before = policy_of(stored, skip_private=False)
    reasons = loosened(before, basis.policy)
    own = frozenset(stored["own_domains"])
    if before.skip_internal and own - basis.own_domains:
        reasons |= {Reason.INTERNAL}
    if before.only_known and own != basis.own_domains:
        reasons |= {Reason.UNKNOWN}
    return reasons


def _lookup_keys(emails: pa.RecordBatch) -> dict[int, tuple[int, ...]]:
    people = participants(emails)
    addresses, domains = (column.to_pylist() for column in people.key_columns())
    return {row: (*addresses[row], *domains[row]) for row in range(emails.num_rows)}
