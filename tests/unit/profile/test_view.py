"""A profile as a person can read it."""

from __future__ import annotations

import json
from math import log

import pytest
from msgspec.structs import replace

from germane.domain.event import Event
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Exposure, Mass, OwnItem, PriceBand, Profile, QuotaCount
from germane.profile import words
from germane.profile.statistics import met
from germane.profile.view import rfc3339, view
from germane.testing import an_event, an_order
from tests.unit.profile.people import ITEMS, NOW, SHOP, a_refund, folded, ms

DAY_S = 86_400


def seen(profile: Profile, now_ms: int = NOW) -> dict[str, object]:
    found = view(profile, SHOP, ITEMS.get, now_ms)
    json.dumps(found)  # plain JSON, nothing else
    return found


def test_an_empty_profile() -> None:
    """Nothing known is said as such."""
    found = seen(Profile("u:1"))
    assert found["firstSeen"] is None
    assert found["priceBand"] is None
    assert found["readiness"]["value"] == 0  # type: ignore[index]
    assert found["rhythm"] == {"text": "", "timezone": "UTC", "activeHours": 0, "busiest": []}


def test_interests_say_where_they_come_from() -> None:
    """Strongest first, negative last, with counts per signal and month."""
    events = [an_event(item="i1", at_ms=NOW - n * 1000) for n in range(3)]
    events += [an_order(["i1"], at_ms=ms(2025, 10, 3)), an_event("Product Dismissed", item="i2")]
    events += [an_event(item="i3")]
    rows = seen(folded(events))["interests"]["category"]  # type: ignore[index]
    assert [row["value"] for row in rows] == ["c1", "c3", "c2"]
    assert rows[0]["from"] == {
        "text": "3 × view, 1 × purchase, last 2025-11",
        "months": {"2025-10": {"purchase": 1}, "2025-11": {"view": 3}},
    }
    assert sum(row["share"] for row in rows) == pytest.approx(1.0, abs=1e-3)
    assert (rows[2]["weight"], rows[2]["share"]) == (-2.0, 0.0)


def test_what_was_taken_back_says_nothing() -> None:
    """However long after the purchase the refund comes, nothing is left, for or against."""
    events = [an_order(["i2"], at_ms=ms(2025, 9, 1)), a_refund("i2")]
    assert seen(folded(events))["interests"]["category"] == []  # type: ignore[index]


def test_price_band() -> None:
    """Low, typical and high are one deviation of the logarithm apart."""
    events = [
        an_order(
            [], properties={"order_id": f"{n}", "products": [{"product_id": "i1", "price": n}]}
        )
        for n in (10, 1000)
    ]
    assert seen(folded(events))["priceBand"] == {
        "low": 10.0,
        "typical": 100.0,
        "high": 1000.0,
        "currency": None,
        "from": 2,
    }


def test_a_price_band_that_no_number_holds() -> None:
    """Prices beyond all measure, of a catalogue of before: it is cut off, and can be read."""
    band = PriceBand()
    for price in (1e308, 1e308, 1e308, 1.0):
        band = met(band, log(price))
    found = seen(Profile("u:u1", price=band))["priceBand"]
    assert isinstance(found, dict)
    assert found["low"] <= found["typical"] <= found["high"] < 1e305


def test_traits_against_behaviour() -> None:
    """Both weights stand side by side; a trait that was withdrawn is not shown."""
    traits = {"likes": "c1", "plan": "pro", "gone": None}
    said = Event("1", "identify", NOW - 180 * MS_PER_DAY, user_id="u1", traits=traits)
    views = [an_event(item="i1") for _ in range(7)]
    found = seen(folded([said, *views]))["traits"]
    assert found["likes"] == {  # type: ignore[index]
        "value": "c1",
        "declared": rfc3339(NOW - 180 * MS_PER_DAY),
        "ageDays": 180,
        "weight": 0.25,  # half by age, half of that by behaviour
        "behaviourWeight": 0.5,
        "speakable": True,
    }
    assert "weight" not in found["plan"]  # type: ignore[index]
    assert "gone" not in found  # type: ignore[operator]


