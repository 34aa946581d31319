"""A source that can be exchanged while it is used: what is under way ends where it began."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from engine.model import Change, ChangePage, FetchedItems, Folder, ItemId, ResolvedFolders, SyncToken
from engine.ports import MailSource


class ReplaceableSource:
    """``ports.MailSource`` by another, which ``replace`` exchanges; one that was replaced is closed when it is idle."""

    def __init__(self, source: MailSource) -> None:
        self._source = source
        self._under_way: dict[MailSource, int] = {}

    async def replace(self, source: MailSource) -> None:
        """Ask this one from now on."""
        old, self._source = self._source, source
        if old not in self._under_way:
            await old.close()

    async def resolve_folders(self, mailbox: str, names: Sequence[str]) -> ResolvedFolders:
        """See ``ports.MailSource``."""
        async with self._present() as source:
            return await source.resolve_folders(mailbox, names)

    async def read_changes(self, mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        """See ``ports.MailSource``."""
        async with self._present() as source:
            return await source.read_changes(mailbox, folder, token, limit)

    async def fetch_items(self, mailbox: str, folder: Folder, item_ids: Sequence[ItemId]) -> FetchedItems:
        """See ``ports.MailSource``."""
        async with self._present() as source:
            return await source.fetch_items(mailbox, folder, item_ids)

    async def find_newest(self, mailbox: str, folder: Folder, limit: int) -> tuple[Change, ...]:
        """See ``ports.MailSource``."""
        async with self._present() as source:
            return await source.find_newest(mailbox, folder, limit)

    async def subscribe(
        self, mailbox: str, folders: Sequence[Folder], callback_url: str, status_frequency: int
    ) -> tuple[str, str | None]:
        """See ``ports.MailSource``."""
        async with self._present() as source:
            return await source.subscribe(mailbox, folders, callback_url, status_frequency)

    async def close(self) -> None:
        """Let go of connections and threads, also of those that are still under way."""
        for source in {*self._under_way, self._source}:
            await source.close()

    @asynccontextmanager
    async def _present(self) -> AsyncIterator[MailSource]:
        source = self._source
        self._under_way[source] = self._under_way.get(source, 0) + 1
        try:
            yield source
        finally:
            self._under_way[source] -= 1
            if not self._under_way[source]:
                del self._under_way[source]
                if source is not self._source:
                    await source.close()
