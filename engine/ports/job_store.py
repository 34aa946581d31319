"""What the jobs need of the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from engine.jobs.model import Job, JobRun, JobState, Progress


class JobStore(Protocol):
    """What the jobs need of the store."""

    async def seed_jobs(self, jobs: Sequence[Job]) -> list[Job]:
        """Take in what the configuration says of the jobs; all jobs as they stand then, by name.

        A job is inserted the first time. Later, a value that differs from what the configuration said at the last
        seeding has been edited there and replaces the stored one; any other leaves what was set meanwhile.
        """
        ...

    async def jobs(self) -> list[JobState]:
        """Every job with its latest run; ``next_run_at`` is left None (``engine.jobs.schedule`` knows it)."""
        ...

    async def put_job(self, job: Job) -> None:
        """Change a job's schedule. ``last_run_at`` is ``begin_run``'s to set and is left as it is.

        Raises:
            UnknownJob: there is none of this name.
        """
        ...

    async def begin_run(self, run: JobRun) -> JobRun:
        """Open a run, unless one of the same job is open: then that one is answered and nothing changes.

        A run of EmailSync triggered by hand takes every failing mailbox out of its backoff, one of
        ManagePushSubscriptions every failed subscription; one of AssociateEmails queues every email.
        """
        ...

    async def put_run(self, run: JobRun) -> None:
        """Write down how a run stands, or that it has finished. Old runs beyond a thousand of the job are let go."""
        ...

    async def progress(self, run: JobRun, now: datetime) -> Progress:
        """How a run stands now, from the mailboxes themselves.

        EmailSync: an enabled operator is done when the last attempt (success or failure) is not older than the run, or
        the mailbox waits out a backoff. ManagePushSubscriptions: when the operator does not want a subscription (see
        ``Store.due``). AssociateEmails: from its queue.
        """
        ...
