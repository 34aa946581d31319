"""``mailroom status`` on a terminal: the figures, and below them what is in the way."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from api.terminal.columns import print_line
from api.terminal.jobs import next_run, went
from api.terminal.times import ago

_STATES = ("synced", "syncing", "failing", "disabled")


def show_status(console: Console, status: Mapping[str, Any], now: datetime) -> None:
    """The figures of ``status``, then Exchange as a whole, open alerts, and each trouble with its cause and remedy."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for row in _figures(status):
        table.add_row(*row)
    console.print(table)
    console.print()
    for line in _about_jobs(status.get("jobs"), now):
        print_line(console, line)
    standing = (status.get("exchange") or {}).get("standing")
    if standing:
        console.print()
        print_line(console, f"Exchange as a whole: {standing['code']}: {standing['cause']}", "bold red")
        for line in _about_exchange(standing, now):
            print_line(console, line, indent=2)
    for trouble in status.get("troubles", ()):
        if standing and trouble["code"] == standing["code"]:
            continue
        console.print()
        print_line(console, f"{trouble['code']}: {trouble['cause']}", "bold red")
        for line in _about(trouble, now):
            print_line(console, line, indent=2)
    if status.get("troubles"):
        console.print()
        print_line(console, "`mailroom failures` lists everybody who is touched.", "dim")


def _figures(status: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    operators, subscriptions = status["operators"], status["subscriptions"]
    states = [f"{operators[name]:,} {name}" for name in _STATES if operators[name] or name == "synced"]
    yield "Operators", f"{operators['total']:,}", ", ".join(states)
    yield "Emails", f"{status['emails']:,}", f"{status['pending']:,} more to fetch"
    if status.get("quarantined"):
        yield "Quarantined", f"{status['quarantined']:,}", "items set aside with their reason"
    yield "Subscriptions", f"{subscriptions['active']:,}", f"of {subscriptions['wanted']:,} wanted"
    alerts = status.get("alerts")
    if alerts:
        yield "Alerts", f"{len(alerts):,}", ", ".join(f"{alert['code']} ({alert['status']})" for alert in alerts)


def _about_jobs(jobs: Sequence[Mapping[str, Any]] | None, now: datetime) -> Iterator[str]:
    if jobs is None:
        yield "How the jobs stand is not known: the coordinator does not answer."
    for job in jobs or ():
        last = ago(job["last_run_at"], now)
        outcome = went(job["latest"])
        words = f"ran {last} ({outcome})" if last and outcome else "has not run yet"
        yield f"{job['name']} {words}; next run: {next_run(job, now)}"


def _about_exchange(standing: Mapping[str, Any], now: datetime) -> Iterator[str]:
    yield f"What to do: {standing['remedy']}"
    yield f"Since {ago(standing['since'], now)}: {standing['message']}"
    yield f"{standing['waiting']:,} mailboxes wait for its end; they go on by themselves."


def _about(trouble: Mapping[str, Any], now: datetime) -> Iterator[str]:
    yield f"What to do: {trouble['remedy']}"
    yield f"Operators: {trouble['operators']:,}, for example {trouble['example']}: {trouble['message']}"
    if trouble.get("since"):
        following = ago(trouble.get("next_attempt_at"), now) or "when it is mended"
        yield f"Since {ago(trouble['since'], now)}; next attempt {following}"
