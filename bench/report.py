"""What a benchmark leaves: its figures with the machine and the versions they were taken on, as JSON and as a table."""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = ("ray", "duckdb", "pyarrow", "exchangelib", "lxml", "aiohttp", "pydantic", "structlog")
_RESULTS = Path(__file__).parent / "results"

Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """``figures`` are for machines, ``rows`` (what, how much) for people."""

    name: str
    options: Mapping[str, object]
    figures: Mapping[str, Any]
    rows: Sequence[Row]

    def as_json(self) -> str:
        """Figures, options, machine and versions."""
        whole = {"benchmark": self.name, "options": dict(self.options), "machine": machine(), **self.figures}
        return json.dumps(whole, indent=2, default=str)

    def as_table(self) -> str:
        """The short form."""
        width = max((len(what) for what, _ in self.rows), default=0)
        about = machine()
        lines = [f"{self.name}: {about['cpu']}, {about['cores']} cores, Python {about['python']}"]
        return "\n".join([*lines, *(f"  {what:<{width}}  {value}" for what, value in self.rows)])

    def save(self) -> Path:
        """Write the JSON to ``bench/results``."""
        _RESULTS.mkdir(exist_ok=True)
        path = _RESULTS / f"{self.name}.json"
        path.write_text(self.as_json() + "\n", encoding="utf-8")
        return path


def machine() -> dict[str, Any]:
    """What the figures were taken on. ``load`` tells how busy the machine was with other things."""
    return {
        "cpu": cpu_model(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load": [round(load, 2) for load in psutil.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def cpu_model() -> str:
    """The processor as it calls itself; its architecture where that is not told."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def quantiles(values: Sequence[float], *wanted: float) -> list[float]:
    """Values below which these parts of all lie."""
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, int(part * len(ordered)))] for part in wanted]


def settings_of(options: object) -> dict[str, object]:
    """The options of a benchmark (a dataclass) as data."""
    return asdict(options)  # type: ignore[call-overload,no-any-return]
