"""What becomes of an event by its age and by the categories of what it tells."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from germane.domain.event import Event
from germane.domain.settings import PrivacySpec, Settings, SignalSpec, TraitSpec
from germane.privacy.expiry import Expiry, Fate
from germane.testing import a_shop, an_event


def ms(year: int, month: int, day: int = 1) -> int:
    """Midnight of a day, in milliseconds."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


NOW = ms(2026, 11, 15)
OLD, YOUNG = ms(2024, 11, 30), ms(2024, 12, 1)
"""The last day that is 24 calendar months old, and the first that is not."""


def settings(archive_months: int = 12, **retention: int) -> Settings:
    """A shop with a signal of health and a trait of a place."""
    shop = a_shop()
    symptom = SignalSpec("symptom", "Symptom Searched", "properties.product_id", category="health")
    place = TraitSpec("place", category="precise_location", speakable=False)
    return replace(
        shop,
        signals=shop.signals | {"symptom": symptom},
        traits=shop.traits | {"place": place},
        privacy=PrivacySpec(archive_months=archive_months, retention=retention),
    )


def fate(event: Event, at_ms: int, **spec: int) -> Fate:
    """Of an event of a time, now."""
    return Expiry(settings(**spec), NOW).event(event, at_ms)


def test_by_the_calendar_month() -> None:
    """It is in the log until its month is 24 months ago, to the day."""
    event = an_event()
    assert fate(event, YOUNG) == Fate("log", event)
    assert fate(event, OLD) == Fate("archive", None)
    assert fate(event, OLD, archive_months=0) == Fate("nowhere", None)


@pytest.mark.parametrize(("months", "oldest"), [(1, ms(2026, 11)), (3, ms(2026, 9)), (24, YOUNG)])
def test_a_category_of_its_own_time(months: int, oldest: int) -> None:
    """It goes for good, and leaves no copy; what is of another category stays."""
    event = an_event("Symptom Searched")
    assert fate(event, oldest, health=months) == Fate("log", event)
    assert fate(event, oldest - 1, health=months) == Fate("nowhere", None)
    other = an_event()
    assert fate(other, YOUNG, health=months) == Fate("log", other)


def test_who_is_who_stays() -> None:
    """Without what else was said of them."""
    said = Event("m", "identify", OLD, user_id="u", anonymous_id="a", traits={"likes": "c1"})
    left = Event("m", "identify", OLD, user_id="u", anonymous_id="a")
    assert fate(said, OLD) == Fate("archive", left)
    assert fate(left, OLD) == Fate("log", left)
    alias = Event("m", "alias", OLD, user_id="u", previous_id="a")
    assert fate(alias, OLD) == Fate("log", alias)
    alone = Event("m", "identify", OLD, user_id="u", traits={"likes": "c1"})
    assert fate(alone, OLD) == Fate("archive", None)
    group = Event("m", "group", OLD, user_id="u", group_id="g", traits={"plan": "pro"})
    assert fate(group, OLD) == Fate("log", group)


@pytest.mark.parametrize(
    "said",
    [
        {"name": "Unsubscribed", "properties": {"list_id": "email_news", "product_id": "i1"}},
        {"name": "Email Bounced", "context": {"traits": {"email": "ann@example.com"}}},
        {"context": {"gpc": True}},
        {"context": {"consent": {"categoryPreferences": {"personalisation": False}}}},
    ],
)
def test_a_no_stays(said: dict[str, Any]) -> None:
    """The ledger that proves it is a fold of the log. What was done then goes."""
    event = an_event(**said, at_ms=OLD)
    where, left = fate(event, OLD)
    assert (where, left is not None) == ("archive", True)
    assert left is not None
    assert "product_id" not in left.properties
    assert fate(left, OLD) == Fate("log", left)


def test_traits_go_one_by_one() -> None:
    """A short-lived one leaves first; what then goes into the archive goes there without it."""
    said = Event("m", "identify", OLD, user_id="u", traits={"place": "52.5,13.4", "likes": "c1"})
    left = replace(said, traits={"likes": "c1"})
    assert fate(said, ms(2026, 8), precise_location=3) == Fate("log", left)
    assert fate(said, ms(2026, 9), precise_location=3) == Fate("log", said)
    assert fate(said, OLD, precise_location=3) == Fate("log", left)
    assert fate(left, OLD, precise_location=3) == Fate("archive", None)


def test_traits_inside_of_another_event() -> None:
    """The event stays."""
    event = an_event(context={"traits": {"place": "52.5,13.4"}, "locale": "de"})
    left = replace(event, context={"traits": {}, "locale": "de"})
    assert fate(event, ms(2026, 8), precise_location=3) == Fate("log", left)


def test_decisions_and_messages() -> None:
    """Decisions are behaviour, messages are contact."""
    expiry = Expiry(settings(behaviour=6, contact=12), NOW)
    assert [expiry.decision(x) for x in (ms(2026, 6), ms(2026, 5))] == ["log", "nowhere"]
    assert [expiry.message(x) for x in (ms(2025, 12), ms(2025, 11))] == ["log", "nowhere"]
    usual = Expiry(settings(), NOW)
    assert [usual.decision(x) for x in (YOUNG, OLD)] == ["log", "archive"]
