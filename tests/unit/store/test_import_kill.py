"""kill -9 in the middle of an import: all of it is there or nothing, and what was answered is."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

from engine.store import DuckDBStore
from tests.fakes.store_words import Time
from tests.unit.store.importing_process import PEOPLE

SCRIPT = Path(__file__).with_name("importing_process.py")
ROOT = Path(__file__).parents[3]


def import_until_killed(path: Path, answers: int, then: float) -> int:
    """The last import that was answered; the kill comes ``then`` seconds after so many answers."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, str(SCRIPT), str(path)]
    last = 0
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:  # noqa: S603
        assert process.stdout is not None
        for count, line in enumerate(process.stdout, 1):
            last = int(line)
            if count == answers:
                sleep(then)
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return last


async def test_killed_at_any_moment(path: Path, time: Time) -> None:
    chance = random.Random(1)
    for _ in range(4):
        answered = import_until_killed(path, chance.randrange(1, 4), chance.random() * 0.2)
        store = await DuckDBStore.open(path, time)
        operators = await store.operators()
        [number] = {int(one.name) for one in operators}
        assert number >= answered
        assert len(operators) == PEOPLE
        await store.close()
