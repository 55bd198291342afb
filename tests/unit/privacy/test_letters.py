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


@pytest.mark.parametrize(
    "note",
    [
        "https://x.example/?to=ann%40example.com&a=1",
        "https://x.example/?to=ANN%40EXAMPLE.COM",
        "https://x.example/?next=%2Fhello%3Fto%3Dann%2540example.com",
        "https://x.example/?next=ann%252540example.com",
        "%61nn@example.com",
        "j%C3%BCrgen%40x.example",
        "mailto:ann&#64;example.com",
        "ann&#x40;example&period;com",
        "ann&commat;example.com",
        "ann=40example.com",
        "ann@exam=\r\nple.com",
        "j=C3=BCrgen=40x.example",
        "?to=ann@example.com",
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_an_address_is_found_however_it_travels(note: str, whole: bool) -> None:
    """In a link, encoded twice, in HTML, in a mail; in JSON, and in what is none any more."""
    body = json.dumps({"userId": "bob", "note": note}).encode()
    assert of_ann(body if whole else body[:-1])


@pytest.mark.parametrize(
    "note",
    ["mary.ann%40example.com", "ann%40example.company", "ann%2Ex%40example.com", "100% of =40"],
)
def test_encoded_addresses_of_others(note: str) -> None:
    """They stay."""
    assert not of_ann({"userId": "bob", "note": note})


def test_an_escape_in_broken_json() -> None:
    assert of_ann(b'{"userId": "bob", "note": "ann\\u0040example.com')


def test_what_is_said_of_it_counts_too() -> None:
    assert of_ann({"userId": "bob"}, "ann@example.com is no number")
