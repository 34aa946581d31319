"""The records of the jobs: what is scheduled, and the runs there were.

A run holds no list of operators: who is left to do follows from the mailboxes themselves (whose last attempt is older
than the run), so a run survives the death of everything and ends by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobName(StrEnum):
    """The jobs, as the settings and the command line call them."""

    EMAIL_SYNC = "EmailSync"
    MANAGE_PUSH_SUBSCRIPTIONS = "ManagePushSubscriptions"
    ASSOCIATE_EMAILS = "AssociateEmails"


class Trigger(StrEnum):
    """Why a run began."""

    SCHEDULE = "schedule"
    MANUAL = "manual"


class Outcome(StrEnum):
    """How a run stands. ``partial``: through, and some operators fail. ``stopped``: its job was disabled meanwhile."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is scheduled.

    ``every``: an interval such as ``15m``, or a cron expression of five fields read in ``timezone`` (an IANA name).
    ``access_group``: under whose rights it is listed and changed. ``last_run_at``: when it last began a run.
    """

    name: JobName
    enabled: bool
    every: str
    timezone: str = "UTC"
    access_group: str = ""
    last_run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job. Counts are of the last look while it runs, and final once ``finished_at`` is set.

    ``operators``: whom it is about; ``done``: of these, who has been seen to (or waits out a backoff); ``failed``: of
    these, who is failing; ``emails``: landed while it ran (AssociateEmails: associated anew); ``subscriptions``: made
    while it ran; ``pending``: emails that are still to be associated anew. AssociateEmails is about no operators.
    """

    run_id: str
    job: JobName
    trigger: Trigger
    started_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    operators: int = 0
    done: int = 0
    failed: int = 0
    emails: int = 0
    subscriptions: int = 0
    message: str = ""
    pending: int = 0


@dataclass(frozen=True, slots=True)
class JobState:
    """A job with its latest run (open or finished) and, where it is scheduled, the next."""

    job: Job
    latest: JobRun | None = None
    next_run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobChange:
    """What ``PATCH /api/v1/jobs/{name}`` changes; None leaves as it is."""

    enabled: bool | None = None
    every: str | None = None
    timezone: str | None = None
    access_group: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of a run at one moment, as in ``JobRun``."""

    operators: int = 0
    done: int = 0
    failed: int = 0
    emails: int = 0
    subscriptions: int = 0
    pending: int = 0

    @property
    def is_through(self) -> bool:
        """Whether nobody and nothing is left to do."""
        return self.done >= self.operators and not self.pending


@dataclass(frozen=True, slots=True)
class Shift:
    """What the jobs want done at present: who is dispatched, and for what.

    ``sync``: EmailSync is enabled; ``run_started_at``: when its open run began (None: none is open). ``subscribe``:
    ManagePushSubscriptions is enabled, so whoever is dispatched to sync subscribes along the way; ``subscribing``: a
    run of it is open, so others are dispatched for that alone. ``associating``: a run of AssociateEmails is open.
    """

    sync: bool = True
    subscribe: bool = True
    run_started_at: datetime | None = None
    subscribing: bool = False
    associating: bool = False
