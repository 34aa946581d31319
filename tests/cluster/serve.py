"""``mailroom serve`` as a process of its own, Ray and all, to be stopped politely or killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError

import duckdb
import psutil
import pyarrow as pa
import pyarrow.ipc

from tests.cluster.compare import Stored, read
from tests.cluster.processes import alive, eventually, family, kill_all, workers

TOKEN = "token-of-the-tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Serve:
    """Start it as often as wanted: the file, the port and the key stay the same."""

    def __init__(self, folder: Path, exchange_url: str, username: str, password: str) -> None:
        self.path = folder / "mailroom.duckdb"
        self.port = free_port()
        self._folder = folder
        self._exchange = (exchange_url, username)
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None

    def configure(
        self, emails: Sequence[str], cluster: str = "", email_sync: str = "", job: str = "", smtp: str = ""
    ) -> None:
        """Write the configuration file; more lines for some of its sections."""
        url, username = self._exchange
        self.config.write_text(
            f'[exchange]\nurl = "{url}"\nusername = "{username}"\n'
            f"[email_sync]\nsync_from_days = 3650\n{email_sync}\n"
            f'[store]\npath = "{self.path}"\n[gateway]\nport = {self.port}\n[cluster]\n{cluster}\n'
            f"[jobs.EmailSync]\n{job}\n[smtp]\n{smtp}\n"
            + "".join(f'[[operators]]\nemail = "{email}"\n' for email in emails)
        )

    @property
    def config(self) -> Path:
        return self._folder / "mailroom.toml"

    @property
    def log(self) -> str:
        return (self._folder / "serve.log").read_text(errors="replace")

    @property
    def environ(self) -> dict[str, str]:
        secrets = {"EXCHANGE_PASSWORD": self._password, "ADMIN_TOKEN": TOKEN, "KEY": "key"}
        return {**os.environ, **{f"MAILROOM_{name}": value for name, value in secrets.items()}}

    def start(self) -> None:
        with (self._folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # this very program
                [sys.executable, "-m", "api.cli", "serve", "--no-check", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                env=self.environ,
                start_new_session=True,
            )

    def processes(self) -> list[psutil.Process]:
        return family(self._process.pid) if self._process else []

    def stop(self) -> None:
        """As Ctrl-C or SIGTERM do; nothing may be left behind."""
        if self._process is None:
            return
        before = self.processes()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(60)
        self._process = None
        assert code == 0, self.log
        eventually(lambda: not alive(before), 15, f"all processes are gone: {before}")

    def kill(self) -> None:
        """kill -9 of everything, Ray's processes included."""
        if self._process is not None:
            kill_all(self.processes())
            self._process.wait(10)
            self._process = None

    def ask(self, path: str, body: object = None) -> bytes | None:
        """What the API answers to a GET, or to a POST of ``body``; None while nobody does."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # loopback
                return bytes(answer.read())
        except (URLError, OSError):
            return None

    def workers(self, actor: str) -> list[psutil.Process]:
        """The processes that run an actor of this class."""
        return workers(self._process.pid, actor) if self._process else []

    def status(self) -> dict[str, Any] | None:
        """What ``GET /api/v1/status`` answers; None while nobody does."""
        assert self._process is None or self._process.poll() is None, self.log
        answer = self.ask("status")
        return None if answer is None else dict(json.loads(answer))

    def synced(self) -> bool:
        """Whether status says that all is done."""
        status = self.status()
        if status is None:
            return False
        return bool(status["operators"]["synced"] == status["operators"]["enabled"] and not status["pending"])

    def shown(self) -> Stored:
        """What the running gateway says is in the store."""
        return read(self._query)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows as the running gateway shows them; it has to answer."""
        return list(self._query(sql).to_pylist())

    def stored(self) -> Stored:
        """What is in the file; nobody may have it open."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return read(lambda sql: connection.sql(sql).to_arrow_table())

    def _query(self, sql: str) -> pa.Table:
        answer = self.ask("query", {"sql": sql, "format": "arrow"})
        assert answer is not None, self.log
        return pa.ipc.open_stream(answer).read_all()
