"""Purging: finding what the policies would keep out by now, and taking it out of the file."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from engine.associations.model import RuleSet
from engine.model import OperatorId
from engine.policy.judging import judge
from engine.policy.model import Reason
from engine.policy.purge import PurgeCount, PurgeReceipt, PurgeRequest
from engine.store.associating.known import Known
from engine.store.associating.rows import forget
from engine.store.door.doors import Doors
from engine.store.keys import folder_key, item_key
from engine.store.staging import registered
from engine.store.tables import TEXT, columns
from engine.store.times import utc

_FOUND = pa.schema([("operator_id", TEXT), ("item_id", TEXT), ("change_key", TEXT), ("reason", TEXT)])
_ROWS = 20_000


def find(cursor: duckdb.DuckDBPyConnection, doors: Doors, rules: RuleSet) -> pa.Table:
    """The emails that would be kept out, with their change_keys and the reasons. Nothing is written."""
    known = Known(rules)
    reader = cursor.sql(
        """
        SELECT operator_id, folder, item_id, change_key, sensitivity, sender_address, to_recipients, cc_recipients,
               bcc_recipients
        FROM _mailroom.emails ORDER BY operator_id, folder
        """
    ).to_arrow_reader(_ROWS)
    # The cursor is the reader's while it lasts; what is known is asked on another.
    with cursor.cursor() as other:
        found = [row for batch in reader for part in _parts(batch) for row in _judged(part, doors, known, other)]
    return columns(found, _FOUND)


def counts_of(found: pa.Table) -> tuple[PurgeCount, ...]:
    """By operator and reason."""
    pairs = Counter(zip(found.column("reason").to_pylist(), found.column("operator_id").to_pylist(), strict=True))
    return tuple(PurgeCount(Reason(reason), who, pairs[reason, who]) for reason, who in sorted(pairs))


def purge(
    connection: duckdb.DuckDBPyConnection, request: PurgeRequest, found: pa.Table, now: datetime
) -> tuple[PurgeReceipt, list[OperatorId]]:
    """Take out what was found and has not changed since; whose activations are behind. In the caller's transaction."""
    with registered(connection, "found", found):
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE doomed AS
            SELECT e.rowid AS rid, e.item_key, {folder_key("e")} AS folder_key, e.operator_id, e.folder_id, e.item_id,
                   e.change_key, e.deleted_at IS NULL AND NOT e.content_behind AS current, e.address_keys,
                   e.domain_keys, f.reason
            FROM _mailroom.emails AS e JOIN found AS f
              ON e.item_key = {item_key("f")} AND e.change_key IS NOT DISTINCT FROM f.change_key
            """  # noqa: S608 (our own words only)
        )
    gone = connection.sql("SELECT reason, operator_id FROM doomed").to_arrow_table()
    receipt = PurgeReceipt(request.purge_id, now, request.by, counts_of(gone))
    for table in ("kept_out", "kept_out_keys", "attachments", "departures", "to_associate"):
        connection.execute(
            f"DELETE FROM _mailroom.{table} WHERE item_key IN (SELECT item_key FROM doomed)"  # noqa: S608
        )
    forget(connection, "SELECT item_key FROM doomed")
    connection.execute(
        """
        INSERT INTO _mailroom.kept_out BY NAME
        SELECT folder_key, item_key, change_key, reason, operator_id, folder_id, item_id
        FROM doomed WHERE current AND coalesce(change_key, '') <> ''
        """
    )
    connection.execute(
        "INSERT INTO _mailroom.kept_out_keys SELECT item_key, unnest(list_concat(address_keys, domain_keys)) "
        "FROM doomed WHERE current AND reason = 'unknown'"
    )
    connection.execute("DELETE FROM _mailroom.emails WHERE rowid IN (SELECT rid FROM doomed)")
    connection.execute("DROP TABLE doomed")
    _put(connection, receipt)
    return receipt, sorted({OperatorId(one.operator_id) for one in receipt.counts})


def receipt_of(cursor: duckdb.DuckDBPyConnection, receipt: PurgeReceipt) -> PurgeReceipt:
    """As it stands in the file now."""
    at, problem = cursor.execute(
        "SELECT rewritten_at, rewrite_problem FROM _mailroom.purges WHERE purge_id = $1", [receipt.purge_id]
    ).fetchall()[0]
    return PurgeReceipt(receipt.purge_id, receipt.at, receipt.by, receipt.counts, False, utc(at), problem)


def _put(connection: duckdb.DuckDBPyConnection, receipt: PurgeReceipt) -> None:
    counts = [{**one._asdict(), "reason": one.reason.value} for one in receipt.counts]
    connection.execute(
        'INSERT INTO _mailroom.purges (purge_id, "at", "by", reasons) VALUES ($1, $2, $3, $4)',
        [receipt.purge_id, receipt.at, receipt.by, counts],
    )


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """One for each folder of each mailbox; rows of one are neighbours."""
    start = 0
    for encoded in pc.run_end_encode(pc.binary_join_element_wise(batch.column(0), batch.column(1), "\x1f")).run_ends:
        end = encoded.as_py()
        yield batch.slice(start, end - start)
        start = end


def _judged(
    part: pa.RecordBatch, doors: Doors, known: Known, cursor: duckdb.DuckDBPyConnection
) -> Iterator[tuple[str, str, str | None, str]]:
    operator_id, folder = part.column("operator_id")[0].as_py(), part.column("folder")[0].as_py()
    premises = doors.premises(operator_id, lambda address: known.knows(cursor, address))
    for row, reason in judge(part, folder, doors.policy(operator_id), premises).items():
        yield operator_id, part.column("item_id")[row].as_py(), part.column("change_key")[row].as_py(), reason.value
