"""Which variants are for whom."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from germane.domain.content import Slot, Variant
from germane.domain.errors import BadFilter
from germane.domain.profile import Mass, Profile
from germane.domain.settings import TraitSpec
from germane.generate.eligible import condition, holds, pick, seen
from germane.testing import a_shop
from germane.testing.contents import a_content, facts
from germane.testing.world import START_MS

TEXTS = {"en": {"text": "x"}}


def two(when: str, after: str = "") -> dict[str, str]:
    first = (Variant("special", TEXTS, when=when), Variant("plain", TEXTS))
    content = a_content(
        Slot("a", "text", first),
        Slot("b", "text", (Variant("after", TEXTS, when=after), Variant("plain", TEXTS))),
    )
    return pick(content, facts({"role": "buyer", "age": 31}, context={"device": "phone"}))


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("", True),
        ('profile.traits.role == "buyer"', True),
        ('profile.traits.role == "seller"', False),
        ("profile.traits.age > 30", True),
        ("profile.traits.nothing > 30", False),
        ('context.device == "phone"', True),
        ("profile.evidence >= 5.0", False),
        ("profile.readiness < 0.5", True),
        ("profile.lastSeenDays > 30.0", False),
        ("profile.interests.category.Tents > 0.5", False),
        ("account.traits.plan == 'x'", False),
        ('"role" in profile.traits', True),
        ('profile.traits.exists(t, t == "role")', True),
        ("profile.traits.age < 'old'", False),
        ("1 / (profile.traits.age - 31) > 0", False),
        ("profile.traits.role", False),  # no condition: only true is true
    ],
)
def test_when(when: str, holds: bool) -> None:
    assert two(when)["a"] == ("special" if holds else "plain")


def test_what_was_chosen_before() -> None:
    assert two("", 'chosen.a == "special"')["b"] == "after"
    assert two("false", 'chosen.a == "special"')["b"] == "plain"


def test_what_is_muted_may_still_choose() -> None:
    settings = replace(a_shop(), traits={"role": TraitSpec("role", speakable=False)})
    content = a_content(
        Slot("a", "text", (Variant("b", TEXTS, when='profile.traits.role == "x"'),))
    )
    assert pick(content, facts({"role": "x"}, settings=settings))["a"] == "b"


def test_interests_are_shares() -> None:
    month = START_MS // 2_629_800_000
    masses = {"Tents": (Mass(month, "view", 3, 3.0),), "Boots": (Mass(month, "view", 1, 1.0),)}
    profile = Profile("u:a", interests={"category": masses}, first_seen_ms=START_MS - 86_400_000)
    found = seen(profile, a_shop(), START_MS)
    assert found["interests"]["category"] == pytest.approx({"Tents": 0.75, "Boots": 0.25})
    assert found["firstSeenDays"] == 1.0
    names = {"profile": found}
    assert holds("profile.interests.category.Tents > 0.5", names)
    assert holds("profile.firstSeenDays >= 1.0", names)


def test_drafts_are_not_picked() -> None:
    slot = Slot("a", "text", (Variant("w", TEXTS, approved=False), Variant("b", TEXTS)))
    assert pick(a_content(slot), facts())["a"] == "b"


@pytest.mark.parametrize(
    "source",
    [
        "profile.",
        "profle.x",
        "profile.x.map(a, a.map(b, b)).map(c, c)",
        "x" * 1_001,
        "item.price > 1",
    ],
)
def test_no_condition(source: str) -> None:
    with pytest.raises(BadFilter):
        condition(source)


def test_what_is_wrong_is_said_with_its_place_and_remedy() -> None:
    with pytest.raises(BadFilter, match="At character 21") as caught:
        condition("profile.traits.role = 'buyer'")
    assert caught.value.hint == "Write == to compare."
