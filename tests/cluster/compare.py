"""Whether the store is Exchange: one current row an item, every field equal, nothing else."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from engine.simulator import SimulatedExchange

FOLDERS = ("inbox", "sentitems")
PRIVATE = ("Private", "Confidential")

Values = dict[str, Any]
Query = Callable[[str], pa.Table]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store shows, by operator's address."""

    rows: dict[str, list[Values]]
    attachments: dict[str, list[str]]
    pending: int
    quarantined: int


def read(query: Query) -> Stored:
    """Everything that is compared, through the views."""
    rows: dict[str, list[Values]] = {}
    for row in query("SELECT * FROM emails").to_pylist():
        rows.setdefault(row["operator_email"], []).append(row)
    attachments: dict[str, list[str]] = {}
    for row in query("SELECT item_id, name FROM attachments").to_pylist():
        attachments.setdefault(row["item_id"], []).append(row["name"])
    (counts,) = query("SELECT sum(pending) AS pending, sum(quarantined) AS aside FROM mailboxes").to_pylist()
    return Stored(rows, attachments, int(counts["pending"] or 0), int(counts["aside"] or 0))


def served(exchange: SimulatedExchange, emails: Iterable[str]) -> dict[str, list[Values]]:
    """What Exchange serves of these mailboxes and a policy of defaults lets in, as ``asdict`` gives it.

    Private mail is a ghost where it is found.
    """
    return {
        email: [
            asdict(item)
            for folder in FOLDERS
            for item in exchange.items(email, folder)
            if item.sensitivity not in PRIVATE
        ]
        for email in emails
    }


def differences(truth: Mapping[str, Sequence[Values]], stored: Stored) -> list[str]:
    """One line for everything that is not as it should be; operators Exchange was not asked about are left out."""
    found = []
    for email, items in truth.items():
        rows = stored.rows.get(email, [])
        twice = [item_id for item_id, count in Counter(row["item_id"] for row in rows).items() if count > 1]
        by_id = {row["item_id"]: row for row in rows}
        wanted = {item["item_id"]: item for item in items}
        found += [f"{email}: {item_id} is there twice" for item_id in twice]
        found += [f"{email}: {item_id} is missing" for item_id in wanted.keys() - by_id.keys()]
        found += [f"{email}: {item_id} is a ghost" for item_id in by_id.keys() - wanted.keys()]
        for item_id in wanted.keys() & by_id.keys():
            expected, row = row_of(wanted[item_id]), by_id[item_id]
            found += [
                f"{email}: {item_id}: {name} is {row[name]!r} and not {value!r}"
                for name, value in expected.items()
                if row[name] != value
            ]
            names = sorted(stored.attachments.get(item_id, []))
            if names != sorted(wanted[item_id]["attachments"]):
                found.append(f"{email}: {item_id}: attachments are {names}")
    if stored.pending:
        found.append(f"{stored.pending} items are pending")
    if stored.quarantined:
        found.append(f"{stored.quarantined} items are quarantined")
    return found


def row_of(item: Mapping[str, Any]) -> Values:
    """The row an item of the simulator becomes."""
    author = item["author"] or item["sender"] or (None, None)
    return {
        "folder_id": item["folder_id"],
        "change_key": item["change_key"],
        "item_class": item["item_class"],
        "subject": item["subject"],
        "sender_name": author[0],
        "sender_address": author[1],
        "to_recipients": _people(item["to"]),
        "cc_recipients": _people(item["cc"]),
        "bcc_recipients": _people(item["bcc"]),
        "sent_at": _moment(item["sent_at"]),
        "received_at": _moment(item["received_at"]),
        "modified_at": _moment(item["modified_at"]),
        "message_id": item["message_id"],
        "conversation_id": item["conversation_id"],
        "in_reply_to": item["in_reply_to"] or None,
        "references": item["references"] or None,
        "body_text": item["body_text"],
        "body_html": item["body_html"],
        "is_read": item["is_read"],
        "importance": item["importance"],
        "sensitivity": item["sensitivity"],
        "has_attachments": item["has_attachments"],
        "size": item["size"],
        "categories": list(item["categories"]),
        "deleted_at": None,
    }


def _people(given: Iterable[Sequence[str]]) -> list[dict[str, str]]:
    return [{"name": name, "address": address} for name, address in given]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
