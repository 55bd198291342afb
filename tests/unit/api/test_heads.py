"""What is read of a head is what Starlette would read, and what an answer begins with what it would write."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from germane.api.auth import LONG, credentials
from germane.api.body import NO_STORE, answer, read
from germane.api.heads import found_at, header
from germane.api.numbers import drawn
from germane.domain.errors import BadRequest, TooLarge
from tests.unit.api.asking import basic, bearer


def a_request(*headers: tuple[bytes, bytes], **more: Any) -> Request:
    return Request({"type": "http", "headers": list(headers), **more})


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"b"]), st.binary())), st.sampled_from([b"a", b"b"])
)
def test_a_header_is_the_first_of_its_name(headers: list[Any], name: bytes) -> None:
    request = a_request(*headers)
    assert header(request, name) == request.headers.get(name.decode(), "")


@pytest.mark.parametrize(
    "host",
    [None, b"", b"shop.example", b"shop.example:8400", b"[::1]:80", b"a b", b"x:99999", b"\xff"],
)
@pytest.mark.parametrize("server", [None, ("10.0.0.1", 80), ["::1", 8400], ("10.0.0.1", 443)])
@pytest.mark.parametrize(
    "root", [{}, {"root_path": "/x/"}, {"root_path": "", "app_root_path": "/y"}]
)
def test_where_the_server_was_found(host: bytes | None, server: Any, root: dict[str, str]) -> None:
    headers = [(b"host", host)] if host is not None else []
    for scheme in ("http", "https"):
        request = a_request(*headers, server=server, scheme=scheme, path="/v1/decide", **root)
        assert found_at(request) == str(request.base_url).rstrip("/")


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, (None, "")),
        (basic("key", "token"), ("key", "token")),
        (basic("key"), ("key", "")),
        (basic("", "token"), (None, "")),
        (basic("key", "to:ken"), ("key", "to:ken")),
        (basic("k" * LONG, "token"), ("k" * LONG, "token")),
        (bearer("key:x"), ("key:x", "")),
        (bearer(" "), (None, "")),
        ({"authorization": "Digest key"}, (None, "")),
        ({"authorization": "Basic not base64!"}, (None, "")),
    ],
)
def test_credentials(headers: dict[str, str], found: tuple[str | None, str]) -> None:
    """The same the second time."""
    request = a_request(*((name.encode(), value.encode()) for name, value in headers.items()))
    assert [credentials(request), credentials(request)] == [found, found]


def received(*messages: dict[str, Any], limit: int = 10) -> bytes:
    """The body of a request that comes so."""
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    return asyncio.run(read(Request({"type": "http", "headers": []}, receive), limit))


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_as_a_whole_and_in_parts() -> None:
    assert received(part(b"ten bytes!")) == b"ten bytes!"
    assert (
        received(part(b"ten", more=True), part(b"", more=True), part(b" bytes!")) == b"ten bytes!"
    )
    assert received(part(b"ten", more=True), part(b"")) == b"ten"
    assert received({"type": "http.request"}) == b""


def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    for parts in ([part(b"eleven more")], [part(b"six...", more=True), part(b"five.", more=True)]):
        with pytest.raises(TooLarge):
            received(*parts)


def test_a_body_that_is_never_whole() -> None:
    with pytest.raises(BadRequest, match="connection was lost"):
        received(part(b"six...", more=True), {"type": "http.disconnect"})


@pytest.mark.parametrize("status", [200, 503])
def test_an_answer_has_the_head_that_starlette_would_give_it(status: int) -> None:
    made = answer({"success": True}, status)
    same = Response(b'{"success":true}', status, NO_STORE, media_type="application/json")
    assert made.raw_headers == same.raw_headers
    assert (made.body, made.status_code, made.media_type) == (same.body, status, same.media_type)
    assert made.headers["cache-control"] == "no-store"
    assert answer({}).raw_headers is not answer({}).raw_headers  # more is added to each


def test_numbers_of_requests() -> None:
    found = [drawn() for _ in range(1_000)]
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in found)
    assert len(set(found)) == 1_000
