"""DKIM signatures (RFC 6376, RFC 8463), relaxed in headers and body.

The one maintained library signs RSA in plain Python: 25 ms a mail, where OpenSSL takes one. So what it would do is
done here, with the arithmetic of ``cryptography``; the tests check every signature with that library's verifier.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SIGNED = (
    "from", "to", "subject", "date", "message-id", "reply-to", "list-unsubscribe",
    "list-unsubscribe-post", "list-id", "feedback-id", "mime-version", "content-type",
    "content-transfer-encoding", "auto-submitted",
)  # fmt: skip
"""Headers under the signature, where they are there."""
ONCE_MORE = ("from", "to", "subject", "reply-to", "list-unsubscribe", "list-unsubscribe-post")
"""Named once more than they occur: another one that somebody adds breaks the signature."""
_RUN = re.compile(rb"[ \t]+")
_TRAILING = re.compile(rb"[ \t]+(?=\r\n)")
_SPACE = re.compile(r"[ \t\r\n]+")


class BadKey(ValueError):
    """The key cannot sign."""


class DkimSigner:
    """Signs for one domain and selector."""

    def __init__(self, domain: str, selector: str, private_key: str) -> None:
        """Read the key: PEM (RSA or Ed25519), or the base64 of an Ed25519 seed.

        Raises:
            BadKey: it is none of these, or an RSA key under 1,024 bits.
        """
        self._key = _read(private_key)
        self._domain, self._selector = domain, selector
        self.algorithm = "ed25519-sha256" if _is_ed25519(self._key) else "rsa-sha256"

    def header(self, headers: Sequence[str], body: bytes, at_s: int) -> str:
        """The signature's header line, without the line break at the end.

        Args:
            headers: ``Name: value``, folded or not, without the last line break.
            body: With CRLF line ends.
            at_s: Time of the signature, s since 1970 UTC.
        """
        found = [(name, value) for name, value in map(_parted, headers) if name in SIGNED]
        names = [name for name, _ in found]
        # From the last to the first, as the verifier takes those of one name.
        signed = [_relaxed(name, value) for name, value in found]
        listed = [*names, *(each for each in ONCE_MORE if each in names)]
        digest = b64encode(sha256(_body(body)).digest()).decode()
        start = (
            f"v=1; a={self.algorithm}; c=relaxed/relaxed; d={self._domain};\r\n"
            f" s={self._selector}; t={at_s}; h={_folded(listed)};\r\n bh={digest};\r\n b="
        )
        content = "\r\n".join([*signed, _relaxed("dkim-signature", start)])
        mark = b64encode(self._sign(content.encode())).decode()
        lines = [mark[n : n + 72] for n in range(0, len(mark), 72)]
        return f"DKIM-Signature: {start}" + "\r\n ".join(lines)

    def public_record(self) -> str:
        """What the DNS must say, as a TXT record at ``selector._domainkey.domain``."""
        from cryptography.hazmat.primitives import serialization

        public = self._key.public_key()
        if self.algorithm.startswith("ed"):
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return f"v=DKIM1; k=ed25519; p={b64encode(raw).decode()}"
        der = public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return f"v=DKIM1; k=rsa; p={b64encode(der).decode()}"

    def _sign(self, content: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(sha256(content).digest())


def _read(text: str) -> RSAPrivateKey | Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = text.replace("\\n", "\n").strip()
    try:
        if "-----BEGIN" in text:
            key = load_pem_private_key(text.encode(), password=None)
        else:
            key = Ed25519PrivateKey.from_private_bytes(b64decode(text, validate=True))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        msg = "it is no private key in PEM form, and no base64 of an Ed25519 seed"
        raise BadKey(msg) from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < 1024:
            msg = f"an RSA key of {key.key_size} bits is too short: receivers want 2,048"
            raise BadKey(msg)
        return key
    if not isinstance(key, Ed25519PrivateKey):
        msg = "it is neither an RSA nor an Ed25519 key"
        raise BadKey(msg)
    return key


def _is_ed25519(key: object) -> bool:
    return type(key).__name__.startswith("Ed25519")


def _parted(header: str) -> tuple[str, str]:
    name, _, value = header.partition(":")
    return name.strip().lower(), value


def _relaxed(name: str, value: str) -> str:
    return f"{name}:{_SPACE.sub(' ', value).strip()}"


def _body(body: bytes) -> bytes:
    """Relaxed: runs of spaces are one, none before a line's end, no empty lines at the end."""
    if b" \r\n" in body or b"\t" in body or b"  " in body:
        body = _RUN.sub(b" ", _TRAILING.sub(b"", body))
    stripped = body.rstrip(b"\r\n")
    return stripped + b"\r\n" if stripped else b""


def _folded(names: Sequence[str]) -> str:
    lines, current = [], ""
    for each in names:
        if len(current) + len(each) > 66:
            lines.append(current)
            current = ""
        current += f"{each}:"
    return "\r\n  ".join([*lines, current]).removesuffix(":")
