"""Whose addresses are in emails: each distinct one once, and which email has which. Pure.

What is no SMTP address (an X.500 name of Exchange's own directory, say) is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from engine.crm.keys import address_key, domain_key, domain_of

_LISTS = ("to_recipients", "cc_recipients", "bcc_recipients")
KEYS = pa.list_(pa.uint64())


@dataclass(frozen=True, slots=True)
class Participants:
    """``addresses``: distinct, as they are written; ``rows``: of each email the numbers of its own, the sender first.

    ``senders``: of each email the number of its sender's address, None where there is none.
    """

    addresses: list[str]
    rows: list[list[int]]
    senders: list[int | None]
    address_keys: list[int]
    domain_keys: list[int]

    def distinct(self, row: int) -> list[int]:
        """The keys of an email's addresses."""
        return list(dict.fromkeys(self.address_keys[number] for number in self.rows[row]))

    def of(self, rows: Sequence[int]) -> "Participants":
        """Of some of the emails, by number."""
        return replace(self, rows=[self.rows[row] for row in rows], senders=[self.senders[row] for row in rows])

    def key_columns(self) -> tuple[pa.Array, pa.Array]:
        """The columns ``address_keys`` and ``domain_keys`` of all emails."""
        domains = [list(dict.fromkeys(self.domain_keys[number] for number in row)) for row in self.rows]
        return pa.array([self.distinct(row) for row in range(len(self.rows))], KEYS), pa.array(domains, KEYS)


NOBODY = Participants([], [], [], [], [])


def participants(emails: pa.Table | pa.RecordBatch) -> Participants:
    """Of emails with the address columns of ``columns.FETCHED_EMAILS``."""
    rows: list[list[int]] = [[] for _ in range(emails.num_rows)]
    senders: list[int | None] = [None] * emails.num_rows
    parents, parts = [pa.array(range(emails.num_rows), pa.int64())], [_one_chunk(emails.column("sender_address"))]
    for name in _LISTS:
        column = _one_chunk(emails.column(name))
        parents.append(pc.list_parent_indices(column).cast(pa.int64()))
        parts.append(column.flatten().field("address"))
    coded = pa.chunked_array(parts, pa.string()).combine_chunks().dictionary_encode()
    spelled = coded.dictionary.to_pylist()
    numbers = {place: number for number, place in enumerate(i for i, one in enumerate(spelled) if "@" in one)}
    addresses = [spelled[place] for place in numbers]
    for position, (row, code) in enumerate(
        zip(pa.chunked_array(parents).to_pylist(), coded.indices.to_pylist(), strict=True)
    ):
        number = None if code is None else numbers.get(code)
        if number is None:
            continue
        if position < emails.num_rows:
            senders[row] = number
        rows[row].append(number)
    return Participants(
        addresses,
        rows,
        senders,
        [address_key(one) for one in addresses],
        [domain_key(domain_of(one)) for one in addresses],
    )


def _one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
