"""Application Settings of a Mailroom without a store file: versions in memory, changed by the real keeper."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from engine.application_settings.document import document_of
from engine.application_settings.keeper import SettingsKeeper
from engine.application_settings.model import SettingsVersion
from engine.settings import Settings, build_settings
from tests.fakes.store_records import Mailbox
from tests.fakes.store_settings import MemorySettings

SEEDED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def file_settings(**sections: Any) -> Settings:
    """As read from a configuration file, with a password."""
    exchange = {"url": "https://mail.example.com/EWS/Exchange.asmx", "username": "service@example.com"}
    return build_settings({"exchange": exchange, **sections}, {"MAILROOM_EXCHANGE_PASSWORD": "pass-word-1"})


class FakeSettings(MemorySettings):
    """Seeded by the first call."""

    def __init__(self) -> None:
        super().__init__()
        self._base = file_settings()
        self._keeper = SettingsKeeper(self, self._base)

    async def current(self) -> SettingsVersion:
        """See ``ports.Mailroom.settings``."""
        if not self.versions:
            await self.seed_settings(document_of(self._base))
        return await self._keeper.current()

    async def change(self, changes: Mapping[str, Any], by: str, expected: int | None = None) -> SettingsVersion:
        """See ``ports.Mailroom.change_settings``."""
        await self.current()
        return await self._keeper.change(changes, by, expected)

    def _check(self) -> None:
        """Trouble is the Mailroom's to make."""

    def _now(self) -> datetime:
        return SEEDED_AT

    def _boxes(self) -> list[Mailbox]:
        return []

    def _removes(self, removes: bool) -> None:
        """There is no mail."""
