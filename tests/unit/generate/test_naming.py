"""The names in the ``when`` of a variant."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from germane.domain.content import Chosen, Slot, Variant
from germane.domain.errors import ContentIncomplete
from germane.domain.profile import Profile
from germane.domain.settings import AttributeSpec, TraitSpec
from germane.generate.check import check_content
from germane.generate.eligible import seen, seen_account
from germane.generate.naming import ACCOUNT, PROFILE, wrong_names
from germane.generate.render import render
from germane.generate.seeing import Wrong, wrong_name
from germane.testing import a_shop
from germane.testing.contents import HOSTS, a_content, facts

TEXTS = {"en": {"text": "x"}}
SETTINGS = replace(
    a_shop(),
    traits={"role": TraitSpec("role"), "first-name": TraitSpec("first-name")},
    attributes={
        "category": AttributeSpec("category", interest=True),
        "color": AttributeSpec("color"),
    },
)


def wrong(when: str) -> list[Wrong]:
    variant = Variant("special", TEXTS, when=when)
    subject = Slot("subject", "subject", (Variant("name", TEXTS), Variant("plain", TEXTS)))
    slot = Slot("opening", "text", (variant,))
    content = a_content(subject, slot, Slot("foot", "text", (Variant("one", TEXTS),)))
    return wrong_names(content, slot, variant, SETTINGS)


@pytest.mark.parametrize(
    "when",
    [
        "",
        'profile.traits.role == "buyer" && chosen.subject == "name"',
        'profile.traits["first-name"] == "profile.nonsense"',
        'profile.traits["role"].startsWith("b") && profile . traits . role != ""',
        'profile.interests.category.Tents > 0.2 || profile["interests"].category["New"] > 0.1',
        '"role" in profile.traits && has(profile.traits.role)',
        "profile.evidence > 5.0 && profile.lastSeenDays < 3.0 && account.id != ''",
        'account.traits.role == "x" && context.anything.at.all == "chosen.nothing"',
        "chosen.subject == '' || 'plain' != chosen.subject",
        'chosen.subject in ["name", "plain"] || chosen["subject"] == r"name"',
        "[1].exists(profiles, profiles > 0)",
    ],
)
def test_right(when: str) -> None:
    assert wrong(when) == []


@pytest.mark.parametrize(
    ("when", "text", "remedy"),
    [
        ("profile.traits.rol == 'x'", "profile.traits has no 'rol'.", "Did you mean 'role'?"),
        ("profile.traits['rol'] == 'x'", "profile.traits has no 'rol'.", "Did you mean 'role'?"),
        ("has(profile.traits.zip)", "profile.traits has no 'zip'.", "Declare it: [traits.zip]."),
        ("profile.traits['pay grade'] > 1", "no 'pay grade'", '[traits."pay grade"]'),
        ("profile.interests['größe'].x > 1", "no 'größe'", '[catalogue.attributes."größe"]'),
        ("profile.nonsense > 3", "profile has no 'nonsense' here.", "Known:"),
        ("profile.intrests.category.Tents > 1", "profile has no 'intrests'", "'interests'"),
        ("profile.counts.purchase.d30 > 0", "profile has no 'counts' here.", "Only campaigns"),
        ("profile.interests.categry.Tents > 1", "no 'categry'", "'category'"),
        ("profile.interests.color.red > 1", "no 'color'", "Set interest = true"),
        ("account.traits.rol == 'x'", "account.traits has no 'rol'.", "'role'"),
        ("account.plan == 'x'", "account has no 'plan'.", "Known: id, traits."),
        ("chosen.sujbect == 'a'", "chosen has no 'sujbect'.", "'subject'"),
        ("chosen.foot == 'one'", "chosen.foot: that slot does not come earlier.", "before opening"),
        ("chosen.opening == 'special'", "does not come earlier", "before opening"),
        ("chosen.subject == 'nam'", "Slot subject has no variant 'nam'.", "'name'"),
        ("'nam' == chosen.subject", "Slot subject has no variant 'nam'.", "'name'"),
        ("chosen.subject in ['name', 'plan']", "no variant 'plan'", "'plain'"),
    ],
)
def test_wrong(when: str, text: str, remedy: str) -> None:
    found = wrong(when)
    assert len(found) == 1
    assert text in found[0].text
    assert remedy in found[0].remedy


def test_names_are_those_that_conditions_see() -> None:
    person = Profile("u:a", first_seen_ms=1, last_seen_ms=1)
    assert set(PROFILE) == set(seen(person, SETTINGS, 10))
    assert set(ACCOUNT) == set(seen_account(person))


def test_the_check_tells() -> None:
    variants = (Variant("special", TEXTS, when="profile.traits.rol == 'x'"),)
    remarks = check_content(a_content(Slot("a", "text", variants)), SETTINGS, HOSTS)
    assert [(each.level, each.key) for each in remarks] == [("error", "a.special.when")]


def test_nobody_meant_is_told_with_the_conditions() -> None:
    variants = (
        Variant("buyer", TEXTS, when="profile.traits.role == 'buyer'"),
        Variant("old", TEXTS, when="profile.evidence > 5.0"),
    )
    content = a_content(Slot("a", "text", variants, required=True), Slot("b", "text", variants[:1]))
    with pytest.raises(ContentIncomplete) as caught:
        render(content, Chosen({"a": "", "b": "buyer"}), facts())
    assert caught.value.message == (
        "news cannot be filled: a has no variant for this person. No `when` held: "
        "buyer (profile.traits.role == 'buyer'); old (profile.evidence > 5.0)."
    )
    optional = replace(content, slots=(replace(content.slots[1], required=False), content.slots[2]))
    with pytest.raises(ContentIncomplete) as left:
        render(optional, Chosen({"a": "", "b": ""}), facts())
    assert left.value.code


@pytest.mark.parametrize(
    ("path", "table"),
    [
        (("person", "pay grade"), '[traits."pay grade"]'),
        (("person", "v.2"), '[traits."v.2"]'),
        (("item", "größe"), '[catalogue.attributes."größe"]'),
        (("interest", "größe"), '[catalogue.attributes."größe"]'),
    ],
)
def test_a_remedy_is_toml_whatever_the_name_is(path: tuple[str, str], table: str) -> None:
    """In quotes where it has a blank, a dot or an umlaut."""
    muted = {"pay grade": TraitSpec("pay grade", speakable=False)}
    size = {"größe": AttributeSpec("größe", speakable=False, interest=True)}
    found = wrong_name(path, replace(a_shop(), traits=muted, attributes=size), ())
    assert found is not None
    assert table in found.remedy
