"""How it is going, and the probes."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.jobs import JobShown
from api.schemas.lists import AlertRow
from api.schemas.shared import Moment, Shown

Count = Annotated[int, Field(ge=0)]


class OperatorFigures(Shown):
    """Operators by where they stand: total = enabled + disabled, enabled = synced + syncing + failing."""

    total: Count
    enabled: Count
    synced: Annotated[Count, Field(description="Every folder has been taken in, nothing is pending, no failure.")]
    syncing: Count
    failing: Annotated[Count, Field(description="The last pass did not succeed.")]
    disabled: Count


class SubscriptionFigures(Shown):
    """Push subscriptions: how many live, and how many there should be."""

    active: Count
    wanted: Count


class TroubleShown(Shown):
    """One cause, and whom it touches."""

    code: str
    cause: str
    remedy: str
    operators: Count
    example: Annotated[str, Field(description="An operator it touches.")]
    message: Annotated[str, Field(description="Exchange's own words about that one.")]
    since: Moment | None
    next_attempt_at: Moment | None


class StandingShown(Shown):
    """What stands between Mailroom and Exchange as a whole."""

    code: str
    cause: str
    remedy: str
    message: str
    since: Moment
    waiting: Annotated[Count, Field(description="Mailboxes that wait for its end.")]


class ExchangeFigures(Shown):
    """The hosts' side: requests to Exchange."""

    standing: StandingShown | None
    hosts: Count
    concurrency: Annotated[Count, Field(description="Requests that may be under way at once, over all hosts.")]
    requests: Count


class StatusShown(Shown):
    """The figures; `jobs`, `alerts` and `exchange` are null where that part does not answer now."""

    operators: OperatorFigures
    emails: Annotated[Count, Field(description="Current emails.")]
    pending: Annotated[Count, Field(description="Items that are listed and not fetched yet.")]
    quarantined: Annotated[Count, Field(description="Items that cannot be read.")]
    subscriptions: SubscriptionFigures
    troubles: list[TroubleShown]
    jobs: list[JobShown] | None
    alerts: Annotated[list[AlertRow] | None, Field(description="Alerts that are open.")]
    exchange: ExchangeFigures | None


class Healthy(Shown):
    """This process answers."""

    healthy: Literal[True]


class Ready(Shown):
    """Work can be done."""

    ready: Literal[True]
    store: Literal[True]
    coordinator: Literal[True]
    hosts: Annotated[int, Field(ge=1)]
