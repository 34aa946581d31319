"""What ends ``serve`` before it starts anything: one clear line, exit code 1, no traceback."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.commands.serve import serve as serve_command
from api.demo.exchange import SimulatedProcess
from engine.errors import AuthenticationFailed, ClusterError
from tests.api.processes import Result, run

PASSWORD = "the right password"
GOOD = """
[exchange]
url = "{url}"
username = "{username}"

[gateway]
port = 0

[store]
path = "{store}"

[[operators]]
email = "operator0001@example.com"
"""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedProcess]:
    log = tmp_path_factory.mktemp("simulator") / "log"
    with SimulatedProcess(["--operators", "1", "--emails", "1"], PASSWORD, log) as running:
        yield running


@pytest.fixture
def config(exchange: SimulatedProcess, tmp_path: Path) -> Callable[..., str]:
    def write(change: Callable[[str], str] = lambda text: text) -> str:
        path = tmp_path / "mailroom.toml"
        text = GOOD.format(url=exchange.url, username=exchange.username, store=tmp_path / "mailroom.duckdb")
        path.write_text(change(text), encoding="utf-8")
        return str(path)

    return write


async def serve(config: str, password: str = PASSWORD) -> Result:
    environ = {"MAILROOM_EXCHANGE_PASSWORD": password, "MAILROOM_ADMIN_TOKEN": "t"}
    return await run("serve", "--config", config, environ=environ)


async def test_a_wrong_password(config: Callable[..., str]) -> None:
    result = await serve(config(), "another password")
    assert result.code == 1
    (line,) = result.err.splitlines()
    assert line.startswith(
        "mailroom: Exchange does not accept the service account's credentials. Check exchange.username"
    )
    assert "another password" not in result.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("/EWS/Exchange.asmx", "/owa/"), "Set exchange.url to the EWS address, usually"),
        (lambda text: text.replace("127.0.0.1", "no-such-host.invalid"), "the host no-such-host.invalid is unknown"),
        (
            lambda text: text.replace('url = "http://127.0.0.1:', 'url = "http://127.0.0.1:1/'),
            "nothing can be reached at",
        ),
        (lambda text: text.replace("operator0001", "nobody"), "operators: none of the 1 tried can be synchronised."),
        (lambda text: text.replace("port = 0", 'port = 0\nhost = "203.0.113.7"'), "is not an address of this machine"),
        (lambda text: text.replace("[store]\npath", "[store]\nunknown"), "store.unknown: no such key"),
    ],
)
async def test_what_is_wrong_is_said(config: Callable[..., str], change: Callable[[str], str], words: str) -> None:
    result = await serve(config(change))
    assert (result.code, result.out) == (1, b"")
    lines = result.err.splitlines()
    assert words in lines[-1]
    assert all(line.startswith("mailroom: ") for line in lines)


async def test_a_taken_port(config: Callable[..., str], exchange: SimulatedProcess) -> None:
    port = exchange.url.split(":")[2].partition("/")[0]
    result = await serve(config(lambda text: text.replace("port = 0", f"port = {port}")))
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert f"port {port} on 127.0.0.1 is in use by another program. Stop it, or choose another" in result.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_work_and_its_clean_up_runs(number: signal.Signals) -> None:
    script = (
        "import asyncio\n"
        "from api.commands.lifecycle import run_until_stopped, terminate_as_interrupt\n"
        "async def work():\n"
        "    print('up', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "with terminate_as_interrupt():\n"
        "    try: print(run_until_stopped(work()))\n"
        "    finally: print('cleaned up')\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        time.sleep(0.1)
        process.send_signal(number)
        assert process.stdout.read() == "None\ncleaned up\n"
    assert process.returncode == 0


@pytest.mark.parametrize("before", [False, True])
def test_a_mailroom_that_has_synchronised_before_starts_into_an_outage(
    config: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, before: bool
) -> None:
    def start(_settings: object) -> None:
        raise ClusterError("it was started")

    monkeypatch.setattr("engine.logs.configure", lambda: None)  # which is for the whole process, and this is a test's
    monkeypatch.setattr("actors.cluster.start", start)
    monkeypatch.setattr("engine.store.peeking.has_synchronised", lambda _path: before)
    monkeypatch.setenv("MAILROOM_EXCHANGE_PASSWORD", "another password")
    monkeypatch.setenv("MAILROOM_ADMIN_TOKEN", "t")
    with pytest.raises(ClusterError if before else AuthenticationFailed):
        serve_command(config=Path(config()), no_check=False)
    told = capsys.readouterr().err
    assert ("Exchange does not accept the service account's credentials" in told) is before
    assert ("so it starts all the same" in told) is before
