"""``backfill``: the first synchronisation of many mailboxes, beside exchangelib's own loop over the same server.

CPU is that of the engine's processes (store, hosts, coordinator, gateway and this driver), from the moment all
operators become due until all are synced. Starting is over by then; what the cluster uses while idle is measured
before and told apart, and so are Ray's own processes. The simulator's CPU counts for nobody.
"""

import asyncio
import tempfile
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bench import cpu
from bench.cluster import Running, running, settings_for
from bench.exchange import Exchange, simulated
from bench.exchangelib_loop import Looped, loop
from bench.report import Report, Row, settings_of

TARGET = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """``idle``: seconds to look at the cluster with nothing to do. ``engine`` and ``loop``: which side to run."""

    operators: int = 200
    emails: int = 50
    seed: int = 1
    hosts: int = 2
    concurrency: int = 8
    idle: float = 5.0
    engine: bool = True
    loop: bool = True


@dataclass(frozen=True, slots=True)
class Synced:
    """The engine's side."""

    emails: int
    idle: cpu.Used
    used: cpu.Used


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--operators", type=int, default=default.operators)
    parser.add_argument("--emails", type=int, default=default.emails, help="generated in each mailbox")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--hosts", type=int, default=default.hosts, help="cluster.hosts_per_node")
    parser.add_argument("--concurrency", type=int, default=default.concurrency, help="cluster.sync_concurrency")
    parser.add_argument("--idle", type=float, default=default.idle, help="seconds of idling to measure first")
    parser.add_argument("--only", choices=("engine", "loop"), help="one side alone (no ratio)")


def run(given: Namespace) -> Report:
    """Both sides in one run, against one simulator."""
    options = Options(
        operators=given.operators,
        emails=given.emails,
        seed=given.seed,
        hosts=given.hosts,
        concurrency=given.concurrency,
        idle=given.idle,
        engine=given.only in (None, "engine"),
        loop=given.only in (None, "loop"),
    )
    with tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder:
        return compare(options, Path(folder))


def compare(options: Options, folder: Path) -> Report:
    """Run the sides that are wanted, and check that they agree."""
    ours, theirs = folder / "engine.duckdb", folder / "loop.duckdb"
    figures: dict[str, Any] = {}
    rows: list[Row] = []
    synced: Synced | None = None
    looped: Looped | None = None
    with simulated(options.operators, options.emails, options.seed) as exchange:
        if options.engine:
            synced = backfill(options, exchange, ours)
        if options.loop:
            looped = loop(exchange, theirs)
    agreed = agreement(ours, theirs) if synced is not None and looped is not None else None
    tell(synced, looped, agreed, figures, rows)
    return Report("backfill", settings_of(options), figures, rows)


def tell(
    synced: Synced | None,
    looped: Looped | None,
    agreed: dict[str, int] | None,
    figures: dict[str, Any],
    rows: list[Row],
) -> None:
    """Put what was measured into figures and rows."""
    if synced is not None:
        _tell_engine(synced, figures, rows)
    if looped is not None:
        _tell_loop(looped, figures, rows)
    if synced is not None and looped is not None and agreed is not None:
        _tell_both(synced, looped, agreed, figures, rows)


def backfill(options: Options, exchange: Exchange, database: Path) -> Synced:
    """The engine's side: a real cluster, everybody enabled at once."""
    cluster = {"hosts_per_node": options.hosts, "sync_concurrency": options.concurrency}
    # The loop does not subscribe either
    jobs = {"ManagePushSubscriptions": {"enabled": False}}
    settings = settings_for(exchange, database, cluster=cluster, jobs=jobs)
    with running(exchange, settings) as cluster_running:
        return asyncio.run(_until_synced(cluster_running, options.idle))


async def _until_synced(cluster: Running, idle: float) -> Synced:
    idling = await cluster.idle(idle)
    before = cluster.usage()
    await cluster.enable()
    status = await cluster.synced()
    return Synced(status.emails, idling, cluster.usage().since(before))


