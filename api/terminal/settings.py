"""The Application Settings on a terminal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from api.terminal.columns import print_line, print_table
from api.terminal.times import ago


def show_settings(console: Console, state: Mapping[str, Any], now: datetime) -> None:
    """Section by section, and what is worth a word."""
    for section in ("exchange", "email_sync"):
        print_line(console, section, "bold")
        rows = [(key, said(value)) for key, value in state[section].items()]
        print_table(console, ("Key", "Value~"), rows, indent=2)
    print_line(console, f"Version {state['version']}, {ago(state['updated_at'], now)}, by {state['updated_by']}.")
    for warning in state["warnings"]:
        print_line(console, warning, "yellow")


def show_history(console: Console, versions: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """A line a version, the newest first."""
    print_table(
        console,
        ("Version#", "When", "By", "What~"),
        [
            (str(one["version"]), ago(one["at"], now), one["by"], "; ".join(map(changed, one["changes"])))
            if one["version"] > 1
            else ("1", ago(one["at"], now), one["by"], "everything, as it stood there")
            for one in versions
        ],
    )


def changed(change: Mapping[str, Any]) -> str:
    """``email_sync.batch_size: 512 -> 100``."""
    return f"{change['key']}: {said(change['old'])} -> {said(change['new'])}"


def said(value: object) -> str:
    """A value as it is written on the command line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    return "(empty)" if value in ("", None) else str(value)
