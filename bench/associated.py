"""``associated``: a backfill with a million contacts in the CRM beside one with none, on a real cluster.

CPU is that of the engine's processes, as in ``backfill``. The two take turns, so that what else the machine does falls
upon both. Half of those who write to the operators are contacts; the rest of the million are not in the mail.
"""

import asyncio
import shutil
import tempfile
from argparse import ArgumentParser, Namespace
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from bench.backfill import Options as BackfillOptions
from bench.backfill import backfill
from bench.exchange import Exchange, simulated
from bench.report import Report, Row, settings_of
from engine.clock import SystemClock
from engine.crm.change import CrmChange
from engine.crm.model import CrmRecord, RecordKind
from engine.store import DuckDBStore

TARGET = 1.10
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Options:
    """``turns``: backfills of each kind."""

    operators: int = 200
    emails: int = 50
    contacts: int = 1_000_000
    turns: int = 3
    seed: int = 1


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--operators", type=int, default=default.operators)
    parser.add_argument("--emails", type=int, default=default.emails, help="generated in each mailbox")
    parser.add_argument("--contacts", type=int, default=default.contacts)
    parser.add_argument("--turns", type=int, default=default.turns, help="backfills of each kind")
    parser.add_argument("--seed", type=int, default=default.seed)


def run(given: Namespace) -> Report:
    """Take turns against one simulator."""
    options = Options(given.operators, given.emails, given.contacts, given.turns, given.seed)
    with (
        tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder,
        simulated(options.operators, options.emails, options.seed) as exchange,
    ):
        return _take_turns(options, exchange, Path(folder))


def _take_turns(options: Options, exchange: Exchange, folder: Path) -> Report:
    sides = BackfillOptions(options.operators, options.emails, options.seed, idle=1.0)
    full = folder / "full.duckdb"
    _spent(sides, exchange, folder / "first.duckdb")  # warms up, and says who writes
    asyncio.run(_fill(full, _senders(folder / "first.duckdb"), options.contacts))
    found: dict[str, list[float]] = {"without": [], "with": []}
    associated = 0
    for turn in range(options.turns):
        for kind in ("without", "with") if turn % 2 == 0 else ("with", "without"):
            path = folder / f"{kind}-{turn}.duckdb"
            if kind == "with":
                shutil.copyfile(full, path)
            found[kind].append(_spent(sides, exchange, path))
            if kind == "with":
                associated = _associated(path)
            path.unlink()
    return _report(options, found, associated)


def _spent(sides: BackfillOptions, exchange: Exchange, path: Path) -> float:
    """CPU seconds per 1,000 emails of one backfill, in a process of its own: a driver lives with one Ray."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        synced = process.submit(backfill, sides, exchange, path).result()
    return synced.used.engine / synced.emails * 1000


def _senders(path: Path) -> list[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            "SELECT DISTINCT lower(sender_address) AS one FROM _mailroom.emails "
            "WHERE sender_address LIKE '%@%' ORDER BY one"
        ).fetchall()
    return [row[0] for row in rows]


def _associated(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT count(DISTINCT item_key) FROM _mailroom.associations").fetchall()
    return int(rows[0][0])


async def _fill(path: Path, senders: list[str], contacts: int) -> None:
    addresses = senders[::2] + [f"person{number}@firm{number % 50_000}.example" for number in range(contacts)]
    store = await DuckDBStore.open(path, SystemClock().now)
    for start in range(0, contacts, _CHUNK):
        records = tuple(
            CrmRecord(RecordKind.CONTACT, f"c{start + place}", f"Person {start + place}", (address,))
            for place, address in enumerate(addresses[start : min(start + _CHUNK, contacts)])
        )
        await store.put_crm(CrmChange(RecordKind.CONTACT, records))
    while await store.associations_left():
        await store.associate_some(10_000)
    await store.close()


def _report(options: Options, found: dict[str, list[float]], associated: int) -> Report:
    without, with_ = median(found["without"]), median(found["with"])
    ratio = with_ / without
    figures: dict[str, Any] = {
        "cpu_per_1000": {kind: [round(one, 4) for one in each] for kind, each in found.items()},
        "associated": associated,
        "ratio": {"of_medians": round(ratio, 3), "target": TARGET, "reached": ratio <= TARGET},
    }
    rows: list[Row] = [
        ("without, CPU s per 1,000", ", ".join(f"{one:.3f}" for one in found["without"])),
        ("with, CPU s per 1,000", ", ".join(f"{one:.3f}" for one in found["with"])),
        ("emails associated", f"{associated:,}"),
        ("ratio of the medians", f"{ratio:.3f} (target at most {TARGET:g})"),
    ]
    return Report("associated", settings_of(options), figures, rows)
