"""Receipts of erasures on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from api.terminal.columns import print_table
from api.terminal.times import ago

Row = Mapping[str, Any]

_MOST = 20
"""Mailboxes named."""


def show_erasures(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """A line a receipt."""
    print_table(
        console,
        ("When", "Id", "Emails#", "Mailboxes#", "File", "By~", "Lifted"),
        [
            (
                ago(row["at"], now),
                row["erasure_id"],
                f"{row['emails']:,}",
                f"{len(row['mailboxes']):,}",
                "rewritten" if row["rewritten_at"] else "due",
                row["by"],
                ago(row["lifted_at"], now),
            )
            for row in rows
        ],
    )


def receipt_lines(receipt: Row) -> Iterator[str]:
    """A receipt as text to be kept, line by line."""
    if receipt.get("dry_run"):
        yield "Nothing was done. This would be erased:"
    else:
        yield f"Erasure {receipt['erasure_id']}, {receipt['at']}, by {receipt['by']}"
    yield f"Address (keyed hash): {receipt['address_hash']}"
    yield f"Emails: {receipt['emails']:,}"
    for box in receipt["mailboxes"][:_MOST]:
        parts = [f"{box['emails']:,} emails", f"{box['deleted_emails']:,} deleted ones"]
        parts += [f"{box['attachments']:,} attachments", f"{box['associations']:,} associations"]
        yield f"  {box['operator_id']}: {', '.join(parts)}"
    if len(receipt["mailboxes"]) > _MOST:
        yield f"  and {len(receipt['mailboxes']) - _MOST:,} mailboxes more (--json names all)"
    if receipt["words"]:
        yield f"Messages in which it was blotted out: {receipt['words']:,}"
    if receipt["operators"]:
        yield f"Operators disabled: {', '.join(receipt['operators'])}"
    if not receipt.get("dry_run"):
        yield _file(receipt)
        if receipt["lifted_at"]:
            yield f"Lifted: {receipt['lifted_at']}, by {receipt['lifted_by']}"
    yield "What remains:"
    for sentence in receipt["remains"]:
        yield f"  {sentence}"


def _file(receipt: Row) -> str:
    if receipt["rewritten_at"] is None:
        why = receipt["rewrite_problem"] or "It is done at the next erasure, or when Mailroom starts."
        return f"File: still to be written anew. {why}"
    sizes = f" ({receipt['size_before']:,} bytes, now {receipt['size_after']:,})" if receipt["size_after"] else ""
    return f"File: written anew {receipt['rewritten_at']}, nothing of it is left in there{sizes}"
