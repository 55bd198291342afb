"""Amazon SNS: is a message really from Amazon, and from a topic of ours?"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from germane.domain.errors import BadRequest, BadSignature, NoLibrary
from germane.ingest.providers.reading import decoded, instant, text

Fetch = Callable[[str], Awaitable[bytes]]
"""Asks a URL that is public; the bytes of an answer with status 200. Raises OSError otherwise."""
TOLERANCE_S = 3_600
"""A message may be this old: SNS tries again for an hour."""
_HOST = re.compile(r"sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?", re.ASCII)
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
KINDS = ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation")
MOST_CERTIFICATES = 8


class SnsVerifier:
    """Checks envelopes; keeps the certificates that it fetched."""

    def __init__(self, topics: Collection[str], fetch: Fetch) -> None:
        """``topics`` are the ARNs whose messages are taken: Amazon signs everybody's."""
        self._topics = frozenset(topics)
        self._fetch = fetch
        self._keys: dict[str, Any] = {}

    async def envelope(
        self, headers: Mapping[str, str], body: bytes, now_ms: int
    ) -> dict[str, Any]:
        """The envelope, if it is Amazon's, fresh, and of a topic of ours.

        Raises:
            BadRequest: it is no envelope.
            BadSignature: one of these is not so.
            NoLibrary: ``cryptography`` is not installed.
        """
        found = decoded(body)
        if not isinstance(found, dict) or found.get("Type") not in KINDS:
            raise BadRequest("SNS sends an object with Type, MessageId, TopicArn and Message.")
        if text(found.get("TopicArn")) not in self._topics:
            raise BadSignature(
                "The topic of this SNS message is not one of ours.",
                hint="Name it in topics of [providers.ses].",
            )
        for header, field in (
            ("x-amz-sns-message-type", "Type"),
            ("x-amz-sns-message-id", "MessageId"),
        ):
            if header in headers and headers[header] != found.get(field):
                raise BadSignature(f"The header {header} and the body differ.")
        if abs(now_ms - instant(found.get("Timestamp"), now_ms)) > TOLERANCE_S * 1000:
            raise BadSignature("The SNS message is too old.", hint="Look at this machine's clock.")
        await self._check(found)
        return found

    async def confirm(self, envelope: Mapping[str, Any]) -> None:
        """Say yes to a subscription of a topic of ours (``envelope`` was checked).

        Raises:
            BadSignature: the address to ask is not Amazon's.
            OSError: it did not answer.
        """
        url = text(envelope.get("SubscribeURL"), 2_000)
        if not _amazon(url):
            raise BadSignature("The address of the confirmation is not Amazon's.")
        await self._fetch(url)

    async def _check(self, envelope: dict[str, Any]) -> None:
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import padding
        except ImportError:
            raise NoLibrary("SNS signatures need the library `cryptography`.") from None
        version = envelope.get("SignatureVersion")
        if version not in ("1", "2"):
            raise BadSignature("The version of the SNS signature is not known.")
        url = text(envelope.get("SigningCertURL"), 2_000)
        if not _amazon(url) or not urlsplit(url).path.endswith(".pem"):
            raise BadSignature("The certificate of the SNS signature is not Amazon's.")
        # SHA-1 is what Amazon signs version 1 with; topics can be set to version 2.
        algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303
        key = await self._key(url)
        try:
            signature = b64decode(text(envelope.get("Signature"), 4_000), validate=True)
            key.verify(signature, canonical(envelope), padding.PKCS1v15(), algorithm)
        except (InvalidSignature, Base64Error, ValueError):
            raise BadSignature() from None

    async def _key(self, url: str) -> Any:
        """The RSA key of a certificate; fetched once."""
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.x509 import load_pem_x509_certificate

        if url in self._keys:
            return self._keys[url]
        try:
            key = load_pem_x509_certificate(await self._fetch(url)).public_key()
        except OSError as error:
            raise BadSignature(
                f"The certificate of the SNS signature cannot be had: {error}."
            ) from None
        except ValueError:
            raise BadSignature("What lies at the certificate's address is none.") from None
        if not isinstance(key, RSAPublicKey):
            raise BadSignature("The certificate of the SNS signature holds no RSA key.")
        if len(self._keys) >= MOST_CERTIFICATES:
            self._keys.clear()
        self._keys[url] = key
        return key


def canonical(envelope: Mapping[str, Any]) -> bytes:
    """What Amazon signs: ``Key\\nValue\\n`` of the fields that its type has, in this order."""
    fields = _NOTIFICATION if envelope.get("Type") == "Notification" else _CONFIRMATION
    parts = [
        f"{name}\n{envelope[name]}\n" for name in fields if isinstance(envelope.get(name), str)
    ]
    return "".join(parts).encode("utf-8", "surrogatepass")


def _amazon(url: str) -> bool:
    try:
        parts = urlsplit(url)
        plain = parts.port in (None, 443) and "@" not in parts.netloc
    except ValueError:
        return False
    return parts.scheme == "https" and plain and _HOST.fullmatch(parts.hostname or "") is not None
