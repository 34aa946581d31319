"""Jobs and their runs."""

from typing import Annotated

from pydantic import Field

from api.schemas.shared import Moment, Shown
from engine.jobs.model import JobName, Outcome, Trigger

Count = Annotated[int, Field(ge=0)]


class RunShown(Shown):
    """One run. Counts are of the last look while it is under way."""

    run_id: str
    job: JobName
    trigger: Trigger
    started_at: Moment
    finished_at: Annotated[Moment | None, Field(description="Null while it is under way.")]
    seconds: Annotated[float | None, Field(description="Null while it is under way.")]
    outcome: Outcome
    operators: Annotated[Count, Field(description="Whom it is about.")]
    done: Annotated[Count, Field(description="Of these, who has been seen to.")]
    failed: Annotated[Count, Field(description="Of these, who is failing.")]
    emails: Annotated[Count, Field(description="Landed while it ran; AssociateEmails: associated anew.")]
    subscriptions: Annotated[Count, Field(description="Made while it ran.")]
    message: str
    pending: Annotated[Count, Field(description="Emails still to be associated anew; of AssociateEmails only.")]


class JobShown(Shown):
    """A job as it is scheduled, with its latest run."""

    name: JobName
    enabled: bool
    every: Annotated[str, Field(description="An interval, or a cron expression.", examples=["15m", "0 6-20 * * 1-5"])]
    timezone: Annotated[str, Field(description="An IANA name: where a cron expression is read.", examples=["UTC"])]
    access_group: Annotated[str, Field(description="Who besides administrators may run it; empty: nobody.")]
    last_run_at: Moment | None
    next_run_at: Annotated[Moment | None, Field(description="Null where it is disabled, or never due.")]
    latest: Annotated[RunShown | None, Field(description="The latest run, under way or ended.")]
