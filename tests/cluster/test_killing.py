"""kill -9 of one process in the middle of a backfill; afterwards the store is Exchange all the same."""

import os
import signal

import pytest

from tests.cluster.conftest import KILLING, Room
from tests.cluster.processes import eventually

NEW = 2
VICTIMS = ("StoreActor", "MailboxHost", "Gateway", "Coordinator")
RESTARTED = 40.0


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_it_comes_back_and_nothing_is_lost_or_twice(room: Room, victim: str) -> None:
    first = NEW * VICTIMS.index(victim)
    emails = room.emails[KILLING][first : first + NEW]
    watched = [*room.emails[:2], *emails]
    before = {process.pid for process in room.workers(victim)}
    room.exchange.do(lambda it: it.faults.add("latency", operation="GetItem", seconds=0.3))
    landed = room.status().emails
    room.enable(emails)
    eventually(lambda: room.status().pending and room.status().emails > landed, RESTARTED, "a backfill is under way")

    pid = min(before)
    os.kill(pid, signal.SIGKILL)
    for email in watched:  # somebody writes while it is away
        room.exchange.do(lambda it, email=email: it.deliver(email, subject=f"While {victim} is away"))  # type: ignore[misc]
    room.exchange.do(lambda it: it.faults.clear())

    eventually(lambda: _successor(room, victim, before - {pid}, before), RESTARTED, f"{victim} is restarted")
    room.settle(watched, RESTARTED)


def _successor(room: Room, victim: str, survivors: set[int], before: set[int]) -> bool:
    now = {process.pid for process in room.workers(victim)}
    return len(now) == len(before) and now >= survivors and bool(now - before)
