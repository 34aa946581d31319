"""What the doorkeeper kept out of a round, in the file: without content, and out of the way.

Such items have no rows. So that a listing does not have them fetched again and again, they stand in ``kept_out`` with
their change_key and the reason, and count as landed where pages are queued. An item that is no longer to be kept out
comes with another change_key, is fetched and lands.
"""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from engine.model import FolderId
from engine.policy.model import Reason
from engine.store.associating.rows import forget
from engine.store.keys import folder_key, item_key
from engine.store.staging import registered
from engine.store.tables import KEPT_OUT, LISTED, columns
from engine.store.tally import Round


def keep_out(work: Round) -> None:
    """Take out earlier versions of items that are to be kept out only now, and remember what was kept out."""
    if work.terms.doorkeeper.looks_up:
        _forget(work)
    kept = _kept(work)
    if not kept:
        return
    work.terms.doorkeeper.any_kept = True
    with registered(work.connection, "kept", columns(kept, KEPT_OUT)):
        rows = work.connection.execute(
            f"""
            SELECT e.rowid, k.landing_no, e.folder_id, e.deleted_at IS NULL
            FROM _mailroom.emails AS e JOIN kept AS k ON e.item_key = {item_key("k")}
            """  # noqa: S608
        ).fetchall()
        for table in ("kept_out", "kept_out_keys", *(("emails", "attachments") if rows else ())):
            work.connection.execute(
                f"DELETE FROM _mailroom.{table} WHERE item_key IN (SELECT {item_key('k')} FROM kept AS k)"  # noqa: S608
            )
        if rows:
            forget(work.connection, f"SELECT {item_key('k')} FROM kept AS k")  # noqa: S608
        _remember(work.connection, unknown=any(one[-2] == Reason.UNKNOWN for one in kept))
    for rid, landing_no, folder_id, current in rows:
        if current and rid not in work.buried:
            work.tallies[landing_no].deleted += 1
            work.tallies[landing_no].growth[FolderId(folder_id)] -= 1
        work.buried.add(rid)


def _kept(work: Round) -> list[tuple[object, ...]]:
    """Rows of ``tables.KEPT_OUT``."""
    return [
        (number, landing.operator_id, landing.folder.folder_id, item_id, *one)
        for number, (landing, hidden) in enumerate(zip(work.landings, work.hidden, strict=True))
        if landing.folder is not None
        for item_id, one in hidden.items()
    ]


def _remember(connection: duckdb.DuckDBPyConnection, *, unknown: bool) -> None:
    """Write down what is registered as ``kept``; ``unknown``: some of it for the reason of that name."""

    def plain(name: str) -> str:
        # Of whom an erasure was about, hashes are enough: they are never fetched on account of a policy.
        return f"CASE WHEN k.reason <> '{Reason.ERASED.value}' THEN k.{name} END AS {name}"

    connection.execute(
        f"""
        INSERT INTO _mailroom.kept_out BY NAME
        SELECT {folder_key("k")} AS folder_key, {item_key("k")} AS item_key, k.change_key, k.reason,
               {plain("operator_id")}, {plain("folder_id")}, {plain("item_id")}
        FROM kept AS k
        """  # noqa: S608
    )
    if unknown:
        connection.execute(
            f"INSERT INTO _mailroom.kept_out_keys SELECT {item_key('k')}, unnest(k.lookup_keys) FROM kept AS k"  # noqa: S608
        )


def kept_out(work: Round, numbers: Sequence[int]) -> set[tuple[int, str]]:
    """The listed items of these landings that were kept out under the change_key they are listed with."""
    asked = [
        (number, landing.operator_id, landing.folder.folder_id, item_id, change_key)
        for number in numbers
        if (landing := work.landings[number]).folder is not None
        for item_id, change_key in landing.listed.items()
    ]
    if not asked or not work.terms.doorkeeper.looks_up:
        return set()
    with registered(work.connection, "listed", columns(asked, LISTED)):
        rows = work.connection.execute(
            f"""
            SELECT l.landing_no, l.item_id FROM listed AS l JOIN _mailroom.kept_out AS k
            ON k.item_key = {item_key("l")} AND k.folder_key = {folder_key("l")} AND k.change_key = l.change_key
            WHERE l.change_key <> ''
            """  # noqa: S608
        ).fetchall()
    return set(rows)


def _forget(work: Round) -> None:
    """What is deleted is kept out no longer."""
    gone = [(landing.operator_id, item_id) for landing in work.landings for item_id in landing.deleted]
    retired = [(landing.operator_id, folder_id) for landing in work.landings for folder_id in landing.retired_folders]
    for name, key, pairs in (("item_id", item_key("g"), gone), ("folder_id", folder_key("g"), retired)):
        if pairs:
            table = pa.table([[one[0] for one in pairs], [one[1] for one in pairs]], names=["operator_id", name])
            column = name.replace("_id", "_key")
            with registered(work.connection, "gone", table):
                work.connection.execute(
                    f"DELETE FROM _mailroom.kept_out WHERE {column} IN (SELECT {key} FROM gone AS g)"  # noqa: S608
                )
                if name == "item_id":
                    work.connection.execute(
                        f"DELETE FROM _mailroom.kept_out_keys WHERE {column} IN (SELECT {key} FROM gone AS g)"  # noqa: S608
                    )
