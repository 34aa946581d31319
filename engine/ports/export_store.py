"""Exports, part by part."""

from typing import Protocol

from engine.exporting import Export, ExportRequest
from engine.querying import Answer


class ExportStore(Protocol):
    """What it takes to export everything, as it is at one moment."""

    async def begin_export(self, request: ExportRequest) -> Export:
        """Hold on to the present state, to be read part by part. Given up when nobody reads for some minutes.

        Raises:
            ExportRefused: as many as may be are under way.
        """
        ...

    async def read_export(self, export_id: str, part: int, position: int) -> Answer:
        """A piece of a part, by its number. ``position`` counts pieces from 0, which begins the part anew.

        Raises:
            ExportGone: there is no such export any more, no such part, or the piece is not the next one.
        """
        ...

    async def end_export(self, export_id: str) -> None:
        """Let go of it; nothing happens where it is gone already."""
        ...
