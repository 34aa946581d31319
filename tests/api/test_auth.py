import pytest

from api.app import ROUTES
from tests.api.conftest import TOKEN, Client, MakeClient, callback_path

GUARDED = [
    ("GET", "/api/v1/status"),
    ("POST", "/api/v1/query"),
    ("GET", "/api/v1/nothing"),
    ("GET", "/"),
    ("POST", "/healthz"),
    ("DELETE", callback_path()),
    ("GET", "/ews/notifications/"),
]
PUBLIC = [("GET", "/healthz"), ("HEAD", "/healthz"), ("GET", "/readyz"), ("GET", callback_path())]


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer töken",
    ],
)
async def test_no_valid_token_no_answer(client: Client, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with client.request(method, path, json={"sql": "SELECT 1"}, headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        error = (await response.json())["error"]
    assert error["code"] == "UNAUTHORIZED"
    assert error["hint"]
    assert TOKEN not in str(error)


@pytest.mark.parametrize(("method", "path"), [(route.method, route.path) for route in ROUTES])
async def test_only_probes_and_the_listener_are_open(client: Client, method: str, path: str) -> None:
    async with client.request(method, path.replace("{token}", "forged")) as response:
        open_ = path in {"/healthz", "/readyz"} or path.startswith("/ews/notifications/")
        assert (response.status == 401) is not open_


@pytest.mark.parametrize(("method", "path"), GUARDED[:2])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
async def test_the_administrators_token_opens(client: Client, method: str, path: str, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {TOKEN}"}
    async with client.request(method, path, json={"sql": "SELECT 1"}, headers=headers) as response:
        assert response.status == 200


@pytest.mark.parametrize(("method", "path"), PUBLIC)
async def test_probes_and_the_listener_want_no_token(client: Client, method: str, path: str) -> None:
    async with client.request(method, path) as response:
        assert response.status == 200


@pytest.mark.parametrize("header", [None, "Bearer ", f"Bearer {TOKEN}"])
async def test_without_a_configured_token_nobody_gets_in(make_client: MakeClient, header: str | None) -> None:
    client = await make_client(admin_token="")
    headers = {} if header is None else {"Authorization": header}
    async with client.get("/api/v1/status", headers=headers) as response:
        assert response.status == 401
        assert "MAILROOM_ADMIN_TOKEN" in (await response.json())["error"]["hint"]
    async with client.get("/healthz") as response:
        assert response.status == 200
