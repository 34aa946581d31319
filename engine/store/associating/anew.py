"""Associating what has landed already: the queue, and a bounded step through it.

::

    CRM change ──▶ crm_changes (keys) ──┐
    other rules ─────────▶ every email ─┼─▶ to_associate ──(some at a time)──▶ associations
    another owner ────▶ that mailbox's ─┘
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from engine.associations.model import AssociationProgress, Rule, RuleSet
from engine.associations.participants import participants
from engine.model import OperatorId
from engine.store.associating.known import Known
from engine.store.associating.rows import Decisions, decide_all
from engine.store.staging import registered
from engine.store.tables import TEXT

_STEPS_KEPT = timedelta(days=7)
_STANDS = """
    WHERE NOT EXISTS (
        FROM anew_standing AS s WHERE s.operator_id = m.operator_id AND s.item_id = m.item_id
          AND s.record_kind = m.record_kind AND s.record_id = m.record_id AND s."rule" = m."rule"
          AND s.address = m.address)
"""


def follow(connection: duckdb.DuckDBPyConnection, rules: RuleSet, basis: str, moved: Sequence[OperatorId]) -> None:
    """Queue everything if it was associated by other rules, and the mailboxes whose owner has another address."""
    stored = connection.execute("SELECT document FROM _mailroom.association_basis").fetchall()
    if stored != [(basis,)]:
        connection.execute("DELETE FROM _mailroom.association_basis")
        connection.execute("INSERT INTO _mailroom.association_basis VALUES ($1)", [basis])
        connection.execute("DELETE FROM _mailroom.association_rules")
        connection.execute(
            "INSERT INTO _mailroom.association_rules VALUES ($1, $2, $3, $4, $5, $6)",
            [
                sorted(rules.kinds),
                Rule.CONVERSATION in rules.rules,
                rules.mass_mail_over,
                Rule.DOMAIN in rules.rules,
                sorted(rules.own_domains),
                sorted(rules.free_mail),
            ],
        )
        queue_all(connection)
    elif moved:
        with registered(connection, "moved", pa.table({"operator_id": pa.array(moved, TEXT)})):
            connection.execute(
                "INSERT INTO _mailroom.to_associate SELECT item_key FROM _mailroom.emails "
                "WHERE operator_id IN (SELECT operator_id FROM moved) "
                "AND item_key NOT IN (SELECT item_key FROM _mailroom.to_associate)"
            )


def queue_all(connection: duckdb.DuckDBPyConnection) -> int:
    """Queue every email; how many there are."""
    connection.execute("DELETE FROM _mailroom.to_associate")
    connection.execute("INSERT INTO _mailroom.to_associate SELECT item_key FROM _mailroom.emails")
    return left(connection)


def left(connection: duckdb.DuckDBPyConnection) -> int:
    """How many emails are queued; at least 1 while CRM changes have not been looked into."""
    queued, changes = connection.execute(
        "SELECT (SELECT count(*) FROM _mailroom.to_associate), (SELECT count(*) FROM _mailroom.crm_changes)"
    ).fetchall()[0]
    return max(int(queued), int(changes > 0))


def done_since(connection: duckdb.DuckDBPyConnection, since: datetime) -> int:
    """How many emails have been associated anew."""
    sql = 'SELECT coalesce(sum(emails), 0)::BIGINT FROM _mailroom.association_steps WHERE "at" >= $1'
    return int(connection.execute(sql, [since]).fetchall()[0][0])


def some(
    connection: duckdb.DuckDBPyConnection,
    limit: int,
    now: datetime,
    known: Known,
    owners: Mapping[OperatorId, str],
) -> AssociationProgress:
    """Associate at most so many emails anew; what stands already keeps its time."""
    _look_into_changes(connection)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE anew_batch AS SELECT DISTINCT item_key FROM "  # noqa: S608 (a number)
        f"(SELECT item_key FROM _mailroom.to_associate LIMIT {int(limit)})"
    )
    # Keys first and rows by number then: a scan of the keys alone costs a fifth of one of the wide columns.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE anew_rows AS SELECT rowid AS rid FROM _mailroom.emails "
        "WHERE item_key IN (SELECT item_key FROM anew_batch)"
    )
    emails = connection.sql(
        """
        SELECT e.operator_id, e.item_id, e.sender_address, e.to_recipients, e.cc_recipients, e.bcc_recipients,
               e.rowid AS rid, e.address_keys IS NULL AS unkeyed
        FROM _mailroom.emails AS e WHERE e.rowid IN (SELECT rid FROM anew_rows)
        """
    ).to_arrow_table()
    if emails.num_rows:
        people = participants(emails)
        items = list(zip(emails.column("operator_id").to_pylist(), emails.column("item_id").to_pylist(), strict=True))
        _replace(connection, decide_all(connection, items, people, known, owners), now)
        if any(emails.column("unkeyed").to_pylist()):
            _key(connection, emails.column("rid"), *people.key_columns())
    else:
        _replace(connection, Decisions({}), now)
    connection.execute("DELETE FROM _mailroom.to_associate WHERE item_key IN (SELECT item_key FROM anew_batch)")
    done = connection.execute("SELECT count(*) FROM anew_batch").fetchall()[0][0]
    connection.execute('DELETE FROM _mailroom.association_steps WHERE "at" < $1', [now - _STEPS_KEPT])
    connection.execute("INSERT INTO _mailroom.association_steps VALUES ($1, $2)", [now, done])
    return AssociationProgress(int(done), left(connection))


def _look_into_changes(connection: duckdb.DuckDBPyConnection) -> None:
    """Queue the emails that have a key a CRM change has touched."""
    if not connection.execute("SELECT 1 FROM _mailroom.crm_changes LIMIT 1").fetchall():
        return
    connection.execute(
        """
        INSERT INTO _mailroom.to_associate
        SELECT DISTINCT item_key FROM (
            SELECT item_key, unnest(list_concat(address_keys, domain_keys)) AS lookup_key FROM _mailroom.emails
        ) WHERE lookup_key IN (SELECT lookup_key FROM _mailroom.crm_changes)
          AND item_key NOT IN (SELECT item_key FROM _mailroom.to_associate)
        """
    )
    connection.execute("DELETE FROM _mailroom.crm_changes")


def _replace(connection: duckdb.DuckDBPyConnection, decisions: Decisions, now: datetime) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE anew_standing AS SELECT rowid AS rid, * FROM _mailroom.associations "
        "WHERE item_key IN (SELECT item_key FROM anew_batch)"
    )
    with registered(connection, "made", decisions.made):
        connection.execute(
            """
            DELETE FROM _mailroom.associations WHERE rowid IN (
                SELECT a.rid FROM anew_standing AS a WHERE NOT EXISTS (
                    FROM made AS m WHERE m.operator_id = a.operator_id AND m.item_id = a.item_id
                      AND m.record_kind = a.record_kind AND m.record_id = a.record_id AND m."rule" = a."rule"
                      AND m.address = a.address))
            """
        )
    connection.execute("DELETE FROM _mailroom.ambiguities WHERE item_key IN (SELECT item_key FROM anew_batch)")
    decisions.insert(connection, now, _STANDS)


def _key(connection: duckdb.DuckDBPyConnection, rid: pa.Array, addresses: pa.Array, domains: pa.Array) -> None:
    """Fill in the keys of emails that landed before there were any."""
    keyed = pa.table({"rid": rid, "address_keys": addresses, "domain_keys": domains})
    with registered(connection, "keyed", keyed):
        connection.execute(
            "UPDATE _mailroom.emails AS e SET address_keys = k.address_keys, domain_keys = k.domain_keys "
            "FROM keyed AS k WHERE e.rowid = k.rid"
        )
