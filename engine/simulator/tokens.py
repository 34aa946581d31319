"""Sync tokens (SyncState) and the changes they leave outstanding.

A token says which arrivals its holder was given and as of which change number:

    segments, ascending and disjoint: (low, high, base, upto)
        arrivals with low < created_cn <= high were given; their changes up to ``upto`` were given too;
        ``base`` is where the drain in progress began, so that an older content change still counts as an update

From that follow Exchange's collapses: an arrival outside all segments is one Create however often it changed since;
one that left again is nothing; a message changed and read is one Update. Listing goes from newest to oldest, as
Microsoft documents, and stays exact while the folder changes between pages.
"""

import base64
import binascii
import gzip
import struct
import zlib
from typing import NamedTuple

from engine.simulator.errors import ResponseError
from engine.simulator.folders import Folder, Tombstone
from engine.simulator.messages import Message

_SEGMENT = struct.Struct("<QQQQ")
_HEAD = struct.Struct("<B16sQ")
ITEMS, HIERARCHY = 1, 2


class Segment(NamedTuple):
    """A range of arrivals the holder of a token was given."""

    low: int
    high: int
    base: int
    upto: int


class Page(NamedTuple):
    """One page of changes and the token after it."""

    creates: list[Message]
    updates: list[Message]
    reads: list[Message]
    deletes: list[Tombstone]
    segments: list[Segment]
    complete: bool


def write(kind: int, mailbox: bytes, folder: int, segments: list[Segment]) -> str:
    """The token as opaque text, bound to its mailbox and folder; gzip lends it a checksum."""
    body = _HEAD.pack(kind, mailbox, folder) + b"".join(_SEGMENT.pack(*segment) for segment in segments)
    return base64.b64encode(gzip.compress(body, 1, mtime=0)).decode()


def read(text: str, kind: int, mailbox: bytes, folder: int, newest: int) -> list[Segment]:
    """The segments of a token; ``ErrorInvalidSyncStateData`` for any token not given for this folder."""
    try:
        body = gzip.decompress(base64.b64decode(text, validate=True))
        if _HEAD.unpack_from(body) != (kind, mailbox, folder):
            raise ResponseError("ErrorInvalidSyncStateData")
        segments = [Segment(*values) for values in _SEGMENT.iter_unpack(body[_HEAD.size :])]
    except (ValueError, OSError, EOFError, binascii.Error, zlib.error, struct.error) as error:
        raise ResponseError("ErrorInvalidSyncStateData") from error
    if any(segment.upto > newest or segment.high > newest for segment in segments):
        raise ResponseError("ErrorInvalidSyncStateData")
    return segments


def changes(folder: Folder, segments: list[Segment], limit: int, now: int) -> Page:
    """The next ``limit`` changes: first those of arrivals already given, oldest change first, then new arrivals."""
    outstanding = _outstanding(folder, segments)
    page = Page([], [], [], [], [], complete=False)
    for change, base, entry in outstanding[:limit]:
        if isinstance(entry, Tombstone):
            page.deletes.append(entry)
        elif entry.content_cn > base:
            page.updates.append(entry)
        else:
            page.reads.append(entry)
        reached = change
    if len(outstanding) > limit:
        raised = [segment._replace(upto=max(segment.upto, reached)) for segment in segments]
        return page._replace(segments=raised)
    current = [segment._replace(upto=now) for segment in segments]
    return _arrivals(folder, page, current, limit - len(outstanding), now)


def _outstanding(folder: Folder, segments: list[Segment]) -> list[tuple[int, int, Message | Tombstone]]:
    found: list[tuple[int, int, Message | Tombstone]] = []
    for low, high, base, upto in segments:
        if folder.last_cn <= upto:
            continue
        changed = [message for message in folder.changed_since(upto) if low < message.created_cn <= high]
        found += [(message.latest_cn, base, message) for message in changed]
        gone = [stone for stone in folder.gone_since(upto) if low < stone.created_cn <= high]
        found += [(stone.deleted_cn, base, stone) for stone in gone]
    return sorted(found, key=lambda entry: entry[0])


def _arrivals(folder: Folder, page: Page, segments: list[Segment], room: int, now: int) -> Page:
    """Fill the page with arrivals in the gaps between segments, from the newest gap down."""
    below = lowest = now
    covered: list[Segment] = []
    for segment in [*reversed(segments), Segment(-1, 0, 0, 0)]:
        for message in folder.newest_first(below, max(segment.high, 0)):
            if room == 0:
                rest = [s for s in segments if s.high <= segment.high]
                return page._replace(segments=_merge([*rest, *covered, Segment(lowest, below, now, now)]))
            page.creates.append(message)
            room -= 1
            lowest = message.created_cn - 1
        covered.append(Segment(max(segment.high, 0), below, now, now))
        covered.append(segment)
        below = segment.low
        lowest = below
    return page._replace(segments=[Segment(0, now, now, now)], complete=True)


def _merge(segments: list[Segment]) -> list[Segment]:
    merged: list[Segment] = []
    for segment in sorted(s for s in segments if s.high > s.low >= 0):
        if merged and merged[-1].high == segment.low and merged[-1][2:] == segment[2:]:
            merged[-1] = merged[-1]._replace(high=segment.high)
        else:
            merged.append(segment)
    return merged
