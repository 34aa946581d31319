"""``mailroom check``: prove that operators' mailboxes can be kept in step, and say what to do where one can not."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.operators import find_operator, path_of

if TYPE_CHECKING:
    from api.client import GatewayClient

AT_ONCE = 16
"""Operators that are checked side by side."""

Report = dict[str, Any]


def check(
    operators: Annotated[list[str] | None, typer.Argument(help="Ids or addresses; none: those that fail.")] = None,
    *,
    round_trip: Annotated[
        bool, typer.Option("--round-trip/--no-round-trip", help="Wait for Exchange to call back, a minute or so.")
    ] = True,
    enable: Annotated[bool, typer.Option("--enable", help="Enable those whose steps are all well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reports as a JSON array.")] = False,
) -> None:
    """Test operators against Exchange, step by step: each result, and what to do. Exit code 1 if one fails."""
    reports, enabled = asyncio.run(_check(operators or [], round_trip=round_trip, enable=enable))
    if as_json:
        typer.echo(json.dumps(reports, indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        from rich.console import Console

        from api.terminal.checks import show_checks

        show_checks(Console(), reports)
    else:
        _print_plain(reports)
    for one in enabled:
        typer.echo(f"mailroom: {one['operator_id']} ({one['email']}) is enabled.", err=True)
    if not reports:
        typer.echo("mailroom: no operator fails; name those to check.", err=True)
    if any(report["verdict"] == "failed" for report in reports):
        raise typer.Exit(1)


async def _check(who: Sequence[str], *, round_trip: bool, enable: bool) -> tuple[list[Report], list[dict[str, Any]]]:
    """The reports, and the operators that were enabled. Each is a request of its own, so that progress shows."""
    from api.client import connect_by_environment
    from api.terminal.progress import run_progress

    async with connect_by_environment() as client:
        operator_ids = await _whom(client, who)
        with run_progress("Checking") as show:
            reports = await _reports(client, operator_ids, round_trip, show)
        passed = [report for report in reports if report["verdict"] != "failed"] if enable else []
        enabled = [await client.ask("PATCH", path_of(one["operator_id"]), {"email_sync": True}) for one in passed]
    return reports, enabled


async def _reports(
    client: "GatewayClient", operator_ids: Sequence[str], round_trip: bool, show: Callable[[dict[str, Any]], None]
) -> list[Report]:
    gate = asyncio.Semaphore(AT_ONCE)
    progress = {"operators": len(operator_ids), "done": 0, "failed": 0}

    async def one(operator_id: str) -> Report:
        async with gate:
            answer = await client.ask("POST", "operators/check", {"operators": [operator_id], "round_trip": round_trip})
        report: Report = answer["items"][0]
        progress["done"] += 1
        progress["failed"] += report["verdict"] == "failed"
        show(progress)
        return report

    show(progress)
    return list(await asyncio.gather(*map(one, operator_ids)))


async def _whom(client: "GatewayClient", who: Sequence[str]) -> list[str]:
    if who:
        found = [(await find_operator(client, one))["operator_id"] for one in dict.fromkeys(who)]
        return list(dict.fromkeys(found))
    failing: list[str] = []
    for status in ("failed", "failing"):
        items, _ = await client.items("operators", {"status": status}, None)
        failing += [item["operator_id"] for item in items]
    return failing


def _print_plain(reports: Sequence[Report]) -> None:
    """A line a step, for pipes."""
    from api.tables import plain_lines

    columns = ("operator_id", "email", "step", "result", "seconds", "code", "message", "remedy")
    rows = [
        (report["operator_id"], report["email"], step["name"], *(step[name] for name in columns[3:]))
        for report in reports
        for step in report["steps"]
    ]
    lines = plain_lines(columns, rows) if rows else ()
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())
    sys.stdout.buffer.flush()
