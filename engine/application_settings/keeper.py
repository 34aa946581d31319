"""The keeper: the Application Settings of a running Mailroom, changed through any ``ports.SettingsStore``.

Guarantees: what a call answers is durable; a change is checked with the secrets of this process before it is stored; of
two that are made at once for the same version, one is refused. A call the store did not answer is forgotten and the
store asked anew.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from engine.application_settings.document import change, differences, document_of, with_document
from engine.application_settings.model import NewSettings, SettingsVersion
from engine.ports import SettingsStore
from engine.settings import Settings

_log = structlog.get_logger(__name__)


class SettingsKeeper:
    """``base``: the settings this process was started with; all but the Application Settings are taken from it."""

    def __init__(self, store: SettingsStore, base: Settings) -> None:
        self._store = store
        self._base = base
        self._known: SettingsVersion | None = None
        self._whole: tuple[int, Settings] = (0, base)
        self._lock = asyncio.Lock()

    async def current(self) -> SettingsVersion:
        """The settings that rule; asked of the store once, as long as nobody else writes them there."""
        async with self._lock:
            return await self._current()

    async def settings(self) -> tuple[int, Settings]:
        """The settings that rule, whole, and their version."""
        stored = await self.current()
        if self._whole[0] != stored.version:
            self._whole = (stored.version, with_document(self._base, stored.document))
        return self._whole

    async def change(self, changes: Mapping[str, Any], by: str, expected: int | None = None) -> SettingsVersion:
        """See ``ports.Mailroom.change_settings``; ``changes`` of the answer are those of this call, if any."""
        async with self._lock:
            stored = await self._current()
            document = document_of(with_document(self._base, change(stored.document, changes)))
            if expected is None and not differences(stored.document, document):
                return replace(stored, changes=())
            new = NewSettings(stored.version if expected is None else expected, by, document)
            self._known = None
            put = await self._store.put_settings(new)
            self._known = put
            if put.version == stored.version:
                return replace(put, changes=())
            told = {one.key: f"{one.old!r} -> {one.new!r}" for one in put.changes}
            _log.info("settings changed", version=put.version, by=by, **told)
            return put

    async def _current(self) -> SettingsVersion:
        if self._known is None:
            self._known = await self._store.settings()
        return self._known
