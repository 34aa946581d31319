"""The foreman: keeps the jobs to their schedules, over any ``ports.JobStore``.

Guarantees: never two runs of a job at once; a run survives the death of everything and goes on, because who is left to
do stands in the store; what a call answers is durable. A call the store did not answer is forgotten and the store asked
anew, so whatever it did or did not do is found as it is.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import structlog

from engine.errors import JobRefused, SettingsError, UnknownJob
from engine.jobs import runs
from engine.jobs.model import Job, JobChange, JobName, JobRun, JobState, Shift, Trigger
from engine.jobs.runs import Step, Watch
from engine.jobs.schedule import check
from engine.ports import Clock, JobStore

_log = structlog.get_logger(__name__)


class Foreman:
    """``enabled``: the installation's switch, ``email_sync.enabled``; without it no job runs that asks Exchange."""

    def __init__(self, store: JobStore, clock: Clock, *, enabled: bool = True) -> None:
        self._store = store
        self._clock = clock
        self._enabled = enabled
        self._watches: dict[JobName, Watch] = {}
        self._told: set[str] = set()
        self._lock = asyncio.Lock()

    @property
    def enabled(self) -> bool:
        """The installation's switch; turned off, it stops the runs under way at the next tick."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled

    async def tick(self) -> Shift:
        """Begin what is due, see how runs under way stand, end those that are through."""
        async with self._watched() as watches:
            for name in list(watches):
                await self._tend(name)
            return self._shift()

    async def jobs(self) -> list[JobState]:
        """See ``ports.Mailroom``; counts of a run under way are as old as ``runs.LOOK_EVERY`` at most."""
        async with self._watched() as watches:
            return [self._shown(watches[name]) for name in sorted(watches)]

    async def change(self, name: JobName, change: JobChange) -> JobState:
        """See ``ports.Mailroom.change_job``."""
        async with self._watched():
            watch = self._watch(name)
            changed = _changed(watch.job, change)
            check(changed.every, changed.timezone, f"jobs.{name}.")
            if changed != watch.job:
                await self._store.put_job(changed)
                _log.info("job changed", job=name, **_different(watch.job, changed))
                self._watches[name] = replace(watch, state=replace(watch.state, job=changed), asked_at=None)
                await self._tend(name)
            return self._shown(self._watches[name])

    async def run_now(self, name: JobName) -> JobRun:
        """See ``ports.Mailroom.run_job``."""
        async with self._watched():
            watch = self._watch(name)
            self._refuse_if_disabled(watch.job)
            if watch.open_run is not None:
                await self._look(name, watch.open_run)  # it may be through by now
            open_run = self._watches[name].open_run
            if open_run is not None:
                raise JobRefused(_under_way(open_run))
            wanted = self._wanted(name, Trigger.MANUAL)
            run = await self._begin(wanted)
            if run.run_id != wanted.run_id:
                raise JobRefused(_under_way(run))
            return run

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[dict[JobName, Watch]]:
        """One at a time, over what the store says; after any trouble it is asked again."""
        async with self._lock:
            if not self._watches:
                await self._read()
            try:
                yield self._watches
            except (JobRefused, SettingsError, UnknownJob):
                raise
            except BaseException:
                self._watches = {}
                raise

    async def _read(self) -> None:
        for state in await self._store.jobs():
            watch = Watch(state, written=state.latest)
            self._watches[state.job.name] = watch
            if watch.open_run is not None and watch.open_run.run_id not in self._told:
                _log.info("run goes on", job=state.job.name, **_counts(watch.open_run))
                self._told.add(watch.open_run.run_id)

    async def _tend(self, name: JobName) -> None:
        watch, now = self._watches[name], self._clock.now()
        step = runs.next_step(watch, now, enabled=self._may_run(watch.job))
        run = watch.open_run
        if step is Step.BEGIN:
            await self._begin(self._wanted(name, Trigger.SCHEDULE))
        elif step is Step.ASK:
            await self._ask(name, now)
        elif step is Step.LOOK and run is not None:
            await self._look(name, run)
        elif step is Step.STOP and run is not None:
            # Counted once more: the last look may be some seconds old.
            counted = runs.assess(run, await self._store.progress(run, now), now)
            why = "email_sync.enabled is false" if watch.job.enabled else "its job was disabled"
            await self._write(name, counted if counted.finished_at else runs.stop(counted, now, why), now)

    async def _ask(self, name: JobName, now: datetime) -> None:
        """Begin a run if there is anything to do."""
        wanted = self._wanted(name, Trigger.SCHEDULE)
        if (await self._store.progress(wanted, now)).is_through:
            self._watches[name] = replace(self._watches[name], asked_at=now)
        else:
            await self._begin(wanted)

    def _wanted(self, name: JobName, trigger: Trigger) -> JobRun:
        moment = self._clock.moment()
        return JobRun(moment.fresh_id, name, trigger, moment.now)

    async def _begin(self, wanted: JobRun) -> JobRun:
        """Open a run; another one, if it was open already."""
        run = await self._store.begin_run(wanted)
        watch = self._watches[run.job]
        job = replace(watch.job, last_run_at=run.started_at)
        self._watches[run.job] = Watch(JobState(job, run), written=run, written_at=wanted.started_at)
        if run.run_id not in self._told:
            _log.info("run started", job=run.job, trigger=run.trigger)
            self._told.add(run.run_id)
        return run

    async def _look(self, name: JobName, run: JobRun) -> None:
        now = self._clock.now()
        counted = runs.assess(run, await self._store.progress(run, now), now)
        watch = self._watches[name] = replace(self._with(name, counted), looked_at=now)
        if runs.worth_writing(watch, counted, now):
            await self._write(name, counted, now)

    async def _write(self, name: JobName, run: JobRun, now: datetime) -> None:
        await self._store.put_run(run)
        self._watches[name] = replace(self._with(name, run), written=run, written_at=now)
        if run.finished_at is not None:
            self._told.discard(run.run_id)
            seconds = (run.finished_at - run.started_at).total_seconds()
            _log.info("run finished", job=name, outcome=run.outcome, seconds=round(seconds, 1), **_counts(run))

    def _with(self, name: JobName, run: JobRun) -> Watch:
        watch = self._watches[name]
        return replace(watch, state=replace(watch.state, latest=run))

    def _watch(self, name: JobName) -> Watch:
        if name not in self._watches:
            raise UnknownJob(f"There is no job {name}; there are {', '.join(sorted(self._watches)) or 'none'}.")
        return self._watches[name]

    def _may_run(self, job: Job) -> bool:
        return job.enabled and (self._enabled or job.name is JobName.ASSOCIATE_EMAILS)

    def _shift(self) -> Shift:
        sync = self._watches.get(JobName.EMAIL_SYNC)
        subscriptions = self._watches.get(JobName.MANAGE_PUSH_SUBSCRIPTIONS)
        associations = self._watches.get(JobName.ASSOCIATE_EMAILS)
        return Shift(
            sync=sync is not None and self._may_run(sync.job),
            subscribe=subscriptions is not None and self._may_run(subscriptions.job),
            run_started_at=sync.open_run.started_at if sync and sync.open_run else None,
            subscribing=subscriptions is not None and subscriptions.open_run is not None,
            associating=associations is not None and associations.open_run is not None,
        )

    def _shown(self, watch: Watch) -> JobState:
        at = runs.next_at(watch, self._clock.now(), enabled=self._may_run(watch.job))
        return replace(watch.state, next_run_at=at)

    def _refuse_if_disabled(self, job: Job) -> None:
        if job.enabled and not self._may_run(job):
            raise JobRefused(f"{job.name} cannot run: email_sync.enabled is false in the settings.")
        if not job.enabled:
            raise JobRefused(f"{job.name} is disabled; enable it first: mailroom jobs enable {job.name}")


def _changed(job: Job, change: JobChange) -> Job:
    return replace(
        job,
        enabled=job.enabled if change.enabled is None else change.enabled,
        every=job.every if change.every is None else change.every,
        timezone=job.timezone if change.timezone is None else change.timezone,
        access_group=job.access_group if change.access_group is None else change.access_group,
    )


def _different(before: Job, after: Job) -> dict[str, object]:
    names = ("enabled", "every", "timezone", "access_group")
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def _under_way(run: JobRun) -> str:
    since = f"{run.started_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{run.job} is under way since {since}; wait for its end, or disable the job to stop it."


def _counts(run: JobRun) -> dict[str, int]:
    names = ("operators", "done", "failed", "emails", "subscriptions", "pending")
    return {name: getattr(run, name) for name in names if getattr(run, name)}
