"""Whose a dead letter is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from germane.domain.event import DeadLetter
from germane.privacy.erasure import is_of

IDS = {"ann", "u:ann", "annas-phone"}
EMAILS = {"Ann@Example.com", "none", "jürgen@x.example"}


def of_ann(body: Any, message: str = "No.") -> bool:
    """Whether it goes when Ann is erased."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return is_of(DeadLetter(1, 0, "api", "x", message, data), IDS, EMAILS)


@pytest.mark.parametrize(
    "body",
    [
        {"userId": "ann"},
        {"userId": "bob", "previousId": "ann"},
        {"traits": {"email": "ann@example.com"}},
        {"anonymousId": "other-phone", "traits": {"email": "ANN@example.com "}},
        {"userId": "bob", "properties": {"text": "Write to ann@EXAMPLE.com."}},
        {"userId": "bob", "traits": {"email": "bob@x.example"}, "note": "<ann@example.com>"},
        {"userId": "bob", "note": "jürgen@x.example"},
        b'{"userId": "bob", "note": "mailto:ann@example.com?subject=x',
        {"note": "annas-phone"},
    ],
)
def test_theirs(body: Any) -> None:
    """By an id, or by an address anywhere, however it is written and whomever else it names."""
    assert of_ann(body)


@pytest.mark.parametrize(
    "body",
    [
        {"userId": "bob", "note": "annas-phone"},
        {"userId": "bob", "traits": {"email": "none"}},
        {"userId": "bob", "note": "none"},
        {"note": "mary.ann@example.com"},
        {"note": "joann@example.com"},
        {"note": "ann@example.com.au"},
        {"note": "ann@example.company"},
        {"traits": {"email": "bob@x.example"}, "note": "annas-phone"},
    ],
)
def test_of_others(body: Any) -> None:
    """Another address is not theirs, nor is what everybody writes in the place of one."""
    assert not of_ann(body)


def test_what_is_said_of_it_counts_too() -> None:
    assert of_ann({"userId": "bob"}, "ann@example.com is no number")
