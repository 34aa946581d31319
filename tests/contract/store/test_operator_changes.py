"""Changes of operators: made as seen or not at all, one address an operator; what the configuration file has to say."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine import errors
from engine.listing import Listing, View
from engine.model import MailboxRecord, MailboxStatus, Operator, OperatorId, SubscriptionRecord, SubscriptionStatus
from engine.operators import OperatorChange
from engine.status import DueOperator
from tests.fakes.store_words import ANN, BOB, START, AnyStore, Lander, Time, activate

ANN_IS = Operator(ANN, "ann@example.com", "Ann")
BOB_IS = Operator(BOB, "bob@example.com", "Bob")
CARL = OperatorId("carl")
HOUR = timedelta(hours=1)
FAILED = MailboxRecord(MailboxStatus.FAILED, START, START, START + HOUR, START, 9, "AUTH_FAILED", "401", START)
SUBSCRIPTION = SubscriptionRecord(
    "s1", SubscriptionStatus.FAILED, "https://x/t", 30, created_at=START, next_attempt_at=START + HOUR
)


async def change(store: AnyStore, before: Operator | None, after: Operator, *, again: bool = False) -> None:
    await store.change_operators([OperatorChange(before, after, again)])


async def test_create_and_change(store: AnyStore) -> None:
    carl = Operator(CARL, "carl@example.com")
    await store.change_operators([OperatorChange(None, carl), OperatorChange(BOB_IS, replace(BOB_IS, name="Robert"))])
    assert await store.operators() == [ANN_IS, replace(BOB_IS, name="Robert"), carl]
    assert DueOperator(CARL, True, True) in await store.due(START, 10)


@pytest.mark.parametrize(
    ("before", "after", "error", "words"),
    [
        (None, Operator(ANN, "new@example.com"), errors.OperatorExists, "operator ann already"),
        (None, Operator(CARL, "ANN@Example.com"), errors.AddressTaken, "another operator: ann"),
        (BOB_IS, replace(BOB_IS, email="Ann@example.com"), errors.AddressTaken, "another operator: ann"),
        (replace(BOB_IS, name="?"), BOB_IS, errors.OperatorsChanged, "bob"),
        (Operator(CARL, "c@example.com"), Operator(CARL, "d@example.com"), errors.UnknownOperator, "carl"),
    ],
)
async def test_what_is_refused_leaves_nothing_of_the_whole(
    store: AnyStore, before: Operator | None, after: Operator, error: type[Exception], words: str
) -> None:
    dora = OperatorChange(None, Operator(OperatorId("dora"), "dora@example.com"))
    with pytest.raises(error, match=words):
        await store.change_operators([dora, OperatorChange(before, after), dora])
    assert await store.operators() == [ANN_IS, BOB_IS]


async def test_addresses_can_be_swapped_and_handed_on(store: AnyStore) -> None:
    carl = Operator(CARL, BOB_IS.email)
    await store.change_operators(
        [
            OperatorChange(None, carl),
            OperatorChange(BOB_IS, replace(BOB_IS, email="ann@example.com")),
            OperatorChange(ANN_IS, replace(ANN_IS, email="ann@new.example.com")),
        ]
    )
    assert [one.email for one in await store.operators()] == ["ann@new.example.com", "ann@example.com", BOB_IS.email]


async def test_the_case_of_an_own_address_is_ones_own_business(store: AnyStore) -> None:
    await change(store, ANN_IS, replace(ANN_IS, email="Ann@Example.com"))
    assert (await store.operators())[0].email == "Ann@Example.com"


async def test_who_has_shared_an_address_all_along_can_be_changed_otherwise(store: AnyStore) -> None:
    carl = Operator(CARL, "ann@example.com")
    await store.put_operators([carl])
    await change(store, carl, replace(carl, name="Carl"))
    assert (await store.operators())[2].name == "Carl"


async def test_of_two_who_come_at_once_one_gets_the_address(store: AnyStore) -> None:
    wanted = [Operator(OperatorId(f"new{n}"), "new@example.com") for n in range(20)]
    outcomes = await asyncio.gather(*(change(store, None, one) for one in wanted), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes} == {type(None), errors.AddressTaken}
    assert len(await store.operators()) == 3


async def test_of_two_who_change_one_at_once_the_second_looks_again(store: AnyStore) -> None:
    first, second = replace(ANN_IS, name="A"), replace(ANN_IS, email="a@example.com")
    outcomes = await asyncio.gather(change(store, ANN_IS, first), change(store, ANN_IS, second), return_exceptions=True)
    assert sorted(str(type(one).__name__) for one in outcomes) == ["NoneType", "OperatorsChanged"]


async def test_enabling_ends_a_failure_though_the_operator_was_enabled(store: AnyStore, time: Time) -> None:
    land = Lander(store, await activate(store))
    await land(mailbox=FAILED, subscription=SUBSCRIPTION)
    time.pass_by(minutes=1)
    await change(store, ANN_IS, ANN_IS)
    assert (await activate(store)).mailbox == FAILED, "nobody has said enable"
    await change(store, ANN_IS, ANN_IS, again=True)
    with pytest.raises(errors.StaleEpoch):
        await land(mailbox=FAILED)
    activation = await activate(store)
    assert activation.mailbox == MailboxRecord(MailboxStatus.SYNCING, START, START, next_sync_at=time.now)
    assert activation.subscription == replace(SUBSCRIPTION, next_attempt_at=None)


async def test_enabling_who_is_well_disturbs_nobody(store: AnyStore) -> None:
    land = Lander(store, await activate(store))
    synced = MailboxRecord(MailboxStatus.SYNCED, START, START, START + HOUR)
    await land(mailbox=synced)
    await change(store, ANN_IS, ANN_IS, again=True)
    await land(mailbox=synced)
    assert (await activate(store)).mailbox == synced


async def test_disabling_and_a_new_address_fence_the_activation(store: AnyStore) -> None:
    for after in (replace(ANN_IS, email="ann@new.example.com"), Operator(ANN, "ann@new.example.com", "Ann", False)):
        land = Lander(store, await activate(store))
        await change(store, (await store.operators())[0], after)
        with pytest.raises(errors.StaleEpoch):
            await land(mailbox=FAILED)


async def test_the_file_counts_where_it_has_been_edited(store: AnyStore) -> None:
    file = [ANN_IS, BOB_IS]
    await store.seed_operators(file)
    ours = replace(ANN_IS, email="ann@new.example.com", email_sync=False)
    await change(store, ANN_IS, ours)
    assert (await store.seed_operators(file)).changes == ()
    assert (await store.operators())[0] == ours
    await store.seed_operators([replace(ANN_IS, name="Anna"), BOB_IS])
    assert (await store.operators())[0] == replace(ours, name="Anna")
    await store.seed_operators([replace(ANN_IS, name="Anna", email="ann@file.example.com"), BOB_IS])
    assert (await store.operators())[0] == replace(ours, name="Anna", email="ann@file.example.com")


async def test_who_leaves_the_file_stays(store: AnyStore) -> None:
    await store.seed_operators([ANN_IS, BOB_IS])
    assert (await store.seed_operators([ANN_IS])).gone == (BOB,)
    assert (await store.seed_operators([ANN_IS])).gone == ()
    assert await store.operators() == [ANN_IS, BOB_IS]
    await store.seed_operators([ANN_IS, replace(BOB_IS, name="Robert")])
    assert (await store.operators())[1].name == "Robert", "the file names him anew"


async def test_the_file_takes_no_address_from_another(store: AnyStore) -> None:
    theirs = Operator(CARL, "BOB@example.com")
    dora = Operator(OperatorId("dora"), "dora@example.com")
    for _ in range(2):
        seeding = await store.seed_operators([theirs, dora])
        assert list(seeding.refused) == [CARL]
        assert "another operator: bob" in seeding.refused[CARL]
    assert await store.operators() == [ANN_IS, BOB_IS, dora]
    await change(store, BOB_IS, replace(BOB_IS, email="bob@new.example.com"))
    await store.seed_operators([theirs, dora])
    assert theirs in await store.operators()


async def test_the_file_may_hand_an_address_on(store: AnyStore) -> None:
    await store.seed_operators([ANN_IS, BOB_IS])
    moved = [replace(ANN_IS, email="ann@new.example.com"), replace(BOB_IS, email="ann@example.com")]
    assert not (await store.seed_operators(moved)).refused
    assert await store.operators() == moved


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("muller", ["m1", "m2"]),
        ("MÜLLER", ["m1", "m2"]),
        ("müller jörg", ["m2"]),
        ("EXAMPLE.COM eva", ["m1"]),
        ("ann", ["ann"]),
        ("%", []),
        ("a_n", []),
        ("' OR true --", []),
        (" ", ["ann", "bob", "m1", "m2"]),
    ],
)
async def test_search(store: AnyStore, search: str, found: list[str]) -> None:
    names = {"m1": "Eva Müller", "m2": "Jörg Mueller-Muller"}
    await store.put_operators([Operator(OperatorId(one), f"{one}@example.com", name) for one, name in names.items()])
    page = await store.page(Listing(View.OPERATORS, search=search))
    assert [row["operator_id"] for row in page.items] == found


async def test_what_cannot_be_searched_is_refused(store: AnyStore) -> None:
    for listing in (Listing(View.MAILBOXES, search="x"), Listing(View.OPERATORS, search="\ud800")):
        with pytest.raises(errors.QueryRefused):
            await store.page(listing)
