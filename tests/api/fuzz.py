"""schemathesis against a gateway: a process of its own asks, and every answer is counted here as well."""

import asyncio
import json
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from api.app import build_app
from api.gate import GATE
from api.serve_http import start_http
from engine.access import tokens
from engine.access.limits import FailedLogins, LoginLimits
from engine.access.roles import Role
from engine.access.tokens import TokenRequest
from engine.ports import Mailroom
from engine.settings import GatewaySettings
from tests.api.conformance import Conformance
from tests.api.conftest import KEY, callback_path, settings
from tests.api.fuzz_hooks import KNOWN

ROOT = Path(__file__).parents[2]
GROUP = "night shift"
FOR_EVER = LoginLimits(attempts=10**9, all_attempts=10**9)
"""The tests of auth ask thousands of times without a token, which no gateway would have from one address."""


@dataclass
class Gateway:
    """A gateway that is asked, a token for each role, and what it has answered: by method, address and status."""

    url: str
    tokens: dict[Role, str]
    known: dict[str, list[str]]
    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    conformance: Conformance = field(default_factory=Conformance)


@dataclass(frozen=True)
class Fuzzed:
    """What schemathesis says of a run: whether all went well, the ``cases`` it made, its failures, and its words."""

    well: bool
    cases: int
    failures: list[dict[str, Any]]
    words: str


@asynccontextmanager
async def serve(mailroom: Mailroom, known: dict[str, list[str]] | None = None) -> AsyncIterator[Gateway]:
    """A gateway over this Mailroom, at a port of its own."""
    app = build_app(mailroom, settings(), callback_key=KEY)
    app[GATE] = replace(app[GATE], failed=FailedLogins(FOR_EVER))
    gateway = Gateway("", {role: await _give_out(mailroom, role) for role in Role}, dict(known or {}))
    gateway.known["token"] = [callback_path(name).rpartition("/")[2] for name in ("ann", "bob")]
    gateway.conformance.watch(app)
    app.middlewares.insert(0, _counting(gateway.answers))
    listening = await start_http(app, GatewaySettings(port=0))
    try:
        yield replace(gateway, url=listening.url)
    finally:
        await listening.stop()


async def fuzz(gateway: Gateway, role: Role, folder: Path, options: Sequence[str] = ()) -> Fuzzed:
    """All checks, as one role; ``options`` are schemathesis's own, such as ``--max-examples 50``."""
    report = folder / f"{role}.json"
    arguments = ["run", f"{gateway.url}/openapi.json", "-H", f"Authorization: Bearer {gateway.tokens[role]}"]
    arguments += ["--checks", "all", "--continue-on-failure", "--no-color", "--generation-database", "none"]
    arguments += ["--request-timeout", "30", "--suppress-health-check", "all"]
    arguments += ["--report", "json", "--report-json-path", str(report), *options]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from schemathesis.cli import schemathesis; schemathesis()",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env={**os.environ, **_environ(gateway)},
    )
    try:
        words, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not report.exists():
        raise AssertionError(words.decode("utf-8", "replace")[-5000:])
    said = json.loads(report.read_text(encoding="utf-8"))
    well = said["complete"] and said["exit_code"] == 0 and not said["operations"]["errored"]
    return Fuzzed(well, said["test_cases"]["generated"], said["failures"], words.decode("utf-8", "replace"))


def _environ(gateway: Gateway) -> dict[str, str]:
    known = json.dumps(gateway.known)
    return {"SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks", "PYTHONPATH": str(ROOT), KNOWN: known}


async def _give_out(mailroom: Mailroom, role: Role) -> str:
    now = datetime.now(UTC) - timedelta(minutes=1)
    request = TokenRequest(f"fuzz {role}", role, "the tests", (GROUP,), None)
    issued = tokens.issue(request, random.Random(role).randbytes(tokens.ENTROPY_BYTES), now)
    await mailroom.add_token(issued.record)
    return issued.text


def _counting(answers: Counter[tuple[str, str, int]]) -> Any:
    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        resource = request.match_info.route.resource
        answers[request.method, resource.canonical if resource else "", response.status] += 1
        return response

    return count
