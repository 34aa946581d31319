"""kill -9 of everything at any moment, with an Exchange that misbehaves: in the end the store is Exchange.

MAILROOM_CHAOS_ROUNDS: how many rounds (each starts with an empty file); MAILROOM_CHAOS_SEED: of the first of them.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.simulator import SimulatedExchange
from tests.cluster.compare import differences, served
from tests.cluster.exchange import ExchangeThread
from tests.cluster.processes import POLL, eventually, settled
from tests.cluster.serve import Serve

ROUNDS = int(os.environ.get("MAILROOM_CHAOS_ROUNDS", "1"))
SEED = int(os.environ.get("MAILROOM_CHAOS_SEED", "1"))
OPERATORS = 4
EMAILS = 150
KILLS = 3
START = 60.0
"""Seconds a start may take on a busy machine."""
PEACE = 90.0
"""Seconds within which all is well again once everybody behaves. Backoffs are part of it, and the EmailSync job of
every 20 s: Exchange has dropped subscriptions without a word, and nobody can know that before they are silent for long.
"""


@pytest.fixture
def exchange() -> Iterator[ExchangeThread]:
    with ExchangeThread(operators=OPERATORS, emails=EMAILS, time_scale=1 / 30) as exchange:
        yield exchange


@pytest.fixture
def serve(tmp_path: Path, exchange: ExchangeThread) -> Iterator[Serve]:
    options = exchange.exchange.options
    serve = Serve(tmp_path, exchange.exchange.url, options.username, options.password)
    emails = [person.email for person in exchange.exchange.operators]
    serve.configure(emails, cluster="sync_concurrency = 3", email_sync="batch_size = 8", job='every = "20s"')
    yield serve
    serve.kill()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_whatever_dies_whenever(serve: Serve, exchange: ExchangeThread, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(KILLS):
        exchange.do(lambda it: _misbehave(it, rng))
        asked = exchange.do(lambda it: it.requests.total)
        serve.start()
        _live(serve, exchange, rng, asked + rng.randrange(5, 60))
        serve.kill()
        exchange.do(lambda it: _change_much(it, rng))

    def differing() -> list[str]:
        emails = [person.email for person in exchange.exchange.operators]
        return differences(exchange.do(lambda it: served(it, emails)), serve.shown())

    exchange.do(lambda it: it.faults.clear())
    serve.start()
    eventually(serve.synced, START + PEACE, f"all are synced (seed {seed})")
    settled(differing, PEACE)
    exchange.do(lambda it: _change_much(it, rng))
    settled(differing, PEACE)
    serve.stop()
    emails = [person.email for person in exchange.exchange.operators]
    assert differences(exchange.do(lambda it: served(it, emails)), serve.stored()) == []


def _live(serve: Serve, exchange: ExchangeThread, rng: random.Random, until: int) -> None:
    """Let mail arrive and change until Exchange has been asked so often; then it is time to die."""
    deadline = time.monotonic() + START
    while exchange.do(lambda it: it.requests.total) < until and time.monotonic() < deadline:
        exchange.do(lambda it: _change(it, rng))
        time.sleep(POLL * rng.random())


def _misbehave(exchange: SimulatedExchange, rng: random.Random) -> None:
    """Some of what real servers do, seldom enough to get somewhere in between."""
    exchange.faults.clear()
    add = exchange.faults.add
    add("busy", rate=0.04, backoff_ms=rng.choice([0, 200, None]))
    add("busy_inner", rate=0.02, backoff_ms=100)
    add("unavailable", rate=0.04, retry_after=rng.choice([None, 0]))
    add("reset", rate=0.04)
    add("vanished", operation="GetItem", rate=0.02)
    add("token_refused", rate=0.04)
    add("token_ignored", rate=0.02)
    add("bad_request", rate=0.02)
    add("push_lost", rate=0.1)
    add("push_twice", rate=0.1)
    add("latency", rate=0.3, seconds=0.1)
    if rng.random() < 0.5:
        exchange.drop_subscriptions()


def _change_much(exchange: SimulatedExchange, rng: random.Random) -> None:
    for _ in range(15):
        _change(exchange, rng)


def _change(exchange: SimulatedExchange, rng: random.Random) -> None:
    """One thing people do to their mail."""
    email = rng.choice(exchange.operators).email
    items = [*exchange.mailbox(email).folder("inbox").entries.values()]
    item_id = rng.choice(items).item_id if items else None
    what = rng.choice(["deliver", "deliver", "update", "mark_read", "delete", "move"])
    if what == "deliver" or item_id is None:
        exchange.deliver(email, subject=f"Number {rng.randrange(10**6)}", body_text="x" * rng.randrange(2000))
    elif what == "update":
        exchange.update(email, item_id, subject=f"Changed {rng.randrange(10**6)}")
    elif what == "mark_read":
        exchange.mark_read(email, item_id, rng.random() < 0.5)
    elif what == "delete":
        exchange.delete(email, item_id)
    else:
        exchange.move(email, item_id, "sentitems")
