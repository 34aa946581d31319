"""``associations``: what finding the CRM records of emails costs, at landing and anew, and what importing a CRM costs.

The store alone, in this process, as ``landing`` has it. The same emails are landed, in turns, in a store with an empty
CRM and in one with a large one, so that both meet the same moments of a busy machine; the ratio is the figure. A tenth
of the people who write and are written to are contacts; the others are of domains that no account has. What is
associated anew are the emails landed, copied under new ids and without bodies, which nothing of it reads.
"""

import asyncio
import itertools
import pstats
import random
import statistics
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from cProfile import Profile
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from rich.console import Console
from rich.progress import Progress

from bench.landing import Case, land_case
from bench.mail import Mail
from bench.report import Report, Row, settings_of
from engine import logs
from engine.clock import SystemClock
from engine.columns import FETCHED_EMAILS
from engine.crm.change import CrmChange
from engine.crm.model import CrmRecord, RecordKind
from engine.model import Folder, FolderId, Landing, Operator, OperatorId
from engine.store.keys import conversation_key, item_key, message_key
from engine.store.options import StoreOptions
from engine.store.store import DuckDBStore

_TURN = Case("a turn", emails=50, at_once=8, landings=40)
_OPERATORS, _CHUNK, _PEOPLE = 8, 10_000, 20_000
_EVERY = {RecordKind.ACCOUNT: 20, RecordKind.OPPORTUNITY: 50, RecordKind.CONTACT: 1}
_BACKFILL = 0.6  # CPU seconds of 1,000 emails without a CRM, in the benchmark of this name
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_Open = tuple[DuckDBStore, dict[OperatorId, int]]


@dataclass(frozen=True, slots=True)
class Options:
    """``landed``: in each of the two stores. ``contacts``: and a twentieth as many accounts, a 50th opportunities."""

    landed: int = 50_000
    contacts: int = 1_000_000
    emails: int = 1_000_000
    step: int = 10_000
    threads: int | None = None
    seed: int = 1
    profile: bool = False


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--landed", type=int, default=default.landed, help="emails landed, in each store")
    parser.add_argument("--contacts", type=int, default=default.contacts, help="in the CRM")
    parser.add_argument("--emails", type=int, default=default.emails, help="associated anew")
    parser.add_argument("--step", type=int, default=default.step, help="emails associated anew at a time")
    parser.add_argument("--threads", type=int, default=default.threads, help="DuckDB's; default: one a core")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--profile", action="store_true", help="show where the writer spends it; spoils the figures")


def run(given: Namespace) -> Report:
    """Import, land, associate anew."""
    options = Options(**{one.name: getattr(given, one.name) for one in fields(Options)})
    logs.configure("WARNING")
    with tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))


async def _measure(options: Options, folder: Path) -> Report:
    large, figures = folder / "large.duckdb", dict[str, Any]()
    figures["importing"] = await _import(large, options)
    async with _opened(folder / "empty.duckdb", options) as without, _opened(large, options) as having:
        with _profile("landing with a CRM", wanted=options.profile) as profile:
            figures["landing"] = await _land(without, having, options, profile)
        with _profile("associating anew", wanted=options.profile) as profile:
            figures["anew"] = await _anew(having[0], options, profile)
    return Report("associations", settings_of(options), figures, _rows(options, figures))


class _CrmMail(Mail):
    """Emails of 2 kB, the same for the same seed. The first of the people write and are written to most (Zipf)."""

    def __init__(self, options: Options) -> None:
        self._chance = random.Random(options.seed)
        self._people = [f"person{number}@other{number % 4_000}.example" for number in range(_PEOPLE)]
        known = range(4, _PEOPLE, 10)
        contacts = self._chance.sample(range(options.contacts), min(len(known), options.contacts))
        for person, contact in zip(known, contacts, strict=False):
            self._people[person] = _address(contact)
        self._weights = list(itertools.accumulate(1 / (rank + 1) for rank in range(_PEOPLE)))
        self._words = [self._chance.randbytes(self._chance.randint(1, 5)).hex() for _ in range(4_000)]
        self._made = 0

    def landing(self, operator_id: OperatorId, epoch: int, count: int) -> Landing:
        """Every other email answers the one before."""
        emails = pa.RecordBatch.from_pylist([self._email() for _ in range(count)], schema=FETCHED_EMAILS)
        return Landing(operator_id, epoch, folder=Folder(FolderId("inbox"), "inbox"), emails=emails)

    def _email(self) -> dict[str, Any]:
        self._made += 1
        sender, *to = self._chance.choices(self._people, cum_weights=self._weights, k=4)
        own, before = f"<{self._made}@mail.example>", None if self._made % 2 else f"<{self._made - 1}@mail.example>"
        return {
            "item_id": f"AAMkAGI2{'x' * 120}{self._made:012d}=", "change_key": f"CQAAAB{self._made}",
            "subject": " ".join(self._chance.choices(self._words, k=6)), "sender_address": sender,
            "to_recipients": [{"name": "P", "address": one} for one in to], "received_at": _NOW,
            "conversation_id": f"conversation{(self._made + 1) // 2}", "in_reply_to": before, "references": before,
            "body_text": " ".join(self._chance.choices(self._words, k=290)), "message_id": own,
        }  # fmt: skip


