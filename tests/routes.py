"""A walk over every route of the app, included routers and all."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from app.accounts.access import DOORS


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path, and the names of the doors it stands behind."""

    method: str
    path: str
    doors: frozenset[str]


def routes_of(app: FastAPI) -> Iterator[Route]:
    """One entry per method and path; mounts (static files) are no routes."""
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, APIRoute):
            continue
        assert context.path is not None
        doors = frozenset(_doors(context.dependant))
        for method in sorted(context.methods or ()):
            yield Route(method, context.path, doors)


def _doors(dependant: Dependant) -> Iterator[str]:
    for dependency in dependant.dependencies:
        if dependency.call in DOORS:
            yield getattr(dependency.call, "__name__", "door")
        yield from _doors(dependency)
