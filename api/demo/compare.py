"""Whether the store holds what Exchange serves, message by message and field by field.

An item is right when every field is equal, or when it is in quarantine with a reason. Ids, sizes and everything that
Exchange makes anew at each fetch are left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FIELDS = (
    "subject",
    "sender",
    "to",
    "cc",
    "bcc",
    "sent_at",
    "received_at",
    "body_text",
    "body_html",
    "attachments",
)

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one item that is not what Exchange serves; ``field`` is ``row`` for an item that is not there."""

    item_id: str
    subject: str
    field: str
    served: Any
    stored: Any


@dataclass
class Comparison:
    """What a comparison has found so far."""

    equal: int = 0
    quarantined: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def differing_items(self) -> int:
        """How many items differ, in however many fields."""
        return len({difference.item_id for difference in self.differences})


def compare(
    found: Comparison,
    served: Iterable[Mapping[str, Any]],
    stored: Iterable[Mapping[str, Any]],
    attachments: Mapping[str, Sequence[str]],
    quarantined: Mapping[str, str],
) -> None:
    """Add one mailbox to ``found``.

    Args:
        found: What is added to.
        served: The simulator's items.
        stored: Rows of ``emails``.
        attachments: Names by item id, as stored.
        quarantined: Reasons by item id.
    """
    rows = {row["item_id"]: row for row in stored}
    for item in served:
        item_id = item["item_id"]
        row = rows.pop(item_id, None)
        if row is not None:
            _compare_item(found, item_id, _served(item), _stored(row, attachments.get(item_id, ())))
        elif quarantined.get(item_id):
            found.quarantined[item_id] = quarantined[item_id]
        else:
            found.differences.append(Difference(item_id, item["subject"], "row", "served", "missing"))
    for item_id, row in rows.items():
        found.differences.append(Difference(item_id, row["subject"] or "", "row", "not served", "stored"))


def _compare_item(found: Comparison, item_id: str, served: Values, stored: Values) -> None:
    wrong = [
        Difference(item_id, served["subject"], name, served[name], stored[name])
        for name in FIELDS
        if served[name] != stored[name]
    ]
    found.differences += wrong
    found.equal += not wrong


def _served(item: Mapping[str, Any]) -> Values:
    author = item["author"] or item["sender"] or ("", "")
    return {
        "subject": item["subject"],
        "sender": tuple(author),
        **{name: [tuple(person) for person in item[name]] for name in ("to", "cc", "bcc")},
        "sent_at": item["sent_at"],
        "received_at": item["received_at"],
        "body_text": item["body_text"],
        "body_html": item["body_html"],
        "attachments": sorted(item["attachments"]),
    }


def _stored(row: Mapping[str, Any], attachments: Sequence[str]) -> Values:
    def people(name: str) -> list[tuple[str, str]]:
        return [(one["name"] or "", one["address"] or "") for one in row[name] or ()]

    return {
        "subject": row["subject"] or "",
        "sender": (row["sender_name"] or "", row["sender_address"] or ""),
        "to": people("to_recipients"),
        "cc": people("cc_recipients"),
        "bcc": people("bcc_recipients"),
        "sent_at": _seconds(row["sent_at"]),
        "received_at": _seconds(row["received_at"]),
        "body_text": row["body_text"] or "",
        "body_html": row["body_html"],
        "attachments": sorted(attachments),
    }


def _seconds(moment: str | None) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()
