"""Associating anew: a run by hand, and how it stands."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.crm.model import CrmRecord, RecordKind
from engine.jobs.model import Job, JobName, JobRun, Progress, Trigger
from tests.unit.associations.words import WHO, Room

START = datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_run_by_hand_queues_everything_and_counts_what_was_done(tmp_path: Path) -> None:
    room = await Room(tmp_path / "store.duckdb").open()
    await room.land(WHO[0], *({"item_id": str(number), "sender_address": "bea@x.example"} for number in range(5)))
    run = JobRun("r", JobName.ASSOCIATE_EMAILS, Trigger.MANUAL, START + timedelta(hours=1))
    await room.store.seed_jobs([Job(JobName.ASSOCIATE_EMAILS, True, "15s")])
    await room.store.begin_run(run)
    assert await room.store.progress(run, run.started_at) == Progress(pending=5)
    await room.put(CrmRecord(RecordKind.CONTACT, "c", addresses=("bea@x.example",)))
    await room.store.associate_some(3)
    assert len(await room.associations()) == 3
    progress = await room.store.progress(replace(run, started_at=START), run.started_at)
    assert (progress.emails, progress.pending, progress.is_through) == (3, 2, False)
    assert await room.catch_up() == 1
    assert len(await room.associations()) == 5
