"""The commands as a user runs them: a process, its output and its exit code."""

import asyncio
import io
import json
import signal

import pyarrow as pa
import pyarrow.parquet
import pytest

from engine.errors import MailroomError, QueryRefused
from engine.model import OperatorId
from engine.status import OperatorCounts, Status, SubscriptionCounts, Trouble
from tests.api.conftest import TOKEN, Client
from tests.api.processes import run, start
from tests.fakes.mailroom import FakeMailroom

LONG = "A subject that is much longer than any terminal is wide: " + "word " * 60 + "end"


@pytest.fixture
def environ(client: Client) -> dict[str, str]:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


async def test_query_as_a_table_keeps_values_whole(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    mailroom.table = pa.table({"subject": [LONG, "[bold]x[/bold] :smile:\ttab", "two\nlines", None], "n": [1, 2, 3, 4]})
    result = await run("query", "SELECT 1", environ=environ)
    assert (result.code, result.err) == (0, "")
    lines = result.out.decode().split("\n")
    assert lines[0].split(" | ")[0].strip() == "subject"
    assert f"{LONG} | 1" in lines
    assert any(line.startswith("[bold]x[/bold] :smile:\ttab") for line in lines)
    assert [line.split(" | ")[0].strip() for line in lines[4:6]] == ["two", "lines"]


async def test_query_reads_sql_from_stdin(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    result = await run("query", "-", environ=environ, stdin=b"SELECT 7")
    assert result.code == 0
    assert mailroom.queries == [("SELECT 7", [])]


async def test_query_as_csv_json_and_parquet(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    mailroom.table = pa.table({"subject": [LONG]})
    csv = await run("query", "x", "--format", "csv", environ=environ)
    assert csv.out.decode() == f'"subject"\n"{LONG}"\n'
    answer = await run("query", "x", "--format", "json", environ=environ)
    assert json.loads(answer.out) == {"columns": ["subject"], "rows": [[LONG]], "truncated": False}
    parquet = await run("query", "x", "--format", "parquet", environ=environ)
    assert pyarrow.parquet.read_table(io.BytesIO(parquet.out)).equals(mailroom.table)


async def test_query_into_a_file(environ: dict[str, str], mailroom: FakeMailroom, tmp_path: object) -> None:
    result = await run("query", "x", "--format", "csv", "--output", f"{tmp_path}/rows.csv", environ=environ)
    assert (result.code, result.out) == (0, b"")
    refused = await run("query", "x", "--output", f"{tmp_path}/no/rows.csv", environ=environ)
    assert refused.code == 1
    assert refused.err.startswith("mailroom: --output: ")


async def test_truncation_is_said_on_stderr(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    mailroom.truncated = True
    for form in ("csv", "table", "json", "parquet"):
        result = await run("query", "x", "--format", form, environ=environ)
        assert (result.code, "there are more rows" in result.err) == (0, True)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (QueryRefused('Table "nothing"\ndoes not exist.'), 'mailroom: Table "nothing"'),
        (MailroomError("detail"), "mailroom: Something went wrong inside Mailroom."),
    ],
)
async def test_what_the_gateway_refuses(
    environ: dict[str, str], mailroom: FakeMailroom, error: Exception, line: str
) -> None:
    mailroom.error = error
    result = await run("query", "SELECT", environ=environ)
    assert (result.code, result.out) == (1, b"")
    assert result.err.startswith(line)
    assert all(text.startswith("mailroom: ") for text in result.err.splitlines())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"MAILROOM_TOKEN": "wrong"}, "MAILROOM_TOKEN is not right for it"),
        ({"MAILROOM_TOKEN": ""}, "MAILROOM_TOKEN is not set here"),
        ({"MAILROOM_URL": "http://127.0.0.1:1"}, "No gateway answers at http://127.0.0.1:1. Start one with "),
        ({"MAILROOM_URL": "http://no-such-host.invalid"}, "No gateway answers at http://no-such-host.invalid."),
        ({"MAILROOM_URL": "127.0.0.1:8080"}, "MAILROOM_URL: '127.0.0.1:8080' is not an address such as"),
    ],
)
@pytest.mark.parametrize("command", [["status"], ["query", "SELECT 1"]])
async def test_a_gateway_that_cannot_be_asked_is_one_line(
    environ: dict[str, str], changes: dict[str, str], words: str, command: list[str]
) -> None:
    result = await run(*command, environ={**environ, **changes})
    assert (result.code, result.out) == (1, b"")
    assert result.err.count("\n") == 1
    assert result.err.startswith("mailroom: ")
    assert words in result.err
    assert TOKEN not in result.err


