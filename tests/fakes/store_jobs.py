"""MemoryStore's jobs: ``ports.JobStore`` over its mailboxes."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.errors import UnknownJob
from engine.jobs.model import Job, JobName, JobRun, JobState, Progress, Trigger
from engine.model import SubscriptionStatus
from tests.fakes.store_records import (
    FAILING,
    is_left,
    is_live,
    is_unreachable,
    wants_subscription,
)
from tests.fakes.store_settings import MemorySettings

KEPT_RUNS = 1000
_SEEDED = ("enabled", "every", "timezone", "access_group")


class MemoryJobs(MemorySettings):
    """``runs``: every run, in the order they were written first."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, JobRun] = {}
        self._jobs: dict[JobName, Job] = {}
        self._file: dict[JobName, Job] = {}

    async def seed_jobs(self, jobs: Sequence[Job]) -> list[Job]:
        self._check()
        for job in jobs:
            stored, said = self._jobs.get(job.name, job), self._file.get(job.name, job)
            edited = {name: getattr(job, name) for name in _SEEDED if getattr(job, name) != getattr(said, name)}
            self._jobs[job.name], self._file[job.name] = replace(stored, **edited), job
        return [self._jobs[name] for name in sorted(self._jobs)]

    async def jobs(self) -> list[JobState]:
        self._check()
        return [JobState(self._jobs[name], self._latest(name)) for name in sorted(self._jobs)]

    async def put_job(self, job: Job) -> None:
        self._check()
        if job.name not in self._jobs:
            raise UnknownJob(f"There is no job {job.name}.")
        self._jobs[job.name] = replace(job, last_run_at=self._jobs[job.name].last_run_at)

    async def begin_run(self, run: JobRun) -> JobRun:
        self._check()
        for known in self.runs.values():
            if known.job is run.job and known.finished_at is None:
                return known
        self.runs[run.run_id] = run
        if run.job in self._jobs:
            self._jobs[run.job] = replace(self._jobs[run.job], last_run_at=run.started_at)
        if run.trigger is Trigger.MANUAL:
            await self._begin_by_hand(run)
        return run

    async def put_run(self, run: JobRun) -> None:
        self._check()
        self.runs[run.run_id] = run
        mine = sorted((one for one in self.runs.values() if one.job is run.job), key=_newest_last)
        for old in mine[:-KEPT_RUNS]:
            del self.runs[old.run_id]

    async def progress(self, run: JobRun, now: datetime) -> Progress:
        self._check()
        if run.job is JobName.ASSOCIATE_EMAILS:
            return Progress(emails=self._associated_since(run.started_at), pending=await self.associations_left())
        enabled = [box for box in self._boxes() if box.operator.email_sync]
        if run.job is JobName.EMAIL_SYNC:
            done = [box for box in enabled if not is_left(box.record, run.started_at, now)]
            failed = sum(box.record.status in FAILING for box in done)
        else:
            done = [box for box in enabled if not wants_subscription(box.subscription, now, self.outdated_before)]
            failed = sum(not is_live(box.subscription, now) or is_unreachable(box.subscription) for box in done)
        landed = [row["landed_at"] for box in self._boxes() for row in box.rows.current().values()]
        made = [box.subscription.created_at for box in self._boxes() if box.subscription]
        return Progress(
            operators=len(enabled),
            done=len(done),
            failed=failed,
            emails=sum(at >= run.started_at for at in landed),
            subscriptions=sum(at is not None and at >= run.started_at for at in made),
        )

    def _latest(self, name: JobName) -> JobRun | None:
        return max((run for run in self.runs.values() if run.job is name), key=_newest_last, default=None)

    @abstractmethod
    def _associated_since(self, since: datetime) -> int: ...

    @abstractmethod
    async def associations_left(self) -> int: ...

    @abstractmethod
    async def associate_all(self) -> int: ...

    async def _begin_by_hand(self, run: JobRun) -> None:
        if run.job is JobName.ASSOCIATE_EMAILS:
            await self.associate_all()
            return
        for box in self._boxes():
            record, subscription = box.record, box.subscription
            if run.job is JobName.EMAIL_SYNC:
                if record.status in FAILING and (record.next_sync_at is None or record.next_sync_at > run.started_at):
                    box.record = replace(record, next_sync_at=run.started_at)
            elif subscription is not None and subscription.status is not SubscriptionStatus.ACTIVE:
                box.subscription = replace(subscription, next_attempt_at=None)


def _newest_last(run: JobRun) -> tuple[datetime, str]:
    return run.started_at, run.run_id
