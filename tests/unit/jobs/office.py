"""A foreman with a store, a clock and mailboxes that do what a test says."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from engine.jobs.foreman import Foreman
from engine.jobs.model import Job, JobName, JobRun, JobState
from engine.model import Landing, MailboxStatus, Operator, OperatorId, SubscriptionRecord, SubscriptionStatus
from tests.fakes.clock import FakeClock
from tests.fakes.store import MemoryStore

EMAIL_SYNC, SUBSCRIPTIONS = JobName.EMAIL_SYNC, JobName.MANAGE_PUSH_SUBSCRIPTIONS
JOBS = (Job(EMAIL_SYNC, True, "15m"), Job(SUBSCRIPTIONS, True, "1m"))


@dataclass
class Office:
    """``kill``: the foreman dies, and another one comes that knows only what the store does."""

    clock: FakeClock = field(default_factory=FakeClock)
    enabled: bool = True

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock.now)
        self.kill()

    def kill(self) -> None:
        self.foreman = Foreman(self.store, self.clock, enabled=self.enabled)

    async def open(self, *operators: str, jobs: tuple[Job, ...] = JOBS) -> None:
        await self.store.seed_jobs(jobs)
        await self.store.put_operators([Operator(OperatorId(one), f"{one}@example.com") for one in operators])

    def pass_by(self, **time: float) -> datetime:
        self.clock.advance(timedelta(**time))
        return self.clock.now()

    async def sync(self, operator_id: str, *, retry_after: timedelta | None = None) -> None:
        """A pass of a mailbox ends now: well, or failing with a retry."""
        now = self.clock.now()
        (activation,) = await self.store.activate([OperatorId(operator_id)])
        record = replace(activation.mailbox, status=MailboxStatus.SYNCED, last_success_at=now, next_sync_at=None)
        if retry_after is not None:
            record = replace(
                activation.mailbox,
                status=MailboxStatus.FAILING,
                error_code="MAILBOX_NOT_FOUND",
                error="No such mailbox.",
                error_at=now,
                next_sync_at=now + retry_after,
            )
        await self.store.land(Landing(activation.operator.operator_id, activation.epoch, mailbox=record))

    async def subscribe(self, operator_id: str, *, refused: bool = False) -> None:
        now = self.clock.now()
        (activation,) = await self.store.activate([OperatorId(operator_id)])
        record = SubscriptionRecord("s", SubscriptionStatus.ACTIVE, "http://x", 30, "id", created_at=now, heard_at=now)
        if refused:
            again = now + timedelta(minutes=5)
            record = SubscriptionRecord("s", SubscriptionStatus.FAILED, "http://x", 30, next_attempt_at=again)
        await self.store.land(Landing(activation.operator.operator_id, activation.epoch, subscription=record))

    async def job(self, name: JobName = EMAIL_SYNC) -> JobState:
        return next(state for state in await self.foreman.jobs() if state.job.name is name)

    def runs(self, name: JobName = EMAIL_SYNC) -> list[JobRun]:
        """Of the store, oldest first."""
        return [run for run in self.store.runs.values() if run.job is name]
