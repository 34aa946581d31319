"""AssociateEmails: begins when emails wait for it, ends when none does, whatever becomes of the sync."""

import pytest

from engine.crm.change import CrmChange
from engine.crm.model import CrmRecord, RecordKind
from engine.errors import JobRefused
from engine.jobs.model import Job, JobChange, JobName, Outcome, Shift
from tests.unit.jobs.office import EMAIL_SYNC, Office

ASSOCIATE = JobName.ASSOCIATE_EMAILS
CHANGE = CrmChange(RecordKind.CONTACT, (CrmRecord(RecordKind.CONTACT, "c", addresses=("bea@x.example",)),))


@pytest.fixture
async def office() -> Office:
    office = Office(enabled=False)
    await office.open("ann", jobs=(Job(EMAIL_SYNC, True, "15m"), Job(ASSOCIATE, True, "15s")))
    return office


async def test_no_run_while_nothing_waits(office: Office) -> None:
    for _ in range(4):
        assert await office.foreman.tick() == Shift(sync=False, subscribe=False)
        office.pass_by(seconds=15)
    assert office.runs(ASSOCIATE) == []


async def test_a_run_goes_on_until_nothing_waits_though_the_sync_is_off(office: Office) -> None:
    await office.store.put_crm(CHANGE)
    await office.store.put_crm(CHANGE)
    assert (await office.foreman.tick()).associating
    office.pass_by(seconds=3)
    await office.store.associate_some(1)
    assert (await office.foreman.tick()).associating
    run = (await office.job(ASSOCIATE)).latest
    assert run is not None
    assert (run.outcome, run.emails, run.pending) == (Outcome.RUNNING, 1, 1)
    office.kill()
    await office.store.associate_some(1)
    office.pass_by(seconds=3)
    assert not (await office.foreman.tick()).associating
    [run] = office.runs(ASSOCIATE)
    assert (run.outcome, run.emails, run.pending, run.message) == (Outcome.SUCCEEDED, 2, 0, "")


async def test_by_hand_everything_is_associated_anew(office: Office) -> None:
    run = await office.foreman.run_now(ASSOCIATE)
    assert await office.store.associations_left() == 1
    assert (await office.foreman.tick()).associating
    assert run.job is ASSOCIATE


async def test_disabled_it_stops_and_goes_on_when_enabled(office: Office) -> None:
    await office.foreman.run_now(ASSOCIATE)
    state = await office.foreman.change(ASSOCIATE, JobChange(enabled=False))
    assert state.latest is not None
    assert (state.latest.outcome, state.latest.message) == (Outcome.STOPPED, "its job was disabled")
    with pytest.raises(JobRefused, match="is disabled"):
        await office.foreman.run_now(ASSOCIATE)
    with pytest.raises(JobRefused, match=r"email_sync\.enabled is false"):
        await office.foreman.run_now(EMAIL_SYNC)
    await office.foreman.change(ASSOCIATE, JobChange(enabled=True))
    assert (await office.foreman.tick()).associating
