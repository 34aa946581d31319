"""``queries``: what people's queries cost landings, and how quickly emails are found, with many stored already.

The store alone, in this process, as ``landing`` has it. Landings come for some seconds while nobody asks, and for some
while clients ask one query after another, in turns, so that both meet the same moments of a busy machine; the ratio of
the two is the figure. A client's query is one of a dozen: lists, counts by day and by sender, searches in texts.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.mail import Mail, sample
from bench.report import Report, Row, quantiles, settings_of
from engine.clock import SystemClock
from engine.emails import EmailListing
from engine.errors import MailroomError
from engine.model import Operator, OperatorId
from engine.querying import Query
from engine.store.options import StoreOptions
from engine.store.store import DuckDBStore

_FILL = 50
_SQL = (
    "SELECT operator_email, count(*) FROM emails GROUP BY ALL ORDER BY 2 DESC LIMIT 20",
    "SELECT date_trunc('day', received_at) AS day, count(*), sum(size) FROM emails GROUP BY day ORDER BY day",
    "SELECT sender_address, count(*) AS n FROM emails GROUP BY ALL ORDER BY n DESC LIMIT 50",
    "SELECT subject, received_at FROM emails ORDER BY received_at DESC LIMIT 100",
    "SELECT * FROM emails WHERE received_at > (SELECT max(received_at) FROM emails) - INTERVAL 1 HOUR LIMIT 1000",
    "SELECT count(*) FROM emails WHERE subject ILIKE '%offer%'",
    "SELECT count(*) FROM emails WHERE body_text ILIKE '%meeting%'",
    "SELECT one.address, count(*) FROM emails, unnest(to_recipients) AS t(one) GROUP BY ALL ORDER BY 2 DESC LIMIT 20",
    "SELECT folder, is_read, count(*), avg(size), median(size) FROM emails GROUP BY ALL",
    "SELECT conversation_id, count(*) AS n FROM emails GROUP BY ALL HAVING n > 5 ORDER BY n DESC LIMIT 100",
    "SELECT item_id, subject, sender_address, received_at FROM emails LIMIT 50000",
    "SELECT a.operator_id, count(*) FROM emails AS a JOIN attachments AS b USING (operator_id, item_id) GROUP BY ALL",
)


@dataclass(frozen=True, slots=True)
class Options:
    """``stored``: rows before anything is measured. ``turns`` of ``seconds``, one alone and one with ``clients`` each.

    ``emails`` are in each landing, ``at_once`` wait together.
    """

    stored: int = 1_000_000
    operators: int = 200
    emails: int = 50
    at_once: int = 8
    clients: int = 8
    turns: int = 6
    seconds: float = 8.0
    threads: int | None = None
    seed: int = 1


@dataclass(slots=True)
class Turn:
    """What one stretch of time came to."""

    emails: int
    wall: float
    waits: list[float]
    queries: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def speed(self) -> float:
        """Emails a second."""
        return self.emails / self.wall


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--stored", type=int, default=default.stored, help="rows in the store before")
    parser.add_argument("--operators", type=int, default=default.operators)
    parser.add_argument("--emails", type=int, default=default.emails, help="in each landing")
    parser.add_argument("--at-once", type=int, default=default.at_once, help="landings that wait together")
    parser.add_argument("--clients", type=int, default=default.clients, help="that ask one query after another")
    parser.add_argument("--turns", type=int, default=default.turns)
    parser.add_argument("--seconds", type=float, default=default.seconds, help="of each turn")
    parser.add_argument("--threads", type=int, default=default.threads, help="DuckDB's; default: one a core")
    parser.add_argument("--seed", type=int, default=default.seed)


def run(given: Namespace) -> Report:
    """Fill a store, then measure."""
    names = ("stored", "operators", "emails", "at_once", "clients", "turns", "seconds", "threads", "seed")
    return measure(Options(**{name: getattr(given, name) for name in names}))


def measure(options: Options) -> Report:
    """Land for a while without and with clients, in turns; then time lists of emails."""
    mail = Mail(sample(20, 100, options.seed))
    with tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder:
        return asyncio.run(_measure(options, mail, Path(folder) / "queries.duckdb"))


async def _measure(options: Options, mail: Mail, path: Path) -> Report:
    store = await DuckDBStore.open(path, SystemClock().now, StoreOptions(threads=options.threads))
    try:
        people = [Operator(OperatorId(f"operator{n:04d}"), f"o{n}@x.example") for n in range(options.operators)]
        await store.put_operators(people)
        epochs = {one.operator.operator_id: one.epoch for one in await store.activate([o.operator_id for o in people])}
        stored = 0
        while stored < options.stored:
            await asyncio.gather(*(store.land(mail.landing(who, epoch, _FILL)) for who, epoch in epochs.items()))
            stored += _FILL * len(epochs)
        bench = _Bench(options, mail, store, epochs)
        turns: list[tuple[Turn, Turn]] = []
        for _ in range(options.turns):
            alone = await bench.land()
            async with bench.clients():
                beside = await bench.land()
            turns.append((alone, beside))
        return _report(options, stored, turns, await bench.lists())
    finally:
        await store.close()


class _Bench:
    """A filled store, landings, and clients."""

    def __init__(self, options: Options, mail: Mail, store: DuckDBStore, epochs: dict[OperatorId, int]) -> None:
        self._options, self._mail, self._store = options, mail, store
        self._who = itertools.cycle(epochs.items())
        self._sql: Iterator[str] = itertools.cycle(_SQL)
        self._ids = itertools.count()
        self._outcomes: Counter[str] = Counter()

    async def land(self) -> Turn:
        """Land for some seconds. Landings are made before the clock runs, as many as may be wanted."""
        turn, ends = Turn(0, 0.0, []), 0.0
        self._outcomes = turn.outcomes

        async def keep_landing() -> None:
            while time.monotonic() < ends:
                landing = self._mail.landing(*next(self._who), self._options.emails)
                began = time.perf_counter()
                await self._store.land(landing)
                turn.waits.append(time.perf_counter() - began)
                turn.emails += self._options.emails

        began = time.monotonic()
        ends = began + self._options.seconds
        await asyncio.gather(*(keep_landing() for _ in range(self._options.at_once)))
        turn.wall = time.monotonic() - began
        turn.queries = turn.outcomes.total()
        return turn

    @asynccontextmanager
    async def clients(self) -> AsyncIterator[None]:
        """Clients that ask one query after another, and fetch all of each answer."""
        asking = [asyncio.create_task(self._keep_asking()) for _ in range(self._options.clients)]
        try:
            yield
        finally:
            for one in asking:
                one.cancel()
            for one in asking:
                with suppress(asyncio.CancelledError):
                    await one

    async def _keep_asking(self) -> None:
        while True:
            query = Query(str(next(self._ids)), next(self._sql))
            try:
                answer = await self._store.start_query(query)
                while answer.more:
                    answer = await self._store.read_query(query.query_id)
            except MailroomError as error:
                self._outcomes[type(error).__name__] += 1
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                await self._store.end_query(query.query_id)
                raise
            else:
                self._outcomes["answered"] += 1

    async def lists(self) -> dict[str, float]:
        """Milliseconds of some lists of emails, the best of three."""
        sender = (await self._store.emails(EmailListing(limit=1))).items[0]["sender_address"] or "x"
        first = await self._store.emails(EmailListing(limit=100))
        asked = {
            "first page": EmailListing(limit=100),
            "next page": EmailListing(limit=100, after=first.after),
            "of one operator": EmailListing(operator_id="operator0001", limit=100),
            "of a contact": EmailListing(contact=sender, limit=100),
            "a common word": EmailListing(text="the", limit=100),
            "a word nobody wrote": EmailListing(text="xyzzyplugh", limit=100),
        }
        found = {}
        for name, listing in asked.items():
            took = []
            for _ in range(3):
                began = time.perf_counter()
                await self._store.emails(listing)
                took.append(time.perf_counter() - began)
            found[name] = round(min(took) * 1e3, 1)
        return found


def _report(options: Options, stored: int, turns: list[tuple[Turn, Turn]], lists: dict[str, float]) -> Report:
    ratios = [beside.speed / alone.speed for alone, beside in turns]
    alone, beside = (sum(pair[n].emails for pair in turns) / sum(pair[n].wall for pair in turns) for n in (0, 1))
    outcomes = sum((pair[1].outcomes for pair in turns), Counter[str]())
    queries = outcomes["answered"] / sum(pair[1].wall for pair in turns)
    waits = [quantiles([wait for pair in turns for wait in pair[n].waits], 0.5, 0.95) for n in (0, 1)]
    figures: dict[str, Any] = {
        "stored": stored,
        "emails_per_second_alone": round(alone, 1),
        "emails_per_second_beside_queries": round(beside, 1),
        "ratio": round(beside / alone, 3),
        "ratios": [round(one, 3) for one in ratios],
        "queries_per_second": round(queries, 2),
        "outcomes": dict(outcomes),
        "wait_ms_alone": {"p50": round(waits[0][0] * 1e3, 1), "p95": round(waits[0][1] * 1e3, 1)},
        "wait_ms_beside_queries": {"p50": round(waits[1][0] * 1e3, 1), "p95": round(waits[1][1] * 1e3, 1)},
        "lists_ms": lists,
    }
    rows: list[Row] = [
        ("landing alone", f"{alone:,.0f} emails/s, p50 {waits[0][0] * 1e3:.0f} ms, p95 {waits[0][1] * 1e3:.0f} ms"),
        ("beside queries", f"{beside:,.0f} emails/s, p50 {waits[1][0] * 1e3:.0f} ms, p95 {waits[1][1] * 1e3:.0f} ms"),
        ("ratio", f"{beside / alone:.2f}; of turns: median {statistics.median(ratios):.2f}, least {min(ratios):.2f}"),
        ("queries", f"{queries:.1f} answered a second by {options.clients} clients"),
        *((f"emails, {name}", f"{took:,.0f} ms") for name, took in lists.items()),
    ]
    return Report("queries", settings_of(options), figures, rows)
