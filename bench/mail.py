"""Real landings without a network between.

Mail of the simulator, read once by the engine's own source, relabelled as often as a benchmark needs.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from pydantic import SecretStr

from bench.exchange import PASSWORD, Exchange, simulated
from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS
from engine.model import FetchedItems, Folder, FolderId, FolderRecord, Landing, OperatorId, SyncToken
from engine.settings import ExchangeSettings


@dataclass(frozen=True, slots=True)
class Sample:
    """What the source gives for some mailboxes: their inbox with its items and its sync token."""

    folder: Folder
    token: SyncToken
    items: FetchedItems


def sample(mailboxes: int, emails: int, seed: int) -> list[Sample]:
    """Read the inboxes of generated mailboxes; each has ``emails`` items or a few more or less."""
    # A mailbox has about as many sent items and items elsewhere as it has in its inbox
    with simulated(mailboxes, emails * 2, seed) as exchange:
        return asyncio.run(_read(exchange))


async def _read(exchange: Exchange) -> list[Sample]:
    from engine.sources.ews.source import EwsSource

    login = ExchangeSettings(url=exchange.url, username=exchange.username, password=SecretStr(PASSWORD))
    source, found = EwsSource(login, 1), []
    try:
        for email in exchange.operators:
            folder = (await source.resolve_folders(email, ["inbox"])).found[0]
            page = await source.read_changes(email, folder, None, 512)
            items = await source.fetch_items(email, folder, [change.item_id for change in page.changes])
            found.append(Sample(folder, page.token, items))
    finally:
        await source.close()
    return found


class Mail:
    """Makes landings out of samples; no two have an item in common."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        emails = pa.Table.from_batches([one.items.emails for one in samples]).combine_chunks()
        self._emails: pa.RecordBatch = _public(emails.to_batches()[0])
        self._attachments = [one.items.attachments for one in samples]
        self._token = samples[0].token
        self._folder = samples[0].folder
        self._made = 0
        self._at = 0

    @property
    def bytes_an_email(self) -> int:
        """In memory, as Arrow."""
        return int(self._emails.nbytes // self._emails.num_rows)

    def landing(self, operator_id: OperatorId, epoch: int, count: int) -> Landing:
        """``count`` new emails of an operator, with the folder's new token, as a drained page lands them."""
        if self._at + count > self._emails.num_rows:
            self._at = 0
        rows = self._emails.slice(self._at, count)
        self._at += count
        old = rows.column("item_id").to_pylist()
        new = [self._relabelled(item_id) for item_id in old]
        folder = self._folder_of(operator_id)
        return Landing(
            operator_id,
            epoch,
            folder=folder,
            emails=_with_ids(rows, new, FETCHED_EMAILS),
            attachments=self._attached(dict(zip(old, new, strict=True))),
            folder_record=FolderRecord(folder.folder_id, folder.name, self._token, drained=True),
        )

    def _relabelled(self, item_id: str) -> str:
        self._made += 1
        label = f"{self._made:012d}"
        return f"{item_id[: -len(label) - 1]}{label}="

    def _folder_of(self, operator_id: OperatorId) -> Folder:
        return replace(self._folder, folder_id=FolderId(f"{self._folder.folder_id[:-20]}{operator_id[-20:]:=>20}"))

    def _attached(self, labels: dict[str, str]) -> pa.RecordBatch:
        found = [
            batch.take(pa.array(rows, pa.int64()))
            for batch in self._attachments
            if (rows := [row for row, of in enumerate(batch.column("item_id").to_pylist()) if of in labels])
        ]
        if not found:
            return pa.RecordBatch.from_pylist([], schema=FETCHED_ATTACHMENTS)
        whole = pa.Table.from_batches(found).combine_chunks().to_batches()[0]
        return _with_ids(whole, [labels[of] for of in whole.column("item_id").to_pylist()], FETCHED_ATTACHMENTS)


def _with_ids(batch: pa.RecordBatch, ids: Sequence[str], schema: pa.Schema) -> pa.RecordBatch:
    own = pa.array(ids, pa.string())
    return pa.RecordBatch.from_arrays(
        [own if name == "item_id" else batch.column(name) for name in schema.names], schema=schema
    )


def _public(emails: pa.RecordBatch) -> pa.RecordBatch:
    """Without private mail, which would not land."""
    place = FETCHED_EMAILS.names.index("sensitivity")
    said = pa.repeat(pa.scalar("Normal"), emails.num_rows)
    columns = [*emails.columns[:place], said, *emails.columns[place + 1 :]]
    return pa.RecordBatch.from_arrays(columns, schema=FETCHED_EMAILS)
