"""A host follows the Application Settings: it works by a new version from the moment it is told of it, without a break.

Guarantees: nothing under way is cut off; whoever has begun by the old settings what the new ones have done otherwise
makes another pass, also where it has ended meanwhile.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from engine.application_settings.document import differences, with_document
from engine.application_settings.effects import effects_of
from engine.application_settings.model import SettingsVersion
from engine.errors import StoreError
from engine.model import OperatorId
from engine.ports import Clock, MailboxStore, MailSource, SettingsStore
from engine.settings import ExchangeSettings, Settings
from engine.sources.replaceable import ReplaceableSource
from engine.sync.endpoint import Endpoint
from engine.sync.mailboxes import Mailboxes
from engine.sync.policy import SyncPolicy
from engine.sync.watch import Callbacks

_log = structlog.get_logger(__name__)
_PAUSE = 0.5


class TunerStore(MailboxStore, SettingsStore, Protocol):
    """What a host needs of the store to follow the settings."""


async def stored_settings(store: SettingsStore, clock: Clock) -> SettingsVersion:
    """The settings that rule, waited for as long as the store does not answer: a host can do nothing without it."""
    waited = False
    while True:
        try:
            return await store.settings()
        except StoreError as error:
            if not waited:
                _log.warning("host waits for the settings", reason=str(error))
            waited = True
            await clock.sleep(_PAUSE)


@dataclass(frozen=True, slots=True)
class Parts:
    """What of a host works by the settings."""

    source: ReplaceableSource
    endpoint: Endpoint
    mailboxes: Mailboxes


@dataclass(frozen=True, slots=True)
class Makers:
    """How settings become a way to Exchange, and the way back from it."""

    connect: Callable[[ExchangeSettings], MailSource]
    call_back: Callable[[Settings], Callbacks]


class Tuner:
    """Brings new settings to a host's parts. ``base``: what the host was started with, secrets included."""

    def __init__(
        self, base: Settings, stored: SettingsVersion, store: TunerStore, parts: Parts, makers: Makers
    ) -> None:
        self._base = base
        self._stored = stored
        self._store = store
        self._parts = parts
        self._makers = makers
        self._owed: set[OperatorId] = set()
        self._lock = asyncio.Lock()

    @property
    def version(self) -> int:
        """The version the host works by."""
        return self._stored.version

    @property
    def settings(self) -> Settings:
        """The settings the host works by."""
        return with_document(self._base, self._stored.document)

    async def follow(self, version: int) -> bool:
        """Work by this version, if it is newer; whether Exchange is spoken to in another way now.

        Raises:
            StoreError: not now; the next call tries again.
        """
        async with self._lock:
            reconnected = version > self.version and await self._retune(await self._store.settings())
            if self._owed:
                await self._store.make_due(sorted(self._owed))
                self._owed.clear()
            return reconnected

    async def _retune(self, stored: SettingsVersion) -> bool:
        changes = differences(self._stored.document, stored.document)
        settings, effects = with_document(self._base, stored.document), effects_of(changes)
        reconnects = any(one.key.startswith("exchange.") for one in changes)
        if reconnects:
            await self._parts.source.replace(self._makers.connect(settings.exchange))
            self._parts.endpoint.begin_anew()
        self._parts.mailboxes.retune(SyncPolicy.of(settings), self._makers.call_back(settings))
        if effects.resync or effects.resubscribe:
            self._owed.update(self._parts.mailboxes.once_more())
        self._stored = stored
        _log.info("settings followed", version=stored.version, changed=[one.key for one in changes])
        return reconnects
