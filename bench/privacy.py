"""``privacy``: what keeping people out costs a landing, and how long erasing one and exporting everything take.

The store alone, in this process. Landings are those of ``landing``; the ways of each round are taken in turn, so that a
machine that is busy is busy for all of them. Nobody on the list is named by them: what is measured is looking.

What is erased and exported has bodies of random letters, which DuckDB and Parquet halve and no more: files are larger
than of real mail.
"""

import asyncio
import random
import tempfile
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pyarrow as pa

from api.encoders import ParquetEncoder, encode
from bench.landing import Case, land_case
from bench.mail import Mail, sample
from bench.report import Report, Row, settings_of
from engine import logs
from engine.clock import SystemClock
from engine.columns import FETCHED_EMAILS
from engine.exporting import ExportPart, ExportRequest
from engine.model import Folder, FolderId, Landing, Operator, OperatorId
from engine.privacy.erasure import ErasureRequest
from engine.privacy.suppression import Suppression, digest_of
from engine.store.options import StoreOptions
from engine.store.store import DuckDBStore

_KEY = b"k" * 32
_ENTRIES = (0, 10, 10_000)
_INBOX = Folder(FolderId("inbox"), "inbox")
_BATCH = 500
_SOMEBODY = "somebody@erased.example"
_ONE_IN = 1_000
_MONTHS = 4
_EXPORT_MEMORY = "256MB"
"""DuckDB's limit during the export: by default it would keep as much of the file in memory as it may."""


@dataclass(frozen=True, slots=True)
class Options:
    """``stored``: emails when one person is erased and everything exported. ``rounds``: of the landings."""

    stored: int = 1_000_000
    rounds: int = 8
    operators: int = 100
    emails: int = 50
    body: int = 3_600
    seed: int = 1


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--stored", type=int, default=default.stored, help="emails that are erased from, and exported")
    parser.add_argument("--rounds", type=int, default=default.rounds)
    parser.add_argument("--operators", type=int, default=default.operators)
    parser.add_argument("--emails", type=int, default=default.emails, help="in each landing")
    parser.add_argument("--body", type=int, default=default.body, help="characters of a body")
    parser.add_argument("--seed", type=int, default=default.seed)


def run(given: Namespace) -> Report:
    """Land, erase, export."""
    names = ("stored", "rounds", "operators", "emails", "body", "seed")
    options = Options(**{name: getattr(given, name) for name in names})
    logs.configure("WARNING")
    with tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder:
        mail = Mail(sample(40, options.emails, options.seed))
        looking = asyncio.run(_looking(options, mail, Path(folder) / "looking.duckdb"))
        keeping = asyncio.run(_keeping(options, Path(folder)))
    rows: list[Row] = [
        (f"landing, {entries:,} on the list", f"{one['batches']} us CPU an email in batches, {one['singles']} alone")
        for entries, one in looking.items()
    ]
    rows += [(name.replace("_", " "), f"{value:,}") for name, value in keeping.items()]
    return Report("privacy", settings_of(options), {"landing": looking, **keeping}, rows)


async def _looking(options: Options, mail: Mail, path: Path) -> dict[int, dict[str, float]]:
    """CPU microseconds an email, by entries on the list: the median of the rounds."""
    cases = {
        "batches": Case("", options.emails, options.operators, options.operators),
        "singles": Case("", 1, 8, options.operators),
    }
    lists = {
        entries: Suppression(_KEY, [digest_of(_KEY, f"{n}@x.example") for n in range(entries)]) for entries in _ENTRIES
    }
    found: dict[int, dict[str, list[float]]] = {entries: {name: [] for name in cases} for entries in _ENTRIES}
    async with _opened(path, options.operators) as (store, epochs):
        for number in range(options.rounds + 1):
            for entries in _ENTRIES:
                store._writer.doorkeeper.suppression = lists[entries]  # noqa: SLF001  # without the trouble of erasing so many
                for name, case in cases.items():
                    one = await land_case(store, mail, epochs, case)
                    if number:  # the first round warms up
                        found[entries][name].append(one.cpu / one.emails * 1e6)
    return {entries: {name: round(median(each), 1) for name, each in one.items()} for entries, one in found.items()}


