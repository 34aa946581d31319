"""EwsSource: ``ports.MailSource`` over Exchange Web Services.

exchangelib blocks, so each call runs on a thread of one bounded pool that the source owns: as many threads as requests
may be under way, one keep-alive connection each. Nothing is retried here and nothing sleeps, except that an OAuth2
token refused before its time is renewed once, and items of a batch that Exchange did not try are asked for again.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from engine.errors import MailroomError, SourceError, SourceUnavailable
from engine.model import Change, ChangePage, FetchedItems, Folder, ItemId, ResolvedFolders, SyncToken
from engine.settings import ExchangeSettings
from engine.sources.ews.fetch import Fetch
from engine.sources.ews.find_item import FindItem
from engine.sources.ews.folders import Resolver
from engine.sources.ews.judge import shown
from engine.sources.ews.service import Account
from engine.sources.ews.subscribe import SubscribeToPush
from engine.sources.ews.sync_folder_items import SyncFolderItems
from engine.sources.ews.transport import EwsProtocol

T = TypeVar("T")


class EwsSource:
    """Exchange, spoken to with one service account that impersonates each mailbox.

    ``concurrency`` is the number of requests under way at once; who may call when is decided above.
    """

    def __init__(self, settings: ExchangeSettings, concurrency: int) -> None:
        self._settings = settings
        self._protocol = EwsProtocol(settings)
        self._threads = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="ews")
        self._closed = False

    def __repr__(self) -> str:
        return f"EwsSource({shown(self._settings.url)})"

    async def resolve_folders(self, mailbox: str, names: Sequence[str]) -> ResolvedFolders:
        """See ``ports.MailSource``."""
        return await self._run(lambda: Resolver(self._account(mailbox), self._settings.version).resolve(names))

    async def read_changes(self, mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        """See ``ports.MailSource``."""
        return await self._run(lambda: SyncFolderItems(self._account(mailbox)).call(folder, token, limit))

    async def fetch_items(self, mailbox: str, folder: Folder, item_ids: Sequence[ItemId]) -> FetchedItems:
        """See ``ports.MailSource``."""
        return await self._run(lambda: Fetch(self._account(mailbox), self._settings.version, folder).run(item_ids))

    async def find_newest(self, mailbox: str, folder: Folder, limit: int) -> tuple[Change, ...]:
        """See ``ports.MailSource``."""
        return await self._run(lambda: FindItem(self._account(mailbox)).newest(folder, limit))

    async def subscribe(
        self, mailbox: str, folders: Sequence[Folder], callback_url: str, status_frequency: int
    ) -> tuple[str, str | None]:
        """See ``ports.MailSource``."""
        return await self._run(
            lambda: SubscribeToPush(self._account(mailbox)).call(folders, callback_url, status_frequency)
        )

    async def close(self) -> None:
        """Let go of connections and threads; a request under way ends by itself, at the latest at its time limit."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._protocol.close()

    def _account(self, mailbox: str) -> Account:
        return Account(self._protocol, mailbox)

    async def _run(self, call: Callable[[], T]) -> T:
        if self._closed:
            raise SourceUnavailable("The connection to Exchange has been closed.")
        return await asyncio.get_running_loop().run_in_executor(self._threads, _guarded, call)


def _guarded(call: Callable[[], T]) -> T:
    try:
        return call()
    except MailroomError:
        raise
    except Exception as error:
        # The promise of the port: our errors only. This one is a mistake of ours, and is reported as such
        raise SourceError(f"Unexpected {type(error).__name__} while talking to Exchange.") from error