def agreement(ours: Path, theirs: Path) -> dict[str, int]:
    """Both databases side by side: emails only one of them has, and emails they tell differently."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{ours}' AS ours (READ_ONLY)")
        connection.execute(f"ATTACH '{theirs}' AS theirs (READ_ONLY)")
        row = connection.execute(
            """
            SELECT count(*) FILTER (theirs_id IS NULL), count(*) FILTER (ours_id IS NULL),
                   count(*) FILTER (NOT same), count(*)
            FROM (
                SELECT o.item_id AS ours_id, t.item_id AS theirs_id,
                       o.subject IS NOT DISTINCT FROM t.subject AND o.message_id IS NOT DISTINCT FROM t.message_id
                       AND o.received_at IS NOT DISTINCT FROM t.received_at AND o.folder = t.folder
                       AND coalesce(o.body_html, o.body_text) IS NOT DISTINCT FROM t.body
                       AND len(o.to_recipients) = json_array_length(t.to_recipients) AS same
                FROM (FROM ours._mailroom.emails WHERE deleted_at IS NULL) AS o
                FULL JOIN theirs.emails AS t ON o.item_id = t.item_id
            )
            """
        ).fetchone()
    only_ours, only_theirs, different, all_of_them = row or (0, 0, 0, 0)
    return {"all": all_of_them, "only_engine": only_ours, "only_loop": only_theirs, "different": different}


def _tell_engine(synced: Synced, figures: dict[str, Any], rows: list[Row]) -> None:
    thousands = synced.emails / 1000
    used = synced.used
    figures["engine"] = {
        "emails": synced.emails,
        "cpu_seconds": round(used.engine, 3),
        "cpu_seconds_by_role": used.rounded(),
        "cpu_per_1000": round(used.engine / thousands, 4),
        "cpu_per_1000_with_ray": round((used.engine + used.ray) / thousands, 4),
        "wall_seconds": round(used.wall, 2),
        "emails_per_second": round(synced.emails / used.wall, 1),
    }
    idle = synced.idle
    figures["idle"] = {
        "seconds": round(idle.wall, 2),
        "cpu_by_role": {role: round(spent / idle.wall, 4) for role, spent in sorted(idle.seconds.items())},
        "engine_cores": round(idle.engine / idle.wall, 4),
        "ray_cores": round(idle.ray / idle.wall, 4),
    }
    rows += [
        ("engine, emails", f"{synced.emails:,}"),
        (
            "engine, CPU s per 1,000",
            f"{used.engine / thousands:.3f} (with Ray's own {(used.engine + used.ray) / thousands:.3f})",
        ),
        ("engine, CPU s by role", ", ".join(f"{role} {spent:.2f}" for role, spent in used.rounded().items())),
        ("engine, emails/s", f"{synced.emails / used.wall:,.0f}"),
        ("idle cluster, cores", f"{idle.engine / idle.wall:.3f} and Ray's own {idle.ray / idle.wall:.3f}"),
    ]


def _tell_loop(looped: Looped, figures: dict[str, Any], rows: list[Row]) -> None:
    thousands = looped.emails / 1000
    figures["loop"] = {
        "emails": looped.emails,
        "cpu_seconds": round(looped.cpu, 3),
        "cpu_seconds_storing": round(looped.storing, 3),
        "cpu_per_1000": round(looped.cpu / thousands, 4),
        "cpu_per_1000_without_storing": round((looped.cpu - looped.storing) / thousands, 4),
        "wall_seconds": round(looped.wall, 2),
        "emails_per_second": round(looped.emails / looped.wall, 1),
    }
    rows += [
        ("loop, emails", f"{looped.emails:,}"),
        ("loop, CPU s per 1,000", f"{looped.cpu / thousands:.3f} (of it storing {looped.storing / thousands:.3f})"),
        ("loop, emails/s", f"{looped.emails / looped.wall:,.0f}"),
    ]


def _tell_both(
    synced: Synced, looped: Looped, agreed: dict[str, int], figures: dict[str, Any], rows: list[Row]
) -> None:
    ours = synced.used.engine / synced.emails
    theirs = looped.cpu / looped.emails
    figures["agreement"] = agreed
    figures["ratio"] = {
        "cpu": round(theirs / ours, 2),
        "cpu_with_ray": round(theirs / (ours + synced.used.ray / synced.emails), 2),
        "cpu_without_storing_in_loop": round((looped.cpu - looped.storing) / looped.emails / ours, 2),
        "speed": round(synced.emails / synced.used.wall / (looped.emails / looped.wall), 2),
        "target": TARGET,
        "reached": theirs / ours >= TARGET,
    }
    alike = not (agreed["only_engine"] or agreed["only_loop"] or agreed["different"])
    rows += [
        ("same emails in both", f"{'yes' if alike else 'NO'}: {agreed}"),
        (
            "loop's CPU / engine's CPU",
            f"{theirs / ours:.2f} (target {TARGET:g}); with Ray's own {figures['ratio']['cpu_with_ray']}",
        ),
        ("engine's speed / loop's speed", f"{figures['ratio']['speed']}"),
    ]
