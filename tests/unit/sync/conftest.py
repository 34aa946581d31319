import pytest

from tests.unit.sync.harness import Harness
from tests.unit.sync.world import World


@pytest.fixture
def harness() -> Harness:
    return Harness()


@pytest.fixture
async def world() -> World:
    made = World()
    await made.begin()
    return made
