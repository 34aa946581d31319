"""Operators on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from api.terminal.columns import print_line, print_table
from api.terminal.times import ago

Row = Mapping[str, Any]


def show_operators(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line an operator."""
    print_table(
        console,
        ("Operator", "Address", "Name~", "State", "Success", "Trouble"),
        [
            (
                row["operator_id"],
                row["email"] if row["email"] != row["operator_id"] else "",
                row["name"],
                (row["status"] or "") + (f", {row['pending']:,} to fetch" if row["pending"] else ""),
                ago(row["last_success_at"], now) or "never",
                row["error_code"] or "",
            )
            for row in rows
        ],
    )


def show_each(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """Everything about each."""
    for row in rows:
        print_line(console, f"{row['operator_id']}: {row['status'] or 'unknown'}", "bold")
        for label, text in _about(row, now):
            print_line(console, f"{label}: {text}", indent=2)


def _about(row: Row, now: datetime) -> Iterator[tuple[str, str]]:
    yield "Address", row["email"]
    yield "Name", row["name"] or "none"
    yield "Email sync", "on" if row["email_sync"] else "off"
    yield "Last success", ago(row["last_success_at"], now) or "never"
    if row["next_sync_at"] and row["email_sync"]:
        yield "Next attempt", ago(row["next_sync_at"], now)
    if row["pending"]:
        yield "Items to fetch", f"{row['pending']:,}"
    if row["error_code"]:
        yield "Last error", row["error_code"]
    if row["cause"]:
        yield "Cause", row["cause"]
        yield "What to do", row["remedy"]
