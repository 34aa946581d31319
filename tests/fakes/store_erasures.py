"""MemoryStore's erasures: ``ports.ErasureStore``, and landings without whom is kept out, one row at a time."""

import re
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from engine.alerts.model import OutgoingMail
from engine.errors import ErasureRefused, UnknownErasure
from engine.model import Folder, FolderId, ItemId, Landing, MailboxStatus, Operator
from engine.privacy.addresses import canonical, is_address, names_of
from engine.privacy.erasure import ErasureRequest, LiftRequest, MailboxErasure, Receipt, what_remains
from engine.privacy.suppression import digest_of
from tests.fakes.store_records import Mailbox
from tests.fakes.store_rows import Counts, Row

KEY = b"k" * 32

Hidden = dict[ItemId, str]
_RECIPIENTS = ("to_recipients", "cc_recipients", "bcc_recipients")


def addresses_of(row: Row) -> list[str]:
    """Everybody an email names."""
    people = [one for name in _RECIPIENTS for one in row[name] or []]
    return [one for one in (row["sender_address"], *(person["address"] for person in people)) if one is not None]


class MemoryErasures:
    """``kept_out``: the canonical addresses on the list; ``receipts``: every erasure there has been."""

    mails: dict[str, OutgoingMail]

    def __init__(self) -> None:
        super().__init__()
        self.kept_out: set[str] = set()
        self.receipts: dict[str, Receipt] = {}

    @abstractmethod
    def _check(self) -> None: ...

    @abstractmethod
    def _now(self) -> datetime: ...

    @abstractmethod
    def _boxes(self) -> list[Mailbox]: ...

    @abstractmethod
    def _forget_activation(self, operator: Operator) -> None: ...

    async def erase(self, request: ErasureRequest) -> Receipt:
        self._check()
        if not is_address(request.address):
            raise ErasureRefused("not an address")
        target, digest = canonical(request.address), digest_of(KEY, request.address).hex()
        boxes = sorted(self._boxes(), key=lambda box: box.operator.operator_id)
        owners = [box for box in boxes if target in names_of(box.operator.email)]
        if owners and not request.including_operator:
            raise ErasureRefused("an operator's own: --including-operator")
        names = tuple(box.operator.operator_id for box in owners)
        doomed = [(box, _doomed(box, target, all_of_it=box in owners)) for box in boxes]
        counts = tuple(_count(box, items) for box, items in doomed if items)
        receipt = Receipt(request.erasure_id, self._now(), request.by, digest, counts, 0, names)
        receipt = replace(receipt, remains=what_remains(0, names))
        if request.dry_run:
            return replace(receipt, dry_run=True)
        for box, items in doomed:
            _remove(box, items)
        receipt = replace(receipt, words=self._blot(boxes, target))
        for box in owners:
            box.operator = replace(box.operator, email_sync=False)
            box.record = replace(box.record, status=MailboxStatus.DISABLED)
        for box, items in doomed:
            if items or box in owners:
                self._forget_activation(box.operator)
        self.kept_out.add(target)
        self.receipts[receipt.erasure_id] = receipt
        if not request.later:
            self._rewrite()
        return self.receipts[receipt.erasure_id]

    def _rewrite(self) -> None:
        for one in self.receipts.values():
            if one.rewritten_at is None:
                self.receipts[one.erasure_id] = replace(one, rewritten_at=self._now())

    async def lift_erasure(self, request: LiftRequest) -> Receipt:
        self._check()
        if request.erasure_id not in self.receipts:
            raise UnknownErasure("no such erasure")
        lifted = self.receipts[request.erasure_id]
        if lifted.lifted_at is not None:
            raise ErasureRefused("lifted already")
        self.kept_out = {one for one in self.kept_out if digest_of(KEY, one).hex() != lifted.address_hash}
        for one in self.receipts.values():
            if one.address_hash == lifted.address_hash and one.lifted_at is None:
                self.receipts[one.erasure_id] = replace(one, lifted_at=self._now(), lifted_by=request.by)
        for box in self._boxes():
            box.kept_out.clear()
            if request.relist:
                self._list_anew(box)
        return self.receipts[request.erasure_id]

    def _list_anew(self, box: Mailbox) -> None:
        listed = {name: one for name, one in box.folders.items() if one.token is not None}
        box.folders |= {name: replace(one, token=None, reconciling=True) for name, one in listed.items()}
        if box.operator.email_sync:
            box.record = replace(box.record, next_sync_at=self._now())
        self._forget_activation(box.operator)

    def _screen(self, landing: Landing) -> tuple[Landing, Hidden]:
        """The landing without who is kept out, and what was left off."""
        if not landing.emails:
            return landing, {}
        last = {row["item_id"]: row for row in landing.emails.to_pylist()}
        hidden = {ItemId(one): row["change_key"] or "" for one, row in last.items() if self._names_somebody(row)}
        rest = [row not in hidden for row in landing.emails.column("item_id").to_pylist()]
        return replace(landing, emails=landing.emails.filter(pa.array(rest))), hidden

    def _names_somebody(self, row: Row) -> bool:
        return any(not self.kept_out.isdisjoint(names_of(one)) for one in addresses_of(row))

    def _blot(self, boxes: Sequence[Mailbox], target: str) -> int:
        local, _, domain = target.rpartition("@")
        words = re.compile(rf"\b{re.escape(local)}(\+[^\s@]*)?@{re.escape(domain)}\b", re.IGNORECASE)
        changed = 0
        for box in boxes:
            for item in list(box.quarantined.values()):
                if words.search(item.reason):
                    box.quarantined[item.item_id] = replace(item, reason=words.sub("(erased)", item.reason))
                    changed += 1
            if box.record.error and words.search(box.record.error):
                box.record = replace(box.record, error=words.sub("(erased)", box.record.error))
                changed += 1
        return changed


