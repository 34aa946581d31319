from dataclasses import asdict
from typing import Any

from engine.simulator import SimulatedExchange, operators
from tests.unit.simulator.ews import ONE, TWO, serving
from tests.unit.simulator.test_push import until

UNTIL = 1_700_000_000


def mailbox(**options: Any) -> list[dict[str, Any]]:
    exchange = SimulatedExchange(until=UNTIL, **options)
    return [asdict(item) for item in exchange.items(ONE)]


def test_a_seed_makes_the_same_mailbox_whoever_else_is_there() -> None:
    assert mailbox(seed=3, emails=25, operators=2) == mailbox(seed=3, emails=25, operators=50)
    assert mailbox(seed=3, emails=25) != mailbox(seed=4, emails=25)


def test_as_many_messages_as_asked_for_and_none_from_the_future() -> None:
    for emails in (0, 1, 7, 50):
        found = mailbox(emails=emails, days=10)
        assert len(found) == emails
        assert all(UNTIL - 10 * 86400 <= item["sent_at"] <= UNTIL for item in found)
        assert len({item["item_id"] for item in found}) == emails


def test_mail_is_of_many_kinds() -> None:
    exchange = SimulatedExchange(emails=200, operators=3)
    items = [item for person in exchange.operators for item in exchange.items(person.email)]
    assert {item.importance for item in items} == {"Normal", "High", "Low"}
    assert {"Normal", "Private", "Confidential"} <= {item.sensitivity for item in items}
    assert {item.folder for item in items} >= {"Inbox", "Sent Items", "Inbox/Customers"}
    assert len({item.author.address.partition("@")[2] for item in items if item.author}) > 10
    for some in (
        [item for item in items if item.attachments],
        [item for item in items if item.cc],
        [item for item in items if item.bcc],
        [item for item in items if item.categories],
        [item for item in items if item.body_html is None],
        [item for item in items if item.in_reply_to and item.references],
        [item for item in items if "様" in item.body_text],
        [item for item in items if "Grüße" in item.body_text],
    ):
        assert 0 < len(some) < len(items)
    replies = {item.in_reply_to for item in items} - {""}
    assert replies <= {item.message_id for item in items}


def test_a_typical_message_weighs_what_business_mail_weighs() -> None:
    sizes = [len(item.body_text) + len(item.body_html or "") for item in SimulatedExchange(emails=300).items(ONE)]
    assert 1200 < sum(sizes) / len(sizes) < 4000


def test_operators_are_named_alike_everywhere() -> None:
    assert [person.email for person in operators(2)] == [ONE, TWO]
    assert operators(2)[0].operator_id == "operator0001"
    assert SimulatedExchange(operators=2).operators == operators(2)


async def test_mail_arrives_while_the_server_runs() -> None:
    async with serving(emails=3, arrivals_per_minute=60 * 200) as client:
        await until(lambda: sum(len(client.exchange.items(person.email)) for person in client.exchange.operators) > 20)


async def test_arrivals_are_like_the_rest() -> None:
    async with serving(emails=3) as client:
        arrived = client.exchange.arrive(ONE, 30)
        assert {item.folder for item in arrived} == {"Inbox"}
        assert not any(item.is_read for item in arrived)
        assert len({item.message_id for item in arrived}) == 30
        assert (await client.get_items([item.item_id for item in arrived])).codes == ["NoError"] * 30
