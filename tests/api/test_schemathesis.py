"""schemathesis over /openapi.json, as each role: no bug, no undocumented answer, nothing wrong let in.

Every check it has is on. The examples are the same each time; ``make fuzz`` asks many more.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.access.roles import Role
from engine.jobs.model import Job, JobName, JobState
from engine.ports import Mailroom
from tests.api.fuzz import Gateway, fuzz, serve
from tests.api.standing import troubled
from tests.api.store_room import KNOWN_IDS, store_room

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAME = ("--seed", "1")
BOUNDARIES = ("--phases", "examples,coverage", *SAME)
"""Every parameter and key at its limits, just beyond them, left out, and of another type."""
EXAMPLES = ("--phases", "fuzzing,stateful", "--max-examples", "12", *SAME)

pytestmark = pytest.mark.timeout(600)


@asynccontextmanager
async def gateway_over(kind: str, folder: Path) -> AsyncIterator[Gateway]:
    async with AsyncExitStack() as stack:
        cluster = troubled(NOW)
        cluster.states |= {
            name: JobState(Job(name, enabled=True, every="1m")) for name in set(JobName) - set(cluster.states)
        }
        room: Mailroom = cluster
        if kind == "store":
            room = await stack.enter_async_context(store_room(folder, cluster))
        yield await stack.enter_async_context(serve(room, KNOWN_IDS))


@pytest.mark.parametrize(
    ("kind", "role", "options"),
    [
        ("store", Role.ADMINISTRATOR, BOUNDARIES),
        ("fake", Role.ADMINISTRATOR, EXAMPLES),
        ("store", Role.SALES_OPS, EXAMPLES),
        ("store", Role.VIEWER, EXAMPLES),
    ],
)
async def test_everything_is_answered_as_documented(
    kind: str, role: Role, options: Sequence[str], tmp_path: Path
) -> None:
    async with gateway_over(kind, tmp_path) as gateway:
        found = await fuzz(gateway, role, tmp_path, options)
    assert found.well, found.words
    assert found.failures == []
    assert gateway.conformance.breaches == []
    assert {answer for answer in gateway.answers if answer[2] >= 500} == set()
    assert found.cases >= 300
    statuses = {status for _, _, status in gateway.answers}
    assert {200, 400, 404} <= statuses
    assert (403 in statuses) == (role is not Role.ADMINISTRATOR)
