"""How everything stands at one moment, as far as the parts answer: what ``status`` and ``/metrics`` are made of."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from engine.alerts.model import AlertStatus
from engine.errors import MailroomError
from engine.failures import failure_for
from engine.jobs.model import JobState
from engine.listing import Listing, View
from engine.orders import HostReport, Standing
from engine.ports import Mailroom
from engine.status import Status

PART_SECONDS = 5.0
"""How long one part may take to answer before it counts as away: half of what Prometheus waits for a scrape."""

_ALERTS = 1000
_OPEN = (AlertStatus.GATHERING, AlertStatus.REPORTED)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Overview:
    """What each part says; None: it does not answer. ``alerts`` are rows of the view of that name, newest first."""

    status: Status | None = None
    jobs: list[JobState] | None = None
    hosts: Mapping[str, HostReport] | None = None
    alerts: tuple[dict[str, Any], ...] | None = None

    @property
    def open_alerts(self) -> list[dict[str, Any]] | None:
        """The alerts that are not over."""
        return None if self.alerts is None else [alert for alert in self.alerts if alert["status"] in _OPEN]


async def look(mailroom: Mailroom) -> Overview:
    """Ask all parts at once. Never raises because one of them is away."""
    status, around = await asyncio.gather(answer_or_none(mailroom.status()), look_around(mailroom))
    return replace(around, status=status)


async def look_around(mailroom: Mailroom) -> Overview:
    """As ``look``, without the figures of the store."""
    jobs, hosts, page = await asyncio.gather(
        answer_or_none(mailroom.jobs()),
        answer_or_none(mailroom.hosts()),
        answer_or_none(mailroom.page(Listing(View.ALERTS, limit=_ALERTS))),
    )
    return Overview(None, jobs, hosts, None if page is None else page.items)


async def answer_or_none(asked: Awaitable[T]) -> T | None:
    """What is answered in time, or None."""
    try:
        async with asyncio.timeout(PART_SECONDS):
            return await asked
    except (MailroomError, TimeoutError):
        return None


def standing_of(hosts: Mapping[str, HostReport]) -> Standing | None:
    """What stands between us and Exchange as a whole: the oldest finding, with everybody who waits for its end."""
    found = [report.standing for report in hosts.values() if report.standing is not None]
    if not found:
        return None
    oldest = min(found, key=lambda standing: standing.opened_at)
    return Standing(oldest.error, oldest.opened_at, sum(standing.waiting for standing in found))


@dataclass(frozen=True, slots=True)
class StandingWords:
    """A standing as it is answered: the words of the table, and Exchange's own."""

    code: str
    cause: str
    remedy: str
    message: str
    since: datetime
    waiting: int


def in_words(standing: Standing) -> StandingWords:
    """A standing with its code, cause and remedy."""
    failure = failure_for(standing.error)
    return StandingWords(
        failure.code, failure.cause, failure.remedy, str(standing.error), standing.opened_at, standing.waiting
    )
