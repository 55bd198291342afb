"""Request bodies: bounded before anything is parsed, and JSON whatever the content type says."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from germane.api.allowed import allowed
from germane.api.heads import header
from germane.domain.errors import BadRequest, MalformedJson, TooLarge
from germane.ingest.depth import too_deep
from germane.ingest.inflate import gunzip

T = TypeVar("T")

LIMIT = 1_000_000
DEPTH = 32
NO_STORE = {"Cache-Control": "no-store"}
"""Answers are of people, of keys, or of this moment: nothing on the way keeps them."""
_NO_STORE, _JSON = (b"cache-control", b"no-store"), (b"content-type", b"application/json")
_encode = msgspec.json.Encoder().encode


async def read(request: Request, limit: int = LIMIT) -> bytes:
    """The inflated body.

    Raises:
        TooLarge: over the limit, before or after inflating; reading stopped there.
        BadRequest: an encoding that is not gzip, or broken gzip.
    """
    declared = header(request, b"content-length")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"The body has {int(declared):,} bytes; the limit is {limit:,}.")
    body = await _received(request, limit)
    encoding = header(request, b"content-encoding").strip().lower()
    if encoding == "gzip":
        return gunzip(body, limit)
    if encoding not in ("", "identity"):
        raise BadRequest(f"The content encoding {encoding!r} is not supported.", hint="Use gzip.")
    return body


async def _received(request: Request, limit: int) -> bytes:
    """The body as it came. Most are whole at once."""
    body, more = b"", True
    parts = bytearray()
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection was lost before the body was whole.")
        body, more = message.get("body", b""), message.get("more_body", False)
        if len(parts) + len(body) > limit:
            raise TooLarge(f"The body is larger than {limit:,} bytes.")
        if more or parts:
            parts += body
    return bytes(parts) if parts else body


async def parse(request: Request, kind: type[T]) -> T:
    """The body as a typed value.

    Raises:
        MalformedJson: not JSON.
        BadRequest: JSON of another form; the message names the place.
    """
    return decode(await read(request), kind)


async def parse_with_names(request: Request, kind: type[T]) -> tuple[T, set[str]]:
    """The body as a typed value, and the names that were really sent (``null`` is sent, too)."""
    body = await read(request)
    return decode(body, kind), set(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))


def decode(body: bytes, kind: type[T]) -> T:
    """Bytes as a typed value; raises like ``parse``."""
    if too_deep(body, DEPTH):
        raise BadRequest(f"The JSON nests deeper than {DEPTH} levels.")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{error}.", hint=_remedy(str(error), kind)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedJson(f"The body is not valid JSON: {error}.") from None


def _remedy(error: str, kind: Any) -> str:
    """What may stand there, if it is one of a few words."""
    words = ", ".join(allowed(error, kind))
    one_of = f"One of: {words}. " if words else ""
    return f"{one_of}See /docs for the form of this request."


class Json(Response):
    """An answer of the API. Its head is the same each time, but for the length."""

    media_type = "application/json"
    body: bytes

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.body, self.status_code, self.background = body, status, None
        self.raw_headers = [_NO_STORE, (b"content-length", b"%d" % len(body)), _JSON]


def answer(value: Any, status: int = 200) -> Response:
    """A value as JSON."""
    return Json(_encode(value), status)
