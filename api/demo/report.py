"""What a demo prints when it is synced: the comparison with Exchange, and where to ask."""

from collections import Counter
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.demo.compare import Comparison, Difference

_SHOWN = 50
_WIDEST = 200


def show_comparison(console: Console, found: Comparison) -> None:
    """A summary, the reasons of what is in quarantine, and what differs."""
    table = Table(title="Store and Exchange, message by message", box=box.SIMPLE, title_justify="left")
    table.add_column("")
    table.add_column("Items", justify="right")
    table.add_row("equal in every field", f"{found.equal:,}")
    table.add_row("in quarantine, with a reason", f"{len(found.quarantined):,}")
    table.add_row("differing", f"{found.differing_items:,}")
    for field, number in Counter(difference.field for difference in found.differences).most_common():
        table.add_row(f"  in {field}", f"{number:,}")
    console.print(table)
    for line in _details(found):
        console.print(Text(line), soft_wrap=True)


def _details(found: Comparison) -> Iterator[str]:
    for item_id, reason in found.quarantined.items():
        yield f"quarantined {item_id}: {reason}"
    for difference in found.differences[:_SHOWN]:
        yield _line(difference)
    if len(found.differences) > _SHOWN:
        yield f"... and {len(found.differences) - _SHOWN:,} more"


def _line(difference: Difference) -> str:
    served, stored = repr(difference.served), repr(difference.stored)
    at = next((n for n, (a, b) in enumerate(zip(served, stored, strict=False)) if a != b), 0)
    start = max(0, at - 40)
    return (
        f"{difference.field} of {difference.subject!r} ({difference.item_id}): "
        f"served {served[start : start + _WIDEST]}, stored {stored[start : start + _WIDEST]}"
    )


def where_to_ask(url: str, token: str) -> list[str]:
    """Lines to copy."""
    sql = "SELECT sender_address, count(*) AS emails FROM emails GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
    return [
        "Ask it, from another terminal:",
        f"  export MAILROOM_URL={url} MAILROOM_TOKEN={token}",
        "  mailroom status",
        f'  mailroom query "{sql}"',
        f'  curl -H "Authorization: Bearer {token}" {url}/api/v1/status',
        "New mail arrives now and then; Ctrl-C stops everything.",
    ]
