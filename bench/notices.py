"""``notices``: push notifications through the gateway to the mailboxes' hosts, from HTTP POST to the answer OK.

Real subscriptions of a real cluster; what is posted are heartbeats (StatusEvent), which take the whole way of a
notification (token, XML, batch, host, answer) and start no sync, so that nothing else is measured. The poster is a
process of its own and counts for nobody.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import cpu
from bench.cluster import Running, running, settings_for
from bench.exchange import simulated
from bench.report import Report, settings_of


@dataclass(frozen=True, slots=True)
class Options:
    """``at_once``: notifications under way together."""

    operators: int = 200
    seconds: float = 10.0
    at_once: int = 64
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Posted:
    """The poster's side."""

    answered: int
    refused: int
    seconds: float
    p50: float
    p95: float


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--operators", type=int, default=default.operators)
    parser.add_argument("--seconds", type=float, default=default.seconds)
    parser.add_argument("--at-once", type=int, default=default.at_once, help="notifications under way together")
    parser.add_argument("--seed", type=int, default=default.seed)


def run(given: Namespace) -> Report:
    """Subscribe everybody, then post."""
    options = Options(given.operators, given.seconds, given.at_once, given.seed)
    with (
        tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder,
        simulated(options.operators, 2, options.seed) as exchange,
        running(exchange, settings_for(exchange, Path(folder) / "notices.duckdb")) as cluster,
    ):
        posted, used = asyncio.run(_measure(options, cluster))
    return report(options, posted, used)


async def _measure(options: Options, cluster: Running) -> tuple[Posted, cpu.Used]:
    await cluster.enable()
    await cluster.synced()
    subscriptions = await asyncio.to_thread(cluster.exchange.ask, "subscriptions")
    order = json.dumps([(one["url"], one["subscription_id"]) for one in subscriptions])
    poster = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.poster", str(options.seconds), str(options.at_once)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )
    if poster.stdin is None or poster.stdout is None:
        raise RuntimeError("pipes were asked for")
    poster.stdin.write(order.encode() + b"\n")
    await poster.stdin.drain()
    await poster.stdout.readline()  # it is ready
    before = cpu.of_cluster(cluster.exchange.pid, poster.pid)
    poster.stdin.close()
    answer = await poster.stdout.read()
    used = cpu.of_cluster(cluster.exchange.pid, poster.pid).since(before)
    await poster.wait()
    return Posted(**json.loads(answer)), used


def report(options: Options, posted: Posted, used: cpu.Used) -> Report:
    """What came of it."""
    thousands = posted.answered / 1000
    path = {role: used.seconds.get(role, 0.0) / thousands for role in ("gateway", "hosts", "store", "coordinator")}
    figures: dict[str, Any] = {
        "answered": posted.answered,
        "refused": posted.refused,
        "per_second": round(posted.answered / posted.seconds, 1),
        "cpu_seconds_per_1000": round(used.engine / thousands, 4),
        "cpu_seconds_per_1000_by_role": {role: round(spent, 4) for role, spent in path.items()},
        "answer_ms": {"p50": round(posted.p50 * 1e3, 2), "p95": round(posted.p95 * 1e3, 2)},
    }
    by_role = ", ".join(f"{role} {spent:.3f}" for role, spent in path.items())
    rows = [
        ("answered OK", f"{posted.answered:,} ({posted.refused:,} otherwise)"),
        ("notifications/s", f"{posted.answered / posted.seconds:,.0f}"),
        ("CPU s per 1,000", f"{used.engine / thousands:.3f} ({by_role})"),
        ("answered within", f"p50 {posted.p50 * 1e3:.1f} ms, p95 {posted.p95 * 1e3:.1f} ms, {options.at_once} at once"),
    ]
    return Report("notices", settings_of(options), figures, rows)
