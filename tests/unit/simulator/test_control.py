import asyncio
from typing import Any

from engine.simulator import SimulatedExchange, SimulatorOptions, run
from tests.unit.simulator.ews import ONE, Client, serving


async def ask(client: Client, method: str, path: str, **options: Any) -> tuple[int, Any]:
    url = f"{client.exchange.base_url}/simulator/{path}"
    headers = {"Authorization": client.headers["Authorization"]}
    async with client.session.request(method, url, headers=headers, **options) as response:
        return response.status, await response.json()


async def test_another_process_can_drive_it() -> None:
    async with serving(emails=4) as client:
        _, people = await ask(client, "GET", "operators")
        assert people[0]["email"] == ONE
        files = [{"name": "a.txt", "content_type": "text/plain", "data": "YWJj"}]
        fields = {"email": ONE, "subject": "Hi", "sender": ["Ann", "ann@x.example"], "attachments": files}
        status, item = await ask(client, "POST", "deliver", json=fields)
        assert (status, item["sender"], item["attachments"]) == (200, ["Ann", "ann@x.example"], ["a.txt"])
        one = {"email": ONE, "item_id": item["item_id"]}
        assert (await ask(client, "POST", "update", json={**one, "subject": "Ho"}))[1]["subject"] == "Ho"
        assert (await ask(client, "POST", "mark_read", json=one))[1]["is_read"]
        _, moved = await ask(client, "POST", "move", json={**one, "folder": "junkemail"})
        _, junk = await ask(client, "GET", f"items?email={ONE}&folder=junkemail")
        assert [i["item_id"] for i in junk] == [moved["item_id"]]
        assert (await ask(client, "POST", "delete", json={**one, "item_id": moved["item_id"]}))[0] == 200
        assert (await ask(client, "POST", "delete", json={**one, "item_id": moved["item_id"]}))[0] == 404
        assert (await ask(client, "POST", "deliver", json={"email": ONE, "colour": "red"}))[0] == 400
        assert (await ask(client, "POST", "nothing", json={}))[0] == 404
        await ask(client, "POST", "deliver", json={"email": ONE, "count": 5})
        assert len((await ask(client, "POST", "arrive", json={"email": ONE, "count": 2}))[1]) == 2
        assert len((await ask(client, "GET", f"items?email={ONE}"))[1]) == 11


async def test_faults_and_counters_over_http() -> None:
    async with serving() as client:
        await client.subscribe("http://127.0.0.1:1/", 30)
        await ask(client, "POST", "faults", json={"kind": "unavailable", "times": 1})
        assert (await client.sync()).status == 503
        assert (await ask(client, "GET", "faults"))[1][0]["hits"] == 1
        await ask(client, "DELETE", "faults")
        assert (await ask(client, "GET", "faults"))[1] == []
        stats = (await ask(client, "GET", "stats"))[1]
        assert (stats["operations"], stats["subscriptions"]) == ({"Subscribe": 1, "SyncFolderItems": 1}, 1)
        assert (await ask(client, "GET", "subscriptions"))[1][0]["mailbox"] == ONE
        assert (await ask(client, "POST", "drop_subscriptions", json={}))[1] == {"dropped": 1}


async def test_control_is_for_the_service_account_only() -> None:
    async with serving() as client, client.session.get(client.exchange.base_url + "/simulator/stats") as response:
        assert response.status == 401


async def test_run_serves_until_cancelled() -> None:
    started: asyncio.Future[SimulatedExchange] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(SimulatorOptions(operators=1, emails=1), started.set_result))
    exchange = await started
    assert exchange.url.endswith("/EWS/Exchange.asmx")
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
