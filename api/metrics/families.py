"""A snapshot as Prometheus metrics. Pure; a part that is away leaves its metrics without samples.

Labels are names of hosts, jobs and states, and codes of the failure table: none of them grows with operators or mail.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from api.metrics.snapshot import Snapshot
from api.overview import in_words, standing_of
from engine.failures import failure_by_code
from engine.jobs.model import JobState, Outcome
from engine.orders import HostReport
from engine.status import Status

_OTHER = "other"


def families(snapshot: Snapshot, version: str) -> Iterator[Metric]:
    """Every metric that does not count requests of the gateway itself."""
    overview = snapshot.overview
    build = GaugeMetricFamily("mailroom_build_info", "The version that runs; always 1.", labels=["version"])
    build.add_metric([version], 1)
    yield build
    yield _gauge("mailroom_store_up", "Whether the store answers.", overview.status is not None)
    yield _gauge("mailroom_coordinator_up", "Whether the coordinator answers.", overview.jobs is not None)
    yield from _of_store(overview.status)
    yield from _of_jobs(overview.jobs or [])
    yield from _of_runs(snapshot)
    yield from _of_hosts(overview.hosts)
    yield _of_exchange(overview.hosts or {})
    yield from _of_alerts(overview.alerts, overview.open_alerts)


def _of_store(status: Status | None) -> Iterator[Metric]:
    operators = GaugeMetricFamily("mailroom_operators", "Operators by where they stand.", labels=["state"])
    subscriptions = GaugeMetricFamily("mailroom_subscriptions", "Push subscriptions.", labels=["state"])
    failures = GaugeMetricFamily("mailroom_failures", "Operators with a trouble, by its code.", labels=["code"])
    if status is not None:
        for state in ("synced", "syncing", "failing", "disabled"):
            operators.add_metric([state], getattr(status.operators, state))
        for state in ("active", "wanted"):
            subscriptions.add_metric([state], getattr(status.subscriptions, state))
        codes: Counter[str] = Counter()
        for trouble in status.troubles:
            codes[_code(trouble.code)] += trouble.operators
        for code, number in sorted(codes.items()):
            failures.add_metric([code], number)
    yield from (operators, subscriptions, failures)
    emails, pending, quarantined = (status.emails, status.pending, status.quarantined) if status else (None,) * 3
    yield _gauge("mailroom_emails", "Emails in the store, without deleted ones.", emails)
    yield _gauge("mailroom_pending_items", "Items listed and not fetched yet.", pending)
    yield _gauge("mailroom_quarantined_items", "Items set aside with a reason.", quarantined)


def _of_jobs(states: list[JobState]) -> Iterator[Metric]:
    enabled = GaugeMetricFamily("mailroom_job_enabled", "Whether a job is enabled.", labels=["job_name"])
    running = GaugeMetricFamily("mailroom_job_running", "Whether a run is under way.", labels=["job_name"])
    following = GaugeMetricFamily(
        "mailroom_job_next_run_timestamp_seconds", "When a job is to run next (Unix time).", labels=["job_name"]
    )
    for state in states:
        label = [state.job.name.value]
        enabled.add_metric(label, state.job.enabled)
        running.add_metric(label, state.latest is not None and state.latest.outcome is Outcome.RUNNING)
        if state.next_run_at is not None:
            following.add_metric(label, state.next_run_at.timestamp())
    yield from (enabled, running, following)


def _of_runs(snapshot: Snapshot) -> Iterator[Metric]:
    ended = GaugeMetricFamily(
        "mailroom_job_last_end_timestamp_seconds",
        "When the latest run with this outcome ended (Unix time).",
        labels=["job_name", "outcome"],
    )
    lasted = GaugeMetricFamily(
        "mailroom_job_last_duration_seconds", "How long the latest run took.", labels=["job_name"]
    )
    latest: dict[str, tuple[float, float]] = {}
    for (job, outcome), row in snapshot.ended.items():
        at = _timestamp(row["finished_at"])
        ended.add_metric([job.value, outcome.value], at)
        latest[job.value] = max(latest.get(job.value, (0.0, 0.0)), (at, at - _timestamp(row["started_at"])))
    for name, (_, seconds) in latest.items():
        lasted.add_metric([name], seconds)
    yield from (ended, lasted)


def _of_hosts(hosts: Mapping[str, HostReport] | None) -> Iterator[Metric]:
    yield _gauge("mailroom_hosts", "Mailbox hosts that answer.", None if hosts is None else len(hosts))
    active = GaugeMetricFamily("mailroom_mailboxes_in_memory", "Mailboxes a host has in memory.", labels=["host"])
    busy = GaugeMetricFamily("mailroom_mailboxes_in_progress", "Mailboxes a host is synchronising.", labels=["host"])
    width = GaugeMetricFamily(
        "mailroom_ews_concurrency", "EWS requests a host would have under way at once at present.", labels=["host"]
    )
    requests = CounterMetricFamily(
        "mailroom_ews_requests", "EWS requests since the host started.", labels=["host", "outcome"]
    )
    for host, report in sorted((hosts or {}).items()):
        active.add_metric([host], report.active)
        busy.add_metric([host], len(report.in_progress))
        width.add_metric([host], report.concurrency)
        outcomes: Counter[str] = Counter()
        for outcome, number in report.outcomes.items():
            outcomes[outcome if outcome == "ok" else _code(outcome)] += number
        for outcome, number in sorted(outcomes.items()):
            requests.add_metric([host, outcome], number)
    yield from (active, busy, width, requests)


def _of_exchange(hosts: Mapping[str, HostReport]) -> Metric:
    standing = GaugeMetricFamily(
        "mailroom_exchange_standing", "1 while Exchange as a whole does not serve us, by cause.", labels=["code"]
    )
    found = standing_of(hosts)
    if found is not None:
        standing.add_metric([in_words(found).code], 1)
    return standing


def _of_alerts(alerts: tuple[dict[str, Any], ...] | None, opened: list[dict[str, Any]] | None) -> Iterator[Metric]:
    standing = GaugeMetricFamily("mailroom_alerts_open", "Alerts that are not over, by cause.", labels=["code"])
    for code, number in sorted(Counter(_code(alert["code"]) for alert in opened or ()).items()):
        standing.add_metric([code], number)
    yield standing
    waiting = None if alerts is None else sum(alert["mails_waiting"] or 0 for alert in alerts)
    yield _gauge("mailroom_alert_mails_waiting", "Digests written and not sent yet.", waiting)


def _gauge(name: str, words: str, value: float | None) -> Metric:
    family = GaugeMetricFamily(name, words)
    if value is not None:
        family.add_metric([], value)
    return family


def _code(code: str) -> str:
    return code if failure_by_code(code) else _OTHER


def _timestamp(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
