"""The simulated Exchange of a demo, as a process of its own, and its control endpoint."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from engine.errors import ClusterError

STOP_SECONDS = 10.0


class SimulatedProcess:
    """``mailroom simulate`` as a child. It ends with this process, however this process ends.

    Attributes:
        url: The EWS endpoint.
        username: The service account.
    """

    def __init__(self, arguments: Sequence[str], password: str, log: Path) -> None:
        self.password = password
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603  # this very program
                [sys.executable, "-m", "api.cli", "simulate", "--stop-with-stdin", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "MAILROOM_EXCHANGE_PASSWORD": password},
                start_new_session=True,  # Ctrl-C is for us; we stop the child when Mailroom has stopped
            )
        try:
            about = self._read_announcement()
        except BaseException:
            self.stop()
            raise
        self.url, self.username, self._base = about["url"], about["username"], about["base_url"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process, gently first."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    async def operators(self) -> list[dict[str, Any]]:
        """Who has a mailbox: operator_id, email, name."""
        return list(await self._ask("GET", "operators"))

    async def items(self, email: str, folder: str) -> list[dict[str, Any]]:
        """What is served of one folder, message by message."""
        return list(await self._ask("GET", "items", params={"email": email, "folder": folder}))

    async def arrive(self, email: str) -> dict[str, Any]:
        """Let a message like the generated ones arrive; what is served of it."""
        return dict((await self._ask("POST", "arrive", body={"email": email}))[0])

    async def _ask(self, method: str, name: str, params: dict[str, str] | None = None, body: object = None) -> Any:
        auth = aiohttp.encode_basic_auth(self.username, self.password)
        try:
            async with (
                aiohttp.ClientSession(headers={"Authorization": auth}) as session,
                session.request(method, f"{self._base}/simulator/{name}", params=params, json=body) as response,
            ):
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ClusterError(f"The simulated Exchange does not answer ({error}). {self._last_words()}") from error
        if response.status >= 400:
            raise ClusterError(f"The simulated Exchange refuses {name}: {answer['error']['message']}.")
        return answer

    def _read_announcement(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else b""
        if not line:
            raise ClusterError(f"The simulated Exchange has not started. {self._last_words()}")
        return dict(json.loads(line))

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"Its last line: {lines[-1].removeprefix('mailroom: ')}" if lines else ""
