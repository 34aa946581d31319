"""``moods``: all that goes wrong with a real Exchange at once, three minutes of outage among it, on a real cluster.

10 % of requests are told that the server is busy, 5 % meet a 503 and 2 % a connection that breaks; one item in a
hundred goes between its listing and its fetch; all subscriptions are dropped twice and two sync tokens are refused.
Mail arrives all the while. In the end the store is compared with Exchange, id by id.

The curve is that of requests to Exchange, in slices of five seconds from the first request on.
"""

import asyncio
import random
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.cluster import Running, running, settings_for
from bench.exchange import simulated
from bench.report import Report, settings_of

_BARS = " ▁▂▃▄▅▆▇█"
_SLICE = 5
_FOLDERS = ("inbox", "sentitems")
_MOODS: tuple[dict[str, Any], ...] = (
    {"kind": "busy", "rate": 0.07, "backoff_ms": 200},
    {"kind": "busy_inner", "rate": 0.03, "backoff_ms": 0},
    {"kind": "unavailable", "rate": 0.05},
    {"kind": "reset", "rate": 0.02},
)
_PATIENCE = 600.0
_BACKLOG = "SELECT count(*) FILTER (last_success_at IS NULL), coalesce(sum(pending), 0)::BIGINT FROM mailboxes"
_UNWELL = (
    "SELECT count(*) FROM mailboxes "
    "WHERE status <> 'synced' OR next_sync_at IS NOT NULL OR pending > 0 OR quarantined > 0"
)


@dataclass(frozen=True, slots=True)
class Options:
    """``rate``: emails a second over all mailboxes. ``outage``, ``after``: seconds; ``after`` still with all moods."""

    operators: int = 200
    emails: int = 40
    rate: float = 2.0
    outage: float = 180.0
    after: float = 60.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Lived:
    """What was seen. ``curve``: requests a slice; ``outage_at``: the slice, of one second, in which the outage began.

    ``equal_after``, ``well_after``, ``subscribed_after``: seconds from the end of all moods.
    """

    curve: list[int]
    outage_at: int
    during: int
    vanished: int
    different: int
    equal_after: float
    well_after: float
    subscribed_after: float
    hits: dict[str, int]


def configure(parser: ArgumentParser) -> None:
    """Options on the command line."""
    for name, value in settings_of(Options()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)


def run(given: Namespace) -> Report:
    """Start everything, live through it, compare."""
    options = Options(given.operators, given.emails, given.rate, given.outage, given.after, given.seed)
    with (
        tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder,
        simulated(options.operators, options.emails, options.seed) as exchange,
    ):
        # The shortest StatusFrequency: a dropped subscription is known by its silence, for twice as long
        settings = settings_for(
            exchange,
            Path(folder) / "moods.duckdb",
            email_sync={"skip_private": False, "sync_from_days": 3650, "batch_size": 64, "notification_frequency": 1},
            jobs={"EmailSync": {"every": "1m"}},
        )
        with running(exchange, settings) as cluster:
            lived = asyncio.run(_Life(options, cluster).live())
    return report(options, lived)


