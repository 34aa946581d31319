"""Jobs and their runs on a terminal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from api.terminal.columns import print_line, print_table
from api.terminal.times import ago, lasting

RUNNING = "running"
_WELL = ("succeeded", RUNNING)
_OF_EMAILS = "AssociateEmails"
"""The job that is about emails, and no operators."""


def show_jobs(console: Console, jobs: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """The jobs: when they run, and how the latest run went."""
    print_table(
        console,
        ("Job", "Every", "Last run", "Went~", "Next run"),
        [
            (
                job["name"],
                schedule(job),
                ago(job["last_run_at"], now) or "never",
                went(job["latest"]),
                next_run(job, now),
            )
            for job in jobs
        ],
    )


def show_runs(console: Console, name: str, runs: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """The runs of one job, newest first, and what was wrong with those that did not succeed."""
    made = "subscriptions" if name == "ManagePushSubscriptions" else "emails"
    of_emails = name == _OF_EMAILS
    print_table(
        console,
        ("Began", "By", "Took", "Went", *(() if of_emails else ("Operators#", "Failing#")), f"{made.capitalize()}#"),
        [
            (
                ago(run["started_at"], now),
                run["trigger"],
                "" if run["seconds"] is None else lasting(run["seconds"]),
                run["outcome"],
                *(() if of_emails else (f"{run['done']:,}/{run['operators']:,}", f"{run['failed']:,}")),
                f"{run[made]:,}",
            )
            for run in runs
        ],
    )
    for run in runs:
        if run["message"] and run["outcome"] not in _WELL:
            print_line(console, f"{ago(run['started_at'], now)}: {run['message']}")


def schedule(job: Mapping[str, Any]) -> str:
    """``15m``, or a cron expression with its time zone."""
    return f"{job['every']} {job['timezone']}" if " " in job["every"] else str(job["every"])


def went(run: Mapping[str, Any] | None) -> str:
    """How a run stands, in a few words."""
    if run is None:
        return ""
    match run["outcome"]:
        case "running" if run["job"] == _OF_EMAILS:
            return f"running, {run['emails']:,} emails done, {run['pending']:,} to do"
        case "running":
            return f"running, {run['done']:,} of {run['operators']:,} done"
        case "partial":
            return f"partial, {run['failed']:,} fail"
        case outcome:
            return str(outcome)


def next_run(job: Mapping[str, Any], now: datetime) -> str:
    """When a job runs next, in words."""
    if not job["enabled"]:
        return "disabled"
    return ago(job["next_run_at"], now) or "when it is due"


def changed_line(job: Mapping[str, Any], now: datetime) -> str:
    """What is answered to a change."""
    run = job["latest"]
    if not job["enabled"]:
        stops = " The run under way stops at its next page." if run and run["outcome"] == RUNNING else ""
        return f"{job['name']} is disabled.{stops}"
    return f"{job['name']} is enabled, every {schedule(job)}; next run {next_run(job, now)}."


def ended_line(run: Mapping[str, Any]) -> str:
    """How a run ended, in one line."""
    what = f"{run['done']:,} of {run['operators']:,} operators, {run['failed']:,} failing"
    made = f"{run['emails']:,} emails" if run["job"] == "EmailSync" else f"{run['subscriptions']:,} subscriptions"
    message = f" {run['message']}" if run["message"] else ""
    if run["job"] == _OF_EMAILS:
        left = f", {run['pending']:,} to do" if run["pending"] else ""
        took = lasting(run["seconds"] or 0)
        return f"{run['job']} {run['outcome']} after {took}: {run['emails']:,} emails associated anew{left}.{message}"
    return f"{run['job']} {run['outcome']} after {lasting(run['seconds'] or 0)}: {what}, {made}.{message}"
