"""The payloads are many, each is there once, and each has a place where it is meant to act."""

from __future__ import annotations

from collections import Counter

from germane.testing.xss import CANARY, FAMILIES, PLACES, bare, payloads


def test_many_and_no_two_alike() -> None:
    """500 at least, of every family ten or more."""
    texts = Counter(each.text for each in payloads())
    families = Counter(each.family for each in payloads())
    assert len(texts) >= 500
    assert set(texts.values()) == {1}
    assert families.keys() == FAMILIES.keys()
    assert min(families.values()) >= 10


def test_each_tells_its_number() -> None:
    """Where it says one at all: a few only swallow what follows, or are mere names."""
    calls = [x for x in payloads() if "xss(" in x.text or CANARY in x.text]
    assert len(calls) > 0.9 * len(payloads())
    assert all(f"{each.number}" in each.text for each in calls)
    assert not [each for each in payloads() if "§" in each.text]


def test_each_stands_bare_in_its_place() -> None:
    """Nothing of it is changed on the way."""
    assert {each.into for each in payloads()} <= PLACES.keys()
    assert all(each.text in bare(each) for each in payloads())
