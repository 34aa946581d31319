"""``footprint``: what an idle mailbox costs in memory, beside one Ray actor for each.

Mailboxes: a store with that many operators (two drained folders with sync tokens as long as the simulator's, a
subscription, a mailbox record) activates them all; a fresh process that has loaded what a host loads takes them into
memory, and then runs one pass of each that finds nothing new, as most do that are in memory. What a mailbox takes is
the growth of resident memory: unique memory (USS) also grows whenever another process lets go of a shared library, so
it is told for whole processes only. Actors: a real cluster
with ``mailboxes_per_host = 1``, nobody enabled, looked at when every actor answers.
"""

import asyncio
import pickle
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from statistics import mean
from typing import Any

from bench import cpu
from bench.cluster import Running, running, settings_for
from bench.exchange import simulated
from bench.mail import Sample, sample
from bench.memory import ACTIVATIONS, Grown
from bench.report import Report, Row, settings_of
from engine.callback import callback_url, sign
from engine.clock import SystemClock
from engine.model import (
    Folder,
    FolderId,
    FolderRecord,
    Landing,
    MailboxRecord,
    MailboxStatus,
    Operator,
    OperatorId,
    SubscriptionRecord,
    SubscriptionStatus,
    SyncToken,
)
from engine.store.store import DuckDBStore

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Options:
    """``actors``: Ray actors to start for the other side; 0 leaves it out."""

    mailboxes: int = 10_000
    actors: int = 8
    seed: int = 1


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--mailboxes", type=int, default=default.mailboxes)
    parser.add_argument("--actors", type=int, default=default.actors, help="Ray actors to start beside; 0: none")
    parser.add_argument("--seed", type=int, default=default.seed)


def run(given: Namespace) -> Report:
    """Both sides."""
    return measure(Options(given.mailboxes, given.actors, given.seed))


def measure(options: Options) -> Report:
    """Mailboxes in one process, then actors."""
    figures: dict[str, Any] = {}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder:
        given = sample(1, 20, options.seed)[0]
        activated = asyncio.run(_activate(options, Path(folder), given))
        grown = _grow(Path(folder))
        _tell_mailboxes(options, activated, grown, figures, rows)
        if options.actors:
            _tell_actors(_actors(options, Path(folder)), grown, figures, rows)
    return Report("footprint", settings_of(options), figures, rows)


@dataclass(frozen=True, slots=True)
class Activated:
    """The store's side of bringing mailboxes into memory, for all of them."""

    cpu: float
    wall: float
    bytes_pickled: int


async def _activate(options: Options, folder: Path, given: Sample) -> Activated:
    """Fill a store, activate everybody, leave the activations as a host would receive them."""
    store = await DuckDBStore.open(folder / "mailboxes.duckdb", SystemClock().now)
    try:
        people = [_operator(number) for number in range(options.mailboxes)]
        await store.put_operators(people)
        for batch in _batches(people):
            found = await store.activate([person.operator_id for person in batch])
            landings = [each for one in found for each in _durable(one.operator.operator_id, one.epoch, given)]
            await asyncio.gather(*map(store.land, landings))
        used, began, size = time.process_time(), time.monotonic(), 0
        for batch in _batches(people):
            found = await store.activate([person.operator_id for person in batch])
            size += (folder / f"{batch[0].operator_id}{ACTIVATIONS}").write_bytes(pickle.dumps(found, protocol=5))
        return Activated(time.process_time() - used, time.monotonic() - began, size)
    finally:
        await store.close()


def _batches(people: Sequence[Operator]) -> Iterator[Sequence[Operator]]:
    for start in range(0, len(people), _BATCH):
        yield people[start : start + _BATCH]


def _operator(number: int) -> Operator:
    email = f"operator{number:05d}@example.com"
    return Operator(OperatorId(email), email, f"Robin Winter {number}")


