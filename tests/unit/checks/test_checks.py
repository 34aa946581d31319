"""Each step of a check against the simulated Exchange, well and broken."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from engine import errors
from engine.checks import judge
from engine.checks.model import Result, Step
from engine.clock import SystemClock
from engine.model import Operator, OperatorId
from engine.notices import Notice, NoticeAnswer, NoticeKind
from engine.simulator import FaultKind
from engine.sync.endpoint import Endpoint
from tests.unit.checks.conftest import Desk, connect, results

OK, WARNED, FAILED, SKIPPED = Result


async def test_all_is_well(desk: Desk) -> None:
    report = await desk.check()
    assert set(results(report).values()) == {OK}
    assert list(results(report)) == list(Step), "every step, in order"
    assert report.verdict is OK
    await desk.delivered()
    assert desk.listener.answers == [NoticeAnswer.UNSUBSCRIBE]
    assert desk.listener.others == []
    assert [one.ended for one in desk.exchange.delivery.subscriptions.ended] == ["unsubscribed"]


async def test_email_sync_that_is_off_keeps_nothing_from_being_checked(desk: Desk) -> None:
    report = await desk.check(desk.operator(email_sync=False))
    assert results(report) == {**dict.fromkeys(Step, OK), Step.PROFILE: WARNED}
    assert (report.verdict, report.email_sync) == (WARNED, False)
    assert "mailroom operators enable" in (report.steps[0].remedy or "")


@pytest.mark.parametrize(
    ("fault", "step", "code"),
    [
        ({"kind": FaultKind.RESET}, Step.REACHABLE, "STORE_DOWN"),
        ({"kind": FaultKind.UNAVAILABLE}, Step.REACHABLE, None),
        ({"kind": FaultKind.WRONG_PASSWORD}, Step.AUTHENTICATION, "AUTH_FAILED"),
        ({"kind": FaultKind.EWS_DISABLED}, Step.AUTHENTICATION, "EWS_BLOCKED"),
        ({"kind": FaultKind.DENIED}, Step.IMPERSONATION, "IMPERSONATION_DENIED"),
        ({"kind": FaultKind.MISSING_MAILBOX}, Step.ADDRESS, "MAILBOX_NOT_FOUND"),
        ({"kind": FaultKind.ERROR, "code": "ErrorAccountDisabled"}, Step.ADDRESS, "ACCOUNT_DISABLED"),
        ({"kind": FaultKind.ERROR, "code": "ErrorMailboxMoveInProgress"}, Step.FOLDERS, "MAILBOX_MOVING"),
        ({"kind": FaultKind.ERROR, "code": "ErrorMailboxStoreUnavailable"}, Step.FOLDERS, "STORE_DOWN"),
        ({"kind": FaultKind.ERROR, "code": "ErrorUnheardOf"}, Step.FOLDERS, "REQUEST_REFUSED"),
        ({"kind": FaultKind.ERROR, "operation": "SyncFolderItems", "code": "ErrorAccessDenied"}, Step.LISTING, None),
        (
            {"kind": FaultKind.ERROR, "operation": "Subscribe", "code": "ErrorExceededSubscriptionCount"},
            Step.SUBSCRIPTION,
            "SUBSCRIPTION_QUOTA",
        ),
        (
            {"kind": FaultKind.ERROR, "operation": "Subscribe", "code": "ErrorInvalidPushSubscriptionUrl"},
            Step.SUBSCRIPTION,
            "LISTENER_URL_INVALID",
        ),
    ],
)
async def test_a_step_that_fails_says_so_and_the_rest_is_skipped(
    desk: Desk, fault: dict[str, Any], step: Step, code: str | None
) -> None:
    desk.exchange.faults.add(**fault)
    report = await desk.check()
    found = results(report)
    steps = list(Step)
    place = steps.index(step)
    assert {found[one] for one in steps[:place]} <= {OK, SKIPPED}
    assert found[step] is FAILED
    assert {found[one] for one in steps[place + 1 :]} <= {SKIPPED}
    assert report.verdict is FAILED
    failed = report.steps[place]
    assert failed.code == (code or failed.code)
    assert failed.cause
    assert failed.remedy
    assert all(f"The step {step} has to work first." == one.message for one in report.steps[place + 1 :])


async def test_the_primary_address_is_named(desk: Desk) -> None:
    report = await desk.check(Operator(OperatorId("al"), "alias@example.com"))
    assert results(report)[Step.ADDRESS] is FAILED
    [step] = [one for one in report.steps if one.name is Step.ADDRESS]
    assert step.remedy == "Correct it: mailroom operators set al --email operator0001@example.com"


async def test_missing_folders_are_named_and_the_others_checked(desk: Desk) -> None:
    report = await desk.check(plan=desk.plan("inbox", "inbox/Nowhere", "Sales"))
    found = results(report)
    assert (found[Step.FOLDERS], found[Step.LISTING], found[Step.ROUND_TRIP]) == (FAILED, OK, OK)
    [step] = [one for one in report.steps if one.name is Step.FOLDERS]
    assert "inbox/Nowhere, Sales" in step.message
    assert step.code == "FOLDER_MISSING"
    report = await desk.check(plan=desk.plan("Sales"))
    assert results(report)[Step.LISTING] is SKIPPED


async def test_exchange_does_not_call_back(desk: Desk) -> None:
    desk.listener.deaf = True
    report = await desk.check(plan=desk.plan(patience=0.3))
    assert results(report) == {**dict.fromkeys(Step, OK), Step.ROUND_TRIP: FAILED}
    assert report.steps[-1].code == "LISTENER_UNREACHABLE"
    assert "firewall" in (report.steps[-1].remedy or "")


async def test_without_a_round_trip_nobody_waits(desk: Desk) -> None:
    desk.listener.deaf = True
    report = await desk.check(plan=desk.plan(round_trip=False))
    assert results(report) == {**dict.fromkeys(Step, OK), Step.ROUND_TRIP: SKIPPED}
    assert report.verdict is OK
    assert report.steps[-1].message == "It was not asked for."


async def test_a_call_that_comes_late_still_ends_the_subscription(desk: Desk) -> None:
    await desk.check(plan=desk.plan(round_trip=False))
    await desk.delivered()
    assert desk.listener.answers == [NoticeAnswer.UNSUBSCRIBE]


async def test_several_at_once_do_not_mix_up_their_calls(desk: Desk) -> None:
    desk.exchange.faults.add(FaultKind.DENIED, mailbox=desk.operator(1).email)
    reports = await asyncio.gather(*(desk.check(desk.operator(number)) for number in range(3)))
    assert [report.verdict for report in reports] == [OK, FAILED, OK]


async def test_a_busy_server_is_asked_again(desk: Desk) -> None:
    desk.exchange.faults.add(FaultKind.BUSY, times=1, backoff_ms=1)
    assert (await desk.check()).verdict is OK


async def test_a_check_looks_while_nobody_is_served(desk: Desk) -> None:
    fault = desk.exchange.faults.add(FaultKind.WRONG_PASSWORD)
    report = await desk.check()
    assert results(report)[Step.AUTHENTICATION] is FAILED
    assert desk.endpoint.standing() is not None
    before = desk.endpoint.requests
    report = await desk.check(desk.operator(1))
    desk.exchange.faults.remove(fault)
    assert desk.endpoint.requests == before + 1, "the first look goes out"
    report = await desk.check(desk.operator(2))
    assert desk.endpoint.requests == before + 1, "the next one soon after does not: attempts lock accounts"
    assert "Exchange was not asked again" in report.steps[2].message
    assert report.verdict is FAILED


async def test_a_check_that_works_ends_everybodys_trouble(desk: Desk) -> None:
    fault = desk.exchange.faults.add(FaultKind.WRONG_PASSWORD)
    await desk.check(plan=desk.plan(round_trip=False))
    desk.exchange.faults.remove(fault)
    reports = await asyncio.gather(*(desk.check(desk.operator(number)) for number in range(3)))
    assert [report.verdict for report in reports] == [OK] * 3, "those that came with the first waited for it"
    assert desk.endpoint.standing() is None


async def test_cancelled_in_the_middle_it_leaves_nothing(desk: Desk) -> None:
    desk.listener.deaf = True
    checking = asyncio.create_task(desk.check(plan=desk.plan(patience=60.0)))
    await desk.listener.called.wait()
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert not desk.listener.calls._awaited


async def test_mailboxes_have_their_own_notices(desk: Desk) -> None:
    mine = Notice(OperatorId("ann"), "check-1", NoticeKind.HEARTBEAT)
    others = [Notice(OperatorId(name), name, NoticeKind.EVENTS) for name in ("bob", "eve")]
    answers = await desk.listener.calls.sort([others[0], mine, others[1]], desk.listener._take)
    assert answers == [NoticeAnswer.OK, NoticeAnswer.UNSUBSCRIBE, NoticeAnswer.OK]
    assert desk.listener.others == others


async def test_an_address_that_leads_nowhere(desk: Desk) -> None:
    source = connect(desk.exchange, url="http://127.0.0.1:1/EWS/Exchange.asmx")
    examiner = type(desk.examiner)(source, Endpoint(1, SystemClock()), SystemClock(), desk.listener.calls)
    report = await examiner.check(desk.operator(), desk.plan())
    assert results(report)[Step.REACHABLE] is FAILED
    await source.close()


OURS = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.MailroomError)]


@pytest.mark.parametrize("kind", OURS)
def test_every_error_is_met_at_some_step(kind: type[errors.MailroomError]) -> None:
    ann = Operator(OperatorId("ann"), "ann@example.com")
    steps = judge.access(ann, kind("words"))
    assert steps[-1].result is FAILED
    assert steps[-1].message == "words"
    assert replace(steps[-1], seconds=1.0) == judge.lasted(steps, 1.0)[-1]
