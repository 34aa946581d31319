"""Unit tests start no cluster: whatever tries to is stopped at the door."""

import pytest
import ray


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("a unit test has started Ray; test the plain class, or move the test to tests/cluster")

    monkeypatch.setattr(ray, "init", refuse)
