"""Associations, conversations and the review queue on a terminal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from api.terminal.columns import print_line, print_table
from api.terminal.times import ago

Row = Mapping[str, Any]


def show_associations(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line an association."""
    print_table(
        console,
        ("Mailbox of", "Record", "Rule", "Sure#", "Address", "Found", "Email~"),
        [
            (
                row["operator_id"],
                f"{row['record_kind']} {row['record_id']}",
                row["rule"],
                f"{row['confidence']:.2f}",
                row["address"],
                ago(row["associated_at"], now),
                row["item_id"],
            )
            for row in rows
        ],
    )


def show_threads(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line a conversation."""
    print_table(
        console,
        ("Conversation", "Latest", "Emails#", "Operators#", "Subject~", "Records~"),
        [
            (
                row["thread_id"],
                ago(row["last_at"], now),
                f"{row['emails']:,}",
                f"{len(row['operators']):,}",
                row["subject"] or "",
                _records(row),
            )
            for row in rows
        ],
    )


def show_thread(console: Console, thread: Row) -> None:
    """What it is about and concerns, and a line a message."""
    print_line(console, thread["subject"] or "(no subject)", "bold")
    print_line(console, f"Conversation: {thread['thread_id']}", indent=2)
    if thread["records"]:
        print_line(console, f"Concerns: {_records(thread)}", indent=2)
    rows = [
        (
            (one["at"] or "")[:16].replace("T", " "),
            one["sender_address"] or "",
            ", ".join(dict.fromkeys(copy["operator_id"] for copy in one["copies"])),
            one["subject"] or "",
        )
        for one in thread["messages"]
    ]
    print_table(console, ("At (UTC)", "From", "In the mailbox of~", "Subject~"), rows)


def show_unmatched(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line an address that the CRM does not know."""
    print_table(
        console,
        ("Address", "Name~", "Emails#", "Latest", "In the mailbox of"),
        [
            (row["address"], row["name"] or "", f"{row['emails']:,}", ago(row["last_at"], now), row["operator_id"])
            for row in rows
        ],
    )


def show_ambiguous(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line an address that leads to several records of a kind."""
    print_table(
        console,
        ("Address", "Kind", "Rule", "Emails#", "Latest", "Candidates~"),
        [
            (
                row["address"],
                row["record_kind"],
                row["rule"],
                f"{row['emails']:,}",
                ago(row["last_at"], now),
                ", ".join(_named(one) for one in row["candidates"]),
            )
            for row in rows
        ],
    )


def _records(row: Row) -> str:
    return ", ".join(f"{one['record_kind']} {_named(one)}" for one in row["records"])


def _named(record: Row) -> str:
    return f"{record['name']} ({record['record_id']})" if record["name"] else str(record["record_id"])
