"""What can be refused without a parser."""

from __future__ import annotations

import pytest

from germane.api import plain

HEAD = b"POST /v1/track HTTP/1.1\r\nHost: here\r\nAuthorization: Basic eDo=\r\n"
WHOLE = HEAD + b"Content-Length: 5\r\n\r\nhello"


def test_a_whole_request_is_told_by_its_path() -> None:
    assert plain.address(WHOLE) == b"/v1/track"
    assert plain.address(HEAD + b"connection: Keep-Alive\r\ncontent-length:5\r\n\r\nhello")


@pytest.mark.parametrize(
    "said",
    [
        WHOLE[:-1],
        WHOLE + WHOLE,
        WHOLE[:20],
        b"",
        b"\r\n" + WHOLE,
        WHOLE.replace(b"POST", b"GET"),
        WHOLE.replace(b"1.1", b"1.0"),
        WHOLE.replace(b"/v1/track", b"/v1/track?x=1"),
        HEAD + b"\r\n",
        HEAD + b"Content-Length: +5\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nOrigin: https://shop.example\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nConnection: close\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
        HEAD + b"Content-Length: %s\r\n\r\nhello" % (b"0" * 5_000 + b"5"),
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding\x0b: chunked\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\n\x00Transfer-Encoding: chunked\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nX: y\rTransfer-Encoding: chunked\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\n Transfer-Encoding: chunked\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\n 0\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nConnection: keep-alive\r\n , close\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nnothing\r\n\r\nhello",
        HEAD + b"Content-Length: 5\n\nhello\r\n\r\n",
        WHOLE.replace(b"/v1/track", b"/v1/\x7ftrack"),
        HEAD + b"Content-Length: 5\nTransfer-Encoding : chunked\r\n\r\nhello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
    ],
)
def test_whatever_else_there_is_to_see_is_left_to_the_parser(said: bytes) -> None:
    assert plain.address(said) is None
