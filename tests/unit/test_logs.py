import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from engine import logs
from engine.model import OperatorId


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs._CHATTY}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def out() -> io.StringIO:
    stream = io.StringIO()
    logs.configure(stream=stream)
    return stream


def events(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_events_are_json_away_from_a_terminal(out: io.StringIO) -> None:
    structlog.get_logger("mailroom").info("sync_finished", rows=3)
    (event,) = events(out)
    assert event["event"] == "sync_finished"
    assert event["rows"] == 3
    assert event["level"] == "info"
    assert event["timestamp"].endswith("Z")


def test_events_are_for_people_on_a_terminal() -> None:
    stream = io.StringIO()
    logs.configure(stream=stream, pretty=True)
    structlog.get_logger("mailroom").info("sync_finished", rows=3)
    assert "sync_finished" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize(
    "values",
    [
        {"password": "hunter2"},
        {"Authorization": "hunter2"},
        {"admin_token": "hunter2"},
        {"client_secret": SecretStr("hunter2")},
        {"nested": {"smtp": {"password": "hunter2"}}},
        {"headers": [{"Cookie": "hunter2"}]},
        {"header": "Bearer hunter2hunter2"},
        {"url": "http://127.0.0.1/ews/notifications/hunter2hunter2"},
        {"detail": "password=hunter2"},
        {"detail": "get https://me:hunter2@example.com/ failed"},
        {"detail": f"mr_k3v9x0q2m7ab_{'hunter2' * 7} is wrong"},
        {"detail": '{"client_secret": "hunter2"}'},
    ],
)
def test_secrets_do_not_print(out: io.StringIO, values: dict[str, Any]) -> None:
    structlog.get_logger("mailroom").warning("oops", **values)
    logging.getLogger("third.party").warning("oops", extra=values)
    assert "hunter2" not in out.getvalue()
    assert logs.REDACTED in out.getvalue()


def test_secrets_in_a_traceback_do_not_print(out: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError("Authorization: Bearer hunter2hunter2")

    try:
        fail()
    except ValueError:
        structlog.get_logger("mailroom").exception("oops")
        logging.getLogger("third.party").exception("oops")
    assert out.getvalue().count("ValueError") >= 2
    assert "hunter2" not in out.getvalue()


def test_counts_print_whatever_they_are_called(out: io.StringIO) -> None:
    structlog.get_logger("mailroom").info("x", tokens=3, token_refused=True, password=None)
    (event,) = events(out)
    assert (event["tokens"], event["token_refused"], event["password"]) == (3, True, None)


def test_third_party_loggers_are_quiet_below_warning(out: io.StringIO) -> None:
    logging.getLogger("exchangelib.protocol").info("chatter")
    logging.getLogger("exchangelib.protocol").warning("matters")
    assert [event["event"] for event in events(out)] == ["matters"]


async def test_operator_and_folder_are_bound_per_task(out: io.StringIO) -> None:
    log = structlog.get_logger("mailroom")

    async def work(operator: str) -> None:
        with logs.about(OperatorId(operator), "inbox"):
            await asyncio.sleep(0)
            log.info("done", expected=operator)

    await asyncio.gather(work("anna"), work("berta"))
    log.info("after")
    *done, after = events(out)
    assert [event["operator"] for event in done] == [event["expected"] for event in done] == ["anna", "berta"]
    assert {event["folder"] for event in done} == {"inbox"}
    assert "operator" not in after


def test_the_level_can_be_lowered() -> None:
    stream = io.StringIO()
    logs.configure("DEBUG", stream)
    structlog.get_logger("mailroom").debug("detail")
    assert "detail" in stream.getvalue()