def test_own_items_have_a_rhythm() -> None:
    """How often, and how long ago."""
    orders = [an_order(["i1"], at_ms=NOW - days * MS_PER_DAY) for days in (37, 23, 9)]
    (row,) = seen(folded(orders))["ownItems"]  # type: ignore[misc]
    assert row["text"] == "every 14 days, last 9 days ago"
    assert (row["everyDays"], row["daysAgo"], row["count"], row["title"]) == (14.0, 9, 3, "Item 1")


def test_lines_of_one_order_are_one_time() -> None:
    """Three lines on the last of three days."""
    days = [NOW // 1000 - n * 86_400 for n in (120, 60, 0, 0, 0)]
    own = OwnItem(5, tuple(days), days[-1])
    assert (own.occasions, words.every_days(own)) == (3, 60.0)
    assert words.again(own, NOW) == "every 60 days, last today"
    same = OwnItem(2, (days[-1], days[-1]), days[-1])
    assert words.again(same, NOW) == "once, last today"


@pytest.mark.parametrize(
    ("own", "text"),
    [
        (OwnItem(1, (NOW // 1000,)), "once, last today"),
        (OwnItem(2, (NOW // 1000 - DAY_S - 60, NOW // 1000 - DAY_S)), "2 times, last yesterday"),
        (OwnItem(3, (NOW // 1000 - 2 * DAY_S, NOW // 1000)), "every 2 days, last today"),
        (OwnItem(2, (NOW // 1000 - DAY_S, NOW // 1000)), "every day, last today"),
    ],
)
def test_again_in_words(own: OwnItem, text: str) -> None:
    """As a person would say it."""
    assert words.again(own, NOW) == text


def test_signals_are_counted_by_their_names() -> None:
    """A name need not be a noun: it has no plural."""
    masses = (Mass(670, "finished", 6, 6.0), Mass(670, "wish_list", 1, 1.0))
    assert words.evidence(masses).startswith("6 × finished, 1 × wish list, last")


def test_rhythm_in_words() -> None:
    """The busiest hours; none where nothing repeats."""
    assert words.habit({0: 1.0}) == ""
    assert words.habit({19: 5.0}) == "Most often on Monday 19:00"
    text = words.habit({19: 5.0, 130: 9.0, 3: 2.0, 4: 2.0})
    assert text == "Most often on Saturday 10:00, Monday 19:00 and Monday 03:00"


def test_the_rest() -> None:
    """Latest interactions with titles, slates newest first, diversity, consent; weights as of now."""
    profile = replace(
        folded([an_event(item=f"i{n}", at_ms=NOW - 60 + n) for n in range(30)]),
        exposures=(Exposure("d1", "home", NOW - 9, ("a",)), Exposure("d2", "home", NOW, ("b",))),
        quotas={"home": QuotaCount(10, 2, 1)},
        consent={"personalisation": True},
    )
    found = seen(profile)
    assert len(found["recent"]) == 20  # type: ignore[arg-type]
    assert found["recent"][0]["title"] == "Item 29"  # type: ignore[index]
    assert [each["decisionId"] for each in found["exposures"]] == ["d2", "d1"]  # type: ignore[index, union-attr, attr-defined]
    assert found["diversity"] == {"home": {"slots": 10, "diverse": 2, "short": 1}}
    assert found["consent"] == {"personalisation": True}


def test_old_evidence_is_not_shown() -> None:
    """What counts no more is not named as a source."""
    masses = (Mass(0, "view", 9, 9.0), Mass(670, "view", 1, 1.0))
    profile = Profile("u:1", interests={"category": {"c1": masses}})
    (row,) = seen(profile)["interests"]["category"]  # type: ignore[index]
    assert row["from"]["text"] == "1 × view, last 2025-11"
