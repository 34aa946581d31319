"""Jobs and their runs. Who is left to do in a run is read from the mailboxes, so a run has no list to keep."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb

from engine import errors
from engine.jobs.model import Job, JobName, JobRun, JobState, Outcome, Progress, Trigger
from engine.store.associating import anew
from engine.store.operators import LEFT_TO_DO, LIVE, UNREACHABLE, WANTED
from engine.store.staging import registered
from engine.store.tables import JOBS, RUNS, columns
from engine.store.times import utc

KEPT_RUNS = 1000
"""Finished runs of a job beyond this many go, the oldest first: ten days of one every quarter of an hour."""

_JOB = "name, enabled, every, timezone, access_group, last_run_at"
_RUN = (
    'run_id, job, "trigger", started_at, finished_at, outcome, operators, done, failed, emails, subscriptions, '
    "message, pending"
)


def seed_jobs(connection: duckdb.DuckDBPyConnection, jobs: Sequence[Job]) -> list[Job]:
    """Take in what the configuration says: a new job whole, of a known one what has been edited there since."""
    rows = [(job.name.value, job.enabled, job.every, job.timezone, job.access_group, job.last_run_at) for job in jobs]
    with registered(connection, "given", columns(rows, JOBS)):
        edited = ", ".join(
            f"{name} = CASE WHEN g.{name} <> j.file_{name} THEN g.{name} ELSE j.{name} END, file_{name} = g.{name}"
            for name in ("enabled", "every", "timezone", "access_group")
        )
        connection.execute(f"UPDATE _mailroom.jobs AS j SET {edited} FROM given AS g WHERE g.name = j.name")  # noqa: S608
        connection.execute(
            """
            INSERT INTO _mailroom.jobs
            SELECT g.*, g.enabled, g.every, g.timezone, g.access_group
            FROM given AS g WHERE g.name NOT IN (SELECT name FROM _mailroom.jobs)
            """
        )
    return _read_jobs(connection)


def job_states(cursor: duckdb.DuckDBPyConnection) -> list[JobState]:
    """Every job, by name, with its latest run."""
    rows = cursor.execute(
        f"SELECT {_RUN} FROM _mailroom.job_runs "  # noqa: S608
        "QUALIFY row_number() OVER (PARTITION BY job ORDER BY started_at DESC, run_id DESC) = 1"
    ).fetchall()
    latest = {run.job: run for run in map(_run, rows)}
    return [JobState(job, latest.get(job.name)) for job in _read_jobs(cursor)]


def put_job(connection: duckdb.DuckDBPyConnection, job: Job) -> None:
    """Change a job's schedule.

    Raises:
        UnknownJob: there is none of this name.
    """
    changed = connection.execute(
        "UPDATE _mailroom.jobs SET enabled = $2, every = $3, timezone = $4, access_group = $5 WHERE name = $1 "
        "RETURNING name",
        [job.name.value, job.enabled, job.every, job.timezone, job.access_group],
    ).fetchall()
    if not changed:
        raise errors.UnknownJob(f"There is no job {job.name}.")


def begin_run(connection: duckdb.DuckDBPyConnection, run: JobRun) -> JobRun:
    """Open a run, unless one of its job is open: then that one."""
    open_ones = connection.execute(
        f"SELECT {_RUN} FROM _mailroom.job_runs WHERE job = $1 AND finished_at IS NULL ORDER BY started_at",  # noqa: S608
        [run.job.value],
    ).fetchall()
    if open_ones:
        return _run(open_ones[0])
    put_run(connection, run)
    connection.execute("UPDATE _mailroom.jobs SET last_run_at = $2 WHERE name = $1", [run.job.value, run.started_at])
    if run.trigger is Trigger.MANUAL:
        _begin_by_hand(connection, run)
    return run


def _begin_by_hand(connection: duckdb.DuckDBPyConnection, run: JobRun) -> None:
    if run.job is JobName.EMAIL_SYNC:
        connection.execute(
            "UPDATE _mailroom.mailboxes SET next_sync_at = $1 "
            "WHERE status IN ('failing', 'failed') AND (next_sync_at IS NULL OR next_sync_at > $1)",
            [run.started_at],
        )
    elif run.job is JobName.MANAGE_PUSH_SUBSCRIPTIONS:
        connection.execute("UPDATE _mailroom.subscriptions SET next_attempt_at = NULL WHERE status <> 'active'")
    else:
        anew.queue_all(connection)


def put_run(connection: duckdb.DuckDBPyConnection, run: JobRun) -> None:
    """Write a run down, and let the oldest of its job go."""
    times = (run.started_at, run.finished_at, run.outcome.value)
    counts = (run.operators, run.done, run.failed, run.emails, run.subscriptions, run.message, run.pending)
    row = (run.run_id, run.job.value, run.trigger.value, *times, *counts)
    with registered(connection, "given", columns([row], RUNS)):
        connection.execute("DELETE FROM _mailroom.job_runs WHERE run_id IN (SELECT run_id FROM given)")
        connection.execute("INSERT INTO _mailroom.job_runs SELECT * FROM given")
    connection.execute(
        """
        DELETE FROM _mailroom.job_runs WHERE run_id IN (
            SELECT run_id FROM _mailroom.job_runs WHERE job = $1
            ORDER BY started_at DESC, run_id DESC OFFSET $2
        )
        """,
        [run.job.value, KEPT_RUNS],
    )


def progress(cursor: duckdb.DuckDBPyConnection, run: JobRun, now: datetime) -> Progress:
    """How a run stands now."""
    if run.job is JobName.ASSOCIATE_EMAILS:
        return Progress(emails=anew.done_since(cursor, run.started_at), pending=anew.left(cursor))
    given: dict[str, Any] = {"now": now}
    if run.job is JobName.EMAIL_SYNC:
        given["started"] = run.started_at
        left, failing = LEFT_TO_DO, "m.status IN ('failing', 'failed')"
    else:
        left, failing = WANTED, f"({LIVE} IS NOT TRUE OR {UNREACHABLE})"
    operators, done, failed = cursor.execute(
        f"""
        SELECT count(*), count(*) FILTER (NOT {left}), count(*) FILTER (NOT {left} AND {failing})
        FROM _mailroom.operators AS o
        JOIN _mailroom.mailboxes AS m USING (operator_id)
        LEFT JOIN _mailroom.subscriptions AS s USING (operator_id)
        WHERE o.email_sync
        """,  # noqa: S608
        given,
    ).fetchall()[0]
    emails, subscriptions = cursor.execute(
        """
        SELECT (SELECT count(*) FROM _mailroom.emails WHERE landed_at >= $1 AND deleted_at IS NULL),
               (SELECT count(*) FROM _mailroom.subscriptions WHERE created_at >= $1)
        """,
        [run.started_at],
    ).fetchall()[0]
    return Progress(operators, done, failed, emails, subscriptions)


def _read_jobs(connection: duckdb.DuckDBPyConnection) -> list[Job]:
    rows = connection.execute(f"SELECT {_JOB} FROM _mailroom.jobs ORDER BY name").fetchall()  # noqa: S608
    return [
        Job(JobName(name), enabled, every, timezone, access_group, utc(last))
        for name, enabled, every, timezone, access_group, last in rows
    ]


def _run(row: tuple[Any, ...]) -> JobRun:
    run_id, job, trigger, started, finished, outcome, *counts = row
    return JobRun(run_id, JobName(job), Trigger(trigger), utc(started), utc(finished), Outcome(outcome), *counts)
