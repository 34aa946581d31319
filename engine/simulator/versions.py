"""The versions of Exchange on the wire.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/requestserverversion
"""

from typing import NamedTuple

from engine.simulator.options import ServerVersion

_RANKS = (
    "Exchange2007",
    "Exchange2007_SP1",
    "Exchange2009",
    "Exchange2010",
    "Exchange2010_SP1",
    "Exchange2010_SP2",
    "Exchange2012",
    "Exchange2013",
    "Exchange2013_SP1",
    "Exchange2015",
    "V2015_10_05",
    "V2016_01_06",
    "V2016_04_13",
    "V2016_07_13",
    "V2016_10_10",
    "V2017_01_07",
    "V2017_04_14",
    "V2017_07_11",
    "V2018_01_08",
    "Exchange2016",
)
RANK = {name: rank for rank, name in enumerate(_RANKS)}
"""Every value of RequestServerVersion, oldest first."""

EXCHANGE_2010 = RANK["Exchange2010"]
EXCHANGE_2013 = RANK["Exchange2013"]


class Build(NamedTuple):
    """What a server says of itself in ServerVersionInfo, and the newest request version it takes."""

    major: int
    minor: int
    build: int
    revision: int
    label: str
    newest: int


BUILDS = {
    ServerVersion.EXCHANGE_2010: Build(14, 3, 496, 0, "Exchange2010_SP2", RANK["Exchange2010_SP2"]),
    ServerVersion.EXCHANGE_2013: Build(15, 0, 1497, 42, "V2_23", RANK["Exchange2013_SP1"]),
    ServerVersion.EXCHANGE_2016: Build(15, 1, 2507, 37, "V2017_07_11", RANK["Exchange2016"]),
    ServerVersion.EXCHANGE_365: Build(15, 20, 8026, 22, "V2018_01_08", RANK["Exchange2016"]),
}
