"""The program one would write first: exchangelib as documented, a loop over the mailboxes, rows into DuckDB.

Written with ordinary care, so that the comparison is fair: one configuration for all accounts (one connection pool, no
guessing of versions), ids listed by SyncFolderItems and the same fields fetched in batches by GetItem, only the fields
that are stored, one transaction and two ``executemany`` a mailbox, recipients as JSON text (a third of the cost of
lists of structs).
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import exchangelib
from exchangelib.version import Build, Version

from bench.exchange import PASSWORD, Exchange

_FIELDS = (
    "item_class",
    "subject",
    "author",
    "sender",
    "to_recipients",
    "cc_recipients",
    "bcc_recipients",
    "datetime_sent",
    "datetime_received",
    "last_modified_time",
    "message_id",
    "conversation_id",
    "in_reply_to",
    "references",
    "body",
    "text_body",
    "is_read",
    "importance",
    "sensitivity",
    "has_attachments",
    "size",
    "categories",
    "attachments",
)
_TABLES = """
CREATE TABLE emails (
    operator_email VARCHAR, folder VARCHAR, item_id VARCHAR, change_key VARCHAR, item_class VARCHAR, subject VARCHAR,
    sender_name VARCHAR, sender_address VARCHAR, to_recipients VARCHAR, cc_recipients VARCHAR, bcc_recipients VARCHAR,
    sent_at TIMESTAMPTZ, received_at TIMESTAMPTZ, modified_at TIMESTAMPTZ, message_id VARCHAR, conversation_id VARCHAR,
    in_reply_to VARCHAR, "references" VARCHAR, body VARCHAR, body_text VARCHAR, is_read BOOLEAN, importance VARCHAR,
    sensitivity VARCHAR, has_attachments BOOLEAN, size BIGINT, categories VARCHAR[]);
CREATE TABLE attachments (
    item_id VARCHAR, attachment_id VARCHAR, name VARCHAR, content_type VARCHAR, content_id VARCHAR, size BIGINT,
    is_inline BOOLEAN, is_item BOOLEAN);
CREATE TABLE sync_states (operator_email VARCHAR, folder VARCHAR, sync_state VARCHAR);
"""
_WIDTHS = {"emails": 26, "attachments": 8, "sync_states": 3}


@dataclass(slots=True)
class Looped:
    """What a loop did and what it used; ``storing`` is the part of ``cpu`` that went into DuckDB."""

    emails: int = 0
    cpu: float = 0.0
    storing: float = 0.0
    wall: float = 0.0


def loop(exchange: Exchange, database: Path) -> Looped:
    """Copy the inbox and the sent items of every operator."""
    looped = Looped()
    connection = duckdb.connect(str(database))
    connection.execute(_TABLES)
    started, began = time.process_time(), time.monotonic()
    with _configured(exchange) as configuration:
        for email in exchange.operators:
            _copy(email, configuration, connection, looped)
    looped.cpu, looped.wall = time.process_time() - started, time.monotonic() - began
    connection.close()
    return looped


@contextmanager
def _configured(exchange: Exchange) -> Iterator[Any]:
    configuration = exchangelib.Configuration(
        service_endpoint=exchange.url,
        credentials=exchangelib.Credentials(exchange.username, PASSWORD),
        auth_type=exchangelib.BASIC,
        version=Version(Build(15, 1), "Exchange2016"),
        retry_policy=exchangelib.FaultTolerance(max_wait=60),
    )
    try:
        yield configuration
    finally:
        exchangelib.close_connections()


def _copy(email: str, configuration: Any, connection: duckdb.DuckDBPyConnection, looped: Looped) -> None:
    account = exchangelib.Account(
        primary_smtp_address=email,
        config=configuration,
        autodiscover=False,
        access_type=exchangelib.IMPERSONATION,
        default_timezone=exchangelib.UTC,
        locale="en",
    )
    rows: dict[str, list[Sequence[Any]]] = {name: [] for name in _WIDTHS}
    for name, folder in (("inbox", account.inbox), ("sentitems", account.sent)):
        listed = [
            (item.id, item.changekey)
            for change, item in folder.sync_items(only_fields=["datetime_received", "is_read", "size"])
            if change == "create"
        ]
        for item in account.fetch(listed, folder=folder, only_fields=_FIELDS):
            rows["emails"].append(_email(email, name, item))
            rows["attachments"] += [_attachment(item.id, one) for one in item.attachments or ()]
        rows["sync_states"].append((email, name, folder.item_sync_state))
    looped.emails += len(rows["emails"])
    started = time.process_time()
    _store(connection, rows)
    looped.storing += time.process_time() - started


def _store(connection: duckdb.DuckDBPyConnection, rows: dict[str, list[Sequence[Any]]]) -> None:
    connection.execute("BEGIN")
    for table, width in _WIDTHS.items():
        if rows[table]:
            marks = ", ".join("?" * width)
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows[table])  # noqa: S608  # our own names
    connection.execute("COMMIT")


def _email(email: str, folder: str, item: Any) -> Sequence[Any]:
    who = item.author or item.sender
    return (
        email,
        folder,
        item.id,
        item.changekey,
        item.item_class,
        item.subject,
        who.name if who else None,
        who.email_address if who else None,
        *(_people(found) for found in (item.to_recipients, item.cc_recipients, item.bcc_recipients)),
        item.datetime_sent,
        item.datetime_received,
        item.last_modified_time,
        item.message_id,
        item.conversation_id.id if item.conversation_id else None,
        item.in_reply_to,
        item.references,
        str(item.body) if item.body is not None else None,
        item.text_body,
        item.is_read,
        item.importance,
        item.sensitivity,
        item.has_attachments,
        item.size,
        item.categories or [],
    )


def _people(found: Sequence[Any] | None) -> str:
    return json.dumps([{"name": one.name, "address": one.email_address} for one in found or ()])


def _attachment(item_id: str, one: Any) -> Sequence[Any]:
    is_item = isinstance(one, exchangelib.ItemAttachment)
    found = one.attachment_id.id if one.attachment_id else None
    return (item_id, found, one.name, one.content_type, one.content_id, one.size, one.is_inline, is_item)
