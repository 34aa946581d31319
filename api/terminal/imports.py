"""The preview of an import, or its report, on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from api.terminal.columns import print_line, print_table

_SHOWN = 20
"""New and changed rows that are shown; those in error are shown all."""


def show_import(console: Console, found: Mapping[str, Any], file: str) -> None:
    """What a file does, or has done: in figures, then what is to be looked at, then the rows."""
    print_line(console, counts_line(found, file), "bold")
    columns = found["columns"]["used"]
    used = ", ".join(f"{field} from {' + '.join(titles)}" for field, titles in columns.items())
    print_line(console, f"Read as {found['encoding']}, {found['delimiter']}: {used}.", indent=2)
    for warning in found["warnings"]:
        print_line(console, warning, "yellow", indent=2)
    wrong = [row for row in found["rows"] if row["verdict"] == "error"]
    right = [row for row in found["rows"] if row["verdict"] != "error"]
    if wrong:
        _show_errors(console, wrong, found["left_out"]["error"])
    if right:
        _show_changes(console, right[:_SHOWN], found["counts"]["new"] + found["counts"]["changed"])


def counts_line(found: Mapping[str, Any], file: str) -> str:
    """The whole in figures, such as ``people.csv: 3 new, 1 changed, 200 unchanged, 2 in error.``."""
    counts = found["counts"]
    said = f"{counts['new']:,} new, {counts['changed']:,} changed, {counts['unchanged']:,} unchanged"
    done = "has been imported: " if found["applied"] else ""
    return f"{file}{' ' if done else ': '}{done}{said}, {counts['error']:,} in error."


def _show_errors(console: Console, rows: Sequence[Mapping[str, Any]], left_out: int) -> None:
    print_table(
        console,
        ("Line#", "Column", "Value~", "What is wrong~"),
        [
            (str(row["line"]), one["column"], one["value"], f"{one['reason']} {one['remedy']}")
            for row in rows
            for one in row["problems"]
        ],
        indent=2,
    )
    if left_out:
        print_line(console, f"And {left_out:,} more rows in error; --errors FILE has all of them.", indent=2)


def _show_changes(console: Console, rows: Sequence[Mapping[str, Any]], whole: int) -> None:
    print_table(
        console,
        ("Line#", "Operator", "Address", "What~"),
        [(str(row["line"]), row["operator"]["operator_id"], row["operator"]["email"], _what(row)) for row in rows],
        indent=2,
    )
    if whole > len(rows):
        print_line(console, f"And {whole - len(rows):,} more.", indent=2)


def _what(row: Mapping[str, Any]) -> str:
    if row["verdict"] == "new":
        return "new" if row["operator"]["email_sync"] else "new, email sync off"
    return ", ".join(f"{one['field']}: {_text(one['old'])} → {_text(one['new'])}" for one in row["changes"])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) or "nothing"
