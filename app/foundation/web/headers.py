"""Single headers of a request, read from its ASGI scope without making an object of all of them."""

from starlette.types import Scope


def find_header(scope: Scope, name: bytes) -> str | None:
    """The header's value, the first where it was sent several times; `name` in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def list_headers(scope: Scope, name: bytes) -> list[str]:
    """Every value of the header, in the order of arrival; `name` in lower case."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
