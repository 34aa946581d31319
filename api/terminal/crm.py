"""CRM records, and what an import of them comes to, on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from api.terminal.columns import print_line, print_table
from api.terminal.times import ago

Row = Mapping[str, Any]

_SHOWN = 100
"""Problems that are shown; --json has more."""


def show_import(console: Console, found: Row, file: str, *, done: bool) -> None:
    """What a file has done, or would do: in figures, then what is to be looked at, then the rows in error."""
    print_line(console, f"{file}: {found['kind']} {'imported' if done else 'that would be imported'}", "bold")
    heads = ("Rows#", "New#", "Changed#", "Unchanged#", "In error#")
    figures = [f"{found[name]:,}" for name in ("rows", "new", "changed", "unchanged", "errors")]
    print_table(console, heads, [figures], indent=2)
    used = ", ".join(f"{field} from {titles}" for field, titles in found["columns"].items())
    print_line(console, f"Columns: {used}.", indent=2)
    if found["ignored"]:
        print_line(console, f"Ignored: {', '.join(found['ignored'])}.", indent=2)
    for warning in found["warnings"]:
        print_line(console, warning, "yellow", indent=2)
    if found["problems"]:
        _show_problems(console, found["problems"], found["errors"])


def show_records(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line a record; all are of one kind."""
    third = "Stage" if rows[0]["kind"] == "opportunity" else "Address"
    print_table(
        console,
        ("Id", "Name~", third, "Owner", "Company", "Updated"),
        [
            (
                row["record_id"],
                row["name"],
                row["stage"] if third == "Stage" else _first(row["addresses"] or row["domains"]),
                row["owner"],
                row["account_id"],
                ago(row["updated_at"], now),
            )
            for row in rows
        ],
    )


def show_each(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """Everything about each."""
    for row in rows:
        print_line(console, f"{row['kind']} {row['record_id']}: {row['name'] or 'without a name'}", "bold")
        for label, text in _about(row, now):
            if text:
                print_line(console, f"{label}: {text}", indent=2)


def _show_problems(console: Console, problems: Sequence[Row], errors: int) -> None:
    shown = problems[:_SHOWN]
    print_table(
        console,
        ("Line#", "Column", "Value~", "What is wrong~"),
        [(f"{one['line']:,}", one["column"], one["value"], one["problem"]) for one in shown],
        indent=2,
    )
    left = errors - len({one["line"] for one in shown})
    if left > 0:
        print_line(console, f"And {left:,} more rows in error; --json lists the first 1,000 problems.", indent=2)


def _about(row: Row, now: datetime) -> Iterator[tuple[str, str]]:
    yield "Addresses", ", ".join(row["addresses"])
    yield "Domains", ", ".join(row["domains"])
    yield "Owner", row["owner"]
    yield "Company", row["account_id"]
    if row["kind"] == "opportunity":
        yield "Stage", row["stage"]
        yield "Open", "yes" if row["is_open"] else "no"
        yield "Contacts", ", ".join(row["contact_ids"])
        yield "Last activity", ago(row["active_at"], now)
    yield "Updated", ago(row["updated_at"], now)


def _first(values: Sequence[str]) -> str:
    more = f" (+{len(values) - 1:,})" if len(values) > 1 else ""
    return f"{values[0]}{more}" if values else ""
