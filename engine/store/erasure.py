"""Erasing one person's mail, and taking an address off the list again: what changes in the file, in one transaction.

Rows are found by the very function that landings are screened with: all addresses there are, each once, are compared in
Python, and the few spellings that are meant then find their rows by SQL.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa

from engine import errors
from engine.crm.keys import address_key
from engine.model import Operator, OperatorId
from engine.privacy.addresses import canonical, is_address, names_of
from engine.privacy.erasure import ErasureRequest, LiftRequest, MailboxErasure, Receipt, what_remains
from engine.privacy.suppression import Suppression, check_of, digest_of
from engine.store import operators, receipts
from engine.store.associating.rows import forget
from engine.store.keys import folder_key
from engine.store.staging import registered
from engine.store.tables import TEXT

_ADDRESSES = """
    SELECT sender_address AS address FROM _mailroom.emails
    UNION SELECT unnest(to_recipients).address FROM _mailroom.emails
    UNION SELECT unnest(cc_recipients).address FROM _mailroom.emails
    UNION SELECT unnest(bcc_recipients).address FROM _mailroom.emails
"""
_WORDS = (
    ("quarantined", "reason"), ("mailboxes", "error"), ("subscriptions", "error"),
    ("outbox", "subject"), ("outbox", "text"), ("outbox", "html"), ("outbox", "error"),
)  # fmt: skip
"""Where messages of Exchange and ours may name an address."""
_BLOT = "(erased)"


class Erased(NamedTuple):
    """A receipt, and whose activations are behind."""

    receipt: Receipt
    fenced: list[OperatorId]


def load(connection: duckdb.DuckDBPyConnection, key: bytes) -> Suppression:
    """The suppression list as it is in the file.

    Raises:
        SettingsError: it was made with another key, so nobody on it would be recognised.
    """
    digests = [row[0] for row in connection.execute("SELECT digest FROM _mailroom.suppressions").fetchall()]
    if digests and connection.execute('SELECT "check" FROM _mailroom.suppression_key').fetchall() != [(check_of(key),)]:
        raise errors.SettingsError(
            f"The store keeps out the mail of {len(digests)} erased people, and its list was made with another "
            "MAILROOM_KEY (or another MAILROOM_ADMIN_TOKEN, where no key was set). Set it as it was; "
            "docs/data-subjects.md says what to do if it is lost."
        )
    return Suppression(key, digests)


def preview(cursor: duckdb.DuckDBPyConnection, request: ErasureRequest, now: datetime, key: bytes) -> Receipt:
    """What an erasure would do; nothing is written.

    Raises:
        ErasureRefused: see ``erase``.
    """
    owners = _owners(cursor, request)
    with registered(cursor, "meant", _meant(cursor, request.address)), registered(cursor, "owners", _ids(owners)):
        return replace(_receipt(cursor, request, now, owners), address_hash=digest_of(key, request.address).hex())


def erase(connection: duckdb.DuckDBPyConnection, request: ErasureRequest, now: datetime, key: bytes) -> Erased:
    """Remove what names the address and put it on the list, inside the caller's transaction.

    Raises:
        ErasureRefused: not an address, no key to hash it with, or an operator's own address without
            ``including_operator``.
    """
    owners = _owners(connection, request)
    if not key:
        raise errors.ErasureRefused("The store has no key to hash the address with. Set MAILROOM_KEY and restart.")
    with (
        registered(connection, "meant", _meant(connection, request.address)),
        registered(connection, "owners", _ids(owners)),
    ):
        receipt = replace(
            _receipt(connection, request, now, owners),
            address_hash=digest_of(key, request.address).hex(),
            words=sum(_blot(connection, table, column, request.address) for table, column in _WORDS),
        )
        _remove(connection)
    put_digest(connection, key, digest_of(key, request.address), now)
    receipts.put(connection, receipt)
    off = [Operator(one.operator_id, one.email, one.name, email_sync=False) for one in owners]
    operators.put_operators(connection, off, now)
    touched = {OperatorId(one.operator_id) for one in receipt.mailboxes} | {one.operator_id for one in owners}
    return Erased(receipt, sorted(touched))


def lift(connection: duckdb.DuckDBPyConnection, request: LiftRequest, now: datetime) -> Erased:
    """Take the address of an erasure off the list; with ``relist`` every folder is listed anew.

    Raises:
        UnknownErasure: there is none of this id.
        ErasureRefused: it is lifted already.
    """
    found = receipts.get(connection, request.erasure_id)
    if not found:
        raise errors.UnknownErasure(f"There is no erasure {request.erasure_id[:100]!r}.")
    if found[0].lifted_at is not None:
        raise errors.ErasureRefused("The address of this erasure has been taken off the list already.")
    connection.execute("DELETE FROM _mailroom.suppressions WHERE digest = unhex($1)", [found[0].address_hash])
    connection.execute(
        "UPDATE _mailroom.erasures SET lifted_at = $1, lifted_by = $2 WHERE address_hash = $3 AND lifted_at IS NULL",
        [now, request.by, found[0].address_hash],
    )
    # Whose mail an item was kept out for is not written down: all are fetched once more when they are listed.
    connection.execute("DELETE FROM _mailroom.kept_out WHERE reason = 'erased'")
    fenced = []
    if request.relist:
        connection.execute("UPDATE _mailroom.folders SET token = NULL, reconciling = true WHERE token IS NOT NULL")
        connection.execute(
            "UPDATE _mailroom.mailboxes AS m SET next_sync_at = $1 FROM _mailroom.operators AS o "
            "WHERE o.operator_id = m.operator_id AND o.email_sync",
            [now],
        )
        fenced = [one.operator_id for one in operators.all_operators(connection)]
    return Erased(receipts.get(connection, request.erasure_id)[0], fenced)


def put_digest(connection: duckdb.DuckDBPyConnection, key: bytes, digest: bytes, now: datetime) -> None:
    """Put a digest on the list, once, and with the first one what tells the key."""
    connection.execute("DELETE FROM _mailroom.suppressions WHERE digest = $1", [digest])
    empty = connection.execute("SELECT 1 FROM _mailroom.suppressions LIMIT 1").fetchone() is None
    if empty:
        connection.execute("DELETE FROM _mailroom.suppression_key")
        connection.execute("INSERT INTO _mailroom.suppression_key VALUES ($1)", [check_of(key)])
    connection.execute("INSERT INTO _mailroom.suppressions VALUES ($1, $2)", [digest, now])


def _owners(cursor: duckdb.DuckDBPyConnection, request: ErasureRequest) -> list[Operator]:
    """The operators whose own address it is."""
    if not is_address(request.address):
        raise errors.ErasureRefused(f"{request.address[:100]!r} is not an address such as ann@example.com.")
    target = canonical(request.address)
    owners = [one for one in operators.all_operators(cursor) if target in names_of(one.email)]
    if owners and not request.including_operator:
        raise errors.ErasureRefused(
            f"{owners[0].email} is the address of the operator {owners[0].operator_id}: nearly every email of that "
            "mailbox names it. To erase the whole mailbox, and switch its email sync off, ask for it expressly: "
            "--including-operator (including_operator)."
        )
    return owners


def _meant(cursor: duckdb.DuckDBPyConnection, address: str) -> pa.Table:
    """The spellings of the address that stand in the file."""
    target = canonical(address)
    rows = cursor.execute(f"SELECT address FROM ({_ADDRESSES}) WHERE address IS NOT NULL").fetchall()  # noqa: S608
    return pa.table({"address": pa.array([one for (one,) in rows if target in names_of(one)], TEXT)})


def _ids(owners: Iterable[Operator]) -> pa.Table:
    return pa.table({"operator_id": pa.array([one.operator_id for one in owners], TEXT)})


_DOOMED = """
    SELECT e.rowid AS rid, e.operator_id, e.item_id, e.item_key, e.folder_id, e.change_key, e.content_behind,
           e.deleted_at
    FROM _mailroom.emails AS e
    WHERE e.operator_id IN (SELECT operator_id FROM owners)
       OR e.sender_address IN (SELECT address FROM meant)
       OR list_has_any(
            list_concat(
                list_transform(e.to_recipients, lambda one: one.address),
                list_transform(e.cc_recipients, lambda one: one.address),
                list_transform(e.bcc_recipients, lambda one: one.address)),
            (SELECT coalesce(list(address), []) FROM meant))
