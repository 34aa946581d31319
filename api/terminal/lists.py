"""Failures, mailboxes, subscriptions and alerts on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from api.terminal.columns import print_line, print_table
from api.terminal.times import ago

Row = Mapping[str, Any]


def show_failures(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """Cause by cause, the most frequent first: what it is, what to do about it, and whom it touches."""
    causes: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        causes.setdefault((row["kind"], row["code"]), []).append(row)
    for (kind, code), touched in sorted(causes.items(), key=lambda one: (one[0][0] == "item", -len(one[1]), one[0])):
        print_line(console, f"{code}: {touched[0]['cause']}", "bold red")
        print_line(console, f"What to do: {touched[0]['remedy']}", indent=2)
        said = {_words(row) for row in touched}
        if len(said) == 1:
            print_line(console, f"Message: {said.pop()}", indent=2)
            _print_touched(console, kind, touched, now, words=False)
        else:
            _print_touched(console, kind, touched, now, words=True)


def _print_touched(console: Console, kind: str, rows: Sequence[Row], now: datetime, *, words: bool) -> None:
    heads = (f"{kind.capitalize()} of", "State", "Since", "Next attempt", "Message~")
    cells = [
        (_who(row), row["state"], ago(row["since"], now), ago(row["next_attempt_at"], now), _words(row)) for row in rows
    ]
    shown = len(heads) if words else len(heads) - 1
    print_table(console, heads[:shown], [row[:shown] for row in cells], indent=2)


def show_mailboxes(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line a mailbox."""
    print_table(
        console,
        ("Mailbox of", "State", "Success", "Next try", "Trouble"),
        [
            (
                _who(row),
                row["status"] + (f", {row['pending']:,} to fetch" if row["pending"] else ""),
                ago(row["last_success_at"], now) or "never",
                ago(row["next_sync_at"], now),
                row["error_code"] or "",
            )
            for row in rows
        ],
    )


def show_mailbox(console: Console, row: Row, now: datetime) -> None:
    """Everything about one mailbox, and what to do."""
    print_line(console, f"{_who(row)}: {row['status']}", "bold")
    for label, text in _about(row, now):
        print_line(console, f"{label}: {text}", indent=2)


def show_subscriptions(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line a subscription."""
    print_table(
        console,
        ("Subscription of", "State", "Made", "Heard", "Next try", "Trouble"),
        [
            (
                _who(row),
                _liveliness(row),
                ago(row["created_at"], now),
                ago(row["heard_at"], now) or "never",
                ago(row["next_attempt_at"], now),
                row["error_code"] or "",
            )
            for row in rows
        ],
    )


def show_alerts(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line an alert, and why mail about it has not gone out."""
    print_table(
        console,
        ("Opened", "Cause", "State", "Operators#", "Sent#", "Waiting#", "Closed"),
        [
            (
                ago(row["opened_at"], now),
                row["code"],
                row["status"],
                f"{row['operators']:,}",
                f"{row['mails_sent']:,}",
                f"{row['mails_waiting']:,}",
                ago(row["closed_at"], now),
            )
            for row in rows
        ],
    )
    for row in rows:
        if row["mails_waiting"] and row["last_error"]:
            print_line(console, f"{row['code']}: its mail has not gone out: {row['last_error']}", "red")


def _about(row: Row, now: datetime) -> Iterator[tuple[str, str]]:
    yield "Last success", ago(row["last_success_at"], now) or "never"
    if row["next_sync_at"]:
        yield "Next attempt", ago(row["next_sync_at"], now)
    yield "Folders", f"{row['folders_drained']:,} of {row['folders']:,} listed once"
    yield "Items", f"{row['pending']:,} to fetch, {row['quarantined']:,} in quarantine"
    if row["window_start"]:
        yield "Emails since", row["window_start"][:10]
    if row["error_code"]:
        yield "Last error", f"{ago(row['error_at'], now)}, {row['error_code']}: {row['error']}"
    if row["failing_since"]:
        yield "Failing since", f"{ago(row['failing_since'], now)}, {row['attempts']:,} attempts"
    if row["cause"]:
        yield "Cause", row["cause"]
        yield "What to do", row["remedy"]


def _who(row: Row) -> str:
    return str(row["operator_email"] or row["operator_id"])


def _words(row: Row) -> str:
    folder = f"{row['folder']}: " if row["folder"] else ""
    return f"{folder}{row['message'] or ''}"


def _liveliness(row: Row) -> str:
    if row["status"] != "active":
        return str(row["status"])
    if row["live"]:
        return "live"
    return "unheard" if row["unheard"] else "silent"
