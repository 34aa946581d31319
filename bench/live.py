"""``live``: from an email's delivery at Exchange to its row in the store, while nothing much else happens.

Mail is delivered to random mailboxes at a steady rate; each has a push subscription. The clock starts before the
simulator is told to deliver, and stops at the row's ``landed_at``, the time its transaction began (its commit follows
within some milliseconds: see ``landing``). Two waits are by design and included: Exchange gathers events for a moment
before it pushes, and a mailbox waits ``email_sync.debounce`` after a notice.
"""

import asyncio
import random
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import cpu
from bench.cluster import Running, running, settings_for
from bench.exchange import simulated
from bench.report import Report, quantiles, settings_of

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Options:
    """``rate``: emails a second over all mailboxes. ``debounce``: seconds."""

    operators: int = 200
    rate: float = 10.0
    seconds: float = 30.0
    debounce: float = 0.3
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Delivered:
    """How long each email took, and what the cluster used meanwhile."""

    waits: list[float]
    lost: int
    used: cpu.Used


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--operators", type=int, default=default.operators)
    parser.add_argument("--rate", type=float, default=default.rate, help="emails a second")
    parser.add_argument("--seconds", type=float, default=default.seconds)
    parser.add_argument("--debounce", type=float, default=default.debounce, help="email_sync.debounce in seconds")
    parser.add_argument("--seed", type=int, default=default.seed)


def run(given: Namespace) -> Report:
    """Subscribe everybody, then deliver."""
    options = Options(given.operators, given.rate, given.seconds, given.debounce, given.seed)
    with (
        tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder,
        simulated(options.operators, 10, options.seed) as exchange,
    ):
        email_sync = {"sync_from_days": 3650, "skip_private": False, "debounce": options.debounce}
        settings = settings_for(exchange, Path(folder) / "live.duckdb", email_sync=email_sync)
        with running(exchange, settings) as cluster:
            delivered = asyncio.run(_measure(options, cluster))
    return report(options, delivered)


async def _measure(options: Options, cluster: Running) -> Delivered:
    await cluster.enable()
    await cluster.synced()
    rng, before = random.Random(options.seed), cluster.usage()
    sent: dict[str, float] = {}
    began, count = time.monotonic(), int(options.rate * options.seconds)
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / options.rate - time.monotonic()))
        # The two clocks are one: everything runs on this machine
        at = time.time()
        item = await asyncio.to_thread(cluster.exchange.tell, "deliver", email=rng.choice(cluster.exchange.operators))
        sent[item["item_id"]] = at
    landed = await _landed(sent)
    used = cluster.usage().since(before)
    waits = [landed[item_id] - at for item_id, at in sent.items() if item_id in landed]
    return Delivered(waits, count - len(waits), used)


async def _landed(sent: Mapping[str, float]) -> dict[str, float]:
    """When each email landed, once all have (or patience ends)."""
    from actors.remote_store import RemoteStore

    store, since = RemoteStore(), datetime.fromtimestamp(min(sent.values())).astimezone()
    deadline = time.monotonic() + _PATIENCE
    while True:
        found, _ = await store.query(
            "SELECT item_id, epoch(landed_at) AS at FROM emails WHERE landed_at >= $1", [since]
        )
        landed = dict(zip(found.column("item_id").to_pylist(), found.column("at").to_pylist(), strict=True))
        if landed.keys() >= sent.keys() or time.monotonic() > deadline:
            return landed
        await asyncio.sleep(0.5)


def report(options: Options, delivered: Delivered) -> Report:
    """What came of it."""
    p50, p95, most = quantiles(delivered.waits, 0.5, 0.95, 1.0)
    used, count = delivered.used, len(delivered.waits)
    figures: dict[str, Any] = {
        "delivered": count + delivered.lost,
        "landed": count,
        "latency_ms": {"p50": round(p50 * 1e3, 1), "p95": round(p95 * 1e3, 1), "max": round(most * 1e3, 1)},
        "cpu_ms_an_email": round(used.engine / count * 1e3, 2),
        "cpu_seconds_by_role": used.rounded(),
        "cores": round(used.engine / used.wall, 3),
    }
    rows = [
        ("landed", f"{count:,} of {count + delivered.lost:,}"),
        ("delivered to landed", f"p50 {p50 * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms, at most {most * 1e3:.0f} ms"),
        ("of it by design", f"{options.debounce * 1e3:.0f} ms of debounce, 20 ms in which Exchange gathers events"),
        ("CPU ms an email", f"{used.engine / count * 1e3:.1f} (idling included), {used.engine / used.wall:.2f} cores"),
        ("CPU s by role", ", ".join(f"{role} {spent:.2f}" for role, spent in used.rounded().items())),
    ]
    return Report("live", settings_of(options), figures, rows)
