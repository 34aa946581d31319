"""Nothing of Ray's leaks to callers."""

from collections.abc import Iterator

import pytest
import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, GetTimeoutError, RayTaskError

from actors import calls
from engine.errors import ClusterError, HostUnavailable, MailroomError, StoreUnavailable, Throttled


class Handle:
    """An actor handle whose only method answers, or raises."""

    def __init__(self, outcome: object) -> None:
        self._outcome = outcome

    @property
    def work(self) -> "Handle":
        return self

    async def remote(self, *_args: object) -> object:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


def task_error(cause: Exception) -> Exception:
    """As Ray raises it: an error that is also of the type of its cause."""
    error: Exception = RayTaskError("work", "traceback", cause).as_instanceof_cause()
    return error


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    calls._handles.clear()
    yield
    calls._handles.clear()


def found(monkeypatch: pytest.MonkeyPatch, outcome: object) -> None:
    monkeypatch.setattr(ray, "get_actor", lambda _name, _namespace: Handle(outcome))


async def test_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, 7)
    assert await calls.call("store", "work") == 7


@pytest.mark.parametrize("outcome", [ActorDiedError(), ActorUnavailableError("restarting", None)])
@pytest.mark.parametrize("lost", [HostUnavailable, StoreUnavailable])
async def test_an_actor_that_is_away(
    monkeypatch: pytest.MonkeyPatch, outcome: Exception, lost: type[MailroomError]
) -> None:
    found(monkeypatch, outcome)
    with pytest.raises(lost, match="store does not answer"):
        await calls.call("store", "work", lost=lost)


async def test_an_actor_that_has_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_actor(_name: str, _namespace: str) -> None:
        raise ValueError("Failed to look up actor")

    monkeypatch.setattr(ray, "get_actor", no_such_actor)
    with pytest.raises(StoreUnavailable, match="has not started"):
        await calls.call("store", "work", lost=StoreUnavailable)


async def test_our_own_error_comes_as_it_was_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, task_error(Throttled("busy", retry_after=3)))
    with pytest.raises(Throttled) as raised:
        await calls.call("store", "work")
    assert type(raised.value) is Throttled
    assert raised.value.retry_after == 3


@pytest.mark.parametrize("cause", [ValueError("nonsense"), ZeroDivisionError("oops")])
async def test_a_mistake_is_named_by_its_type(monkeypatch: pytest.MonkeyPatch, cause: Exception) -> None:
    found(monkeypatch, task_error(cause))
    with pytest.raises(ClusterError, match=type(cause).__name__) as raised:
        await calls.call("store", "work", lost=StoreUnavailable)
    assert type(raised.value) is ClusterError


@pytest.mark.parametrize(
    ("outcome", "met"),
    [
        (task_error(Throttled("busy")), Throttled),
        (task_error(ValueError("nonsense")), ClusterError),
        (GetTimeoutError("late"), ClusterError),
        (ActorDiedError(), ClusterError),
    ],
)
def test_without_an_event_loop(monkeypatch: pytest.MonkeyPatch, outcome: Exception, met: type[MailroomError]) -> None:
    class Direct(Handle):
        def remote(self, *_args: object) -> object:  # type: ignore[override]
            return self._outcome

    def get(answer: object, timeout: float) -> object:
        raise answer  # type: ignore[misc]

    monkeypatch.setattr(ray, "get", get)
    with pytest.raises(met) as raised:
        calls.call_now(Direct(outcome), "work")
    assert type(raised.value) is met


def test_an_actor_that_could_not_be_made_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    died = ActorDiedError(RayTaskError("__init__", "Traceback\nTypeError: no such argument", TypeError("x")))

    def get(_refs: object, timeout: float) -> None:
        raise died

    monkeypatch.setattr(ray, "get", get)
    with pytest.raises(ClusterError, match=r"report was not answered: .*creation.*TypeError: no such argument"):
        calls.await_all([], "report", 1.0)
