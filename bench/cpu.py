"""CPU seconds by role, over the processes of a local cluster.

Ray names its worker processes after what they run, so a role is told by the process title. Raylet, GCS, agents and
workers without an actor are Ray's own and are counted apart.
"""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

ROLES = {
    "ray::StoreActor": "store",
    "ray::MailboxHost": "hosts",
    "ray::Coordinator": "coordinator",
    "ray::Gateway": "gateway",
}
DRIVER = "driver"
RAY = "ray"


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one process: ``unique`` is what would be free again without it (USS)."""

    unique: int
    resident: int


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds by role, and the moment they were read at."""

    seconds: Mapping[str, float]
    at: float = field(default_factory=time.monotonic)

    def since(self, before: "Usage") -> "Used":
        """What was used between two readings."""
        roles = self.seconds.keys() | before.seconds.keys()
        spent = {role: max(0.0, self.seconds.get(role, 0.0) - before.seconds.get(role, 0.0)) for role in roles}
        return Used(spent, self.at - before.at)


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds by role over some wall time."""

    seconds: Mapping[str, float]
    wall: float

    @property
    def engine(self) -> float:
        """All processes of ours, the driver included, without Ray's own."""
        return sum(spent for role, spent in self.seconds.items() if role != RAY)

    @property
    def ray(self) -> float:
        """Ray's own processes."""
        return self.seconds.get(RAY, 0.0)

    def rounded(self) -> dict[str, float]:
        """For a report."""
        return {role: round(spent, 3) for role, spent in sorted(self.seconds.items())}


def of_cluster(*others: int) -> Usage:
    """What this process and everything it has started have used so far, but for ``others`` (pids)."""
    seconds: dict[str, float] = defaultdict(float)
    for process, role in _processes(others):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        seconds[role] += times.user + times.system
    return Usage(dict(seconds))


def memory_of(role: str, *others: int) -> list[Memory]:
    """The memory of each process of a role."""
    found = []
    for process, its_role in _processes(others):
        if its_role == role:
            info = process.memory_full_info()
            found.append(Memory(info.uss, info.rss))
    return found


def own() -> float:
    """CPU seconds of this process alone."""
    return time.process_time()


def _processes(others: tuple[int, ...]) -> list[tuple[psutil.Process, str]]:
    this = psutil.Process()
    started = [process for process in this.children(recursive=True) if process.pid not in others]
    return [(this, DRIVER), *((process, _role(process)) for process in started)]


def _role(process: psutil.Process) -> str:
    try:
        title = " ".join(process.cmdline()[:1])
    except psutil.Error:
        return RAY
    return next((role for prefix, role in ROLES.items() if title.startswith(prefix)), RAY)
