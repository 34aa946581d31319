"""Work that is repeated."""

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from actors.every import every
from engine.errors import StoreUnavailable


def scripted(*outcomes: Exception | None) -> Callable[[], object]:
    """Work that goes like this, and is called off after that."""
    left = iter(outcomes)

    async def work() -> None:
        outcome = next(left, asyncio.CancelledError())
        if outcome is not None:
            raise outcome

    return work


async def test_whatever_happens_it_goes_on_and_trouble_is_told_once() -> None:
    away = StoreUnavailable("away")
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await every(0, scripted(None, away, away, None, KeyError("a bug"), None, away), "alerts")  # type: ignore[arg-type]
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("alerts put off", "warning"),
        ("alerts go on", "info"),
        ("alerts broken off", "error"),
        ("alerts put off", "warning"),
    ]
