"""Person tokens: what was signed opens, and nothing else does, whatever is changed."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from string import printable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.domain.errors import InvalidToken, TokenExpired, WeakServerKey
from germane.domain.person_token import LONGEST, MOST_S, TOLERANCE_S, sign, verify

KEY = "gs_0123456789abcdef0123456789abcdef"
NOW_S = 1_800_000_000.0
ids = st.text(min_size=1, max_size=80).filter(lambda text: text.strip() == text)


def by_hand(claims: Any, header: Any = None, key: str = KEY) -> str:
    """A token as another program makes it."""

    def part(value: Any) -> str:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    signed = f"{part(header or {'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    return f"{signed}.{part(hmac.digest(key.encode(), signed.encode(), 'sha256'))}"


@given(ids, ids, st.none() | st.lists(ids, max_size=5), st.integers(1, MOST_S))
def test_what_was_signed_is_read(
    user: str, visitor: str, surfaces: list[str] | None, valid_s: int
) -> None:
    """Any ids, any surfaces, any span."""
    shown = None if surfaces is None else tuple(surfaces)
    token = sign(
        KEY, now_s=NOW_S, valid_s=valid_s, user_id=user, anonymous_id=visitor, surfaces=shown
    )
    said = verify(token, KEY, now_s=NOW_S)
    assert (said.user_id, said.anonymous_id, said.surfaces) == (user, visitor, shown)


@given(st.data())
def test_whatever_is_changed_is_refused(data: st.DataObject) -> None:
    """One character exchanged, left out or put in, anywhere: also one that base64 would not notice."""
    token = sign(KEY, now_s=NOW_S, valid_s=60, user_id="ann", surfaces=("home",))
    at = data.draw(st.integers(0, len(token) - 1))
    put = data.draw(st.sampled_from(printable + "é") | st.just(""))
    over = data.draw(st.integers(0, 1))
    changed = token[:at] + put + token[at + over :]
    if changed != token:
        with pytest.raises(InvalidToken):
            verify(changed, KEY, now_s=NOW_S)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.decode("latin-1")))
def test_what_is_no_token_is_refused(text: str) -> None:
    """Any text at all, with any number of dots."""
    for each in (text, f"{text}.{text}.{text}", f"..{text}", "." * len(text)):
        with pytest.raises(InvalidToken):
            verify(each, KEY, now_s=NOW_S)


@given(ids, ids)
def test_the_claims_of_one_do_not_go_with_the_signature_of_another(one: str, other: str) -> None:
    """Parts of two good tokens are no token."""
    first = sign(KEY, now_s=NOW_S, valid_s=60, user_id=one).split(".")
    second = sign(KEY, now_s=NOW_S, valid_s=60, user_id=other + "'").split(".")
    with pytest.raises(InvalidToken):
        verify(".".join([first[0], second[1], first[2]]), KEY, now_s=NOW_S)


@given(st.text(min_size=32, max_size=64))
def test_another_key(key: str) -> None:
    """Only the server's own."""
    token = by_hand({"userId": "ann", "exp": NOW_S + 60}, key=key + "'")
    with pytest.raises(InvalidToken):
        verify(token, key, now_s=NOW_S)


@pytest.mark.parametrize(
    ("after_s", "good"),
    [
        (0, True),
        (60, True),
        (60 + TOLERANCE_S - 0.5, True),
        (60 + TOLERANCE_S, False),
        (1e9, False),
    ],
)
def test_its_time(after_s: float, good: bool) -> None:
    """Clocks may differ by half a minute, and no more."""
    token = sign(KEY, now_s=NOW_S, valid_s=60, user_id="ann")
    if good:
        assert verify(token, KEY, now_s=NOW_S + after_s).user_id == "ann"
    else:
        with pytest.raises(TokenExpired):
            verify(token, KEY, now_s=NOW_S + after_s)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"userId": "ann"}, "exp"),
        ({"exp": NOW_S + 60}, "names nobody"),
        ({"userId": " ", "exp": NOW_S + 60}, "names nobody"),
        ({"userId": "ann", "exp": "soon"}, "exp"),
        ({"userId": "ann", "exp": None}, "exp"),
        ({"userId": ["ann"], "exp": NOW_S + 60}, "userId"),
        ({"userId": "x" * 513, "exp": NOW_S + 60}, "userId"),
        ({"userId": "ann", "exp": NOW_S + MOST_S + 3_600}, "7 days at most"),
        ({"userId": "ann", "exp": 1e300}, "7 days at most"),
        ({"userId": "ann", "exp": NOW_S + 60, "surface": ["home"]}, "surface"),
        ({"userId": "ann", "exp": NOW_S + 60, "surfaces": "home"}, "surfaces"),
        ({"user_id": "ann", "exp": NOW_S + 60}, "user_id"),
        (["ann"], "claims"),
        (b"{", "JSON"),
        (b"\xff\xfe", "JSON"),
    ],
)
def test_wrong_claims_are_named(claims: Any, says: str) -> None:
    """Rightly signed, and still no token: a misspelt limit must not become no limit."""
    with pytest.raises(InvalidToken) as caught:
        verify(by_hand(claims), KEY, now_s=NOW_S)
    assert says in caught.value.message


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS512"}, {"alg": "HS256", "kid": "../key"}, [1], b"{", {}]
)
def test_no_other_way_to_sign(header: Any) -> None:
    """Neither none at all nor one that the token chooses."""
    with pytest.raises(InvalidToken):
        verify(
            by_hand({"userId": "ann", "exp": NOW_S + 60}, header or {"typ": "JWT"}),
            KEY,
            now_s=NOW_S,
        )


def test_an_unsigned_one() -> None:
    """The classic: alg none, and no signature."""
    token = by_hand({"userId": "ann", "exp": NOW_S + 60}, {"alg": "none"})
    with pytest.raises(InvalidToken):
        verify(token.rpartition(".")[0] + ".", KEY, now_s=NOW_S)


def test_a_number_is_the_text_of_it() -> None:
    """As in events."""
    assert verify(by_hand({"userId": 42, "exp": NOW_S + 60}), KEY, now_s=NOW_S).user_id == "42"


def test_a_short_key_signs_nothing() -> None:
    """It could be guessed from any token that it signed."""
    with pytest.raises(WeakServerKey):
        sign("short", now_s=NOW_S, valid_s=60, user_id="ann")
    with pytest.raises(WeakServerKey):
        verify(by_hand({"userId": "ann", "exp": NOW_S + 60}, key="short"), "short", now_s=NOW_S)


@pytest.mark.parametrize(("user", "valid_s"), [("", 60), ("ann", 0), ("ann", MOST_S + 1)])
def test_what_is_not_signed(user: str, valid_s: int) -> None:
    """Nobody, no time, too long a time."""
    with pytest.raises(InvalidToken):
        sign(KEY, now_s=NOW_S, valid_s=valid_s, user_id=user)


def test_a_very_long_one() -> None:
    """Refused before anything is computed."""
    with pytest.raises(InvalidToken):
        verify("a" * LONGEST + ".b.c", KEY, now_s=NOW_S)


def test_the_form() -> None:
    """A JSON Web Token, letter by letter: what other languages must make."""
    token = sign(KEY, now_s=NOW_S, valid_s=3_600, user_id="ann")
    header, claims, _ = (urlsafe_b64decode(part + "==") for part in token.split("."))
    assert header == b'{"alg":"HS256","typ":"JWT"}'
    assert claims == b'{"exp":1800003600,"userId":"ann"}'
