"""Queries, answered piece by piece, and emails looked for."""

from typing import Any, Protocol

from engine.emails import EmailListing
from engine.listing import Page
from engine.querying import Answer, Query


class QueryStore(Protocol):
    """What people ask of the mail. A client that goes away ends its query, or its answer, with ``end_query``."""

    async def emails(self, listing: EmailListing) -> Page:
        """A page of emails; items have the columns of ``engine.emails.LISTED``.

        Raises:
            QueryRefused: a position that is not one of this list.
            QueryTimedOut, QueryBusy: as with queries.
        """
        ...

    async def email(self, item_id: str, operator_id: str = "") -> dict[str, Any]:
        """An email by column name, deleted ones too, with ``attachments``, a list of rows of that view.

        Raises:
            UnknownEmail: no mailbox, or not this operator's, has such an item.
            EmailAmbiguous: the mailboxes of several operators have it; the message names them.
        """
        ...

    async def start_query(self, query: Query) -> Answer:
        """Run one read-only SELECT over the views; the first piece of its answer.

        Raises:
            QueryRefused: wrong SQL, more than one statement, or not a SELECT over the views.
            QueryTimedOut, QueryTooLarge: it took more than a query may.
            QueryBusy: too many run or wait.
        """
        ...

    async def read_query(self, query_id: str) -> Answer:
        """The next piece, while the one before said there is more.

        Raises:
            QueryRefused: the answer is gone; it is kept for some time only.
        """
        ...

    async def end_query(self, query_id: str) -> None:
        """Stop the query, or let go of what is left of its answer; of one that has ended, nothing."""
        ...
