"""The emails of one operator in plain dicts: what ``engine.model.Landing`` says about rows, one row at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from engine.model import Folder, FolderId, ItemId, Landing, ReadFlag

ARRIVAL_WINDOW = timedelta(days=1)
DEPARTURE_WINDOW = timedelta(days=7)

Row = dict[str, Any]


@dataclass(slots=True)
class Counts:
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass
class Rows:
    """All rows, tombstones too, by item id; attachments by the item they belong to."""

    remove: bool = False
    emails: dict[ItemId, Row] = field(default_factory=dict)
    attachments: dict[ItemId, list[Row]] = field(default_factory=dict)
    seen: dict[FolderId, set[ItemId]] = field(default_factory=dict)
    departures: dict[ItemId, Row] = field(default_factory=dict)

    def current(self, folder_id: FolderId | None = None) -> dict[ItemId, Row]:
        return {
            item_id: row
            for item_id, row in self.emails.items()
            if row["deleted_at"] is None and folder_id in (None, row["folder_id"])
        }

    def is_landed(self, folder_id: FolderId, item_id: ItemId, change_key: str | None) -> bool:
        row = self.emails.get(item_id)
        if row is None or row["deleted_at"] is not None or row["folder_id"] != folder_id:
            return False
        return bool(change_key) and row["change_key"] == change_key and not row["content_behind"]

    def count_current(self, folder: Folder | None, item_ids: Iterable[ItemId]) -> int:
        return len(self.current(folder.folder_id).keys() & set(item_ids)) if folder else 0

    def apply(self, landing: Landing, now: datetime) -> Counts:
        counts = Counts()
        gone = set[ItemId]()
        for folder_id in landing.retired_folders:
            gone.update(self.current(folder_id))
            self.seen.pop(folder_id, None)
        if landing.folder is not None:
            gone.update(self.current(landing.folder.folder_id).keys() & set(landing.deleted))
        counts.deleted += self.delete(gone, now)
        if landing.folder is None:
            return counts
        self.flag(landing.folder.folder_id, landing.read_flags)
        if landing.emails is not None:
            self.upsert(landing.folder, landing.emails, landing.attachments, now, counts)
        return counts

    def reconcile(self, landing: Landing, now: datetime) -> int:
        """The part of a landing about what a reconciling drain has seen; comes after the rows."""
        if landing.folder is None:
            return 0
        folder_id = landing.folder.folder_id
        if landing.forget_seen:
            self.seen.pop(folder_id, None)
        if landing.seen:
            self.seen.setdefault(folder_id, set()).update(landing.seen)
        if not landing.reconciled:
            return 0
        kept = self.seen.pop(folder_id, set()) | set(landing.listed)
        kept.update(*(page.item_ids for page in landing.queued))
        if landing.emails is not None:
            kept.update(landing.emails.column("item_id").to_pylist())
        return self.delete(self.current(folder_id).keys() - kept, now)

    def delete(self, item_ids: Iterable[ItemId], now: datetime) -> int:
        gone = sorted(item_ids)
        for item_id in gone:
            self.emails[item_id]["deleted_at"] = now
            self.attachments.pop(item_id, None)
        rows = [self.emails[item_id] for item_id in gone]
        if self.remove:
            for item_id in gone:
                del self.emails[item_id]
        self.departures.update({row["item_id"]: row for row in rows if row["message_id"]})
        self._link_arrivals(rows, now)
        return len(gone)

    def flag(self, folder_id: FolderId, flags: Iterable[ReadFlag]) -> None:
        last = dict[ItemId, ReadFlag]()
        for flag in flags:
            key = flag.change_key or (last[flag.item_id].change_key if flag.item_id in last else "")
            last[flag.item_id] = flag._replace(change_key=key)
        for flag in last.values():
            row = self.emails.get(flag.item_id)
            if row is not None and row["deleted_at"] is None and row["folder_id"] == folder_id:
                row["is_read"] = flag.is_read
                row["content_behind"] |= bool(flag.change_key) and flag.change_key != row["change_key"]
                row["change_key"] = flag.change_key or row["change_key"]

    def upsert(
        self, folder: Folder, emails: pa.RecordBatch, attachments: pa.RecordBatch | None, now: datetime, counts: Counts
    ) -> None:
        incoming = {row["item_id"]: row for row in emails.to_pylist()}
        taken, new = set(), list[Row]()
        for item_id, fetched in incoming.items():
            if self.is_landed(folder.folder_id, item_id, fetched["change_key"]):
                continue
            taken.add(item_id)
            old = self.emails.get(item_id)
            is_current = old is not None and old["deleted_at"] is None
            counts.updated += is_current
            counts.inserted += not is_current
            kept = old or {"first_landed_at": now, "moved_from": None}
            self.emails[item_id] = {
                **fetched,
                "folder_id": folder.folder_id,
                "folder": folder.name,
                "landed_at": now,
                "deleted_at": None,
                "first_landed_at": kept["first_landed_at"],
                "moved_from": kept["moved_from"],
                "content_behind": False,
            }
            if old is None:
                new.append(self.emails[item_id])
            self.attachments.pop(item_id, None)
            self.departures.pop(item_id, None)
        self._link_departures(new, now)
        for row in attachments.to_pylist() if attachments is not None else []:
            if row["item_id"] in taken:
                self.attachments.setdefault(row["item_id"], []).append(row)

    def _link_departures(self, new: Iterable[Row], now: datetime) -> None:
        """The deletes came first: what left lately with the same message is where these rows were."""
        self._link(
            (old, row)
            for row in new
            for old in self.departures.values()
            if old["deleted_at"] >= now - DEPARTURE_WINDOW and _same_message(old, row)
        )

    def _link_arrivals(self, gone: Iterable[Row], now: datetime) -> None:
        """The creates came first: fresh rows of the same message in another folder are where these went."""
        self._link(
            (old, row)
            for old in gone
            for row in self.current().values()
            if row["moved_from"] is None
            and row["folder_id"] != old["folder_id"]
            and row["first_landed_at"] >= max(old["first_landed_at"], now - ARRIVAL_WINDOW)
            and _same_message(old, row)
        )

    def _link(self, pairs: Iterable[tuple[Row, Row]]) -> None:
        """One pair a message: what left last, what arrived last (ids break ties, so that the choice is fixed)."""
        best: dict[str, tuple[Row, Row]] = {}
        for pair in pairs:
            message = pair[0]["message_id"]
            best[message] = max(pair, best.get(message, pair), key=_preference)
        for old, row in best.values():
            row["moved_from"] = old["item_id"]
            row["first_landed_at"] = min(row["first_landed_at"], old["first_landed_at"])
            del self.departures[old["item_id"]]


def _preference(pair: tuple[Row, Row]) -> tuple[datetime, str, datetime, str]:
    old, row = pair
    return old["deleted_at"], old["item_id"], row["first_landed_at"], row["item_id"]


def _same_message(one: Row, other: Row) -> bool:
    return bool(one["message_id"]) and one["message_id"] == other["message_id"] and one["item_id"] != other["item_id"]
