"""Keeping out who was erased: what a landing brings of them is left off before anything else is done with it.

Their items have no rows. So that a listing does not have them fetched again and again, what was kept out stands in
``kept_out``, by hashed ids and with its change_key, and counts as landed where pages are queued. An item that names
them no longer comes with another change_key, is fetched and lands.
"""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from engine.model import FolderId, ItemId, Landing
from engine.privacy.suppression import Suppression
from engine.store.associating.rows import forget
from engine.store.keys import folder_key, item_key
from engine.store.staging import registered
from engine.store.tables import KEPT_OUT, LISTED, columns
from engine.store.tally import Round


def screen(landing: Landing, suppression: Suppression) -> tuple[Landing, dict[ItemId, str]]:
    """The landing without who is kept out, and the change_keys of the items left off."""
    if not landing.emails:
        return landing, {}
    rows = suppression.rows_of(landing.emails)
    if not rows:
        return landing, {}
    ids, keys = (landing.emails.column(name).to_pylist() for name in ("item_id", "change_key"))
    hidden = {ids[row]: keys[row] or "" for row in rows}
    # Should a source give an item twice, the last one counts: so it goes by ids and not by rows.
    last = {item_id: row for row, item_id in enumerate(ids)}
    hidden = {item_id: key for item_id, key in hidden.items() if last[item_id] in rows}
    rest = [row for row, item_id in enumerate(ids) if item_id not in hidden]
    return replace(landing, emails=landing.emails.take(pa.array(rest, pa.int64()))), hidden


def keep_out(work: Round) -> None:
    """Take out earlier versions of items that name somebody only now, and remember what was kept out."""
    if not work.terms.suppression:
        return
    _forget(work)
    kept = [
        (number, landing.operator_id, landing.folder.folder_id, item_id, change_key)
        for number, (landing, hidden) in enumerate(zip(work.landings, work.hidden, strict=True))
        if landing.folder is not None
        for item_id, change_key in hidden.items()
    ]
    if not kept:
        return
    connection = work.connection
    with registered(connection, "kept", columns(kept, KEPT_OUT)):
        rows = connection.execute(
            f"""
            SELECT e.rowid, k.landing_no, e.folder_id, e.deleted_at IS NULL
            FROM _mailroom.emails AS e JOIN kept AS k ON e.item_key = {item_key("k")}
            """  # noqa: S608
        ).fetchall()
        for table in ("kept_out", *(("emails", "attachments") if rows else ())):
            connection.execute(
                f"DELETE FROM _mailroom.{table} WHERE item_key IN (SELECT {item_key('k')} FROM kept AS k)"  # noqa: S608
            )
        if rows:
            forget(connection, f"SELECT {item_key('k')} FROM kept AS k")  # noqa: S608
        connection.execute(
            f"""
            INSERT INTO _mailroom.kept_out (folder_key, item_key, change_key, operator_id, folder_id, item_id)
            SELECT {folder_key("k")}, {item_key("k")}, k.change_key, k.operator_id, k.folder_id, k.item_id
            FROM kept AS k
            """  # noqa: S608
        )
    for rid, landing_no, folder_id, current in rows:
        if current and rid not in work.buried:
            work.tallies[landing_no].deleted += 1
            work.tallies[landing_no].growth[FolderId(folder_id)] -= 1
        work.buried.add(rid)


def kept_out(work: Round, numbers: Sequence[int]) -> set[tuple[int, str]]:
    """The listed items of these landings that were kept out under the change_key they are listed with."""
    asked = [
        (number, landing.operator_id, landing.folder.folder_id, item_id, change_key)
        for number in numbers
        if (landing := work.landings[number]).folder is not None
        for item_id, change_key in landing.listed.items()
    ]
    if not asked or not work.terms.suppression:
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
