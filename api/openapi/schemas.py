"""JSON Schemas of everything the routes name, by pydantic, under names that are the same in every document."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter

from api.routes import Parameter, Route
from api.schemas.shared import Error

Mode = Literal["validation", "serialization"]
REF = "#/components/schemas/{model}"


class _Use(NamedTuple):
    key: str
    mode: Mode


class Schemas:
    """``of`` gives the schema of a type: as it is read in a request ("validation"), or answered ("serialization")."""

    def __init__(self, routes: Iterable[Route]) -> None:
        kinds = {_Use(repr(kind), mode): kind for kind, mode in _named(routes)}
        given = [(use, use.mode, TypeAdapter[Any](kind)) for use, kind in kinds.items()]
        made, rest = TypeAdapter.json_schemas(given, ref_template=REF)
        self._made = {use: _plain(schema) for (use, _), schema in made.items()}
        self.components: dict[str, Any] = {
            name: _plain(schema) for name, schema in sorted(rest.get("$defs", {}).items())
        }

    def of(self, kind: Any, mode: Mode) -> dict[str, Any]:
        """The schema of a type that a route names; models are references into ``components``."""
        return dict(self._made[_Use(repr(kind), mode)])


def _named(routes: Iterable[Route]) -> Iterator[tuple[Any, Mode]]:
    yield Error, "serialization"
    for route in routes:
        if route.body is not None and route.body.model is not None:
            yield route.body.model, "validation"
        yield from ((parameter.kind, "validation") for parameter in path_parameters(route))
        yield from ((parameter.kind, "validation") for parameter in route.parameters)
        yield from ((answer.model, "serialization") for answer in route.answers.values() if answer.model is not None)


def path_parameters(route: Route) -> tuple[Parameter, ...]:
    """The parameters of the path, in its order; those the route does not describe are text."""
    names = [part.partition("}")[0].partition(":")[0] for part in route.path.split("{")[1:]]
    described = {parameter.name: parameter for parameter in route.parameters}
    return tuple(described.get(name) or Parameter(name, "") for name in names)


def _plain(schema: Any) -> Any:
    """Pydantic titles every property by its own name, and has null for "left out": neither says anything."""
    if isinstance(schema, list):
        return [_plain(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {**schema, "description": schema["description"].replace("``", "`")} if _is_described(schema) else schema
    return {
        key: {name: _plain(inner) for name, inner in value.items()}
        if key in {"properties", "$defs"} and isinstance(value, dict)
        else _plain(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }


def _is_described(schema: dict[str, Any]) -> bool:
    return isinstance(schema.get("description"), str)
