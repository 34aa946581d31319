"""Tokens and the audit trail on a terminal."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from api.terminal.columns import print_table
from api.terminal.times import ago, parse

Row = Mapping[str, Any]


def show_tokens(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line a token; the newest first."""
    print_table(
        console,
        ("Token", "Id", "Role", "Valid", "Used", "Groups~"),
        [
            (
                row["name"],
                row["token_id"],
                row["role"],
                _valid(row, now),
                ago(row["last_used_at"], now) or "never",
                ", ".join(row["groups"]),
            )
            for row in rows
        ],
    )


def show_audit(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line an entry; the newest first."""
    print_table(
        console,
        ("When", "Who", "From", "Action", "Outcome", "What~"),
        [
            (
                ago(row["at"], now),
                row["principal"] or "nobody",
                row["address"],
                row["action"],
                row["outcome"],
                _what(row),
            )
            for row in rows
        ],
    )


def _valid(row: Row, now: datetime) -> str:
    if row["revoked_at"]:
        return "revoked"
    if not row["expires_at"]:
        return "always"
    return "expired" if parse(row["expires_at"]) <= now else f"ends {ago(row['expires_at'], now)}"


def _what(row: Row) -> str:
    """What it was done to, and what changed: ``batch_size: 512 → 100``."""
    before, after = row["before"], row["after"]
    parts = [
        f"{key}: {_text(before[key])} → {_text(after.get(key))}" if key in before else f"{key}: {_text(after[key])}"
        for key in [*after, *(key for key in before if key not in after)]
    ]
    return " ".join(part for part in (row["target"], ", ".join(parts)) if part)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
