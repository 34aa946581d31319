"""Application Settings changed while everything runs: they hold at once, nobody restarts, and they outlast everything.

The tests are one story: each goes on where the one before has ended.
"""

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.simulator import requests
from engine.simulator.operations import sync_folder_items
from tests.cluster.compare import differences, served
from tests.cluster.exchange import ExchangeThread
from tests.cluster.processes import eventually, settled
from tests.cluster.serve import TOKEN, Serve

SOON = 30.0
AT_FIRST, LATER = 8, 20
DAYS = 30
RUNS = "SELECT * FROM job_runs WHERE job = 'ManagePushSubscriptions'"
ACTORS = ("MailboxHost", "Coordinator", "StoreActor", "Gateway")

pytestmark = pytest.mark.timeout(400)


class Pages:
    """The MaxChangesReturned of every SyncFolderItems so far."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        patch.setattr(sync_folder_items, "integer", self._noted)

    def _noted(self, *args: Any) -> int:
        self.sizes.append(requests.integer(*args))
        return self.sizes[-1]


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with pytest.MonkeyPatch.context() as patch:
        yield Pages(patch)


@pytest.fixture(scope="module")
def exchange(pages: Pages) -> Iterator[ExchangeThread]:
    del pages  # it listens from the first request on
    with ExchangeThread(operators=4, emails=160, days=120, time_scale=1 / 30) as exchange:
        exchange.do(lambda it: it.faults.add("latency", operation="SyncFolderItems", seconds=0.2))
        yield exchange


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory, exchange: ExchangeThread) -> Iterator[Serve]:
    options = exchange.exchange.options
    folder: Path = tmp_path_factory.mktemp("settings")
    serve = Serve(folder, exchange.exchange.url, options.username, options.password)
    serve.configure(addresses(exchange), cluster="sync_concurrency = 2", email_sync=f"batch_size = {AT_FIRST}")
    written = serve.config.read_text()
    serve.config.write_text(written.replace("sync_from_days = 3650", f"sync_from_days = {DAYS}"))
    serve.start()
    yield serve
    serve.kill()


def addresses(exchange: ExchangeThread) -> list[str]:
    return [person.email for person in exchange.exchange.operators]


def change(serve: Serve, **email_sync: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{serve.port}/api/v1/settings",
        data=json.dumps({"email_sync": email_sync}).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # loopback
        return dict(json.loads(answer.read()))


def shown(serve: Serve) -> dict[str, Any]:
    answer = serve.ask("settings")
    return {} if answer is None else dict(json.loads(answer))


def processes(serve: Serve) -> set[int]:
    return {one.pid for actor in ACTORS for one in serve.workers(actor)}


def count(serve: Serve) -> int:
    status = serve.status()
    return 0 if status is None else int(status["emails"])


def test_a_page_size_changed_in_the_middle_of_a_backfill(serve: Serve, exchange: ExchangeThread, pages: Pages) -> None:
    eventually(lambda: len(pages.sizes) > 6 and count(serve), 180, "a backfill is under way")
    before = processes(serve)
    assert set(pages.sizes) == {AT_FIRST}
    changed = change(serve, batch_size=LATER)
    assert (changed["version"], changed["updated_by"] != "configuration file") == (2, True)
    at = len(pages.sizes)
    assert serve.rows("SELECT 1 FROM mailboxes WHERE last_success_at IS NULL"), "the backfill is still under way"
    eventually(lambda: LATER in pages.sizes, 10, "a page of the new size")
    first = pages.sizes.index(LATER)
    eventually(lambda: pages.sizes[first:].count(LATER) > 6, SOON, "and more of them")
    assert pages.sizes[first:].count(AT_FIRST) <= 4, "those that were under way, and of the other host"
    assert first - at <= 20
    exchange.do(lambda it: it.faults.clear())
    eventually(serve.synced, 60, "all are synced")
    assert pages.sizes[-1] == LATER
    assert processes(serve) == before


def test_everybody_is_subscribed_at_a_new_notification_url(serve: Serve, exchange: ExchangeThread) -> None:
    eventually(lambda: len(subscribed(exchange)) == 4, SOON, "all are subscribed")
    eventually(lambda: not serve.rows(f"{RUNS} AND finished_at IS NULL"), SOON, "no run of it is under way")
    before = processes(serve)
    url = f"http://localhost:{serve.port}"
    changed = change(serve, notification_url=url, notification_frequency=31)
    assert [one["key"] for one in changed["changes"]] == [
        "email_sync.notification_url",
        "email_sync.notification_frequency",
    ]
    everybody = set(addresses(exchange))
    eventually(lambda: subscribed(exchange, f"{url}/") >= everybody, SOON, "all are subscribed there")
    for email in everybody:  # an old one ends when it is next used
        exchange.do(lambda it, email=email: it.deliver(email, subject="By push"))  # type: ignore[misc]
    eventually(lambda: not subscribed(exchange, f"http://127.0.0.1:{serve.port}/"), SOON, "the old ones have ended")
    assert {one.frequency for one in exchange.do(lambda it: it.subscriptions)} == {31}
    for email in everybody:
        exchange.do(lambda it, email=email: it.deliver(email, subject="By push"))  # type: ignore[misc]
    arrived = "SELECT 1 FROM emails WHERE subject = 'By push'"
    eventually(lambda: len(serve.rows(arrived)) == 8, SOON, "mail arrives by the new address")
    done = f"{RUNS} AND \"trigger\" = 'manual' AND outcome = 'succeeded'"
    eventually(lambda: serve.rows(done), SOON, f"the run of it is through: {serve.rows(RUNS)}")
    assert processes(serve) == before


def subscribed(exchange: ExchangeThread, begins: str = "") -> set[str]:
    alive = exchange.do(lambda it: it.subscriptions)
    return {one.mailbox.address for one in alive if one.url.startswith(begins)}


def test_more_days_bring_older_mail(serve: Serve, exchange: ExchangeThread) -> None:
    before, few = processes(serve), count(serve)
    everybody = addresses(exchange)
    missing = differences(exchange.do(lambda it: served(it, everybody)), serve.shown())
    assert missing
    assert all(line.endswith(" is missing") for line in missing)
    change(serve, sync_from_days=3650)
    settled(lambda: differences(exchange.do(lambda it: served(it, everybody)), serve.shown()), 60)
    assert count(serve) > few + len(missing) / 2
    assert processes(serve) == before


def test_fewer_days_lose_nothing(serve: Serve, exchange: ExchangeThread) -> None:
    asked = exchange.do(lambda it: it.requests.operations["GetItem"])
    change(serve, sync_from_days=7)
    eventually(lambda: len(serve.rows("SELECT 1 FROM mailboxes WHERE status = 'synced'")) == 4, SOON, "all is quiet")
    everybody = addresses(exchange)
    assert differences(exchange.do(lambda it: served(it, everybody)), serve.shown()) == []
    assert exchange.do(lambda it: it.requests.operations["GetItem"]) == asked


def test_a_host_that_was_killed_comes_back_to_the_settings_that_rule(
    serve: Serve, exchange: ExchangeThread, pages: Pages
) -> None:
    ruling = shown(serve)
    hosts = {one.pid for one in serve.workers("MailboxHost")}
    for pid in hosts:
        os.kill(pid, signal.SIGKILL)
    at = len(pages.sizes)
    eventually(lambda: _all_new(serve, hosts), SOON, "the hosts are restarted")
    eventually(lambda: len(pages.sizes) >= at + 8, SOON, "they look at every mailbox")
    assert set(pages.sizes[at:]) == {LATER}
    assert shown(serve) == ruling
    eventually(lambda: shown(serve) and _settled(serve, exchange), SOON, "the store is Exchange")
    assert not subscribed(exchange, f"http://127.0.0.1:{serve.port}/")


def test_after_a_restart_of_everything_they_rule_and_what_was_edited_counts(
    serve: Serve, exchange: ExchangeThread, pages: Pages
) -> None:
    ruling = shown(serve)
    serve.stop()
    written = serve.config.read_text()
    serve.config.write_text(written.replace("[email_sync]\n", "[email_sync]\nskip_internal = true\n"))
    at = len(pages.sizes)
    serve.start()
    eventually(lambda: len(pages.sizes) >= at + 8, 60, "they look at every mailbox")
    now = shown(serve)
    assert set(pages.sizes[at:]) == {LATER}
    assert (now["version"], now["updated_by"]) == (ruling["version"] + 1, "configuration file")
    assert now["email_sync"] == {**ruling["email_sync"], "skip_internal": True}
    eventually(lambda: _settled(serve, exchange), SOON, "the store is Exchange")
    history = json.loads(serve.ask("settings/history") or b"{}")["items"]
    assert [one["version"] for one in history] == list(range(now["version"], 0, -1))
    assert history[0]["changes"] == [{"key": "email_sync.skip_internal", "old": False, "new": True}]
    assert exchange.exchange.options.password not in json.dumps(history)


def _all_new(serve: Serve, before: set[int]) -> bool:
    now = {one.pid for one in serve.workers("MailboxHost")}
    return len(now) == len(before) and not now & before


def _settled(serve: Serve, exchange: ExchangeThread) -> bool:
    everybody = addresses(exchange)
    return not differences(exchange.do(lambda it: served(it, everybody)), serve.shown())