def _durable(operator_id: OperatorId, epoch: int, given: Sample) -> list[Landing]:
    """What a mailbox that is in step keeps in the store; ids and tokens as long as the simulator's, and its own."""
    now = datetime.now(UTC)
    label = blake2b(operator_id.encode(), digest_size=6).hexdigest()
    serial = f"{label}{'0' * 20}"
    url = callback_url("https://mailroom.example.com", sign(b"benchmark", operator_id, serial))
    mailbox = MailboxRecord(MailboxStatus.SYNCED, now, now, now)
    active = SubscriptionStatus.ACTIVE
    subscription = SubscriptionRecord(serial, active, url, 30, f"{label}{'s' * 48}", f"{label}{'w' * 20}", now, now)
    landings = []
    for name in ("inbox", "sentitems"):
        folder = Folder(FolderId(f"{given.folder.folder_id[:-16]}{label}{name[:4]}"), name)
        token = SyncToken(f"{given.token[:-16]}{label}{name[:4]}")
        record = FolderRecord(folder.folder_id, name, token, drained=True)
        landings.append(Landing(operator_id, epoch, folder=folder, folder_record=record))
    landings[-1] = replace(landings[-1], mailbox=mailbox, subscription=subscription)
    return landings


def _grow(folder: Path) -> Grown:
    """Take the mailboxes into the memory of a fresh process."""
    command = [sys.executable, "-m", "bench.memory", str(folder)]
    done = subprocess.run(command, capture_output=True, check=True, cwd=Path(__file__).parent.parent)
    return Grown.from_json(done.stdout)


@dataclass(frozen=True, slots=True)
class Actors:
    """One Ray actor a mailbox, on average."""

    memory: list[cpu.Memory]
    start_cpu: float


def _actors(options: Options, folder: Path) -> Actors:
    with simulated(options.actors, 0, options.seed) as exchange:
        settings = settings_for(
            exchange,
            folder / "actors.duckdb",
            enabled=True,
            cluster={"mailboxes_per_host": 1},
            email_sync={"enabled": False},
        )
        with running(exchange, settings) as cluster:
            return _look(cluster, options.actors)


def _look(cluster: Running, actors: int) -> Actors:
    started = cluster.usage().seconds.get("hosts", 0.0)
    return Actors(cpu.memory_of("hosts", cluster.exchange.pid), started / actors)


def _tell_mailboxes(
    options: Options, activated: Activated, grown: Grown, figures: dict[str, Any], rows: list[Row]
) -> None:
    count = options.mailboxes
    store_us, host_us = activated.cpu / count * 1e6, grown.awaken_cpu / count * 1e6
    figures["mailbox"] = {
        "host_unique_mb_before": round(grown.before.unique / 2**20, 1),
        "activated_bytes_resident": round((grown.activated.resident - grown.before.resident) / count),
        "after_a_pass_bytes_resident": round((grown.passed.resident - grown.before.resident) / count),
        "pickled_bytes": round(activated.bytes_pickled / count),
        "activation_cpu_us_store": round(store_us, 1),
        "activation_cpu_us_host": round(host_us, 1),
        "activations_per_second_store": round(count / activated.wall),
        "empty_pass_cpu_us": round(grown.pass_cpu / count * 1e6, 1),
    }
    mine = figures["mailbox"]
    rows += [
        ("a mailbox, activated", f"{mine['activated_bytes_resident']:,} bytes"),
        ("a mailbox, after a pass", f"{mine['after_a_pass_bytes_resident']:,} bytes"),
        ("activating one", f"{store_us:.0f} us CPU in the store, {host_us:.0f} us in the host"),
        ("an empty pass", f"{mine['empty_pass_cpu_us']:.0f} us CPU without Exchange and store"),
    ]


def _tell_actors(actors: Actors, grown: Grown, figures: dict[str, Any], rows: list[Row]) -> None:
    unique, resident = mean(one.unique for one in actors.memory), mean(one.resident for one in actors.memory)
    each = max(1.0, figures["mailbox"]["after_a_pass_bytes_resident"])
    together = (10_000 * each + grown.before.unique) / 2**20
    figures["actor"] = {
        "measured": len(actors.memory),
        "unique_mb": round(unique / 2**20, 1),
        "resident_mb": round(resident / 2**20, 1),
        "start_cpu_seconds": round(actors.start_cpu, 3),
    }
    figures["ratio"] = {"memory": round(unique / each)}
    rows += [
        (
            "a Ray actor",
            f"{unique / 2**20:.1f} MB unique, {resident / 2**20:.1f} MB resident (mean of {len(actors.memory)})",
        ),
        ("starting one", f"{actors.start_cpu:.2f} s CPU, its imports included"),
        ("an actor / a mailbox, memory", f"{unique / each:,.0f}"),
        ("extrapolated to 10,000", f"{together:,.0f} MB in one host, {10_000 * unique / 2**30:,.0f} GB as actors"),
    ]
