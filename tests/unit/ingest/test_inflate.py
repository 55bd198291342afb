"""Gzip bodies: every member counts, and no more comes out than may."""

from __future__ import annotations

import gzip

import pytest

from germane.domain.errors import BadRequest, TooLarge
from germane.ingest.inflate import MEMBERS, gunzip

TWO = gzip.compress(b"one, ") + gzip.compress(b"two")


def test_all_members_are_read() -> None:
    """Also where zeros fill it up, and where one has nothing."""
    assert gunzip(TWO, 8) == b"one, two"
    assert gunzip(gzip.compress(b"") + TWO + bytes(100), 8) == b"one, two"
    assert gunzip(gzip.compress(b""), 8) == b""


def test_the_limit_is_for_all_of_them() -> None:
    with pytest.raises(TooLarge):
        gunzip(TWO, 7)
    with pytest.raises(TooLarge):
        gunzip(gzip.compress(b"x" * 8) + gzip.compress(bytes(1_000_000)), 8)


@pytest.mark.parametrize("body", [b"", b"{}", TWO[:-1], TWO[:-12], TWO + b"more"])
def test_what_is_not_whole_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        gunzip(body, 100)


def test_there_are_not_too_many() -> None:
    assert gunzip(gzip.compress(b"x") * MEMBERS, 1_000) == b"x" * MEMBERS
    with pytest.raises(BadRequest, match="members"):
        gunzip(gzip.compress(b"x") * (MEMBERS + 1), 1_000)
