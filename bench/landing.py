"""``landing``: how fast the store takes emails in, with many stored already.

The store alone, in this process: no Ray, no network; landings are made before the clock runs. CPU is this process's,
which is the writer thread, DuckDB's own threads and the event loop that waits.

The emails are some 2,000 different ones over and over, under new ids. DuckDB compresses repetition away, so the file is
far smaller than one of real mail, checkpoints are cheaper, and neither is reported.
"""

import asyncio
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.mail import Mail, sample
from bench.report import Report, Row, quantiles, settings_of
from engine.clock import SystemClock
from engine.model import Landing, Operator, OperatorId
from engine.store.options import StoreOptions
from engine.store.store import DuckDBStore

_FILL = 50


@dataclass(frozen=True, slots=True)
class Options:
    """``stored``: rows before anything is measured. ``rounds``: how often each case is repeated."""

    stored: int = 1_000_000
    operators: int = 200
    emails: int = 50
    rounds: int = 5
    singles: int = 400
    threads: int | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Case:
    """How landings come: ``emails`` in each, ``at_once`` waiting together."""

    name: str
    emails: int
    at_once: int
    landings: int


@dataclass(slots=True)
class Measured:
    """What a case came to."""

    emails: int
    landings: int
    cpu: float
    wall: float
    commits: int
    waits: list[float]


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--stored", type=int, default=default.stored, help="rows in the store before")
    parser.add_argument("--operators", type=int, default=default.operators)
    parser.add_argument("--emails", type=int, default=default.emails, help="in each landing of a batch")
    parser.add_argument("--rounds", type=int, default=default.rounds)
    parser.add_argument("--singles", type=int, default=default.singles, help="landings of one email")
    parser.add_argument("--threads", type=int, default=default.threads, help="DuckDB's; default: one a core")
    parser.add_argument("--seed", type=int, default=default.seed)


def run(given: Namespace) -> Report:
    """Fill a store, then measure."""
    names = ("stored", "operators", "emails", "rounds", "singles", "threads", "seed")
    return measure(Options(**{name: getattr(given, name) for name in names}))


def measure(options: Options) -> Report:
    """Every case on one store, one after the other."""
    mail = Mail(sample(40, max(options.emails, _FILL), options.seed))
    with tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder:
        return asyncio.run(_measure(options, mail, Path(folder) / "landing.duckdb"))


def cases(options: Options) -> list[Case]:
    """What is measured."""
    batches = options.operators * options.rounds
    return [
        Case("batches, all at once", options.emails, options.operators, batches),
        Case("batches, 8 at once", options.emails, min(8, options.operators), batches),
        Case("single emails, all at once", 1, options.operators, max(options.singles, options.operators)),
        Case("single emails, 8 at once", 1, min(8, options.operators), options.singles),
        Case("single emails, one by one", 1, 1, max(1, options.singles // 4)),
    ]


async def _measure(options: Options, mail: Mail, path: Path) -> Report:
    store = await DuckDBStore.open(path, SystemClock().now, StoreOptions(threads=options.threads))
    try:
        people = [
            Operator(OperatorId(f"operator{number:04d}"), f"o{number}@x.example") for number in range(options.operators)
        ]
        await store.put_operators(people)
        epochs = {one.operator.operator_id: one.epoch for one in await store.activate([o.operator_id for o in people])}
        filled = await _fill(store, mail, epochs, options.stored)
        found = [(case, await land_case(store, mail, epochs, case)) for case in cases(options)]
        stored = (await store.status()).emails
    finally:
        await store.close()
    return _report(options, _figures(mail, filled, stored), found)


async def _fill(store: DuckDBStore, mail: Mail, epochs: dict[OperatorId, int], stored: int) -> Measured:
    total = Measured(0, 0, 0.0, 0.0, 0, [])
    while total.emails < stored:
        landings = [mail.landing(who, epoch, _FILL) for who, epoch in epochs.items()]
        one = await _land(store, landings, len(landings))
        total.emails += one.emails
        total.landings += one.landings
        total.cpu += one.cpu
        total.wall += one.wall
    return total


async def land_case(store: DuckDBStore, mail: Mail, epochs: dict[OperatorId, int], case: Case) -> Measured:
    """Land as the case says; what it came to."""
    who = list(epochs.items())
    landings = [mail.landing(*who[number % len(who)], case.emails) for number in range(case.landings)]
    return await _land(store, landings, case.at_once)


async def _land(store: DuckDBStore, landings: Sequence[Landing], at_once: int) -> Measured:
    waiting, waits = iter(landings), list[float]()

    async def keep_landing() -> None:
        for landing in waiting:
            began = time.perf_counter()
            await store.land(landing)
            waits.append(time.perf_counter() - began)

    commits, cpu, began = store.stats.commits, time.process_time(), time.monotonic()
    await asyncio.gather(*(keep_landing() for _ in range(at_once)))
    emails = sum(one.emails.num_rows for one in landings if one.emails is not None)
    used, wall = time.process_time() - cpu, time.monotonic() - began
    return Measured(emails, len(landings), used, wall, store.stats.commits - commits, waits)


def _figures(mail: Mail, filled: Measured, stored: int) -> dict[str, Any]:
    return {
        "bytes_an_email": mail.bytes_an_email,
        "stored": stored,
        "filling": {"emails": filled.emails, "emails_per_second": round(filled.emails / max(filled.wall, 1e-9))},
        "cases": {},
    }


def _report(options: Options, figures: dict[str, Any], found: Sequence[tuple[Case, Measured]]) -> Report:
    size = figures["bytes_an_email"]
    rows: list[Row] = [
        ("stored at the end", f"{figures['stored']:,} emails of {size:,} bytes"),
        ("filling", f"{figures['filling']['emails_per_second']:,} emails/s"),
    ]
    for case, one in found:
        p50, p95 = quantiles(one.waits, 0.5, 0.95)
        cpu_us, grouped = one.cpu / one.emails * 1e6, one.landings / one.commits
        figures["cases"][case.name] = {
            "landings": one.landings,
            "emails": one.emails,
            "emails_per_second": round(one.emails / one.wall, 1),
            "landings_per_second": round(one.landings / one.wall, 1),
            "cpu_us_per_email": round(cpu_us, 1),
            "landings_per_commit": round(grouped, 1),
            "wait_ms_p50": round(p50 * 1e3, 2),
            "wait_ms_p95": round(p95 * 1e3, 2),
        }
        speed = f"{one.emails / one.wall:,.0f} emails/s, {cpu_us:,.0f} us CPU an email"
        waits = f"{grouped:.1f} landings a commit, p50 {p50 * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms"
        rows.append((case.name, f"{speed}, {waits}"))
    return Report("landing", settings_of(options), figures, rows)
