"""One ``fetch_items``: what became of every id.

A batch of GetItem is a batch of small requests, and each answer is about its item, about the mailbox, or about the
moment. Item: fetched, missing or unreadable. Mailbox or moment: the whole call raises, so that the mailbox is tried
again. Which is which:

- An id that Exchange does not know, or finds malformed, is missing, and so is an item in another folder by now.
- ErrorBatchProcessingStopped: those items were not tried. They are asked for again, as long as that brings some.
- ErrorTimeoutExpired: the minute a batch may take was used up. Those are asked for again too.
- Access denied for some items while others are given is about those items. So is ErrorInternalServerError, which may
  pass: they are to be asked for again.
- ErrorInvalidPropertyRequest: the item is of a type without message properties; asked for again without them.
- Any other code, known or not, makes the item unreadable: one bad item does not stop its mailbox.
"""

from collections.abc import Sequence

from engine import errors
from engine.model import FetchedItems, Folder, ItemId, UnreadableItem
from engine.settings import ExchangeVersion
from engine.sources.ews.get_folder import GetFolder
from engine.sources.ews.get_item import GetItem
from engine.sources.ews.identity import same_id
from engine.sources.ews.project import Row, attachments, emails, id_of, read_item, where_is, with_id
from engine.sources.ews.service import Account, Message
from engine.sources.ews.tags import m
from engine.sources.ews.translate import BAD_ID, KINDS, Refusal, translate

_ROUNDS = 4
_ITEMS = m("Items")
_STOPPED, _TIMEOUT = "ErrorBatchProcessingStopped", "ErrorTimeoutExpired"
_INTERNAL = "ErrorInternalServerError"
_NO_SUCH_PROPERTY = "ErrorInvalidPropertyRequest"
_MOMENT = (errors.Throttled, errors.SourceUnavailable)
_MAILBOX = (
    errors.AuthenticationFailed,
    errors.EwsBlocked,
    errors.ImpersonationDenied,
    errors.MailboxNotFound,
    errors.AccountDisabled,
    errors.VersionInvalid,
    errors.EndpointInvalid,
)

Outcome = Row | Refusal