def _address(contact: int) -> str:
    return f"contact{contact}@firm{contact // _EVERY[RecordKind.ACCOUNT]}.example"


def _record(kind: RecordKind, number: int) -> CrmRecord:
    """Contacts have an account, opportunities an account and two of its contacts; two of three are open."""
    contact = number * _EVERY[kind]
    key, account = f"{kind}{number:015d}", f"{RecordKind.ACCOUNT}{contact // _EVERY[RecordKind.ACCOUNT]:015d}"
    owner, then = f"operator{number % _OPERATORS}", _NOW - timedelta(minutes=number)
    if kind is RecordKind.CONTACT:
        return CrmRecord(kind, key, f"Contact {number}", (_address(contact),), account_id=account, updated_at=then)
    if kind is RecordKind.ACCOUNT:
        return CrmRecord(kind, key, f"Firm {number}", domains=(f"firm{number}.example",), owner=owner, updated_at=then)
    ids = (f"{RecordKind.CONTACT}{contact:015d}", f"{RecordKind.CONTACT}{contact + 1:015d}")
    is_open = number % 3 > 0
    return CrmRecord(kind, key, owner=owner, account_id=account, is_open=is_open, contact_ids=ids, active_at=then)


@asynccontextmanager
async def _opened(path: Path, options: Options) -> AsyncIterator[_Open]:
    """A store with operators that are active, and their epochs."""
    store = await DuckDBStore.open(path, SystemClock().now, StoreOptions(threads=options.threads))
    try:
        people = [Operator(OperatorId(f"operator{n}"), f"operator{n}@us.example") for n in range(_OPERATORS)]
        await store.put_operators(people)
        yield store, {a.operator.operator_id: a.epoch for a in await store.activate([p.operator_id for p in people])}
    finally:
        await store.close()


