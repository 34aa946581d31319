"""``mailroom serve`` from start to stop: one host an operator, nothing left behind, one owner of the file."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.compare import differences, served
from tests.cluster.exchange import ExchangeThread
from tests.cluster.processes import eventually
from tests.cluster.serve import Serve

OPERATORS = 3


@pytest.fixture
def exchange() -> Iterator[ExchangeThread]:
    with ExchangeThread(operators=OPERATORS, emails=20) as exchange:
        yield exchange


@pytest.fixture
def serve(tmp_path: Path, exchange: ExchangeThread) -> Iterator[Serve]:
    options = exchange.exchange.options
    serve = Serve(tmp_path, exchange.exchange.url, options.username, options.password)
    yield serve
    serve.kill()


def test_one_host_an_operator_and_nothing_left_behind(serve: Serve, exchange: ExchangeThread) -> None:
    emails = [person.email for person in exchange.exchange.operators]
    serve.configure(emails, cluster="mailboxes_per_host = 1")
    serve.start()
    eventually(serve.synced, 90, "all are synced")
    hosts = [one for one in serve.processes() if (one.cmdline() or [""])[0].startswith("ray::MailboxHost")]
    assert len(hosts) == OPERATORS
    refused = _second(serve)
    serve.stop()
    assert refused.startswith("StoreLocked: ")
    assert "in use by process" in refused

    assert differences(exchange.do(lambda it: served(it, emails)), serve.stored()) == []


def _second(serve: Serve) -> str:
    """What a second cluster on the same file says, on a Ray of its own."""
    code = (
        "import sys; from pathlib import Path\n"
        "from actors import cluster\n"
        "from engine.errors import MailroomError\n"
        "from engine.settings import load_settings\n"
        "settings = load_settings(Path(sys.argv[1]))\n"
        "settings = settings.model_copy(update={'gateway': settings.gateway.model_copy(update={'port': 0})})\n"
        "try:\n    cluster.start(settings, quiet=True)\n"
        "except MailroomError as error:\n    print(f'{type(error).__name__}: {error}')\n"
    )
    done = subprocess.run(  # noqa: S603  # this very program
        [sys.executable, "-c", code, str(serve.config)],
        env=serve.environ,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.stdout.strip() or done.stderr
