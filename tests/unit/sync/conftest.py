import pytest

from tests.unit.sync.harness import Harness


@pytest.fixture
def harness() -> Harness:
    return Harness()
