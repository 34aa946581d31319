"""Associations on a real Ray: a contact put into the CRM is found in what has landed, and in what lands after."""

from actors.calls import call_now
from actors.options import COORDINATOR
from engine.crm.change import CrmChange
from engine.crm.model import CrmRecord, RecordKind
from engine.jobs.model import JobName, Outcome
from tests.cluster.conftest import BEGIN_WITH, Room
from tests.cluster.processes import eventually

SOON = 40.0
WANTED = """
    SELECT count(*) AS n FROM emails WHERE operator_id = ? AND (
        lower(sender_address) = ? OR ? IN (SELECT lower(one.address) FROM (
            SELECT unnest(coalesce(to_recipients, []) || coalesce(cc_recipients, []) || coalesce(bcc_recipients, []))
            AS one)))
"""
FOUND = "SELECT count(*) AS n FROM associations WHERE operator_id = ? AND record_id = ? AND rule = 'exact_address'"


def test_a_contact_is_found_in_what_has_landed_and_in_what_lands_after(room: Room) -> None:
    emails = room.emails[:BEGIN_WITH]
    room.settle(emails)
    who = emails[0]
    [other] = room.query(
        "SELECT mode(lower(sender_address)) AS one FROM emails WHERE operator_id = ? AND sender_address <> ?", who, who
    ).to_pylist()
    address = other["one"]

    def count(sql: str, *params: str) -> int:
        return int(room.query(sql, *params).column("n")[0].as_py())

    wanted = count(WANTED, who, address, address)
    assert wanted > 0
    change = CrmChange(RecordKind.CONTACT, (CrmRecord(RecordKind.CONTACT, "cluster-1", addresses=(address,)),))
    assert room.store("put_crm", change).new == 1
    eventually(lambda: count(FOUND, who, "cluster-1") == wanted, SOON, "what has landed is associated")

    landed = room.exchange.do(lambda it: it.deliver(who, subject="Of a contact", sender=address))
    one = "SELECT count(*) AS n FROM associations WHERE item_id = ? AND record_id = 'cluster-1'"
    eventually(lambda: count(one, landed.item_id) == 1, SOON, "what lands is associated")
    latest = next(
        state.latest
        for state in call_now(room.cluster._handles[COORDINATOR], "jobs")
        if state.job.name is JobName.ASSOCIATE_EMAILS
    )
    assert latest.outcome in {Outcome.SUCCEEDED, Outcome.RUNNING}
    room.store("put_crm", CrmChange(RecordKind.CONTACT, deleted=("cluster-1",)))
    eventually(lambda: count(FOUND, who, "cluster-1") == 0, SOON, "a deleted contact is no longer associated")
