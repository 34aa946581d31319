"""A huge mailbox beside a hundred small ones: they do not wait for it, nor does its new mail wait for its backlog."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.compare import differences, served
from tests.cluster.exchange import ExchangeThread
from tests.cluster.processes import eventually
from tests.cluster.serve import Serve

SMALL_ONES = 100
BACKLOG = 5000
BATCH = 64
START = 90.0
SECONDS = 15.0
"""Within how many new mail is to land, on a machine that is busy with other things too."""
UNDONE = "SELECT operator_email FROM mailboxes WHERE last_success_at IS NULL OR pending > 0"
OF_ONE = "SELECT folders_drained, folders, pending FROM mailboxes WHERE operator_email = '{}'"

pytestmark = pytest.mark.timeout(200)


@pytest.fixture
def exchange() -> Iterator[ExchangeThread]:
    with ExchangeThread(operators=SMALL_ONES + 1, emails=5) as exchange:
        yield exchange


@pytest.fixture
def serve(tmp_path: Path, exchange: ExchangeThread) -> Iterator[Serve]:
    options = exchange.exchange.options
    serve = Serve(tmp_path, exchange.exchange.url, options.username, options.password)
    emails = [person.email for person in exchange.exchange.operators]
    serve.configure(emails, email_sync=f"batch_size = {BATCH}")
    yield serve
    serve.kill()


def test_nobody_waits_for_a_huge_backlog(serve: Serve, exchange: ExchangeThread) -> None:
    huge, *small = (person.email for person in exchange.exchange.operators)
    exchange.do(lambda it: it.arrive(huge, BACKLOG))
    # Some 80 pages to list and 40 to fetch, so slowly that each is under way for as long as this takes
    exchange.do(lambda it: it.faults.add("latency", operation="SyncFolderItems", mailbox=huge, seconds=1.0))
    serve.start()
    eventually(lambda: _is_listing(serve, huge), START, "its first listing is under way")
    listed = _deliver(exchange, huge)
    eventually(lambda: _undone(serve) == {huge}, START, "the small ones are through")
    assert _is_listing(serve, huge), "and the huge one is not even listed"

    exchange.do(lambda it: it.faults.add("latency", operation="GetItem", mailbox=huge, seconds=1.0))
    exchange.do(lambda it: it.faults.remove(it.faults.active[0]))
    eventually(lambda: not _is_listing(serve, huge) and _landed(serve, listed), START, "all of it is listed")
    before = _left(serve, huge)
    sent = time.monotonic()
    fresh = _deliver(exchange, huge)
    eventually(lambda: _landed(serve, fresh), SECONDS, "new mail is there")
    took = time.monotonic() - sent
    after = _left(serve, huge)
    print(f"new mail landed within {took:.1f} s, {before} items before the backlog's end and {after} after")  # noqa: T201
    assert 0 < after <= before, "the backlog is not done by then"

    exchange.do(lambda it: it.faults.clear())
    eventually(serve.synced, START, "all are synced")
    emails = [huge, *small]
    assert differences(exchange.do(lambda it: served(it, emails)), serve.shown()) == []


def _deliver(exchange: ExchangeThread, email: str) -> str:
    return str(exchange.do(lambda it: it.deliver(email, subject="Brand new").item_id))


def _landed(serve: Serve, item_id: str) -> bool:
    return bool(serve.rows(f"SELECT 1 FROM emails WHERE item_id = '{item_id}'"))  # noqa: S608  # our own id


def _undone(serve: Serve) -> set[str]:
    return {row["operator_email"] for row in serve.rows(UNDONE)}


def _is_listing(serve: Serve, email: str) -> bool:
    """Whether pages of it are listed, and not all of them."""
    if serve.status() is None:
        return False
    (row,) = serve.rows(OF_ONE.format(email)) or [{"folders": 0, "folders_drained": 0}]
    return bool(row["folders"] > row["folders_drained"])


def _left(serve: Serve, email: str) -> int:
    """Items that are listed, and not fetched yet."""
    (row,) = serve.rows(OF_ONE.format(email))
    return int(row["pending"])
