"""Landings on their way between processes: each record batch as one Arrow IPC message. Many operators, as plain tuples.

Left to Ray, a batch is taken apart into its buffers, 72 for a landing of 21 emails, each of them pickled. Measured,
with four such landings a call: 1.14 ms of CPU each to send and 0.67 ms to receive, against 0.40 and 0.27 ms this way.
50,000 changes of operators take 0.8 s of CPU to pickle as they are, in the gateway's event loop, and 0.1 s as tuples.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa

from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS
from engine.model import Landing, Operator, OperatorId
from engine.operators import OperatorChange

PlainOperator = tuple[OperatorId, str, str, bool]
PlainChange = tuple[PlainOperator | None, PlainOperator, bool]


class PackedLanding(NamedTuple):
    """A landing without its batches, and the batches as messages. What has other columns travels as it is."""

    landing: Landing
    emails: pa.Buffer | None = None
    attachments: pa.Buffer | None = None


def pack(landings: Sequence[Landing]) -> list[PackedLanding]:
    """Landings fit for a call to another process."""
    return [_pack(landing) for landing in landings]


def unpack(packed: Sequence[PackedLanding]) -> list[Landing]:
    """Landings as they were packed; their columns stay in the memory the call came with."""
    return [_unpack(one) for one in packed]


def _pack(landing: Landing) -> PackedLanding:
    emails, attachments = landing.emails, landing.attachments
    if (
        emails is None
        or attachments is None
        or not emails.schema.equals(FETCHED_EMAILS)
        or not attachments.schema.equals(FETCHED_ATTACHMENTS)
    ):
        return PackedLanding(landing)
    return PackedLanding(replace(landing, emails=None, attachments=None), emails.serialize(), attachments.serialize())


def _unpack(packed: PackedLanding) -> Landing:
    if packed.emails is None or packed.attachments is None:
        return packed.landing
    return replace(
        packed.landing,
        emails=pa.ipc.read_record_batch(packed.emails, FETCHED_EMAILS),
        attachments=pa.ipc.read_record_batch(packed.attachments, FETCHED_ATTACHMENTS),
    )


def pack_operators(operators: Sequence[Operator]) -> list[PlainOperator]:
    """Operators fit for a call to another process."""
    return [_plain(one) for one in operators]


def unpack_operators(plain: Sequence[PlainOperator]) -> list[Operator]:
    """Operators as they were packed."""
    return [Operator(*one) for one in plain]


def pack_changes(changes: Sequence[OperatorChange]) -> list[PlainChange]:
    """Changes fit for a call to another process."""
    return [
        (None if change.before is None else _plain(change.before), _plain(change.after), change.again)
        for change in changes
    ]


def unpack_changes(plain: Sequence[PlainChange]) -> list[OperatorChange]:
    """Changes as they were packed."""
    return [
        OperatorChange(None if before is None else Operator(*before), Operator(*after), again)
        for before, after, again in plain
    ]


def _plain(operator: Operator) -> PlainOperator:
    return operator.operator_id, operator.email, operator.name, operator.email_sync
