"""An e-mail as bytes: headers, a text, an HTML part.

It is put together by hand from the standard library's encoders, because its message objects take ten times as long;
the tests read what comes out with the standard library's parser.
"""

from __future__ import annotations

from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from hashlib import blake2b

_CRLF = b"\r\n"
PLAIN_WIDTH = 76


def entity(text: str, html: str, seed: str) -> tuple[list[str], bytes]:
    """The MIME headers and the body of a message.

    Args:
        text: Plain text; may be empty.
        html: HTML; may be empty.
        seed: What the boundary is made from: the same at every try.

    Raises:
        UnicodeEncodeError: a text has half of a character.
    """
    if not html or not text:
        kind = "html" if html else "plain"
        headers, body = _part(html or text, kind)
        return ["MIME-Version: 1.0", *headers], body
    parts = [_part(text, "plain"), _part(html, "html")]
    boundary = _boundary(seed, [body for _, body in parts])
    lines = [b"This is a message in two forms."]
    for headers, body in parts:
        lines += [b"--" + boundary.encode(), *(each.encode() for each in headers), b"", body]
    lines.append(b"--" + boundary.encode() + b"--\r\n")
    return (
        ["MIME-Version: 1.0", f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"'],
        _CRLF.join(lines),
    )


def _part(text: str, kind: str) -> tuple[list[str], bytes]:
    data = text.encode().replace(_CRLF, b"\n").replace(b"\r", b"\n")
    if not data.endswith(b"\n"):
        data += b"\n"
    encoding, body = _encoded(data)
    return (
        [
            f'Content-Type: text/{kind}; charset="utf-8"',
            f"Content-Transfer-Encoding: {encoding}",
        ],
        body,
    )


def _encoded(data: bytes) -> tuple[str, bytes]:
    """The shortest form that every server passes on unchanged."""
    if data.isascii() and b"\0" not in data:
        crlf = data.replace(b"\n", _CRLF)
        if max(map(len, data.split(b"\n"))) <= PLAIN_WIDTH and not data.startswith(b"From "):
            return "7bit", crlf
        return "quoted-printable", b2a_qp(crlf, istext=True)
    foreign = len(data) - len(data.decode().encode("ascii", "ignore"))
    if foreign * 6 > len(data):
        return "base64", encodebytes(data.replace(b"\n", _CRLF)).replace(b"\n", _CRLF)
    return "quoted-printable", b2a_qp(data.replace(b"\n", _CRLF), istext=True)


def _boundary(seed: str, bodies: Sequence[bytes]) -> str:
    """Stands in none of the parts."""
    number = 0
    while True:
        digest = blake2b(f"{seed}\0{number}".encode("utf-8", "surrogatepass"), digest_size=12)
        boundary = f"=_{digest.hexdigest()}"
        if not any(boundary.encode() in each for each in bodies):
            return boundary
        number += 1
