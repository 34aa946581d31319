"""python -m bench api-fuzz: schemathesis over /openapi.json with every check it has, as each role."""

import asyncio
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.report import Report
from engine.access.roles import Role
from tests.api.fuzz import Gateway, fuzz, serve
from tests.api.standing import troubled
from tests.api.store_room import KNOWN_IDS, store_room

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def configure(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--examples", type=int, default=120, help="examples an endpoint, beside its boundaries (120)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other examples (1)")


def run(options: Namespace) -> Report:
    """A gateway over a DuckDB file of its own; the cluster behind it is a fake's."""
    figures, words = asyncio.run(_all(options.examples, options.seed))
    if words:
        sys.stderr.write("\n".join(words))
        sys.exit(1)
    rows = [
        (role, f"{one['requests']:,} requests in {one['seconds']} s: {_said(one)}") for role, one in figures.items()
    ]
    total = sum(one["requests"] for one in figures.values())
    figures = {"schemathesis": version("schemathesis"), "requests": total, "roles": figures}
    return Report(
        "api-fuzz", {"examples": options.examples, "seed": options.seed}, figures, [*rows, ("all", f"{total:,}")]
    )


async def _all(examples: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    figures, words = {}, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with store_room(folder, troubled(_NOW)) as room, serve(room, KNOWN_IDS) as gateway:
            for role in Role:
                figures[role.value], found = await _one(gateway, role, folder, examples, seed)
                words += found
    return figures, words


async def _one(
    gateway: Gateway, role: Role, folder: Path, examples: int, seed: int
) -> tuple[dict[str, Any], list[str]]:
    before, started = gateway.answers.copy(), perf_counter()
    found = await fuzz(gateway, role, folder, ["--max-examples", str(examples), "--seed", str(seed)])
    answers = gateway.answers - before
    statuses: Counter[int] = Counter()
    for (_, _, status), number in answers.items():
        statuses[status] += number
    broken = [f"{role}: {answer}" for answer in answers if answer[2] >= 500]
    words = ([] if found.well else [found.words]) + broken + gateway.conformance.breaches
    figures = {
        "requests": answers.total(),
        "seconds": round(perf_counter() - started),
        "statuses": dict(sorted(statuses.items())),
        "failures": len(found.failures),
    }
    return figures, words


def _said(figures: dict[str, Any]) -> str:
    return ", ".join(f"{number} times {status}" for status, number in figures["statuses"].items())
