"""Looking for processes, ending them, and waiting for things to become so."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import psutil

T = TypeVar("T")
POLL = 0.1


def eventually(found: Callable[[], T], within: float, what: str) -> T:
    """Wait until ``found`` gives something true; its last answer is told if that takes too long."""
    deadline = time.monotonic() + within
    while True:
        answer = found()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within:g} s: {what} (last: {answer!r})")
        time.sleep(POLL)


def settled(differences: Callable[[], list[str]], within: float) -> None:
    """Wait until nothing differs. Looking takes a while, and those looked at shall have their turn too."""
    deadline = time.monotonic() + within
    while True:
        began = time.monotonic()
        found = differences()
        now = time.monotonic()
        if not found:
            return
        if now >= deadline:
            raise AssertionError("\n".join([f"{len(found)} differences after {within:g} s", *found[:20]]))
        time.sleep(max(POLL, now - began))


def family(pid: int) -> list[psutil.Process]:
    """A process and everything below it."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def workers(pid: int, actor: str) -> list[psutil.Process]:
    """The processes below ``pid`` that run an actor of this class: Ray writes its name into the title."""
    found = []
    for process in family(pid):
        with contextlib.suppress(psutil.Error):
            title = (process.cmdline() or [""])[0]
            if title == f"ray::{actor}" or title.startswith(f"ray::{actor}."):
                found.append(process)
    return found


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those still running; a pid used again by another process is not the same."""
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """kill -9 of each; none can start another meanwhile, because all are stopped first."""
    listed = list(processes)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in listed:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                if process.is_running():
                    os.kill(process.pid, number)
    psutil.wait_procs(listed, timeout=10)
