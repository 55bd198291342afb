"""What the head of a request says, read where it stands: no object is built for it."""

from __future__ import annotations

from functools import lru_cache

from starlette.requests import Request


def header(request: Request, name: bytes) -> str:
    """The first one of that name, which is in small letters; empty: there is none."""
    for each, value in request.scope["headers"]:
        if each == name:
            found: str = value.decode("latin-1")
            return found
    return ""


def found_at(request: Request) -> str:
    """Where whoever asks has found the server, without a slash at the end."""
    scope = request.scope
    server, host = scope.get("server"), header(request, b"host")
    root = scope.get("app_root_path", scope.get("root_path", ""))
    return _address(scope.get("scheme", "http"), server and tuple(server), host, root)


@lru_cache(maxsize=100)
def _address(scheme: str, server: tuple[str, int | None] | None, host: str, root: str) -> str:
    headers = [(b"host", host.encode("latin-1"))] if host else []
    scope = {"type": "http", "scheme": scheme, "server": server, "headers": headers}
    return str(Request(scope | {"root_path": root}).base_url).rstrip("/")