async def _keeping(options: Options, folder: Path) -> dict[str, float]:
    async with _opened(folder / "keeping.duckdb", options.operators) as (store, epochs):
        await _fill(store, options, epochs)
        preview = await _timed(store.erase(ErasureRequest("p", _SOMEBODY, "bench", dry_run=True)))
        began, cpu = time.monotonic(), time.process_time()
        receipt = await store.erase(ErasureRequest("e", _SOMEBODY, "bench"))
        erased, erased_cpu = time.monotonic() - began, time.process_time() - cpu
    async with _opened(folder / "keeping.duckdb", 1, _EXPORT_MEMORY) as (store, _):
        with _most_memory() as memory:
            began, cpu = time.monotonic(), time.process_time()
            size = await _export(store, folder)
            exported, exported_cpu = time.monotonic() - began, time.process_time() - cpu
    return {
        "stored": options.stored,
        "erased_emails": receipt.emails,
        "dry_run_seconds": round(preview, 2),
        "erasing_and_rewriting_seconds": round(erased, 1),
        "erasing_and_rewriting_cpu_seconds": round(erased_cpu, 1),
        "file_bytes_before": receipt.size_before or 0,
        "file_bytes_after": receipt.size_after or 0,
        "export_seconds": round(exported, 1),
        "export_cpu_seconds": round(exported_cpu, 1),
        "export_bytes": size,
        "export_memory_more_bytes": memory[1] - memory[0],
    }


async def _timed(work: Any) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def _fill(store: DuckDBStore, options: Options, epochs: dict[OperatorId, int]) -> None:
    chance, who = random.Random(options.seed), list(epochs.items())
    for first in range(0, options.stored, _BATCH * 8):
        numbers = range(first, min(first + _BATCH * 8, options.stored), _BATCH)
        landings = [
            Landing(*who[(number // _BATCH) % len(who)], folder=_INBOX, emails=_emails(number, options, chance))
            for number in numbers
        ]
        await asyncio.gather(*(store.land(landing) for landing in landings))


def _emails(first: int, options: Options, chance: random.Random) -> pa.RecordBatch:
    rows = []
    for number in range(first, min(first + _BATCH, options.stored)):
        sender = _SOMEBODY if number % _ONE_IN == 0 else f"person{number % 5_000}@example.com"
        age = timedelta(days=chance.random() * 30 * _MONTHS)
        rows.append(
            {
                "item_id": f"AAMkAGI2{'x' * 120}{number:012d}=",
                "change_key": f"CQAAAB{number}",
                "subject": f"About {chance.randbytes(12).hex()}",
                "sender_address": sender,
                "to_recipients": [{"name": "P", "address": f"person{(number * 7) % 5_000}@example.com"}],
                "received_at": datetime(2026, 11, 1, tzinfo=UTC) - age,
                "message_id": f"<{number}@example.com>",
                "body_text": chance.randbytes(options.body // 2).hex(),
            }
        )
    return pa.RecordBatch.from_pylist(rows, schema=FETCHED_EMAILS)


async def _export(store: DuckDBStore, folder: Path) -> int:
    """As the gateway does it, into files; their bytes."""
    export, size = await store.begin_export(ExportRequest("x")), 0
    for number, part in enumerate(export.parts):
        size += await _export_part(store, number, part, folder / f"{number}.parquet")
    await store.end_export("x")
    return size


async def _export_part(store: DuckDBStore, number: int, part: ExportPart, path: Path) -> int:
    rows, position, more, encoder = 0, 0, True, None
    with path.open("wb") as file:
        while more:
            piece = await store.read_export("x", number, position)
            encoder = encoder or ParquetEncoder(piece.schema, truncated=False)
            more = piece.more
            file.write(await asyncio.to_thread(encode, encoder, piece.batches, first=not position, last=not more))
            rows += piece.table.num_rows
            position += 1
    if rows != part.rows:
        raise RuntimeError(f"{part} came with {rows} rows")
    return path.stat().st_size  # noqa: ASYNC240  # nothing else is under way


@contextmanager
def _most_memory() -> Iterator[list[int]]:
    """Resident bytes of this process at the beginning, and the most there were until the end."""
    process = psutil.Process()
    seen, over = [process.memory_info().rss] * 2, threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            seen[1] = max(seen[1], process.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


@asynccontextmanager
async def _opened(
    path: Path, operators: int, memory_limit: str = "50%"
) -> AsyncIterator[tuple[DuckDBStore, dict[OperatorId, int]]]:
    """A store with operators that are active."""
    options = StoreOptions(suppression_key=_KEY, memory_limit=memory_limit)
    store = await DuckDBStore.open(path, SystemClock().now, options)
    try:
        people = [Operator(OperatorId(f"operator{n:04d}"), f"o{n}@x.example") for n in range(operators)]
        await store.put_operators(people)
        active = await store.activate([one.operator_id for one in people])
        yield store, {one.operator.operator_id: one.epoch for one in active}
    finally:
        await store.close()
