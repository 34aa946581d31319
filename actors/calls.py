"""Calls between actors: found by name, answered in our own errors only. Nothing of Ray's leaks to callers."""

import asyncio
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from actors.options import NAMESPACE
from engine.errors import ClusterError, HostUnavailable, MailroomError

_handles: dict[str, Any] = {}


async def call(
    name: str, method: str, *args: Any, lost: type[MailroomError] = HostUnavailable, cancels: bool = False
) -> Any:
    """Await an actor's method. ``lost``: what is raised when the actor cannot be reached or dies meanwhile.

    ``cancels``: whoever gives up waiting has the method cancelled as well.
    """
    try:
        handle = _handles.get(name)
        if handle is None:
            handle = _handles[name] = await asyncio.to_thread(ray.get_actor, name, NAMESPACE)
        answer = getattr(handle, method).remote(*args)
        try:
            return await answer
        except asyncio.CancelledError:
            if cancels:
                ray.cancel(answer)
            raise
    except RayTaskError as error:  # first, because it is also of the type that was raised: a ValueError, say
        raise _own(error) from None
    except ValueError as error:
        raise lost(f"{name} has not started yet.") from error
    except RayError as error:
        _handles.pop(name, None)  # another actor may come to bear the name
        raise lost(f"{name} does not answer; it is being restarted.") from error


def call_now(handle: Any, method: str, *args: Any, timeout: float = 60.0) -> Any:
    """Call an actor from a process without an event loop; the driver's way."""
    try:
        return ray.get(getattr(handle, method).remote(*args), timeout=timeout)
    except RayTaskError as error:
        raise _own(error) from None
    except RayError as error:
        raise ClusterError(f"{method} was not answered: {str(error).splitlines()[0]}") from error


def await_all(handles: Sequence[Any], method: str, timeout: float) -> None:
    """Call many actors at once and wait for all of them; raises what the first one raises that does not answer."""
    try:
        ray.get([getattr(handle, method).remote() for handle in handles], timeout=timeout)
    except RayTaskError as error:
        raise _own(error) from None
    except RayError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise ClusterError(f"{method} was not answered: {lines[0]} {lines[-1].strip()}") from error


def _own(error: RayTaskError) -> MailroomError:
    """The error as it was raised, if it is ours; anything else is a bug, named by its type."""
    if isinstance(error.cause, MailroomError):
        return error.cause
    return ClusterError(f"{type(error.cause).__name__}: {error.cause}")
