"""With a host for each operator, somebody who comes later gets one too, also after the coordinator has died."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.exchange import ExchangeThread
from tests.cluster.processes import family, kill_all
from tests.cluster.serve import Serve


@pytest.fixture
def exchange() -> Iterator[ExchangeThread]:
    with ExchangeThread(operators=2, emails=10, time_scale=1 / 30) as exchange:
        yield exchange


@pytest.mark.timeout(200)
def test_a_newcomer_gets_a_host(tmp_path: Path, exchange: ExchangeThread) -> None:
    options = exchange.exchange.options
    serve = Serve(tmp_path, exchange.exchange.url, options.username, options.password)
    first, newcomer = (person.email for person in exchange.exchange.operators)
    serve.configure([first], cluster="mailboxes_per_host = 1")
    command = [sys.executable, "-m", "tests.cluster.newcomer", str(serve.config), newcomer]
    with subprocess.Popen(  # noqa: S603  # this very program
        command, env=serve.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            _wait_for(process, "synced")
            exchange.do(lambda it: it.deliver(newcomer, subject="While nobody coordinates"))
            _wait_for(process, "synced again")
            process.communicate("", timeout=60)
            assert process.returncode == 0
        finally:
            kill_all(family(process.pid))


def _wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Ray has things to say in between."""
    assert process.stdout is not None
    for said in process.stdout:
        if said.strip() == line:
            return
    raise AssertionError(f"it ended without saying {line!r}")
