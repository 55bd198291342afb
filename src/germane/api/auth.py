"""Keys: the write key may only send events (``browser.py``: with a person token, more); the server key may
do everything."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass

from starlette.requests import Request

from germane.domain.errors import Forbidden, Unauthorized


@dataclass(frozen=True, slots=True)
class Keys:
    """The project's keys."""

    write: str
    server: str

    def require_server(self, request: Request) -> None:
        """Let only the server key pass.

        Raises:
            Unauthorized: no key, or one that is not known.
            Forbidden: the write key.
        """
        given = presented(request)
        if same(given, self.server):
            return
        if same(given, self.write):
            raise Forbidden()
        raise Unauthorized()

    def require_write(self, request: Request, in_body: str | None) -> None:
        """Let a write key (or the server key) pass, from wherever clients put it.

        Raises:
            Unauthorized: no key, an unknown one, or two that differ.
        """
        in_header = presented(request)
        in_query = request.query_params.get("writeKey")
        bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
        given = [each for each in (in_header, in_body, in_query) if each]
        if bearer and in_body:  # an access token beside the key: the key is in the body
            given = [in_body]
        if not given:
            raise Unauthorized("The write key is missing.")
        if any(each != given[0] for each in given):
            raise Unauthorized("The keys in the header and in the body differ.")
        if not (same(given[0], self.write) or same(given[0], self.server)):
            raise Unauthorized("The write key is not known.")


def presented(request: Request) -> str | None:
    """The key in the Authorization header: basic user name, or bearer."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value or None
    if scheme.lower() != "basic":
        return None
    try:
        decoded = b64decode(value + "=" * (-len(value) % 4)).decode("utf-8")
    except (Base64Error, UnicodeDecodeError, ValueError):
        return None
    return decoded.partition(":")[0] or None


def same(given: str | None, key: str) -> bool:
    """Equal, in constant time; an empty key fits nothing."""
    if not given or not key:
        return False
    return hmac.compare_digest(given.encode(), key.encode())
