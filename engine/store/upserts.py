"""Emails into rows: what is new, what replaces a row, what has landed already; and read flags."""

from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from typing import NamedTuple

import pyarrow as pa

from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS
from engine.model import FolderId, ItemId, ReadFlag
from engine.store.associating.rows import forget
from engine.store.deletions import DEPARTURE_WINDOW
from engine.store.keys import ancestor_keys, conversation_key, item_key, message_key, own_key, root_key
from engine.store.staging import Ask, Hit, Staged, microseconds, registered
from engine.store.tables import TEXT, columns
from engine.store.tally import Round


class Fate(NamedTuple):
    """What becomes of a staged email that is not simply new. ``rid``: the row it replaces, if any."""

    row_no: int
    rid: int | None
    landed_already: bool
    first_landed_us: int
    moved_from: str | None


_FATES = pa.schema(
    [
        ("row_no", pa.int32()),
        ("rid", pa.int64()),
        ("landed_already", pa.bool_()),
        ("first_landed_us", pa.int64()),
        ("moved_from", TEXT),
    ]
)


_ITEMS = pa.schema([("operator_id", TEXT), ("item_id", TEXT)])


def is_landed(work: Round, hit: Hit, folder_id: FolderId, change_key: str | None) -> bool:
    """Whether the row has just this content: current, in this folder, and fetched under this change_key."""
    if not hit.current or hit.rid in work.buried or hit.folder_id != folder_id or hit.content_behind:
        return False
    return bool(change_key) and hit.change_key == change_key and hit.rid not in work.rekeyed


def flag(work: Round, hits: Iterable[Hit]) -> None:
    """Apply read flags to current rows of the landing's folder."""
    rids, reads, keys = list[int](), list[bool](), list[str | None]()
    flags = [_last_of_each(landing.read_flags) for landing in work.landings]
    for hit in hits:
        folder = work.landings[hit.landing_no].folder
        if hit.ask != Ask.FLAGGED or folder is None or hit.folder_id != folder.folder_id:
            continue
        if not hit.current or hit.rid in work.buried:
            continue
        one = flags[hit.landing_no][ItemId(hit.item_id)]
        rids.append(hit.rid)
        reads.append(one.is_read)
        keys.append(one.change_key or None)
        if one.change_key and one.change_key != hit.change_key:
            work.rekeyed.add(hit.rid)
    if not rids:
        return
    table = pa.table({"rid": pa.array(rids, pa.int64()), "is_read": reads, "change_key": pa.array(keys, TEXT)})
    with registered(work.connection, "flags", table):
        work.connection.execute(
            """
            UPDATE _mailroom.emails AS e SET
                is_read = f.is_read,
                change_key = coalesce(f.change_key, e.change_key),
                content_behind = e.content_behind
                    OR (f.change_key IS NOT NULL AND f.change_key IS DISTINCT FROM e.change_key)
            FROM flags AS f WHERE e.rowid = f.rid
            """
        )


def _last_of_each(flags: Iterable[ReadFlag]) -> dict[ItemId, ReadFlag]:
    """One flag an item, should a page have several: the last, with the last change_key there was."""
    last: dict[ItemId, ReadFlag] = {}
    for one in flags:
        before = last.get(one.item_id, one)
        last[one.item_id] = one._replace(change_key=one.change_key or before.change_key)
    return last


def upsert(work: Round, staged: Staged, hits: Iterable[Hit]) -> None:
    """Land the emails of the round, with their attachments."""
    if staged.emails is None:
        return
    for number, count in Counter(staged.emails.column("landing_no").to_pylist()).items():
        work.tallies[number].inserted += count
    fates = _fates_by_row(work, staged.emails, hits)
    for landing, tally in zip(work.landings, work.tallies, strict=True):
        if landing.folder is not None:
            tally.growth[landing.folder.folder_id] += tally.inserted
    with registered(work.connection, "fetched", staged.emails):
        fates += _links(work, known={fate.row_no for fate in fates})
        with registered(work.connection, "fates", columns(fates, _FATES)) if fates else nullcontext():
            if fates:
                _clear(work)
            _insert_emails(work, plain=not fates)
            if staged.attachments is not None:
                _insert_attachments(work, staged.attachments, plain=not fates)
    _associate(work, staged, fates)


def _associate(work: Round, staged: Staged, fates: Iterable[Fate]) -> None:
    """Associate what went in; what it replaces is associated no more."""
    emails = staged.emails
    if emails is None:
        return
    left_out = {fate.row_no for fate in fates if fate.landed_already}
    replaced = [fate.row_no for fate in fates if fate.rid is not None and not fate.landed_already]
    owned = list(zip(emails.column("operator_id").to_pylist(), emails.column("item_id").to_pylist(), strict=True))
    if replaced:
        rows = [owned[row] for row in replaced]
        with registered(work.connection, "replaced", columns(rows, _ITEMS)):
            forget(work.connection, f"SELECT {item_key('r')} FROM replaced AS r")  # noqa: S608
    rest = [row for row in range(emails.num_rows) if row not in left_out]
    people = staged.people if not left_out else staged.people.of(rest)
    work.terms.associator.land(work.connection, [owned[row] for row in rest], people, work.now)


