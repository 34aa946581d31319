"""A simulated Exchange that speaks EWS over HTTP: for the demo, the tests and the benchmarks.

It behaves as Microsoft documents, serves generated mail or a folder of ``.eml`` files, really pushes, and goes wrong on
demand. :class:`SimulatedExchange` is the way in; ``run`` is what the command line calls.
"""

from engine.simulator.errors import ResponseError
from engine.simulator.exchange import SimulatedExchange, run
from engine.simulator.faults import Fault, FaultKind, Faults
from engine.simulator.messages import Address, Attachment, Item
from engine.simulator.options import ServerVersion, SimulatorOptions
from engine.simulator.people import Operator, operators
from engine.simulator.stats import Call, Requests

__all__ = [
    "Address",
    "Attachment",
    "Call",
    "Fault",
    "FaultKind",
    "Faults",
    "Item",
    "Operator",
    "Requests",
    "ResponseError",
    "ServerVersion",
    "SimulatedExchange",
    "SimulatorOptions",
    "operators",
    "run",
]
