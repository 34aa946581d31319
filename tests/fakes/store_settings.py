"""MemoryStore's Application Settings: ``ports.SettingsStore``."""

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.application_settings.document import differences, seeded
from engine.application_settings.effects import effects_of
from engine.application_settings.model import BY_FILE, Document, NewSettings, SettingsVersion
from engine.errors import SettingsConflict, SettingsError
from engine.model import MailboxStatus, SubscriptionStatus
from tests.fakes.store_records import Mailbox


class MemorySettings:
    """``versions``: oldest first. ``outdated_before``: when settings that subscriptions carry last changed."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: list[SettingsVersion] = []
        self.outdated_before: datetime | None = None
        self._said: Document | None = None

    @abstractmethod
    def _check(self) -> None: ...

    @abstractmethod
    def _now(self) -> datetime: ...

    @abstractmethod
    def _boxes(self) -> list[Mailbox]: ...

    @abstractmethod
    def _removes(self, removes: bool) -> None: ...

    async def seed_settings(self, says: Document) -> SettingsVersion:
        self._check()
        said, self._said = self._said, says
        document = seeded(self.versions[-1].document, said or says, says) if self.versions else says
        return self._add(document, BY_FILE)

    async def settings(self) -> SettingsVersion:
        self._check()
        if not self.versions:
            raise SettingsError("There are no Application Settings yet.")
        return self.versions[-1]

    async def put_settings(self, new: NewSettings) -> SettingsVersion:
        stored = await self.settings()
        if stored.version != new.expected:
            raise SettingsConflict(f"Version {stored.version} is by {stored.by}.")
        return self._add(new.document, new.by)

    def _add(self, document: Document, by: str) -> SettingsVersion:
        stored = self.versions[-1] if self.versions else None
        changes = differences(stored.document if stored else {}, document)
        if stored is None or changes:
            self.versions.append(SettingsVersion(len(self.versions) + 1, self._now(), by, document, changes))
            effects = effects_of(changes)
            self._removes(document["email_sync"].get("deletions") == "remove")
            for box in self._boxes():
                if effects.resync and box.record.status is not MailboxStatus.DISABLED:
                    box.record = replace(box.record, next_sync_at=self._now())
                if (
                    effects.resubscribe
                    and box.subscription
                    and box.subscription.status is not SubscriptionStatus.ACTIVE
                ):
                    box.subscription = replace(box.subscription, next_attempt_at=None)
            if effects.resubscribe:
                self.outdated_before = self._now()
        return self.versions[-1]


def history_rows(versions: Sequence[SettingsVersion]) -> list[dict[str, Any]]:
    """The versions as they are listed: newest first."""
    return [
        {"version": one.version, "changed_at": one.at, "changed_by": one.by}
        | {"changes": _json([[change.key, change.old, change.new] for change in one.changes])}
        | {"document": _json(one.document), "resubscribe": effects_of(one.changes).resubscribe}
        for one in reversed(versions)
    ]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
