"""The document over HTTP, for programs and for people."""

from aiohttp import web

from api.keys import DOCUMENT
from api.openapi.reference import POLICY, render
from api.parameters import read_parameters
from api.routes import Access, Answer, Route


async def show_document(request: web.Request) -> web.Response:
    """``GET /openapi.json``: this document, for clients, generators and testers."""
    read_parameters(request, ())
    return web.Response(text=request.app[DOCUMENT].text, content_type="application/json")


async def show_reference(request: web.Request) -> web.Response:
    """``GET /docs``: the same for people. A browser asks for the token as a password; any user name will do."""
    read_parameters(request, ())
    html = render(request.app[DOCUMENT].data)
    return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": POLICY})


_NO_PARAMETERS = {400: "It takes no parameters."}

ROUTES = (
    Route(
        "GET",
        "/openapi.json",
        show_document,
        Access.ANYONE,
        summary="The API, as OpenAPI 3.1",
        answers={200: Answer("The document.", dict[str, object])},
        refuses=_NO_PARAMETERS,
    ),
    Route(
        "GET",
        "/docs",
        show_reference,
        Access.ANYONE,
        summary="The API, as a page to read",
        answers={200: Answer("The page.", media=("text/html",))},
        refuses=_NO_PARAMETERS,
    ),
)