class Fetch:
    """The state of one call, over its rounds."""

    def __init__(self, account: Account, version: ExchangeVersion, folder: Folder) -> None:
        self._operation = GetItem(account, version)
        self._mailbox = account.primary_smtp_address
        self._account = account
        self._folder = folder
        self._elsewhere: dict[str, bool] = {}
        self._rows: dict[ItemId, Row] = {}
        self._missing: list[ItemId] = []
        self._unreadable: list[UnreadableItem] = []

    def run(self, item_ids: Sequence[ItemId]) -> FetchedItems:
        """See ``ports.MailSource.fetch_items``."""
        asked = list(dict.fromkeys(item_ids))
        waiting, untyped = asked, list[ItemId]()
        for _ in range(_ROUNDS):
            if waiting:
                waiting, odd = self._round(waiting, only_common=False)
                untyped += odd
            if untyped and not waiting:
                untyped, _odd = self._round(untyped, only_common=True)
            if not waiting and not untyped:
                rows = [self._rows[item_id] for item_id in asked if item_id in self._rows]
                return FetchedItems(emails(rows), attachments(rows), tuple(self._missing), tuple(self._unreadable))
        raise errors.Throttled(f"{self._mailbox}: Exchange stops batches early again and again.", code=_STOPPED)

    def _round(self, asked: list[ItemId], *, only_common: bool) -> tuple[list[ItemId], list[ItemId]]:
        """Ask once; the ids to ask for again, and those to ask for without message properties."""
        outcomes = self._ask(asked, only_common=only_common)
        settled, refused = self._settle(outcomes)
        again = [item_id for item_id, refusal in refused if refusal.code in (_STOPPED, _TIMEOUT)]
        odd = [item_id for item_id, refusal in refused if refusal.code == _NO_SUCH_PROPERTY and not only_common]
        for item_id, refusal in refused:
            if item_id not in again and item_id not in odd:
                self._judge(item_id, refusal, others_given=settled > 0)
        if again and len(again) == len(asked):
            self._give_up(dict(refused)[again[0]], alone=len(asked) == 1)
        return again, odd

    def _ask(self, asked: list[ItemId], *, only_common: bool) -> dict[ItemId, Outcome]:
        try:
            messages = self._operation.call(asked, only_common=only_common)
        except errors.SourceError as error:
            # Some servers answer with a SOAP fault what is about one item
            about_items = error.code in BAD_ID or isinstance(error, errors.ResponseUnreadable)
            if not about_items or error.code is None:
                raise
            if len(asked) > 1:
                raise errors.ResponseUnreadable(str(error), code=error.code) from error
            return {asked[0]: Refusal(error.code, str(error))}
        outcomes = match(asked, messages)
        if outcomes is None:
            raise self._misfit(asked, messages)
        return outcomes

    def _misfit(self, asked: list[ItemId], messages: Sequence[Message]) -> errors.SourceError:
        # One refusal for the whole batch is a way to answer, too
        for message in messages:
            cause = message.refusal.innermost() if message.refusal is not None else None
            if cause is not None and cause.code != _TIMEOUT and issubclass(_kind(cause), _MOMENT + _MAILBOX):
                return translate(cause, self._mailbox)
        said = f"{len(messages)} answers that do not fit the {len(asked)} items asked for."
        return errors.ResponseUnreadable(f"{self._mailbox}: {said}")

    def _settle(self, outcomes: dict[ItemId, Outcome]) -> tuple[int, list[tuple[ItemId, Refusal]]]:
        settled, refused = 0, []
        for item_id, outcome in outcomes.items():
            if isinstance(outcome, Refusal):
                cause = outcome.innermost()
                if cause.code in BAD_ID:
                    self._missing.append(item_id)
                else:
                    refused.append((item_id, cause))
                continue
            settled += 1
            if self._is_here(where_is(outcome)):
                self._rows[item_id] = outcome
            else:
                self._missing.append(item_id)
        return settled, refused

    def _is_here(self, where: str | None) -> bool:
        """Whether an item is in the folder asked about; a server that writes the id otherwise is asked what it means.

        To take an item for moved that has not moved would lose it, so a mere difference of spelling proves nothing.
        """
        if where is None or same_id(where, self._folder.folder_id):
            return True
        if where not in self._elsewhere:
            own = GetFolder(self._account).own_spelling(where)
            self._elsewhere[where] = own is None or not same_id(own, self._folder.folder_id)
        return not self._elsewhere[where]

    def _judge(self, item_id: ItemId, refusal: Refusal, *, others_given: bool) -> None:
        kind = _kind(refusal)
        passing = refusal.code == _INTERNAL and others_given
        if (issubclass(kind, _MOMENT) and not passing) or (issubclass(kind, _MAILBOX) and not others_given):
            raise translate(refusal, self._mailbox)
        self._unreadable.append(UnreadableItem(item_id, refusal.code, refusal.text or refusal.code, passing))

    def _give_up(self, refusal: Refusal, *, alone: bool) -> None:
        if refusal.code == _TIMEOUT and not alone:
            raise errors.ResponseUnreadable(f"{self._mailbox}: {refusal.words()}", code=refusal.code)
        raise translate(refusal, self._mailbox)


def _kind(refusal: Refusal) -> type[errors.SourceError]:
    return KINDS.get(refusal.code, errors.RequestRefused)


def match(asked: Sequence[ItemId], messages: Sequence[Message]) -> dict[ItemId, Outcome] | None:
    """Which answer is about which id: items say it themselves, refusals stand where their id stood.

    None if that leaves an id without an answer, or an answer without an id.
    """
    outcomes: dict[ItemId, Outcome] = {}
    refusals: list[tuple[int, Refusal]] = []
    wanted = set(asked)
    for place, message in enumerate(messages):
        if message.refusal is not None:
            refusals.append((place, message.refusal))
            continue
        for row in _rows(message):
            found = id_of(row) or ""
            if found not in wanted and place < len(asked) and same_id(found, asked[place]):
                found = asked[place]
                with_id(row, found)
            if found not in wanted:
                return None
            outcomes[ItemId(found)] = row
    return outcomes if _place(asked, outcomes, refusals) else None


def _rows(message: Message) -> list[Row]:
    items = next((part for part in message.element if part.tag == _ITEMS), None)
    return [read_item(item) for item in items] if items is not None else []


def _place(asked: Sequence[ItemId], outcomes: dict[ItemId, Outcome], refusals: list[tuple[int, Refusal]]) -> bool:
    rest = [item_id for item_id in asked if item_id not in outcomes]
    if len(rest) != len(refusals):
        return False
    if all(place < len(asked) and asked[place] not in outcomes for place, _ in refusals):
        outcomes.update({asked[place]: refusal for place, refusal in refusals})
        return True
    if len({refusal.code for _, refusal in refusals}) > 1:
        return False
    # The order is not to be trusted, but they all say the same
    outcomes.update(zip(rest, (refusal for _, refusal in refusals), strict=True))
    return True
