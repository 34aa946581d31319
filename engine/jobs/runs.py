"""What to do about a job now, and what its run has come to. Pure.

```
            due                          nobody left
  (none) ─────────▶ running ───────────────────────────────▶ succeeded, or partial where somebody fails
    ▲                  │ disabled
    └── enabled: due ──┴────────────▶ stopped
```
A run of EmailSync begins whenever its schedule says so; one of ManagePushSubscriptions only if somebody wants a
subscription then, and one of AssociateEmails if emails wait for it, so that their history is of what was done.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from engine.jobs.model import Job, JobName, JobRun, JobState, Outcome, Progress
from engine.jobs.schedule import next_run_at

LOOK_EVERY = timedelta(seconds=2)
"""A look is a query over all mailboxes."""
WRITE_EVERY = timedelta(seconds=5)


class Step(StrEnum):
    """What is to be done about a job. ASK: begin a run if somebody is left to do."""

    NOTHING = "nothing"
    BEGIN = "begin"
    ASK = "ask"
    LOOK = "look"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Watch:
    """A job under the eyes of the foreman; all but ``state`` may be forgotten at any time.

    ``asked_at``: when somebody was last looked for who would make a run worth while. ``looked_at``: when the open run
    was last looked at; ``written``: the run as the store has it, ``written_at``: since when.
    """

    state: JobState
    asked_at: datetime | None = None
    looked_at: datetime | None = None
    written: JobRun | None = None
    written_at: datetime | None = None

    @property
    def job(self) -> Job:
        """The job as it is scheduled."""
        return self.state.job

    @property
    def open_run(self) -> JobRun | None:
        """The run under way."""
        latest = self.state.latest
        return latest if latest is not None and latest.finished_at is None else None


def next_step(watch: Watch, now: datetime, *, enabled: bool) -> Step:
    """What to do about a job. ``enabled``: whether it may run at all, the installation's switch included."""
    if watch.open_run is not None:
        if not enabled:
            return Step.STOP
        return Step.LOOK if _passed(watch.looked_at, LOOK_EVERY, now) else Step.NOTHING
    at = next_at(watch, now, enabled=enabled)
    if at is None or at > now:
        return Step.NOTHING
    return Step.BEGIN if watch.job.name is JobName.EMAIL_SYNC else Step.ASK


def next_at(watch: Watch, now: datetime, *, enabled: bool) -> datetime | None:
    """When the next run is due. A run that was stopped is made up for as soon as its job is enabled again."""
    job, latest = watch.job, watch.state.latest
    if not (enabled and job.enabled):
        return None
    asked = watch.asked_at
    if asked is not None and (job.last_run_at is None or asked > job.last_run_at):
        return next_run_at(replace(job, last_run_at=asked), now)
    if latest is not None and latest.outcome is Outcome.STOPPED:
        return now
    return next_run_at(job, now)


def assess(run: JobRun, progress: Progress, now: datetime) -> JobRun:
    """The run as it stands by these counts: finished once nobody is left to do."""
    counted = replace(
        run,
        operators=progress.operators,
        done=progress.done,
        failed=progress.failed,
        emails=progress.emails,
        subscriptions=progress.subscriptions,
        pending=progress.pending,
    )
    if not progress.is_through:
        return counted
    if not progress.failed:
        return replace(counted, finished_at=now, outcome=Outcome.SUCCEEDED)
    verb = "fails" if progress.failed == 1 else "fail"
    what = "operators" if run.job is JobName.EMAIL_SYNC else "subscriptions"
    message = f"{progress.failed} of {progress.operators} {what} {verb}; `mailroom failures` says why."
    return replace(counted, finished_at=now, outcome=Outcome.PARTIAL, message=message)


def stop(run: JobRun, now: datetime, why: str) -> JobRun:
    """The run, ended because its job may not go on."""
    return replace(run, finished_at=now, outcome=Outcome.STOPPED, message=why)


def worth_writing(watch: Watch, run: JobRun, now: datetime) -> bool:
    """Whether the store is to know how the run stands now: at its end, and now and then if something has changed."""
    if run.finished_at is not None:
        return True
    return run != watch.written and _passed(watch.written_at, WRITE_EVERY, now)


def _passed(since: datetime | None, span: timedelta, now: datetime) -> bool:
    # A clock that was put back must not hold anything up.
    return since is None or not since <= now < since + span
