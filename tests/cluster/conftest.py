"""One local Ray, one simulated Exchange and one Mailroom for the whole folder."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from actors.calls import call_now
from actors.cluster import Cluster, start
from actors.options import STORE
from engine.model import Operator, OperatorId
from engine.settings import build_settings
from engine.status import Status
from tests.cluster.compare import differences, read, served
from tests.cluster.exchange import ExchangeThread
from tests.cluster.processes import settled, workers

BEGIN_WITH = 4
KILLING = slice(4, 12)
"""The room's people, by the file that enables them: whom one has enabled is no newcomer to another."""
JOBS = slice(12, 14)
CHANGING = slice(14, 19)
OPERATORS = 19
EMAILS = 120


@dataclass
class Room:
    """A running Mailroom beside the Exchange it follows."""

    cluster: Cluster
    exchange: ExchangeThread
    path: Path

    @property
    def emails(self) -> list[str]:
        return [person.email for person in self.exchange.exchange.operators]

    def query(self, sql: str, *params: object) -> pa.Table:
        table, truncated = self.store("query", sql, list(params), 1_000_000)
        assert not truncated
        return table

    def store(self, method: str, *args: Any) -> Any:
        return call_now(self.cluster._handles[STORE], method, *args)

    def status(self) -> Status:
        return self.cluster.status()

    def enable(self, emails: Sequence[str], *, email_sync: bool = True) -> None:
        """Change operators, and have the hosts read them anew."""
        operators = [Operator(OperatorId(email), email, "", email_sync) for email in emails]
        self.store("put_operators", operators)
        for name, handle in self.cluster._handles.items():
            if name.startswith("host-"):
                call_now(handle, "forget", [one.operator_id for one in operators])

    def differences(self, emails: Sequence[str]) -> list[str]:
        truth = self.exchange.do(lambda exchange: served(exchange, emails))
        return differences(truth, read(self.query))

    def settle(self, emails: Sequence[str], within: float = 40) -> None:
        """Until the store is Exchange for these operators."""
        settled(lambda: self.differences(emails), within)

    def workers(self, actor: str) -> list[Any]:
        return workers(os.getpid(), actor)


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    path = tmp_path_factory.mktemp("cluster") / "mailroom.duckdb"
    # A notice nobody took is tried again after half a minute at Exchange, and after one second here.
    with ExchangeThread(operators=OPERATORS, emails=EMAILS, time_scale=1 / 30) as exchange:
        options = exchange.exchange.options
        people = exchange.exchange.operators[:BEGIN_WITH]
        settings = build_settings(
            {
                "exchange": {"url": exchange.exchange.url, "username": options.username},
                "email_sync": {"batch_size": 16, "sync_from_days": 3650},
                "store": {"path": str(path)},
                "gateway": {"port": 0},
                "cluster": {"sync_concurrency": 4},
                "operators": [{"email": person.email} for person in people],
            },
            {"MAILROOM_EXCHANGE_PASSWORD": options.password, "MAILROOM_KEY": "key", "MAILROOM_ADMIN_TOKEN": "token"},
        )
        cluster = start(settings, quiet=True)
        try:
            yield Room(cluster, exchange, path)
        finally:
            cluster.stop()
