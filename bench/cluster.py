"""A real Mailroom on a local Ray, driven by a benchmark.

Started with everybody disabled, so that starting and idling are over before the clock runs.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import cpu
from bench.exchange import PASSWORD, Exchange
from engine.settings import Settings, build_settings
from engine.status import Status

WINDOW_DAYS = 3650
"""Everything the simulator generates is inside, so that all sides fetch the same."""
_POLL = 0.2
_PATIENCE = 600.0


@dataclass(frozen=True)
class Running:
    """A started cluster, all its processes answering."""

    url: str
    settings: Settings
    exchange: Exchange

    def usage(self) -> cpu.Usage:
        """CPU so far, without the simulator's."""
        return cpu.of_cluster(self.exchange.pid)

    async def idle(self, seconds: float) -> cpu.Used:
        """What a cluster with nothing to do uses."""
        before = self.usage()
        await asyncio.sleep(seconds)
        return self.usage().since(before)

    async def enable(self) -> None:
        """Let every operator be due."""
        from actors.remote_store import RemoteStore

        people = [replace(one.record(), email_sync=True) for one in self.settings.operators]
        await RemoteStore().put_operators(people)

    async def synced(self) -> Status:
        """Wait until every operator is synced, with a subscription where those are wanted.

        Asks for one small count, since ``status`` costs the store as much as landing some hundred emails.
        """
        from actors.remote_store import RemoteStore

        store, wanted = RemoteStore(), len(self.settings.operators)
        subscribed = wanted if self.settings.jobs.ManagePushSubscriptions.enabled else 0
        deadline = time.monotonic() + _PATIENCE
        while True:
            found, _ = await store.query("SELECT count(*) FROM mailboxes WHERE last_success_at IS NOT NULL")
            if found.column(0)[0].as_py() >= wanted:
                status = await store.status()
                active = status.subscriptions.active
                if status.operators.synced == wanted and not status.pending and active >= subscribed:
                    return status
            if time.monotonic() > deadline:
                raise TimeoutError(f"not synced in time: {await store.status()}")
            await asyncio.sleep(_POLL)


def settings_for(exchange: Exchange, database: Path, *, enabled: bool = False, **sections: dict[str, Any]) -> Settings:
    """Settings of a cluster against a simulator; ``sections`` replace whole sections."""
    raw: dict[str, Any] = {
        "exchange": {"url": exchange.url, "username": exchange.username},
        "email_sync": {"sync_from_days": WINDOW_DAYS, "skip_private": False},
        "store": {"path": str(database)},
        "gateway": {"port": 0},
        "operators": [{"email": email, "email_sync": enabled} for email in exchange.operators],
        **sections,
    }
    return build_settings(raw, {"MAILROOM_EXCHANGE_PASSWORD": PASSWORD, "MAILROOM_KEY": "benchmark"})


@contextmanager
def running(exchange: Exchange, settings: Settings) -> Iterator[Running]:
    """Start a cluster, wait until each process answers, stop it in the end."""
    from actors import cluster

    started = cluster.start(settings, quiet=True)
    try:
        asyncio.run(_all_answer(settings))
        yield Running(started.url, settings, exchange)
    finally:
        started.stop()


async def _all_answer(settings: Settings) -> None:
    from actors.calls import call
    from actors.options import COORDINATOR
    from engine.placement import place

    ids = [one.record().operator_id for one in settings.operators if one.email_sync]
    hosts = place(ids, 1, settings.cluster.hosts_per_node, settings.cluster.mailboxes_per_host).hosts
    await asyncio.gather(call(COORDINATOR, "ping"), *(call(host, "report") for host in hosts))
