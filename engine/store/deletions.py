"""Deleting rows: tombstones (or removal), attachments, and the trace a move needs."""

from collections.abc import Iterable
from datetime import timedelta

import pyarrow as pa

from engine.model import FolderId
from engine.store.associating.rows import forget
from engine.store.keys import folder_key
from engine.store.staging import Ask, Hit, registered
from engine.store.tables import TEXT
from engine.store.tally import Round

ARRIVAL_WINDOW = timedelta(days=1)
"""A row that landed this lately may be where a deleted one went. Short, because a copy is no move."""
DEPARTURE_WINDOW = timedelta(days=7)
"""How long a deleted row is remembered, should it appear in a folder that is behind with its drain."""

_OWN = pa.schema([("landing_no", pa.int32()), ("operator_id", TEXT), ("folder_id", TEXT)])


def delete(work: Round, hits: Iterable[Hit]) -> None:
    """Retired folders and deleted items, in one go."""
    gone = _retire(work)
    for hit in hits:
        folder = work.landings[hit.landing_no].folder
        if hit.ask == Ask.DELETED and hit.current and folder is not None and hit.folder_id == folder.folder_id:
            gone[hit.rid] = hit.landing_no
    bury(work, gone)


def reconcile(work: Round) -> None:
    """Tombstone what a finished reconciling drain has not seen; keep account of what one has seen so far."""
    forgetful, seen, finished = list[int](), list[tuple[int, str]](), list[int]()
    for number, landing in enumerate(work.landings):
        if landing.folder is None:
            continue
        if landing.forget_seen:
            forgetful.append(number)
        seen += [(number, item_id) for item_id in landing.seen]
        if landing.reconciled:
            finished.append(number)
            seen += [(number, item_id) for item_id in landing.listed]
            seen += [(number, item_id) for page in landing.queued for item_id in page.item_ids]
            if landing.emails is not None:
                seen += [(number, item_id) for item_id in landing.emails.column("item_id").to_pylist()]
    _forget(work, forgetful)
    _remember(work, seen)
    if finished:
        bury(work, _unseen(work, finished))
        _forget(work, finished)


