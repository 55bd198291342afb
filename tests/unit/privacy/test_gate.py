"""What of an event may be kept, and what of a person may be read."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from germane.domain.consent import Stand
from germane.domain.event import Event, Interaction
from germane.domain.profile import Mass, OwnItem, Profile, Trait
from germane.domain.purposes import (
    ADVERTISING,
    CROSS_SITE,
    EMAIL_MARKETING,
    OFFLINE,
    PERSONALISATION,
    PURPOSES,
    TRANSACTIONAL,
)
from germane.domain.settings import PrivacySpec, Settings, SignalSpec, TraitSpec
from germane.privacy.gate import Gate, Met
from germane.privacy.jurisdictions import LAWS
from germane.testing import a_shop, an_event
from germane.testing.world import START_MS

NOW_MS = START_MS
CASES = {
    "first_party": {PERSONALISATION},
    "gdpr": set(),
    "ccpa": {PERSONALISATION, EMAIL_MARKETING, CROSS_SITE, OFFLINE, ADVERTISING},
    "pipeda": {PERSONALISATION},
}


def gate(**spec: Any) -> Gate:
    """Of a shop with a sensitive trait and a sensitive signal."""
    shop = a_shop()
    signals = shop.signals | {
        "symptom": SignalSpec(
            "symptom", "Symptom Searched", "properties.item", category="health", speakable=False
        )
    }
    traits = shop.traits | {
        "condition": TraitSpec("condition", category="health", speakable=False),
        "household": TraitSpec("household", category="third_party"),
        "mobile": TraitSpec("mobile", category="contact"),
    }
    privacy = PrivacySpec(**spec)
    return Gate(replace(shop, signals=signals, traits=traits, privacy=privacy))


def person(**consent: bool) -> Profile:
    """Of whom something is known."""
    return Profile(
        "u:ann",
        seq=7,
        user_id="ann",
        timezone="Europe/Berlin",
        account="acme",
        traits={"email": Trait("ann@example.org", 1), "likes": Trait("c1", 1)},
        own_items={"i1": OwnItem(3)},
        evidence=9.0,
        consent=consent,
    )


def test_a_law_is_data_for_every_jurisdiction() -> None:
    """Each names its purposes, and all are cases here."""
    assert set(LAWS) == set(CASES)


@pytest.mark.parametrize(("jurisdiction", "allowed"), CASES.items())
def test_what_the_law_allows_before_anything_was_said(jurisdiction: Any, allowed: set[str]) -> None:
    """Default deny where yes comes first; what people must have is never asked."""
    asked = gate(jurisdiction=jurisdiction)
    nobody = Profile("u:nobody")
    found = {each for each in PURPOSES if asked.allows(nobody, each, NOW_MS)}
    assert found == allowed
    assert asked.allows(nobody, TRANSACTIONAL, NOW_MS)
    assert not asked.allows(nobody, "newsletter", NOW_MS)


@pytest.mark.parametrize("jurisdiction", CASES)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_was_said_counts_more_than_the_law(jurisdiction: Any, purpose: str) -> None:
    """A yes allows, a no forbids, whatever the law would have it."""
    asked = gate(jurisdiction=jurisdiction)
    assert asked.allows(person(**{purpose: True}), purpose, NOW_MS)
    assert not asked.allows(person(**{purpose: False}), purpose, NOW_MS)


def test_a_yes_ends_when_it_was_to_end() -> None:
    """Then it is as if nothing had been said."""
    asked = gate(jurisdiction="gdpr")
    said = replace(person(personalisation=True), stands={PERSONALISATION: Stand(1, NOW_MS)})
    assert asked.allows(said, PERSONALISATION, NOW_MS - 1)
    assert not asked.allows(said, PERSONALISATION, NOW_MS)


def test_a_no_before_a_yes_with_an_end() -> None:
    """Stands again, whatever the law allows to who said nothing."""
    asked = gate(jurisdiction="ccpa")
    over = Stand(1, NOW_MS)
    never, refused = (
        replace(person(personalisation=True), stands={PERSONALISATION: each})
        for each in (over, replace(over, refused=True))
    )
    assert asked.allows(never, PERSONALISATION, NOW_MS)
    assert not asked.allows(refused, PERSONALISATION, NOW_MS)
    assert asked.allows(refused, PERSONALISATION, NOW_MS - 1)
    assert asked.opted_out_ms(refused, NOW_MS) == NOW_MS


def test_of_who_opted_out_nothing_is_read_but_how_they_are_reached() -> None:
    """Address, language, hour."""
    read = gate().readable(person(personalisation=False), NOW_MS)
    assert set(read.traits) == {"email"}
    assert read.timezone == "Europe/Berlin"
    assert (read.own_items, read.evidence, read.account, read.user_id) == ({}, 0.0, "", "")
    whole = person()
    assert gate().readable(whole, NOW_MS) is whole


def admitted(asked: Gate, event: Event, whose: Profile, **met: bool) -> Event | None:
    """What passes."""
    return asked.admitted(event, whose, NOW_MS, Met(**met)).event


def test_nothing_of_who_opted_out_is_kept() -> None:
    """An event is refused by name."""
    found = gate().admitted(an_event(), person(personalisation=False), NOW_MS, Met())
    assert found.event is None
    assert found.refused == ("track Product Viewed",)
    assert not found.personal


def test_a_no_follows_the_person() -> None:
    """Who says who they are is linked, and nothing else of it is kept."""
    said = Event(
        "m1",
        "identify",
        NOW_MS,
        user_id="ann",
        anonymous_id="phone",
        traits={"likes": "c2", "email": "ann@example.org", "name": "Ann"},
        context={"ip": "192.0.2.1", "page": {"url": "https://shop.example/x"}},
    )
    out = person(personalisation=False)
    assert admitted(gate(), said, out) is None
    kept = admitted(gate(), said, out, links=True)
    assert kept == Event(
        "m1",
        "identify",
        NOW_MS,
        user_id="ann",
        anonymous_id="phone",
        traits={"email": "ann@example.org"},
    )
    moved = replace(said, traits={"email": "ann@new.example", "likes": "c2"})
    assert admitted(gate(), moved, out) is not None


def test_of_who_said_nothing_nothing_is_kept_where_yes_comes_first() -> None:
    """Neither who is who, nor an address: but where there is something that they must be sent."""
    law = gate(jurisdiction="gdpr")
    silent = Profile("u:new")
    told = Event(
        "m1", "identify", NOW_MS, user_id="new", traits={"email": "n@x.example", "likes": "c1"}
    )
    assert admitted(law, told, silent, links=True) is None
    kept = admitted(law, told, silent, writes=True)
    assert kept is not None
    assert kept.traits == {"email": "n@x.example"}


def test_what_is_said_no_to_is_kept_without_the_rest() -> None:
    """The name of the list, and the consent; not the page, not the address of the machine."""
    said = an_event("Unsubscribed", properties={"list_id": "news", "url": "https://x.example"})
    said = replace(said, context={"ip": "192.0.2.1", "gpc": True})
    kept = admitted(gate(), said, person(personalisation=False))
    assert kept is not None
    assert kept.properties == {"list_id": "news"}
    assert kept.context == {"gpc": True}
    assert kept.name == "Unsubscribed"


def test_what_a_transactional_message_waits_for_passes_and_teaches_nothing() -> None:
    """An order is confirmed to whoever opted out, too."""
    traits = {"likes": "c1", "email": "ann@example.org"}
    event = replace(an_event("Order Completed"), context={"ip": "192.0.2.1", "traits": traits})
    found = gate().admitted(event, person(personalisation=False), NOW_MS, Met(served=True))
    assert found.event is not None
    assert found.event.properties == event.properties
    assert found.event.context == {"traits": {"email": "ann@example.org"}}
    assert not found.personal


def test_sensitive_data_need_a_yes_of_their_own() -> None:
    """Personalisation alone does not allow them; nor does the yes to them without it."""
    asked = gate()
    searched = an_event("Symptom Searched", properties={"item": "i1"})
    told = Event("m1", "identify", NOW_MS, user_id="ann", traits={"condition": "x", "likes": "c1"})
    assert admitted(asked, searched, person()) is None
    assert admitted(asked, searched, person(sensitive_data=True)) == searched
    both = person(sensitive_data=True, personalisation=False)
    assert admitted(asked, searched, both) is None
    found = asked.admitted(told, person(), NOW_MS, Met())
    assert found.event is not None
    assert found.event.traits == {"likes": "c1"}
    assert found.refused == ("trait condition",)
    assert admitted(asked, told, person(sensitive_data=True)) == told


def test_traits_of_the_context_pass_the_same_gate() -> None:
    """And nothing else of the context is touched."""
    event = replace(an_event(), context={"locale": "de", "traits": {"household": 3, "likes": "c1"}})
    found = gate().admitted(event, person(), NOW_MS, Met())
    assert found.event is not None
    assert found.event.context == {"locale": "de", "traits": {"likes": "c1"}}
    assert admitted(gate(), event, person(cross_site_tracking=True)) == event


def test_what_nobody_declared_is_refused_by_name() -> None:
    """But not how people are reached or called; and where that is wished, it is kept."""
    told = Event(
        "m1", "identify", NOW_MS, user_id="ann", traits={"shoe": 41, "likes": "c1", "name": "Ann"}
    )
    assert admitted(gate(undeclared="keep"), told, person()) == told
    found = gate().admitted(told, person(), NOW_MS, Met())
    assert found.event is not None
    assert found.event.traits == {"likes": "c1", "name": "Ann"}
    assert found.refused == ("trait shoe",)


def test_of_the_context_only_what_tells_nobody_apart_is_kept() -> None:
    """No network address, no device, no place, no whole address of a page; where that is wished, all of it."""
    context = {
        "ip": "192.0.2.1",
        "userAgent": "x",
        "location": {"latitude": 52.5},
        "device": {"id": "d"},
        "page": {"path": "/a", "title": "A", "url": "https://x.example/a?email=a@b.c"},
        "locale": "de",
        "library": {"name": "analytics.js"},
        "weird": 1,
    }
    event = an_event(context=context)
    assert admitted(gate(undeclared="keep"), event, person()) == event
    found = gate().admitted(event, person(), NOW_MS, Met())
    assert found.event is not None
    assert found.event.context == {
        "page": {"path": "/a", "title": "A"},
        "locale": "de",
        "library": {"name": "analytics.js"},
    }
    names = ("device", "ip", "location", "userAgent", "weird")
    assert found.refused == tuple(f"context {each}" for each in names)
    assert found.event.properties == event.properties


def test_contact_is_kept_for_what_people_must_have() -> None:
    """A phone number that is declared as contact stays readable after an opt-out."""
    out = replace(
        person(personalisation=False),
        traits={"mobile": Trait("+49", 1), "condition": Trait("x", 1)},
    )
    assert set(gate().readable(out, NOW_MS).traits) == {"mobile"}
    assert isinstance(gate().settings, Settings)


def test_data_that_are_no_longer_agreed_to_are_dropped() -> None:
    """The trait, what a signal of that category told, and the thing itself; nothing else."""
    did = (
        Interaction("i1", "symptom", 1),
        Interaction("i2", "view", 1),
        Interaction("i3", "view", 1),
    )
    known = replace(
        person(sensitive_data=True),
        traits={"condition": Trait("x", 1), "likes": Trait("c1", 1)},
        recent=(*did, Interaction("i3", "symptom", 2)),
        own_items={f"i{n}": OwnItem(1) for n in (1, 2, 3)},
        interests={
            "category": {"a": (Mass(1, "symptom", 1, 1.0),), "b": (Mass(1, "view", 1, 1.0),)}
        },
    )
    assert gate().fit(known, NOW_MS) is known
    out = replace(known, consent={"sensitive_data": False})
    left = gate().fit(out, NOW_MS)
    assert set(left.traits) == {"likes"}
    assert [each.item_id for each in left.recent] == ["i2", "i3"]
    assert set(left.own_items) == {"i2", "i3"}
    assert set(left.interests["category"]) == {"b"}
    assert gate().readable(out, NOW_MS) == left
    assert gate().fit(left, NOW_MS) is left