class _Life:
    """From the first backfill to the comparison."""

    def __init__(self, options: Options, cluster: Running) -> None:
        self._options = options
        self._cluster = cluster
        self._exchange = cluster.exchange
        self._rng = random.Random(options.seed)

    async def live(self) -> Lived:
        options, tell = self._options, self._tell
        for mood in _MOODS:
            await tell("faults", **mood)
        await self._cluster.enable()
        traffic = asyncio.create_task(self._traffic())
        await self._until(lambda backlog: backlog[1] > 0)
        vanished = await self._vanish()
        await tell("drop_subscriptions")
        await tell("faults", kind="token_refused", times=2)
        await self._until(lambda backlog: backlog[0] == 0)
        outage_at = len(await self._curve())
        await tell("faults", kind="outage", seconds=options.outage, text="reset")
        await asyncio.sleep(options.outage)
        during = sum((await self._curve())[outage_at:])
        await tell("drop_subscriptions")
        await asyncio.sleep(options.after)
        traffic.cancel()
        hits = {fault["kind"]: fault["hits"] for fault in await asyncio.to_thread(self._exchange.ask, "faults")}
        await asyncio.to_thread(self._exchange.clear_faults)
        ended = time.monotonic()
        different = await self._compared()
        equal_after = time.monotonic() - ended
        await self._until(lambda unwell: unwell == [0], _UNWELL)
        well_after = time.monotonic() - ended
        await self._subscribed()
        curve = await self._curve()
        return Lived(
            [sum(curve[first : first + _SLICE]) for first in range(0, len(curve), _SLICE)],
            outage_at,
            during,
            vanished,
            different,
            equal_after,
            well_after,
            time.monotonic() - ended,
            hits,
        )

    async def _traffic(self) -> None:
        while True:
            email = self._rng.choice(self._exchange.operators)
            await self._tell("deliver", email=email, subject="Meanwhile")
            await asyncio.sleep(1 / self._options.rate)

    async def _vanish(self) -> int:
        """One item in a hundred goes, of those that are fetched last: the oldest of the inboxes."""
        gone = 0
        for email in self._exchange.operators:
            items = await asyncio.to_thread(self._exchange.ask, "items", email=email, folder="inbox")
            if items and self._rng.random() < self._options.emails / 100:
                await self._tell("delete", email=email, item_id=items[0]["item_id"])
                gone += 1
        return gone

    async def _tell(self, name: str, **given: object) -> Any:
        return await asyncio.to_thread(lambda: self._exchange.tell(name, **given))

    async def _curve(self) -> list[int]:
        stats = await asyncio.to_thread(self._exchange.ask, "stats")
        return list(stats["curve"])

    async def _counts(self, sql: str) -> list[int]:
        from actors.remote_store import RemoteStore

        found, _ = await RemoteStore().query(sql)
        return [int(column[0].as_py()) for column in found.columns]

    async def _until(self, enough: Callable[[list[int]], bool], sql: str = _BACKLOG) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not enough(counts := await self._counts(sql)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not in time: {counts} of {sql}")
            await asyncio.sleep(0.5)

    async def _compared(self) -> int:
        """How many ids differ, once none does or patience ends."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            there = set[str]()
            for email in self._exchange.operators:
                for folder in _FOLDERS:
                    items = await asyncio.to_thread(self._exchange.ask, "items", email=email, folder=folder)
                    there.update(item["item_id"] for item in items)
            found = await self._landed()
            if found == there or time.monotonic() > deadline:
                return len(found ^ there)
            await asyncio.sleep(1)

    async def _landed(self) -> set[str]:
        from actors.remote_store import RemoteStore

        found, _ = await RemoteStore().query("SELECT item_id FROM emails", (), 10_000_000)
        return set(found.column("item_id").to_pylist())

    async def _subscribed(self) -> None:
        """Wait until everybody has a subscription at Exchange."""
        deadline, wanted = time.monotonic() + _PATIENCE, set(self._exchange.operators)
        while time.monotonic() < deadline:
            alive = await asyncio.to_thread(self._exchange.ask, "subscriptions")
            if {one["mailbox"] for one in alive} >= wanted:
                return
            await asyncio.sleep(1)
        raise TimeoutError("not everybody is subscribed")


def report(options: Options, lived: Lived) -> Report:
    """What came of it."""
    rows = [
        (f"requests in {options.outage:g} s of outage", str(lived.during)),
        ("ids that differ in the end", str(lived.different)),
        ("store equals Exchange", f"{lived.equal_after:.1f} s after the last mood"),
        ("every mailbox synced, none waiting", f"{lived.well_after:.1f} s after it"),
        ("everybody subscribed again", f"{lived.subscribed_after:.1f} s after it"),
        ("moods met", ", ".join(f"{kind} {hits}" for kind, hits in lived.hits.items())),
        (f"requests, {_SLICE} s each, logarithmic", drawn(lived.curve)),
        ("outage", f"from slice {lived.outage_at // _SLICE} to {int(lived.outage_at + options.outage) // _SLICE}"),
    ]
    return Report("moods", settings_of(options), settings_of(lived), rows)


def drawn(curve: Sequence[int]) -> str:
    """A bar a slice; one that is not empty is never drawn as if it were."""
    top = max(*curve, 1).bit_length()
    return "".join(_BARS[min(8, -(-count.bit_length() * 8 // top))] for count in curve)
