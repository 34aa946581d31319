"""MemoryStore's changes of operators, and what the configuration file said of them last."""

import unicodedata
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.errors import QueryRefused
from engine.listing import Listing, View
from engine.model import MailboxRecord, MailboxStatus, Operator, OperatorId, SubscriptionStatus
from engine.operators import OperatorChange, Seeding, check_changes, seed
from tests.fakes.store_records import FAILING, Mailbox

SEARCHED = {View.OPERATORS: ("operator_id", "email", "name"), View.CRM_RECORDS: ("record_id", "name", "addresses")}


class MemoryOperators:
    """``said``: the operators of the file, as at the last seeding."""

    _clock: Callable[[], datetime]
    _epochs: dict[OperatorId, int]

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[OperatorId, Operator] = {}

    @abstractmethod
    def _check(self) -> None: ...

    @abstractmethod
    def _boxes(self) -> list[Mailbox]: ...

    @abstractmethod
    async def put_operators(self, operators: Sequence[Operator]) -> None: ...

    async def change_operators(self, changes: Sequence[OperatorChange]) -> None:
        self._check()
        check_changes(changes, self._present())
        await self.put_operators([change.after for change in changes])
        again = {change.after.operator_id for change in changes if change.again and change.after.email_sync}
        for box in self._boxes():
            if box.operator.operator_id in again:
                self._revive(box)

    async def seed_operators(self, operators: Sequence[Operator]) -> Seeding:
        self._check()
        seeding = seed(operators, self.said, self._present())
        await self.put_operators([change.after for change in seeding.changes])
        self.said = {one.operator_id: one for one in operators if one.operator_id not in seeding.refused}
        return seeding

    def _present(self) -> dict[OperatorId, Operator]:
        return {box.operator.operator_id: box.operator for box in self._boxes()}

    def _revive(self, box: Mailbox) -> None:
        if box.record.status in FAILING:
            fresh = MailboxStatus.NEW if box.record.last_success_at is None else MailboxStatus.SYNCING
            box.record = MailboxRecord(
                fresh, box.record.window_start, box.record.last_success_at, next_sync_at=self._clock()
            )
            self._epochs.pop(box.operator.operator_id, None)
        if box.subscription and box.subscription.status is not SubscriptionStatus.ACTIVE:
            box.subscription = replace(box.subscription, next_attempt_at=None)


def check_search(listing: Listing) -> None:
    """Refuse what is no text, and views that are not searched."""
    if listing.search.strip() and (listing.view not in SEARCHED or not listing.search.isprintable()):
        raise QueryRefused(f"{listing.view} cannot be searched for {listing.search!a}")


def is_found(view: View, row: dict[str, Any], search: str) -> bool:
    """Whether each word stands somewhere in the searched columns."""
    values = [row[column] for column in SEARCHED.get(view, ()) if search]
    texts = [_folded(one if isinstance(one, str) else " ".join(one)) for one in values]
    return all(any(_folded(word) in text for text in texts) for word in search.split())


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFD", text)
    return "".join(one for one in plain if not unicodedata.combining(one)).lower()
