"""The writer thread: everything that changes the file goes through it, in groups.

::

    submit ──▶ queue ──▶ take all that waits (bounded) ──▶ fence ──▶ one transaction ──▶ answers ──▶ activations
                                                                        │ fails
                                                                        └─▶ one by one, each on its own

While a group commits, the next one gathers. A group costs 15 ms of CPU whatever is in it (some twenty statements to
plan), so groups keep a pace: a landing that finds the store idle is taken at once, one that comes right after another
waits up to ``group_pace`` for company.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb

from engine import errors
from engine.model import Activation, FolderId, OperatorId
from engine.store.activation import Durable, count_landed, read_durable
from engine.store.associating.associator import Associator
from engine.store.connection import Database
from engine.store.door.doorkeeper import Doorkeeper
from engine.store.faults import is_lost, is_sickness, unavailable
from engine.store.group import (
    Activate,
    Alone,
    ChangeOperators,
    Heal,
    Land,
    Outcome,
    PutOperators,
    Request,
    Write,
    write_group,
)
from engine.store.migrate import next_incarnation
from engine.store.options import StoreOptions
from engine.store.terms import Terms
from engine.store.tickets import Answer, deliver

_EPOCHS_PER_OPENING = 1 << 32


@dataclass(frozen=True, slots=True)
class WriterStats:
    """What the writer has done since opening; ``queued`` is what waits now, ``largest`` the biggest group so far."""

    commits: int = 0
    landings: int = 0
    emails: int = 0
    activations: int = 0
    retried_singly: int = 0
    failed: int = 0
    reopened: int = 0
    largest: int = 0
    queued: int = 0


class Writer:
    """Owns the writing connection. ``submit`` is safe from any thread; ``close`` finishes what is queued."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        options: StoreOptions,
        reopen: Callable[[], None],
        make_room: Callable[[], bool],
    ) -> None:
        self._database = database
        self._reopen = reopen
        self._make_room = make_room
        self._lost = False
        self._clock = clock
        self._options = options
        self.removes = options.deletions == "remove"
        """Whether deleted emails are taken out of the file, from the next group on."""
        self._next_epoch = next_incarnation(database.writer) * _EPOCHS_PER_OPENING
        self._epochs: dict[OperatorId, int] = {}
        self.associator = Associator()
        """Which CRM records what lands concerns; told of the settings before anybody lands."""
        self.doorkeeper = Doorkeeper(self.associator)
        """Whose mail, and which, no landing brings in; told of it before anybody lands, and by this thread."""
        self.count_landed()
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._closing = False
        self._last_group = 0.0
        self._door = threading.Lock()
        self._stats = WriterStats()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def emails(self) -> int:
        """Current rows, as of the last commit."""
        return self._emails

    @property
    def stats(self) -> WriterStats:
        """The figures at this moment."""
        return replace(self._stats, queued=self._queue.qsize())

    def submit(self, request: Request) -> None:
        """Queue a request; its future is answered when it is durable (or refused).

        Raises:
            StoreUnavailable: the store is closed.
        """
        with self._door:
            if self._closing:
                raise errors.StoreUnavailable("The store is closed.")
            self._queue.put(request)

    def close(self) -> None:
        """Finish what is queued and end the thread. Once."""
        with self._door:
            self._closing = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        more = True
        while more:
            group, more = self._take()
            waiting = [one for one in group if not isinstance(one, Heal) and not one.ticket.abandoned]
            if any(isinstance(one, Heal) for one in group):
                self._lost = self._lost or not self._is_well()
            if self._lost and not self._recover():
                self._fail(waiting, errors.StoreUnavailable("The store cannot be opened anew at the moment."))
                continue
            self._write([one for one in waiting if not isinstance(one, Activate | Alone)])
            self._do([one for one in waiting if isinstance(one, Alone)])
            self._activate([one for one in waiting if isinstance(one, Activate)])

    def _take(self) -> tuple[list[Request], bool]:
        """Wait for one request, then take what else is there, as long as it fits; False once closing."""
        group: list[Request] = []
        rows = size = 0
        first = self._queue.get()
        time.sleep(max(0.0, self._last_group + self._options.group_pace - time.monotonic()))
        self._last_group = time.monotonic()
        while True:
            try:
                one = self._queue.get_nowait() if group else first
            except queue.Empty:
                return group, True
            if one is None:
                return group, False
            group.append(one)
            if isinstance(one, Land):
                rows += one.rows
                size += one.size
            if rows >= self._options.group_rows or size >= self._options.group_bytes:
                return group, True

    def _write(self, group: Sequence[Write]) -> None:
        writes = [one for one in group if self._is_current(one)]
        if not writes:
            return
        try:
            self._commit(writes)
        except Exception as error:  # noqa: BLE001 (whatever it is, somebody waits for an answer)
            if is_sickness(error) or len(writes) == 1:
                self._fail(writes, error)
                return
            # Something about one of them; the others shall not suffer for it.
            self._count(retried_singly=len(writes))
            for one in writes:
                self._write_alone(one)

    def _write_alone(self, one: Write) -> None:
        try:
            self._commit([one])
        except Exception as error:  # noqa: BLE001 (the same)
            self._fail([one], error)

    def _is_current(self, one: Write) -> bool:
        if not isinstance(one, Land) or self._epochs.get(one.landing.operator_id) == one.landing.epoch:
            return True
        stale = errors.StaleEpoch(
            f"Epoch {one.landing.epoch} of {one.landing.operator_id} is not the current one: a newer activation has "
            "taken over, or the store was opened anew."
        )
        deliver([Answer(one.ticket, error=stale)])
        return False

    def _commit(self, writes: Sequence[Write]) -> None:
        try:
            outcome = self._write_group(writes)
        except duckdb.OutOfMemoryException as error:
            # People's queries share the memory, and can be asked again.
            if is_lost(error) or "Failed to commit" in str(error) or not self._make_room():
                raise
            outcome = self._write_group(writes)
        for operator_id, growth in outcome.growth.items():
            folders = self._landed[operator_id]
            for folder_id, count in growth.items():
                folders[folder_id] = folders.get(folder_id, 0) + count
                self._emails += count
        self.fence(outcome.fenced)
        lands = [one for one in writes if isinstance(one, Land)]
        self._count(commits=1, landings=len(lands), emails=sum(one.rows for one in lands))
        self._stats = replace(self._stats, largest=max(self._stats.largest, len(writes)))
        deliver(outcome.answers)

    def _write_group(self, writes: Sequence[Write]) -> Outcome:
        return write_group(self._database.writer, writes, self._clock(), self.terms)

    @property
    def terms(self) -> Terms:
        """What landings are subject to."""
        return Terms(self.removes, self.doorkeeper, self.associator)

    def fence(self, operator_ids: Iterable[OperatorId]) -> None:
        """Let no activation there is land any more."""
        for operator_id in operator_ids:
            self._epochs.pop(operator_id, None)

    def _do(self, group: Sequence[Alone[Any]]) -> None:
        for one in group:
            try:
                deliver([Answer(one.ticket, one.do())])
            except Exception as error:  # noqa: BLE001 (the same)
                self._fail([one], error)

    def _activate(self, group: Sequence[Activate]) -> None:
        if not group:
            return
        try:
            durable = read_durable(self._database.writer, [one for request in group for one in request.operator_ids])
        except duckdb.Error as error:
            self._fail(group, error)
            return
        answers = []
        for request in group:
            known = [durable[one] for one in request.operator_ids if one in durable]
            answers.append(Answer(request.ticket, [self._new_activation(one) for one in known]))
            self._count(activations=len(known))
        deliver(answers)

    def _new_activation(self, known: Durable) -> Activation:
        operator_id = known.operator.operator_id
        self._next_epoch += 1
        self._epochs[operator_id] = self._next_epoch
        return Activation(
            operator=known.operator,
            epoch=self._next_epoch,
            mailbox=known.mailbox,
            folders=tuple(known.folders),
            pending=tuple(known.pending),
            quarantined=tuple(known.quarantined),
            subscription=known.subscription,
            landed={FolderId(one): n for one, n in self._landed.get(operator_id, {}).items() if n},
        )

    def _is_well(self) -> bool:
        try:
            self._database.writer.execute("SELECT 1 FROM _mailroom.meta").fetchall()
        except duckdb.Error:
            return False
        return True

    def _recover(self) -> bool:
        """Open the file anew; epochs stay, counts are read again, since a commit in doubt may have happened."""
        try:
            self._reopen()
            self.count_landed()
        except (errors.MailroomError, duckdb.Error):
            return False
        self._lost = False
        self._count(reopened=1)
        return True

    def count_landed(self) -> None:
        """Read the counts of current rows anew."""
        self._landed = count_landed(self._database.writer)
        self._emails = sum(sum(folders.values()) for folders in self._landed.values())

    def _fail(self, group: Sequence[Write | Alone[Any] | Activate], error: Exception) -> None:
        self._lost = self._lost or is_lost(error)
        self._count(failed=len(group))
        # Whether it was done is not known; an activation too many is made anew, one too few would land for ever.
        self.fence(who.operator_id for one in group if isinstance(one, PutOperators) for who in one.operators)
        self.fence(
            change.after.operator_id for one in group if isinstance(one, ChangeOperators) for change in one.changes
        )
        foreign = isinstance(error, duckdb.Error)
        deliver(Answer(one.ticket, error=unavailable(error) if foreign else error) for one in group)

    def _count(self, **more: int) -> None:
        self._stats = replace(self._stats, **{name: getattr(self._stats, name) + n for name, n in more.items()})