async def test_another_web_server_is_no_gateway(environ: dict[str, str]) -> None:
    result = await run("status", environ={**environ, "MAILROOM_URL": environ["MAILROOM_URL"] + "healthz"})
    assert result.code == 1
    assert result.err.startswith("mailroom: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["query"],
        ["query", "x", "--format", "xml"],
        ["nonsense"],
        ["status", "--yaml"],
        ["serve"],
        ["simulate", "--port", "x"],
    ],
)
async def test_usage_errors_are_exit_2(arguments: list[str]) -> None:
    result = await run(*arguments)
    assert (result.code, result.out) == (2, b"")
    assert "Usage: mailroom" in result.err


async def test_status(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    mailroom.figures = Status(
        operators=OperatorCounts(total=1234, enabled=1234, synced=1233, failing=1),
        emails=1234567,
        subscriptions=SubscriptionCounts(1233, 1234),
        troubles=(
            Trouble(
                "MAILBOX_NOT_FOUND", "No mailbox.", "Correct the address.", 1, OperatorId("anna"), "Exchange says no."
            ),
        ),
    )
    human = await run("status", environ=environ)
    text = human.out.decode()
    assert human.code == 0
    assert "1,234,567" in text
    assert "1,233 synced" in text
    assert "MAILBOX_NOT_FOUND: No mailbox." in text
    assert "What to do: Correct the address." in text
    assert "anna: Exchange says no." in text
    machine = await run("status", "--json", environ=environ)
    assert json.loads(machine.out)["operators"]["synced"] == 1233


async def test_serve_reports_every_settings_problem(tmp_path: object) -> None:
    path = f"{tmp_path}/mailroom.toml"
    with open(path, "w", encoding="utf-8") as file:  # noqa: ASYNC230, PTH123  # a test
        file.write('[exchange]\nurl = "nonsense"\nusername = "u"\n[email_sync]\nbatchsize = 3\n')
    result = await run("serve", "--config", path, environ={"MAILROOM_EXCHANGE_PASSWORD": "x"})
    assert (result.code, result.out) == (1, b"")
    assert len(result.err.splitlines()) == 2
    assert "did you mean batch_size?" in result.err
    missing = await run("serve", "--config", f"{tmp_path}/none.toml")
    assert missing.code == 1
    assert "cannot be read" in missing.err


async def test_simulate_ends_with_whoever_started_it() -> None:
    result = await run("simulate", "--operators", "2", "--stop-with-stdin")
    assert result.code == 0
    assert json.loads(result.out)["operators"] == ["operator0001@example.com", "operator0002@example.com"]


async def test_simulate_wants_mail(tmp_path: object) -> None:
    result = await run("simulate", "--mail", str(tmp_path))
    assert (result.code, result.err) == (1, f"mailroom: --mail: there is no .eml file in {tmp_path}.\n")


async def test_an_interrupted_query_is_ended_at_the_store(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    mailroom.hang = True
    process = await start("query", "SELECT 1", environ=environ)
    async with asyncio.timeout(60):
        while not mailroom.asked:  # noqa: ASYNC110  # the gateway has it
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        while not mailroom.ended:  # noqa: ASYNC110  # the gateway looks now and then
            await asyncio.sleep(0.05)
    assert (process.returncode, out, err) == (130, b"", b"")


async def test_rows_are_printed_piece_by_piece(environ: dict[str, str], mailroom: FakeMailroom) -> None:
    mailroom.table, mailroom.rows_a_piece = pa.table({"n": range(1_000)}), 10
    result = await run("query", "x", "--format", "csv", "--limit", "7", environ=environ)
    assert (result.code, result.out.decode().split()) == (0, ['"n"', *map(str, range(1_000))])
    assert mailroom.asked[0].max_rows == 7
    mailroom.broken = frozenset({"read_query"})
    broken = await run("query", "x", "--format", "csv", environ=environ)
    assert broken.code == 1
    assert "broke off in the middle of its answer" in broken.err
