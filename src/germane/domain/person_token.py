"""Person tokens: a shop's own server says, for a short while, who somebody in a browser is.

A token is a JSON Web Token (RFC 7519) signed with HMAC-SHA256 by the server key:
``base64url(header).base64url(claims).base64url(signature)``, without padding. Header:
``{"alg": "HS256", "typ": "JWT"}``. Claims: ``userId`` or ``anonymousId`` or both, ``exp`` (seconds since
1970), and, if it is to open only some surfaces, ``surfaces``. ``iat`` may be there; nothing else may, so
that a misspelt limit is an error and not a token without a limit.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

import msgspec
from msgspec.structs import replace

from germane.domain.errors import InvalidToken, TokenExpired, WeakServerKey
from germane.domain.ids import external_id

MOST_S = 7 * 86_400
"""A token is valid no longer than this, in seconds: it cannot be taken back."""
TOLERANCE_S = 30
"""Clocks may differ by so many seconds."""
KEY_LEAST = 32
"""Characters of a server key that signs: whoever holds a token may try keys at leisure."""
LONGEST = 4_096
"""Characters of a token."""
_HEADER = {"alg": "HS256", "typ": "JWT"}

Id = Annotated[str, msgspec.Meta(max_length=512)]


class Claims(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a token says."""

    exp: float
    """Until when, in seconds since 1970."""
    user_id: Id | int = ""
    """As text once it is verified; a number in the claims is the text of that number, as in events."""
    anonymous_id: Id | int = ""
    surfaces: tuple[Id, ...] | None = None
    """The surfaces it opens, ``inbox`` for in-app messages; ``None``: all."""
    iat: float = 0.0
    """When it was made, if it says so."""


def sign(
    key: str,
    *,
    now_s: float,
    valid_s: float,
    user_id: str = "",
    anonymous_id: str = "",
    surfaces: tuple[str, ...] | None = None,
) -> str:
    """A token that is valid for ``valid_s`` seconds, at most ``MOST_S``.

    Raises:
        InvalidToken: it names nobody, or would be valid for no time or too long.
        WeakServerKey: the key is too short to sign with.
    """
    if not (user_id or anonymous_id):
        raise InvalidToken("A token needs a userId or an anonymousId.")
    if not 0 < valid_s <= MOST_S:
        raise InvalidToken(
            f"A token is valid for at least a second, and at most {MOST_S // 86_400} days."
        )
    claims: dict[str, object] = {"exp": int(now_s + valid_s)}
    claims |= {"userId": user_id} if user_id else {}
    claims |= {"anonymousId": anonymous_id} if anonymous_id else {}
    claims |= {"surfaces": list(surfaces)} if surfaces is not None else {}
    signed = f"{_part(_HEADER)}.{_part(claims)}"
    return f"{signed}.{_signature(signed, key)}"


def verify(token: str, key: str, *, now_s: float) -> Claims:
    """What a token says, once its signature and its time are found to be good.

    Raises:
        InvalidToken: it is not a token, not signed with this key, or says what no token may say.
        TokenExpired: its time is over.
        WeakServerKey: the key is too short to sign with.
    """
    if len(token) > LONGEST or token.count(".") != 2:
        raise InvalidToken("That is not a person token: it has no three parts.")
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(
        _signature(signed, key).encode(), signature.encode("utf-8", "replace")
    ):
        raise InvalidToken("The person token is not signed with this server's key.")
    header, _, body = signed.partition(".")
    claims = _claims(header, body)
    if claims.exp <= now_s - TOLERANCE_S:
        raise TokenExpired()
    if claims.exp > now_s + MOST_S + TOLERANCE_S:
        raise InvalidToken(f"A person token may be valid for {MOST_S // 86_400} days at most.")
    user_id, anonymous_id = external_id(claims.user_id), external_id(claims.anonymous_id)
    if not (user_id or anonymous_id):
        raise InvalidToken("The person token names nobody: userId or anonymousId is needed.")
    return replace(claims, user_id=user_id, anonymous_id=anonymous_id)


def _claims(header: str, body: str) -> Claims:
    try:
        said = json.loads(_bytes(header))
        if not isinstance(said, dict) or said.get("alg") != "HS256" or set(said) - {"alg", "typ"}:
            raise InvalidToken('The header of the person token is not {"alg": "HS256"}.')
        return msgspec.json.decode(_bytes(body), type=Claims)
    except msgspec.ValidationError as error:
        raise InvalidToken(f"The claims of the person token are wrong: {error}.") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise InvalidToken("The person token is not JSON in base64url.") from None


def _part(value: dict[str, object] | dict[str, str]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _signature(signed: str, key: str) -> str:
    if len(key) < KEY_LEAST:
        raise WeakServerKey()
    return _text(hmac.digest(key.encode(), signed.encode("utf-8", "replace"), "sha256"))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
