"""``backlog``: a huge mailbox beside many small ones, and what its new mail waits for meanwhile.

Three times are taken: until all small ones are through, from an email's delivery to the huge mailbox to its row in the
store while the mailbox is being listed for the first time, and the same while what was listed is being fetched.
"""

import asyncio
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.cluster import Running, running, settings_for
from bench.exchange import simulated
from bench.report import Report, quantiles, settings_of

_AT_ONCE = 1000
_BODY = "A line of some sixty characters, as they stand in business mail.\n" * 30
_PATIENCE = 900.0
_POLL = 0.1
_STANDING = (
    "SELECT folders > folders_drained AS listing, folders, pending, last_success_at FROM mailboxes "
    "WHERE operator_email = $1"
)
_OTHERS = "SELECT count(*) AS n FROM mailboxes WHERE operator_email <> $1 AND last_success_at IS NULL"


@dataclass(frozen=True, slots=True)
class Options:
    """``items``: of the huge mailbox, in its inbox. ``probes``: emails delivered while it is fetched, one a second."""

    small: int = 100
    emails: int = 20
    items: int = 50_000
    probes: int = 10
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds since everybody was enabled, but for ``while_listing`` and ``while_fetching``: from delivery to landing.

    ``left``: items still to be fetched when the last of the probes had landed.
    """

    small_through: float
    listed: float
    through: float
    while_listing: float
    while_fetching: list[float]
    left: int


def configure(parser: ArgumentParser) -> None:
    """Options on the command line."""
    for name, value in settings_of(Options()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)


def run(given: Namespace) -> Report:
    """Fill the mailbox, enable everybody, and look."""
    options = Options(given.small, given.emails, given.items, given.probes, given.seed)
    with (
        tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder,
        simulated(options.small + 1, options.emails, options.seed) as exchange,
    ):
        huge = exchange.operators[0]
        for made in range(0, options.items, _AT_ONCE):
            at = time.time() - (options.items - made) * 60
            count = min(_AT_ONCE, options.items - made)
            exchange.tell("deliver", email=huge, count=count, received_at=at, subject="Backlog", body_text=_BODY)
        settings = settings_for(exchange, Path(folder) / "backlog.duckdb")
        with running(exchange, settings) as cluster:
            seen = asyncio.run(_Look(options, cluster, huge).look())
    return report(options, seen)


class _Look:
    """From enabling everybody to the end of the backlog."""

    def __init__(self, options: Options, cluster: Running, huge: str) -> None:
        self._options = options
        self._cluster = cluster
        self._huge = huge
        self._began = 0.0

    async def look(self) -> Seen:
        self._began = time.monotonic()
        await self._cluster.enable()
        small = asyncio.create_task(self._small_through())
        await self._until(lambda row: bool(row["folders"]))
        sent = await self._deliver()
        while_listing = asyncio.create_task(self._landed(sent))
        await self._until(lambda row: not row["listing"])
        listed = self._passed()
        while_fetching = []
        for _ in range(self._options.probes):
            while_fetching.append(await self._landed(await self._deliver()))
            await asyncio.sleep(1)
        left = int((await self._row(_STANDING))["pending"])
        through = await self._until(lambda row: not row["pending"] and row["last_success_at"] is not None)
        return Seen(await small, listed, through, await while_listing, while_fetching, left)

    def _passed(self) -> float:
        return time.monotonic() - self._began

    async def _row(self, sql: str) -> dict[str, Any]:
        from actors.remote_store import RemoteStore

        found, _ = await RemoteStore().query(sql, [self._huge])
        (row,) = found.to_pylist()
        return dict(row)

    async def _until(self, found: Callable[[dict[str, Any]], bool], sql: str = _STANDING) -> float:
        while not found(await self._row(sql)):
            if self._passed() > _PATIENCE:
                raise TimeoutError(f"not in time: {await self._row(sql)}")
            await asyncio.sleep(_POLL)
        return self._passed()

    async def _small_through(self) -> float:
        return await self._until(lambda row: not row["n"], _OTHERS)

    async def _deliver(self) -> tuple[str, float]:
        at = time.time()  # the store's clock is the same: everything runs on this machine
        item = await asyncio.to_thread(lambda: self._cluster.exchange.tell("deliver", email=self._huge, subject="New"))
        return str(item["item_id"]), at

    async def _landed(self, sent: tuple[str, float]) -> float:
        from actors.remote_store import RemoteStore

        item_id, at = sent
        while True:
            found, _ = await RemoteStore().query(
                "SELECT epoch(landed_at) AS at FROM emails WHERE item_id = $1", [item_id]
            )
            if found.num_rows:
                return float(found.column("at")[0].as_py()) - at
            if self._passed() > _PATIENCE:
                raise TimeoutError("new mail has not landed")
            await asyncio.sleep(_POLL)


def report(options: Options, seen: Seen) -> Report:
    """What came of it."""
    p50, most = quantiles(seen.while_fetching, 0.5, 1.0)
    rows = [
        (f"{options.small} small mailboxes through", f"after {seen.small_through:.1f} s"),
        (f"{options.items:,} items listed", f"after {seen.listed:.1f} s"),
        ("all of them fetched", f"after {seen.through:.1f} s"),
        ("new mail of the huge one, while it is listed", f"{seen.while_listing:.1f} s"),
        ("the same, while it is fetched", f"p50 {p50:.2f} s, at most {most:.2f} s; {seen.left:,} items left then"),
    ]
    return Report("backlog", settings_of(options), settings_of(seen), rows)
