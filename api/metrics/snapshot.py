"""What a scrape asks the cluster for."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.overview import Overview, answer_or_none, look
from engine.jobs.model import JobName, Outcome
from engine.listing import Listing, View
from engine.ports import Mailroom

ENDS = (Outcome.SUCCEEDED, Outcome.PARTIAL, Outcome.STOPPED)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one moment; ``ended``: the latest run of each job that ended so, as a row of ``job_runs``."""

    overview: Overview = field(default_factory=Overview)
    ended: Mapping[tuple[JobName, Outcome], dict[str, Any]] = field(default_factory=dict)


async def take_snapshot(mailroom: Mailroom) -> Snapshot:
    """Never raises because a part is away: what it would have told is left out."""
    wanted = [(job, outcome) for job in JobName for outcome in ENDS]
    overview, *pages = await asyncio.gather(look(mailroom), *(_latest(mailroom, *one) for one in wanted))
    return Snapshot(overview, {one: row for one, row in zip(wanted, pages, strict=True) if row is not None})


async def _latest(mailroom: Mailroom, job: JobName, outcome: Outcome) -> dict[str, Any] | None:
    listing = Listing(View.JOB_RUNS, {"job": job.value, "outcome": outcome.value}, limit=1)
    page = await answer_or_none(mailroom.page(listing))
    return page.items[0] if page is not None and page.items else None
