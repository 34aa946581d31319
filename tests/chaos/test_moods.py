"""All moods of a real Exchange at once, an outage among them: in the end the store is Exchange, and nobody is stuck.

While Exchange serves nobody it is asked hardly anything: what was under way, what it takes to find out, and a probe now
and then. That bound is computed here from the circuit's own numbers. ``python -m bench moods`` does the same with the
full three minutes of outage, and draws the curve.
"""

import random
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from engine.simulator import Fault, SimulatedExchange
from engine.sync import circuit
from engine.sync.signs import Sign
from tests.cluster.compare import FOLDERS, differences, served
from tests.cluster.exchange import ExchangeThread
from tests.cluster.processes import POLL, eventually, settled
from tests.cluster.serve import Serve

OPERATORS = 24
EMAILS = 40
HOSTS = 2
CONCURRENCY = 4
OUTAGE = 20.0
AFTERWARDS = 5.0
"""How long Exchange goes on to be moody after the outage."""
START = 120.0
PEACE = 90.0
"""Seconds until all is well again; the run of EmailSync every 10 s is part of it, since it finds what no push tells."""
UNDONE = "SELECT operator_email FROM mailboxes WHERE last_success_at IS NULL"
FEW = OPERATORS // 4
UNWELL = (
    "SELECT operator_email, status, next_sync_at, last_success_at, pending, quarantined, error FROM mailboxes "
    "WHERE status <> 'synced' OR last_success_at IS NULL OR pending > 0 OR quarantined > 0 OR next_sync_at IS NOT NULL"
)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def exchange() -> Iterator[ExchangeThread]:
    with ExchangeThread(operators=OPERATORS, emails=EMAILS, time_scale=1 / 30) as exchange:
        yield exchange


@pytest.fixture
def serve(tmp_path: Path, exchange: ExchangeThread) -> Iterator[Serve]:
    options = exchange.exchange.options
    serve = Serve(tmp_path, exchange.exchange.url, options.username, options.password)
    cluster = f"hosts_per_node = {HOSTS}\nsync_concurrency = {CONCURRENCY}"
    emails = [person.email for person in exchange.exchange.operators]
    serve.configure(emails, cluster=cluster, email_sync="batch_size = 16", job='every = "10s"')
    yield serve
    serve.kill()


def test_in_the_end_the_store_is_exchange_and_nobody_is_stuck(serve: Serve, exchange: ExchangeThread) -> None:
    rng = random.Random(1)
    emails = [person.email for person in exchange.exchange.operators]
    moods = exchange.do(_moods)
    serve.start()
    eventually(lambda: _pending(serve), START, "a backfill is under way")
    vanished = exchange.do(lambda it: _vanish(it, rng))
    exchange.do(lambda it: it.drop_subscriptions())
    refused = exchange.do(lambda it: it.faults.add("token_refused", times=2))
    eventually(lambda: _live(exchange, rng) and len(serve.rows(UNDONE)) <= FEW, START, "most are through, moods or not")

    began = time.monotonic()
    outage = exchange.do(lambda it: it.faults.add("outage", seconds=OUTAGE, text="reset"))
    _live_for(OUTAGE, exchange, rng)
    asked = [call.at - began for call in exchange.calls(began) if call.at < began + OUTAGE]
    print(f"{len(asked)} requests in {OUTAGE:g} s of outage, at {[round(at, 1) for at in asked]}")  # noqa: T201
    assert outage.hits
    assert len(asked) <= _most_during(OUTAGE)

    exchange.do(lambda it: it.drop_subscriptions())
    _live_for(AFTERWARDS, exchange, rng)
    assert refused.hits == 2
    assert all(mood.hits for mood in moods), moods
    exchange.do(lambda it: it.faults.clear())
    settled(lambda: differences(exchange.do(lambda it: served(it, emails)), serve.shown()), PEACE)
    eventually(lambda: not serve.rows(UNWELL), PEACE, "nobody is stuck")
    known = {row["item_id"] for row in serve.rows("SELECT item_id FROM all_emails")}
    assert vanished - known, "some were listed, and gone when they were to be fetched"


def _most_during(seconds: float) -> int:
    """Requests an outage may cost: for each host, until they know of each other, what is under way and the probes."""
    in_a_row, intervals = circuit._IN_A_ROW[Sign.UNREACHABLE], circuit._INTERVALS[Sign.UNREACHABLE]
    at = accumulate([*intervals, *[intervals[-1]] * int(seconds)])
    probes = sum(moment * 0.9 <= seconds for moment in at)
    return HOSTS * (in_a_row + CONCURRENCY + probes)


def _moods(exchange: SimulatedExchange) -> list[Fault]:
    add = exchange.faults.add
    return [
        add("busy", rate=0.07, backoff_ms=200),
        add("busy_inner", rate=0.03, backoff_ms=0),
        add("unavailable", rate=0.05),
        add("reset", rate=0.02),
    ]


def _vanish(exchange: SimulatedExchange, rng: random.Random) -> set[str]:
    """One item in a hundred goes, of those that are fetched last: the oldest of each folder."""
    gone = set()
    for email in (person.email for person in exchange.operators):
        for folder in FOLDERS:
            for item in exchange.items(email, folder)[:2]:
                if rng.random() < 0.5:
                    exchange.delete(email, item.item_id)
                    gone.add(item.item_id)
    return gone


def _live(exchange: ExchangeThread, rng: random.Random) -> bool:
    """Somebody gets mail, reads some, and deletes some."""

    def change(it: SimulatedExchange) -> None:
        email = rng.choice(it.operators).email
        it.deliver(email, subject=f"Number {rng.randrange(10**6)}")
        inbox = it.items(email, "inbox")
        it.mark_read(email, rng.choice(inbox).item_id)
        it.delete(email, rng.choice(inbox).item_id)

    exchange.do(change)
    return True


def _live_for(seconds: float, exchange: ExchangeThread, rng: random.Random) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _live(exchange, rng)
        time.sleep(POLL)


def _pending(serve: Serve) -> int:
    status = serve.status()
    return 0 if status is None else int(status["pending"])
