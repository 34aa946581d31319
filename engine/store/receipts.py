"""Receipts of erasures, in the file."""

from typing import Any

import duckdb

from engine.privacy.erasure import MailboxErasure, Receipt
from engine.store.times import utc


def put(connection: duckdb.DuckDBPyConnection, one: Receipt) -> None:
    """Store a receipt."""
    mailboxes = [
        {
            "operator_id": box.operator_id, "emails": box.emails, "deleted_emails": box.deleted_emails,
            "attachments": box.attachments, "associations": box.associations,
        }
        for box in one.mailboxes
    ]  # fmt: skip
    connection.execute(
        """
        INSERT INTO _mailroom.erasures
            (erasure_id, "at", "by", address_hash, mailboxes, words, operators, remains)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        [one.erasure_id, one.at, one.by, one.address_hash, mailboxes, one.words, list(one.operators),
         list(one.remains)],
    )  # fmt: skip


def get(cursor: duckdb.DuckDBPyConnection, erasure_id: str) -> list[Receipt]:
    """The receipt with this id, or none."""
    rows = cursor.execute(
        """
        SELECT erasure_id, "at", "by", address_hash, mailboxes, words, operators, remains, rewritten_at,
               rewrite_problem, size_before, size_after, lifted_at, lifted_by
        FROM _mailroom.erasures WHERE erasure_id = $1
        """,
        [erasure_id],
    ).fetchall()
    return [_receipt_of(row) for row in rows]


def _receipt_of(row: tuple[Any, ...]) -> Receipt:
    erasure_id, at, by, address_hash, mailboxes, words, names, remains, *later = row
    written_at, problem, before, after, lifted_at, lifted_by = later
    return Receipt(
        erasure_id,
        utc(at),
        by,
        address_hash,
        tuple(MailboxErasure(**box) for box in mailboxes),
        words,
        tuple(names),
        tuple(remains),
        utc(written_at),
        problem,
        before,
        after,
        utc(lifted_at),
        lifted_by,
    )
