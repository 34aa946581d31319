"""A simulated Exchange in a process of its own, so that its CPU counts for nobody."""

import base64
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

_COMMAND = "from api.cli import main; main()"
PASSWORD = "simulated"  # noqa: S105  # guards nothing but generated mail


@dataclass(frozen=True, slots=True)
class Exchange:
    """A running simulator: where it answers, whom it serves."""

    pid: int
    url: str
    base_url: str
    username: str
    operators: tuple[str, ...]

    def ask(self, name: str, **query: str) -> Any:
        """A question to its control endpoints."""
        return self._control(f"{name}?{urlencode(query)}" if query else name, None)

    def tell(self, name: str, **given: object) -> Any:
        """An order to its control endpoints."""
        return self._control(name, json.dumps(given).encode())

    def clear_faults(self) -> None:
        """All that goes wrong by order ends."""
        self._control("faults", None, "DELETE")

    @property
    def authorization(self) -> str:
        """The header of its service account."""
        return "Basic " + base64.b64encode(f"{self.username}:{PASSWORD}".encode()).decode()

    def _control(self, path: str, body: bytes | None, method: str | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310  # our own loopback server
            f"{self.base_url}/simulator/{path}",
            data=body,
            headers={"Authorization": self.authorization},
            method=method,
        )
        # No proxy of the environment: it would hijack loopback
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as response:
            return json.loads(response.read())


@contextmanager
def simulated(operators: int, emails: int, seed: int) -> Iterator[Exchange]:
    """Serve generated mail until the block ends."""
    options = {"--operators": operators, "--emails": emails, "--seed": seed}
    arguments = [part for name, value in options.items() for part in (name, str(value))]
    process = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, "simulate", "--stop-with-stdin", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("pipes were asked for")
    try:
        about = json.loads(process.stdout.readline())
        people = tuple(about["operators"])
        yield Exchange(process.pid, about["url"], about["base_url"], about["username"], people)
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
