"""Every Ray option of every actor, in one place.

Actors are named and found by name, restarted for ever, and hold no CPU: they wait most of the time. Calls are tried
once: the callers know what a lost answer means (``engine.ports``), Ray does not.
"""

from typing import Any

import ray

NAMESPACE = "mailroom"
STORE = "store"
COORDINATOR = "coordinator"
GATEWAY = "gateway"

_RESTARTED = {"namespace": NAMESPACE, "num_cpus": 0, "max_restarts": -1, "max_task_retries": 0}


def create(actor: type, name: str, *args: Any, spread: bool = False) -> Any:
    """Start an actor under a name and return its handle; ``spread`` puts it on the node with the fewest."""
    options: dict[str, Any] = {**_RESTARTED, "name": name, "max_concurrency": 10_000}
    if spread:
        options["scheduling_strategy"] = "SPREAD"
    return ray.remote(**options)(actor).remote(*args)