async def _import(path: Path, options: Options) -> dict[str, Any]:
    """Contacts after all else. Sizes are of the closed file, so that nothing is left in the log."""
    async with _opened(path, options) as (store, _):
        for kind in (RecordKind.ACCOUNT, RecordKind.OPPORTUNITY):
            await _put(store, kind, options.contacts // _EVERY[kind])
    before = path.stat().st_size  # noqa: ASYNC240  # nothing else is under way
    async with _opened(path, options) as (store, _):
        cpu, walls = await _put(store, RecordKind.CONTACT, options.contacts)
    return {
        "seconds": round(sum(walls), 2), "cpu_seconds": round(cpu, 2), "longest_chunk_ms": round(max(walls) * 1e3),
        "records_per_second": round(options.contacts / sum(walls)),
        "grown_bytes": path.stat().st_size - before,  # noqa: ASYNC240
    }  # fmt: skip


async def _put(store: DuckDBStore, kind: RecordKind, count: int) -> tuple[float, list[float]]:
    """CPU seconds, and the seconds of each chunk; records are made while the clock stands."""
    cpu, walls = 0.0, list[float]()
    with _progress(f"{kind.plural} imported", count) as show:
        for first in range(0, count, _CHUNK):
            change = CrmChange(kind, tuple(_record(kind, n) for n in range(first, min(first + _CHUNK, count))))
            began, used = time.perf_counter(), time.process_time()
            await store.put_crm(change)
            walls.append(time.perf_counter() - began)
            cpu += time.process_time() - used
            show(len(change.records))
    return cpu, walls


async def _land(without: _Open, having: _Open, options: Options, profile: Profile | None) -> dict[str, Any]:
    sides = (*without, _CrmMail(options), None), (*having, _CrmMail(options), profile)
    used: tuple[list[float], list[float]] = [], []
    first = [(await land_case(side[0], side[2], side[1], Case("first", 1, 1, 1))).cpu for side in sides]
    with _progress("emails landed, in each store", options.landed) as show:
        for turn in range(max(1, options.landed // (_TURN.emails * _TURN.landings))):
            for which in (0, 1) if turn % 2 else (1, 0):
                store, epochs, mail, watch = sides[which]
                async with _watched(store, watch):
                    measured = await land_case(store, mail, epochs, _TURN)
                used[which].append(measured.cpu / measured.emails * 1e3)
            show(_TURN.emails * _TURN.landings)
    one, other = (statistics.fmean(each) for each in used)
    associated = await _writing(having[0], lambda it: _count(it, "DISTINCT item_id", "associations"))
    return {
        "cpu_per_1000_empty": round(one, 4), "cpu_per_1000_crm": round(other, 4), "ratio": round(other / one, 3),
        "ratio_of_turns_p50": round(statistics.median(b / a for a, b in zip(*used, strict=True)), 3),
        "ratio_of_backfill": round((_BACKFILL - one + other) / _BACKFILL, 4), "associated": associated,
        "first_landing_cpu_ms": [round(each * 1e3, 1) for each in first],
    }  # fmt: skip


async def _anew(store: DuckDBStore, options: Options, profile: Profile | None) -> dict[str, Any]:
    await _writing(store, lambda connection: _multiply(connection, options.emails))
    began = time.perf_counter()
    await store.associate_some(1)
    looked = time.perf_counter()
    left = emails = await store.associate_all()
    queued = time.perf_counter()
    cpu, steps = time.process_time(), list[float]()
    with _progress("emails associated anew", emails) as show:
        async with _watched(store, profile):
            while left:
                step = time.perf_counter()
                progress = await store.associate_some(options.step)
                steps.append(time.perf_counter() - step)
                left = progress.left
                show(progress.done)
    cpu = time.process_time() - cpu
    return {
        "emails": emails, "looking_into_import_seconds": round(looked - began, 2),
        "queueing_seconds": round(queued - looked, 2), "seconds": round(sum(steps), 2),
        "cpu_seconds": round(cpu, 2), "cpu_per_1000": round(cpu / emails * 1e3, 4), "steps": len(steps),
        "step_ms_p50": round(statistics.median(steps) * 1e3), "longest_step_ms": round(max(steps) * 1e3),
    }  # fmt: skip


def _multiply(connection: duckdb.DuckDBPyConnection, wanted: int) -> None:
    connection.execute(
        f"""
        INSERT INTO _mailroom.emails
        SELECT c.* REPLACE ({item_key("c")} AS item_key, {message_key("c")} AS message_key,
                            {conversation_key("c")} AS conversation_key)
        FROM (
            SELECT e.* REPLACE (e.item_id || n AS item_id, e.conversation_id || '-' || n AS conversation_id,
                                NULL AS body_text)
            FROM range($1) AS copies(n), _mailroom.emails AS e ORDER BY n LIMIT $2
        ) AS c
        """,  # noqa: S608 (our own words only)
        [wanted // (stored := _count(connection, "*", "emails")) + 1, max(0, wanted - stored)],
    )


def _count(connection: duckdb.DuckDBPyConnection, what: str, table: str) -> int:
    return int(connection.execute(f"SELECT count({what}) FROM _mailroom.{table}").fetchall()[0][0])  # noqa: S608


async def _writing(store: DuckDBStore, do: Callable[[duckdb.DuckDBPyConnection], Any]) -> Any:
    """In the writer's thread, which nobody outside the store is meant to do."""
    return await store._change(lambda connection, _: do(connection))  # noqa: SLF001


@contextmanager
def _profile(what: str, *, wanted: bool) -> Iterator[Profile | None]:
    """A profile, shown at the end. SQL is in the own time of the functions that execute it."""
    profile = Profile() if wanted else None
    yield profile
    if profile is not None:
        print(what, file=sys.stderr)
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)


@asynccontextmanager
async def _watched(store: DuckDBStore, profile: Profile | None) -> AsyncIterator[None]:
    """Profile the writer's thread, which is where everything is done."""
    if profile is not None:
        await _writing(store, lambda _: profile.enable())
    yield
    if profile is not None:
        await _writing(store, lambda _: profile.disable())


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=total)
        yield lambda more: progress.advance(task, more)


def _rows(options: Options, figures: dict[str, Any]) -> list[Row]:
    landing, anew, put = figures["landing"], figures["anew"], figures["importing"]
    both = f"{landing['cpu_per_1000_empty']} with an empty CRM, {landing['cpu_per_1000_crm']} with contacts"
    speed = f"{put['seconds']} s ({put['cpu_seconds']} s CPU), {put['records_per_second']:,}/s"
    took = f"{anew['seconds']} s, {anew['cpu_per_1000']} s CPU per 1,000"
    steps = f"{anew['steps']} steps, median {anew['step_ms_p50']} ms, longest {anew['longest_step_ms']} ms"
    return [
        ("contacts imported", f"{speed}, longest {put['longest_chunk_ms']} ms, {put['grown_bytes'] / 1e6:,.0f} MB"),
        ("landing, CPU s per 1,000", f"{both}; {landing['associated']:,} of {options.landed:,} associated"),
        ("landing, ratio", f"{landing['ratio']}; of a backfill at {_BACKFILL} s {landing['ratio_of_backfill']}"),
        ("first landing, CPU ms", " and ".join(map(str, landing["first_landing_cpu_ms"]))),
        ("looking into the import", f"{anew['looking_into_import_seconds']} s; queueing {anew['queueing_seconds']} s"),
        ("associated anew", f"{anew['emails']:,} in {took}; {steps}"),
    ]