"""


def _receipt(
    cursor: duckdb.DuckDBPyConnection, request: ErasureRequest, now: datetime, owners: Sequence[Operator]
) -> Receipt:
    rows = cursor.execute(
        f"""
        WITH doomed AS ({_DOOMED}),
        attached AS (SELECT item_key, count(*) AS n FROM _mailroom.attachments GROUP BY item_key),
        associated AS (SELECT operator_id, item_id, count(*) AS n FROM _mailroom.associations GROUP BY ALL)
        SELECT d.operator_id, count(*) FILTER (d.deleted_at IS NULL), count(d.deleted_at),
               coalesce(sum(a.n), 0)::BIGINT, coalesce(sum(s.n), 0)::BIGINT
        FROM doomed AS d
        LEFT JOIN attached AS a USING (item_key)
        LEFT JOIN associated AS s ON s.operator_id = d.operator_id AND s.item_id = d.item_id
        GROUP BY d.operator_id ORDER BY d.operator_id
        """  # noqa: S608
    ).fetchall()
    crm = cursor.execute(
        "SELECT count(DISTINCT record_key) FROM _mailroom.crm_addresses WHERE address_key = $1",
        [address_key(request.address)],
    ).fetchall()[0][0]
    names = tuple(one.operator_id for one in owners)
    return Receipt(
        request.erasure_id,
        now,
        request.by,
        address_hash="",
        mailboxes=tuple(MailboxErasure(*row) for row in rows),
        operators=names,
        remains=what_remains(crm, names),
        dry_run=request.dry_run,
    )


def _remove(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE doomed AS {_DOOMED}")
    connection.execute(
        f"""
        INSERT INTO _mailroom.kept_out (folder_key, item_key, change_key)
        SELECT {folder_key("d")}, d.item_key, d.change_key
        FROM doomed AS d WHERE d.deleted_at IS NULL AND NOT d.content_behind AND coalesce(d.change_key, '') <> ''
        """  # noqa: S608
    )
    connection.execute("DELETE FROM _mailroom.attachments WHERE item_key IN (SELECT item_key FROM doomed)")
    forget(connection, "SELECT item_key FROM doomed")
    connection.execute("DELETE FROM _mailroom.departures WHERE item_key IN (SELECT item_key FROM doomed)")
    connection.execute("DELETE FROM _mailroom.emails WHERE rowid IN (SELECT rid FROM doomed)")
    connection.execute("DROP TABLE doomed")


def _blot(connection: duckdb.DuckDBPyConnection, table: str, column: str, address: str) -> int:
    """Put a blot where a text names the address; how many texts."""
    changed = connection.execute(
        f"""
        UPDATE _mailroom.{table} SET "{column}" = regexp_replace("{column}", $1, '{_BLOT}', 'gi')
        WHERE regexp_matches("{column}", $1, 'i')
        RETURNING 1
        """,  # noqa: S608
        [rf"\b{_pattern(address)}\b"],
    ).fetchall()
    return len(changed)


def _pattern(address: str) -> str:
    """A regular expression for an address, with any tag."""
    local, _, domain = canonical(address).rpartition("@")
    return rf"{_escaped(local)}(\+[^\s@]*)?@{_escaped(domain)}"


def _escaped(text: str) -> str:
    return "".join(char if char.isalnum() or char in "@_" or not char.isascii() else f"\\{char}" for char in text)
