"""Run as a program: a Mailroom with a host for each operator, to which another operator comes.

Arguments: the configuration file, and the newcomer's address. Prints ``synced`` once the newcomer is, ``synced again``
once mail has come that arrived after the coordinator was killed, and ends when its standard input does.
"""

import os
import signal
import sys
from pathlib import Path

from actors.calls import call_now
from actors.cluster import Cluster, start
from actors.options import STORE
from engine.model import Operator, OperatorId
from engine.settings import load_settings
from tests.cluster.processes import eventually, workers


def emails_of(cluster: Cluster, email: str) -> int:
    sql = "SELECT count(*) AS n FROM emails JOIN mailboxes USING (operator_id) WHERE last_success_at IS NOT NULL"
    table, _ = call_now(cluster._handles[STORE], "query", f"{sql} AND mailboxes.operator_email = ?", [email], 1)
    return int(table.column("n")[0].as_py())


def main(config: str, email: str) -> None:
    cluster = start(load_settings(Path(config)), quiet=True)
    try:
        call_now(cluster._handles[STORE], "put_operators", [Operator(OperatorId(email), email)])
        eventually(lambda: emails_of(cluster, email), 60, "the newcomer is synced")
        before = emails_of(cluster, email)
        (coordinator,) = workers(os.getpid(), "Coordinator")
        os.kill(coordinator.pid, signal.SIGKILL)
        print("synced", flush=True)  # noqa: T201  # what the test waits for
        eventually(lambda: emails_of(cluster, email) > before, 60, "the newcomer's host is there again")
        print("synced again", flush=True)  # noqa: T201
        sys.stdin.read()
    finally:
        cluster.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
