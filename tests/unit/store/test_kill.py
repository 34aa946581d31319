"""kill -9 while landings are under way: each of them is wholly there or not at all, and what was answered is there."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.model import Activation, OperatorId
from engine.store import DuckDBStore
from tests.fakes.store_inspect import all_rows, current_rows
from tests.fakes.store_words import Time

SCRIPT = Path(__file__).with_name("landing_process.py")
ROOT = Path(__file__).parents[3]
OPERATORS = [OperatorId(f"o{n}") for n in range(4)]


def land_until_killed(path: Path, answers: int) -> dict[str, int]:
    """The last landing of each operator that was answered before the kill."""
    arguments = [sys.executable, str(SCRIPT), str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    last = {}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:  # noqa: S603
        assert process.stdout is not None
        for count, line in enumerate(process.stdout):
            if count == answers:
                process.send_signal(signal.SIGKILL)
            who, number = line.split()
            last[who] = int(number)
    assert process.returncode == -signal.SIGKILL
    return last


def check(store: DuckDBStore, activation: Activation, answered: int) -> None:
    who = activation.operator.operator_id
    number = int(activation.folders[0].token or -1)
    assert number >= answered, "what was answered is durable"
    every = {f"{landing}-{n}" for landing in range(number + 1) for n in range(3)}
    gone = {f"{landing}-0" for landing in range(number)}
    assert set(all_rows(store, who)) == every
    assert set(current_rows(store, who)) == every - gone
    assert activation.landed == {"F": len(every - gone)}


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_at_any_moment(path: Path, time: Time, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(3):
        answered = land_until_killed(path, chance.randrange(4, 60))
        store = await DuckDBStore.open(path, time)
        for activation in await store.activate(OPERATORS):
            check(store, activation, answered.get(activation.operator.operator_id, -1))
        await store.close()
