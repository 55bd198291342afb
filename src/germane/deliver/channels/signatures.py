"""Standard Webhooks: how a receiver knows that a request is ours, and fresh."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence

PREFIX = "whsec_"


def secret_bytes(secret: str) -> bytes:
    """The key in ``whsec_<base64>``.

    Raises:
        ValueError: it is not of that form, or has not 24 to 64 bytes.
    """
    text = secret.removeprefix(PREFIX)
    try:
        found = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (Base64Error, ValueError):
        msg = "it is not base64"
        raise ValueError(msg) from None
    if not 24 <= len(found) <= 64:
        msg = f"it has {len(found)} bytes; 24 to 64 are wanted"
        raise ValueError(msg)
    return found


def signed(message_id: str, at_s: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers. Several keys while one is replaced: the receiver takes any that it knows.

    Args:
        message_id: The same at every try: the receiver counts it once.
        at_s: Now, in seconds since 1970 UTC: receivers refuse what is older than five minutes.
        body: The request's bytes.
        keys: Newest first.
    """
    content = f"{message_id}.{at_s}.".encode() + body
    marks = [b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{each}" for each in marks),
    }
