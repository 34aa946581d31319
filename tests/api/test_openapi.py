"""/openapi.json and /docs: a valid document, nothing left out, and a page that asks nobody else for anything."""

import json
import re
from base64 import b64encode
from typing import Any

import pytest
from openapi_spec_validator import validate

from api.app import ROUTES
from api.openapi.document import build_document
from api.openapi.operations import address, operation_id
from api.openapi.schemas import path_parameters
from api.routes import Access, Answer, Body, Parameter, Route
from tests.api.conformance import breaches, document
from tests.api.conftest import BEARER, TOKEN, Client

IDS = [f"{route.method} {route.path}" for route in ROUTES]
LISTS = [route for route in ROUTES if any(parameter.name == "cursor" for parameter in route.parameters)]
OUTSIDE = re.compile(r"""(?:src|href|action)=["'](?!#|/openapi\.json|data:)|url\(|@import|https?://""")


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = document()["paths"][address(route)][route.method.lower()]
    return found


def test_it_is_valid_openapi() -> None:
    validate(document())
    assert document()["openapi"].startswith("3.1.")


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_every_route_says_what_it_does(route: Route) -> None:
    assert route.summary, "give its Route a summary"
    assert any(status < 300 for status in route.answers), "give its Route answers"
    for status, answer in route.answers.items():
        assert 200 <= status < 400
        assert answer.model is not None or "application/json" not in answer.media, "give its Answer a model"
    if route.method in {"PUT", "PATCH"}:
        assert route.body is not None, "give its Route a body"
    assert not {status for status in route.refuses if status < 400}


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_every_parameter_and_key_of_a_body_is_described(route: Route) -> None:
    for parameter in operation(route)["parameters"]:
        assert parameter["description"], parameter["name"]
    assert {parameter.name for parameter in path_parameters(route)} <= {
        parameter.name for parameter in route.parameters
    }


def test_models_are_described_and_closed() -> None:
    for name, schema in document()["components"]["schemas"].items():
        if schema.get("type") == "object":
            assert schema.get("description"), name
            assert schema.get("additionalProperties") is False, name


def test_limits_are_said_in_the_words_of_json_schema() -> None:
    assert re.findall(r'"(?:[gl][et]|multiple_of|(?:min|max)_length)": ', json.dumps(document())) == []


def test_ids_of_operations_are_unique_and_follow_from_the_address() -> None:
    names = [operation_id(route) for route in ROUTES]
    assert len(set(names)) == len(names)
    assert {"get_status", "patch_jobs_by_name", "get_jobs_by_name_runs", "post_query"} <= set(names)


@pytest.mark.parametrize("route", LISTS, ids=[route.path for route in LISTS])
async def test_parameters_are_those_that_are_read(client: Client, route: Route) -> None:
    path = route.path.replace("{name}", "EmailSync").replace("{kind}", "contacts")
    async with client.get(f"{path}?none=1", headers=BEARER) as response:
        hint = (await response.json())["error"]["hint"]
    in_query = [one["name"] for one in operation(route)["parameters"] if one["in"] == "query"]
    assert sorted(re.findall(r"\w+", hint.removeprefix("Possible are: "))) == sorted(in_query)


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_what_wants_a_token_says_so(route: Route) -> None:
    described = operation(route)
    is_public = route.access is Access.PUBLIC
    assert described["security"] == ([] if is_public else [{"bearer": []}])
    assert ("401" in described["responses"]) == (not is_public)


def test_examples_are_what_they_are_examples_of() -> None:
    for path, methods in document()["paths"].items():
        for method, described in methods.items():
            contents = [described.get("requestBody", {}), *described["responses"].values()]
            for media in (media for content in contents for media in content.get("content", {}).values()):
                if "example" in media and "schema" in media:
                    assert breaches(media["schema"], media["example"]) == [], f"{method} {path}"


async def test_it_is_served(client: Client) -> None:
    async with client.get("/openapi.json", headers=BEARER) as response:
        assert response.content_type == "application/json"
        served = await response.json()
    assert {**served, "info": {}} == {**document(), "info": {}}


async def test_the_page_has_everything_and_asks_for_nothing(client: Client) -> None:
    async with client.get("/docs", headers=BEARER) as response:
        page, policy = await response.text(), response.headers["Content-Security-Policy"]
    for route in ROUTES:
        assert f'id="{operation_id(route)}"' in page
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))
    assert OUTSIDE.findall(page) == []
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert re.search(r"\son\w+=|\sstyle=", page) is None, "the policy lets neither run"


async def test_a_browser_gives_the_token_as_a_password(client: Client) -> None:
    async with client.get("/docs") as response:
        assert response.status == 401
        assert "Basic" in response.headers["WWW-Authenticate"]
    given = {"Authorization": f"Basic {b64encode(f'anybody:{TOKEN}'.encode()).decode()}"}
    async with client.get("/docs", headers=given) as response:
        assert response.status == 200


def test_words_of_people_are_escaped_on_the_page() -> None:
    from api.openapi.reference import render

    evil = Route("GET", "/x", _handler, Access.PUBLIC, summary="<script>x</script>", answers={200: Answer("<b>`<i>`")})
    page = render(build_document([evil], "1"))
    assert "<script>x" not in page
    assert "<code>&lt;i&gt;</code>" in page


def test_what_a_route_leaves_out_follows_from_the_rest() -> None:
    route = Route(
        "POST",
        "/api/v1/things/{id:.+}/parts",
        _handler,
        Access.ANYONE,
        parameters=(Parameter("deep", "How deep.", bool),),
        body=Body(media=("text/csv",)),
        answers={204: Answer("Done.", media=())},
        refuses={409: "Not now."},
    )
    made = build_document([route], "1")["paths"]["/api/v1/things/{id}/parts"]["post"]
    assert list(made["responses"]) == ["204", "400", "401", "403", "404", "409", "413", "429", "503"]
    assert [(one["name"], one["in"], one["required"]) for one in made["parameters"]] == [
        ("id", "path", True),
        ("deep", "query", False),
    ]
    assert (made["operationId"], made["tags"]) == ("post_things_by_id_parts", ["things"])
    assert made["description"] == "Says what it does.\n\nTakes a token of any role."
    assert "content" not in made["responses"]["204"]
    assert json.dumps(made["requestBody"]["content"]) == '{"text/csv": {}}'


async def _handler(_request: Any) -> Any:
    """``POST /api/v1/things/{id}/parts``: says what it does.

    Raises:
        Refusal: never.
    """