def bury(work: Round, gone: dict[int, int]) -> None:
    """Delete rows, given as row id and number of the landing that deletes it."""
    if not gone:
        return
    work.buried.update(gone)
    connection = work.connection
    dying = pa.table({"rid": pa.array(gone.keys(), pa.int64()), "landing_no": pa.array(gone.values(), pa.int32())})
    with registered(connection, "dying", dying):
        connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE dead AS
            SELECT e.rowid AS rid, d.landing_no, e.folder_id, e.item_key, e.message_key, e.item_id, e.first_landed_at
            FROM _mailroom.emails AS e JOIN dying AS d ON e.rowid = d.rid
            """
        )
    counts = connection.execute("SELECT landing_no, folder_id, count(*) FROM dead GROUP BY ALL").fetchall()
    for landing_no, folder_id, count in counts:
        work.tallies[landing_no].deleted += count
        work.tallies[landing_no].growth[FolderId(folder_id)] -= count
    if work.terms.remove:
        connection.execute("DELETE FROM _mailroom.emails WHERE rowid IN (SELECT rid FROM dead)")
        forget(connection, "SELECT item_key FROM dead")
    else:
        connection.execute(
            "UPDATE _mailroom.emails SET deleted_at = $1 WHERE rowid IN (SELECT rid FROM dead)", [work.now]
        )
    connection.execute("DELETE FROM _mailroom.attachments WHERE item_key IN (SELECT item_key FROM dead)")
    _note_departures(work)


def _note_departures(work: Round) -> None:
    """Link rows that landed before the delete of where they came from; remember the rest of the dead for later."""
    connection = work.connection
    pairs = connection.execute(
        """
        SELECT e.rowid, d.rid, d.item_id, epoch_us(least(e.first_landed_at, d.first_landed_at))
        FROM _mailroom.emails AS e JOIN dead AS d ON e.message_key = d.message_key
        WHERE e.first_landed_at >= $1 AND e.first_landed_at >= d.first_landed_at AND e.deleted_at IS NULL
          AND e.moved_from IS NULL AND e.folder_id <> d.folder_id AND e.item_key <> d.item_key
        QUALIFY row_number() OVER (
            PARTITION BY e.message_key ORDER BY d.item_id DESC, e.first_landed_at DESC, e.item_id DESC
        ) = 1
        """,
        [work.now - ARRIVAL_WINDOW],
    ).fetchall()
    if pairs:
        names = ["rid", "old_rid", "moved_from", "first_landed_us"]
        moved = pa.table([list(column) for column in zip(*pairs, strict=True)], names=names)
        with registered(connection, "moved", moved):
            connection.execute(
                """
                UPDATE _mailroom.emails AS e
                SET moved_from = m.moved_from, first_landed_at = make_timestamptz(m.first_landed_us)
                FROM moved AS m WHERE e.rowid = m.rid
                """
            )
            connection.execute("DELETE FROM dead WHERE rid IN (SELECT old_rid FROM moved)")
    connection.execute("DELETE FROM _mailroom.departures WHERE deleted_at < $1", [work.now - DEPARTURE_WINDOW])
    connection.execute(
        """
        INSERT INTO _mailroom.departures
        SELECT message_key, item_key, item_id, first_landed_at, $1 FROM dead WHERE message_key IS NOT NULL
        """,
        [work.now],
    )


def _retire(work: Round) -> dict[int, int]:
    """The rows of retired folders; their records, pages, quarantine and seen ids go at once."""
    owned = [
        (number, landing.operator_id, folder_id)
        for number, landing in enumerate(work.landings)
        for folder_id in landing.retired_folders
    ]
    if not owned:
        return {}
    table = pa.table([list(column) for column in zip(*owned, strict=True)], schema=_OWN)
    with registered(work.connection, "retired", table):
        for name in ("folders", "pending_pages", "quarantined", "seen"):
            work.connection.execute(
                f"DELETE FROM _mailroom.{name} WHERE folder_key IN (SELECT {folder_key('r')} FROM retired AS r)"  # noqa: S608
            )
        rows = work.connection.execute(
            """
            SELECT e.rowid, r.landing_no
            FROM _mailroom.emails AS e JOIN retired AS r USING (operator_id, folder_id)
            WHERE e.deleted_at IS NULL
            """
        ).fetchall()
    return dict(rows)


def _own(work: Round, numbers: Iterable[int]) -> pa.Table:
    rows = [(number, work.landings[number].operator_id, work.landings[number].folder) for number in numbers]
    folders = [folder.folder_id if folder else None for _, _, folder in rows]
    return pa.table([[row[0] for row in rows], [row[1] for row in rows], folders], schema=_OWN)


def _forget(work: Round, numbers: list[int]) -> None:
    if numbers:
        with registered(work.connection, "own", _own(work, numbers)):
            work.connection.execute(
                f"DELETE FROM _mailroom.seen WHERE folder_key IN (SELECT {folder_key('o')} FROM own AS o)"  # noqa: S608
            )


def _remember(work: Round, seen: list[tuple[int, str]]) -> None:
    if seen:
        own = _own(work, [number for number, _ in seen])
        table = own.append_column("item_id", pa.array([item_id for _, item_id in seen], TEXT))
        with registered(work.connection, "seen_now", table):
            work.connection.execute(
                f"""
                INSERT INTO _mailroom.seen
                SELECT {folder_key("s")}, md5_number(s.operator_id || chr(31) || s.item_id) FROM seen_now AS s
                """  # noqa: S608
            )


def _unseen(work: Round, numbers: list[int]) -> dict[int, int]:
    with registered(work.connection, "own", _own(work, numbers)):
        rows = work.connection.execute(
            f"""
            SELECT e.rowid, o.landing_no
            FROM _mailroom.emails AS e JOIN own AS o USING (operator_id, folder_id)
            WHERE e.deleted_at IS NULL AND NOT EXISTS (
                FROM _mailroom.seen AS s WHERE s.item_key = e.item_key AND s.folder_key = {folder_key("o")}
            )
            """  # noqa: S608
        ).fetchall()
    return dict(rows)
