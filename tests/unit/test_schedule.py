"""Whom to dispatch now."""

import pytest

from engine.model import OperatorId
from engine.orders import HostReport
from engine.placement import Placement, literal_host
from engine.schedule import Jobs, batches, restarted
from engine.status import DueOperator

A, B, C, D = (OperatorId(name) for name in "abcd")
LITERAL = Placement(tuple(literal_host(one) for one in (A, B, C, D)), literal=True)
ONE = Placement(("host",))


def due(*operator_ids: OperatorId, sync: bool = True, subscribe: bool = False) -> list[DueOperator]:
    return [DueOperator(one, sync, subscribe) for one in operator_ids]


def test_each_goes_to_its_own_host() -> None:
    reports = {host: HostReport("1") for host in LITERAL.hosts}
    planned = batches(due(A, B), reports, LITERAL, 8, Jobs())
    assert planned == {literal_host(A): due(A), literal_host(B): due(B)}


def test_the_order_given_is_kept() -> None:
    assert batches(due(C, A, B), {"host": HostReport("1")}, ONE, 8, Jobs()) == {"host": due(C, A, B)}


def test_credit_counts_what_is_under_way() -> None:
    busy = HostReport("1", in_progress=(D,))
    assert batches(due(A, B, C), {"host": busy}, ONE, 3, Jobs()) == {"host": due(A, B)}
    assert batches(due(A), {"host": busy}, ONE, 1, Jobs()) == {}


def test_the_busy_wait_wherever_they_are() -> None:
    elsewhere = {"host": HostReport("1"), "old": HostReport("1", in_progress=(A,))}
    assert batches(due(A, B), elsewhere, ONE, 8, Jobs()) == {"host": due(B)}


def test_a_host_that_does_not_answer_gets_nothing() -> None:
    assert batches(due(A, B), {literal_host(A): HostReport("1")}, LITERAL, 8, Jobs()) == {literal_host(A): due(A)}


@pytest.mark.parametrize(
    ("jobs", "sync", "subscribe"),
    [(Jobs(), True, True), (Jobs(sync=False), False, True), (Jobs(subscribe=False), True, False)],
)
def test_only_the_jobs_that_run(jobs: Jobs, sync: bool, subscribe: bool) -> None:
    planned = batches(due(A, subscribe=True), {"host": HostReport("1")}, ONE, 8, jobs)
    assert planned == {"host": due(A, sync=sync, subscribe=subscribe)}


def test_due_for_nothing_that_runs() -> None:
    reports = {"host": HostReport("1")}
    assert batches(due(A, sync=False, subscribe=True), reports, ONE, 8, Jobs(subscribe=False)) == {}
    assert batches(due(A), reports, ONE, 8, Jobs(sync=False)) == {}
    # and takes no credit from others
    assert batches([*due(A, sync=False, subscribe=True), *due(B)], reports, ONE, 1, Jobs(subscribe=False)) == {
        "host": due(B)
    }


def test_a_restarted_host_is_known_by_its_incarnation_and_a_new_one_may_have_had_predecessors() -> None:
    reports = {"a": HostReport("2"), "b": HostReport("1"), "new": HostReport("1")}
    assert restarted({"a": "1", "b": "1", "silent": "1"}, reports) == ["a", "new"]