def hide(box: Mailbox, landing: Landing, hidden: Hidden, counts: Counts) -> None:
    """Take out earlier versions of what was left off, and remember it; what is deleted is forgotten."""
    box.kept_out = {
        (folder, item): key
        for (folder, item), key in box.kept_out.items()
        if item not in landing.deleted and item not in hidden and folder not in landing.retired_folders
    }
    for item_id, change_key in hidden.items():
        row = box.rows.emails.pop(item_id, None)
        box.rows.attachments.pop(item_id, None)
        counts.deleted += row is not None and row["deleted_at"] is None
        if landing.folder is not None:
            box.kept_out[landing.folder.folder_id, item_id] = change_key


def is_kept_out(box: Mailbox, folder: Folder | None, item_id: ItemId, change_key: str | None) -> bool:
    """Whether an item was kept out just as it is listed."""
    return folder is not None and bool(change_key) and box.kept_out.get((folder.folder_id, item_id)) == change_key


def erasure_rows(receipts: Iterable[Receipt]) -> list[Row]:
    """Receipts as they are listed: newest first."""
    rows = []
    for one in sorted(receipts, key=lambda one: one.erasure_id):
        row: dict[str, Any] = asdict(one)
        del row["dry_run"]
        rows.append(row | {name: list(row[name]) for name in ("mailboxes", "operators", "remains")})
    return sorted(rows, key=lambda row: row["at"], reverse=True)


def _doomed(box: Mailbox, target: str, *, all_of_it: bool) -> list[ItemId]:
    return [
        item_id
        for item_id, row in box.rows.emails.items()
        if all_of_it or any(target in names_of(one) for one in addresses_of(row))
    ]


def _count(box: Mailbox, items: Sequence[ItemId]) -> MailboxErasure:
    rows = [box.rows.emails[one] for one in items]
    deleted = sum(row["deleted_at"] is not None for row in rows)
    attached = sum(len(box.rows.attachments.get(one, [])) for one in items)
    return MailboxErasure(box.operator.operator_id, len(rows) - deleted, deleted, attached)


def _remove(box: Mailbox, items: Sequence[ItemId]) -> None:
    for item_id in items:
        row = box.rows.emails.pop(item_id)
        box.rows.attachments.pop(item_id, None)
        box.rows.departures.pop(item_id, None)
        if row["deleted_at"] is None and row["change_key"] and not row["content_behind"]:
            box.kept_out[FolderId(row["folder_id"]), item_id] = row["change_key"]