def _fates_by_row(work: Round, emails: pa.Table, hits: Iterable[Hit]) -> list[Fate]:
    """The fates of emails whose item has a row, counted where they belong."""
    fates = []
    change_keys = emails.column("change_key")
    for hit in hits:
        folder = work.landings[hit.landing_no].folder
        if hit.ask != Ask.EMAIL or folder is None:
            continue
        if work.terms.remove and hit.rid in work.buried:
            # Gone from the file: the email is as new as if it came a landing later.
            continue
        landed = is_landed(work, hit, folder.folder_id, change_keys[hit.row_no].as_py())
        fates.append(Fate(hit.row_no, hit.rid, landed, hit.first_landed_us, hit.moved_from))
        tally = work.tallies[hit.landing_no]
        current = hit.current and hit.rid not in work.buried
        tally.inserted -= current
        if current and not landed:
            tally.updated += 1
            tally.growth[FolderId(hit.folder_id)] -= 1
            tally.growth[folder.folder_id] += 1
    return fates


def _links(work: Round, known: set[int]) -> list[Fate]:
    """Emails that are new here and left another folder lately: a move whose delete came first."""
    connection = work.connection
    if connection.execute("SELECT 1 FROM _mailroom.departures LIMIT 1").fetchone() is None:
        return []
    # An item that is back where it was is no departure any more.
    connection.execute(
        f"DELETE FROM _mailroom.departures AS d USING fetched AS f WHERE d.item_key = {item_key('f')}"  # noqa: S608
    )
    pairs = connection.execute(
        f"""
        SELECT f.row_no, f.operator_id, f.message_id, f.item_id, d.item_id, epoch_us(d.first_landed_at),
               epoch_us(d.deleted_at)
        FROM _mailroom.departures AS d JOIN fetched AS f ON d.message_key = {message_key("f")}
        WHERE d.deleted_at >= $1
        """,  # noqa: S608
        [work.now - DEPARTURE_WINDOW],
    ).fetchall()
    best: dict[tuple[str, str], tuple[tuple[int, str, str], Fate]] = {}
    now = microseconds(work.now)
    for row_no, operator_id, message_id, item_id, old_id, first_us, deleted_us in pairs:
        if row_no not in known:
            link = (deleted_us, old_id, item_id), Fate(row_no, None, False, min(first_us, now), old_id)
            best[operator_id, message_id] = max(link, best.get((operator_id, message_id), link))
    if best:
        owners = [(operator_id, fate.moved_from) for (operator_id, _), (_, fate) in best.items()]
        _claim_departures(work, owners)
    return [fate for _, fate in best.values()]


def _claim_departures(work: Round, owners: list[tuple[str, str | None]]) -> None:
    table = pa.table([[one[0] for one in owners], [one[1] for one in owners]], names=["operator_id", "item_id"])
    with registered(work.connection, "claimed", table):
        work.connection.execute(
            f"DELETE FROM _mailroom.departures AS d USING claimed AS c WHERE d.item_key = {item_key('c')}"  # noqa: S608
        )


def _clear(work: Round) -> None:
    """Take out what the emails replace."""
    replaced = "SELECT rid FROM fates WHERE rid IS NOT NULL AND NOT landed_already"
    work.connection.execute(
        f"""
        DELETE FROM _mailroom.attachments WHERE item_key IN (
            SELECT item_key FROM _mailroom.emails WHERE rowid IN ({replaced}))
        """  # noqa: S608
    )
    work.connection.execute(f"DELETE FROM _mailroom.emails WHERE rowid IN ({replaced})")  # noqa: S608


def _insert_emails(work: Round, *, plain: bool) -> None:
    fields = [field for field in FETCHED_EMAILS.names if field != "item_id"]
    names = ", ".join(f'"{name}"' for name in fields)
    values = ", ".join(f'f."{name}"' for name in fields)
    first, moved = ("$1", "NULL") if plain else ("coalesce(make_timestamptz(t.first_landed_us), $1)", "t.moved_from")
    fates = "" if plain else "LEFT JOIN fates AS t ON t.row_no = f.row_no WHERE t.landed_already IS NOT TRUE"
    work.connection.execute(
        f"""
        INSERT INTO _mailroom.emails (
            operator_id, item_key, message_key, folder_id, folder, item_id, {names},
            landed_at, deleted_at, first_landed_at, moved_from, content_behind,
            address_keys, domain_keys, own_key, root_key, conversation_key, ancestor_keys)
        SELECT f.operator_id, {item_key("f")}, {message_key("f")}, f.folder_id, f.folder, f.item_id, {values},
               $1, NULL, {first}, {moved}, false,
               f.address_keys, f.domain_keys, {own_key("f")}, {root_key("f")}, {conversation_key("f")},
               {ancestor_keys("f")}
        FROM fetched AS f {fates}
        """,  # noqa: S608
        [work.now],
    )


def _insert_attachments(work: Round, attachments: pa.Table, *, plain: bool) -> None:
    """Attachments of the emails that went in; of others they are not ours to keep."""
    fields = [field for field in FETCHED_ATTACHMENTS.names if field != "item_id"]
    names = ", ".join(f'"{name}"' for name in fields)
    values = ", ".join(f'a."{name}"' for name in fields)
    fates = "" if plain else "LEFT JOIN fates AS t ON t.row_no = f.row_no"
    taken = "" if plain else "AND t.landed_already IS NOT TRUE"
    with registered(work.connection, "attached", attachments):
        work.connection.execute(
            f"""
            INSERT INTO _mailroom.attachments (operator_id, item_key, item_id, {names})
            SELECT a.operator_id, {item_key("a")}, a.item_id, {values}
            FROM attached AS a WHERE EXISTS (
                FROM fetched AS f {fates}
                WHERE f.landing_no = a.landing_no AND f.item_id = a.item_id {taken})
            """  # noqa: S608
        )
