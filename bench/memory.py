"""A host's memory without Ray: run by ``footprint`` in a fresh process, with a folder of pickled activations."""

import asyncio
import gc
import json
import pickle
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from bench.cpu import Memory
from engine.columns import NO_ATTACHMENTS, NO_EMAILS
from engine.model import (
    Activation,
    ChangePage,
    FetchedItems,
    Folder,
    ItemId,
    Landing,
    LandingResult,
    OperatorId,
    ResolvedFolders,
    SyncToken,
)
from engine.status import DueOperator

ACTIVATIONS = ".activations"
"""The end of a file's name; it begins with the id of the first operator inside."""


@dataclass(frozen=True, slots=True)
class Grown:
    """The process before, with all mailboxes activated, and after a pass of each; CPU seconds for all of them."""

    before: Memory
    activated: Memory
    passed: Memory
    awaken_cpu: float
    pass_cpu: float

    @classmethod
    def from_json(cls, text: bytes) -> "Grown":
        """As this module prints it."""
        given = json.loads(text)
        before, activated, passed = (Memory(**given[name]) for name in ("before", "activated", "passed"))
        return cls(before, activated, passed, given["awaken_cpu"], given["pass_cpu"])


class _Unpickled:
    """A store that knows activations as they come out of a call, and takes every landing."""

    def __init__(self, folder: Path) -> None:
        self._files = {OperatorId(path.name.removesuffix(ACTIVATIONS)): path for path in folder.glob(f"*{ACTIVATIONS}")}

    def batches(self) -> list[OperatorId]:
        """The first of each batch."""
        return sorted(self._files)

    async def activate(self, operator_ids: Sequence[OperatorId]) -> list[Activation]:
        found: list[Activation] = pickle.loads(self._files[operator_ids[0]].read_bytes())  # noqa: S301  # our own
        return found

    async def land(self, landing: Landing) -> LandingResult:
        del landing
        return LandingResult()


class _Quiet:
    """A source where nothing has changed."""

    def __init__(self) -> None:
        self.folders: dict[str, tuple[Folder, ...]] = {}

    async def resolve_folders(self, mailbox: str, names: Sequence[str]) -> ResolvedFolders:
        del names
        return ResolvedFolders(self.folders[mailbox])

    async def read_changes(self, mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        del mailbox, folder, limit
        # The next token is another string of the same length, as from a server
        return ChangePage((), SyncToken(f"{(token or '')[:-1]}="), last=True)

    async def fetch_items(self, mailbox: str, folder: Folder, item_ids: Sequence[ItemId]) -> FetchedItems:
        del mailbox, folder, item_ids
        return FetchedItems(NO_EMAILS, NO_ATTACHMENTS)

    async def close(self) -> None:
        """Nothing to let go of."""


async def _grow(folder: Path) -> Grown:
    import actors.host  # noqa: F401  # a host has this in memory, with all it imports
    from engine.clock import SystemClock
    from engine.sync.lanes import Lanes
    from engine.sync.mailboxes import Mailboxes
    from engine.sync.policy import SyncPolicy
    from engine.sync.runner import Runner
    from engine.sync.watch import Callbacks

    store, source, clock = _Unpickled(folder), _Quiet(), SystemClock()
    policy = SyncPolicy(sync_from=timedelta(0))
    runner = Runner(source, store, Lanes(8), clock)  # type: ignore[arg-type]  # as much of the ports as idling takes
    mailboxes = Mailboxes(store, runner, policy, Callbacks(lambda *_: "", 30, 0.0), clock)  # type: ignore[arg-type]
    before, used = _memory(), time.process_time()
    for first in store.batches():
        await mailboxes.dispatch([DueOperator(first, sync=False, subscribe=False)])
    awaken, activated = time.process_time() - used, _memory()
    everybody = list(mailboxes._mailboxes)  # noqa: SLF001  # looked at, not touched
    for operator_id in everybody:
        state = mailboxes._mailboxes[operator_id].state  # noqa: SLF001
        records = state.saved_folders
        source.folders[state.operator.email] = tuple(Folder(record.folder_id, record.name) for record in records)
    used = time.process_time()
    await mailboxes.dispatch([DueOperator(who, sync=True, subscribe=False) for who in everybody])
    while mailboxes.in_progress():  # noqa: ASYNC110  # there is nothing to be told by
        await asyncio.sleep(0.01)
    spent = time.process_time() - used
    source.folders.clear()
    return Grown(before, activated, _memory(), awaken, spent)


def _memory() -> Memory:
    gc.collect()
    info = psutil.Process().memory_full_info()
    return Memory(info.uss, info.rss)


def main() -> None:
    """Measure, and print it."""
    from engine import logs

    logs.configure("WARNING")
    print(json.dumps(asdict(asyncio.run(_grow(Path(sys.argv[1]))))))


if __name__ == "__main__":
    main()
