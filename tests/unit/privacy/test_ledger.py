"""Which word counts: precedence, and what an event says no to."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from germane.domain.consent import Stand, State, Statement
from germane.domain.profile import OwnItem, Profile, Trait
from germane.domain.purposes import (
    ADVERTISING,
    CROSS_SITE,
    EMAIL_MARKETING,
    PERSONALISATION,
    PURPOSES,
)
from germane.domain.settings import PrivacySpec
from germane.privacy import ledger, refusals
from germane.testing import an_event

NEWS = "email_marketing"


def said(state: State, at_ms: int, until_ms: int = 0) -> Statement:
    """Somebody, about e-mail."""
    return Statement("u:ann", NEWS, state, at_ms, 1_000, "test", until_ms=until_ms)


def after(*statements: Statement) -> tuple[bool | None, list[bool]]:
    """How it stands in the end, and which of them stood."""
    person, stood = Profile("u:ann"), []
    for each in statements:
        person, line = ledger.stated(person, each)
        stood.append(line.stands)
    return person.consent.get(NEWS), stood


YES, NO = "granted", "withdrawn"


@pytest.mark.parametrize(
    ("statements", "stands", "stood"),
    [
        ([(YES, 10)], True, [True]),
        ([(NO, 10)], False, [True]),
        ([(YES, 10), (NO, 20)], False, [True, True]),
        ([(NO, 10), (YES, 20)], True, [True, True]),
        ([(NO, 20), (YES, 10)], False, [True, False]),  # it came late
        ([(NO, 20), (YES, 20)], False, [True, False]),  # of the same time, the no
        ([(YES, 20), (NO, 20)], False, [True, True]),
        ([(YES, 20), (NO, 10)], False, [True, True]),  # a no always stands
        ([(YES, 20), (NO, 10), (YES, 15)], False, [True, True, False]),
        ([(YES, 20), (NO, 10), (YES, 30)], True, [True, True, True]),
        ([(YES, 20), (YES, 10)], True, [True, False]),
    ],
)
def test_precedence(statements: list[tuple[State, int]], stands: bool, stood: list[bool]) -> None:
    """A no stands whenever it was said; a yes only if it is newer than the last no."""
    assert after(*(said(*each) for each in statements)) == (stands, stood)


def test_what_is_said_just_now_comes_last() -> None:
    """Also within a millisecond; but not before what was said later by another clock."""
    person, _ = ledger.stated(Profile("u:ann"), said("withdrawn", 20))
    after, line = ledger.stated(person, said("granted", 20), just_now=True)
    assert (after.consent[NEWS], line.stands) == (True, True)
    after, line = ledger.stated(person, said("granted", 19), just_now=True)
    assert (after.consent[NEWS], line.stands) == (False, False)


def test_a_newer_yes_has_its_own_end() -> None:
    """An older one that comes late does not lengthen it."""
    person, _ = ledger.stated(Profile("u:ann"), said("granted", 20, until_ms=50))
    person, _ = ledger.stated(person, said("granted", 10, until_ms=90))
    assert person.stands[NEWS] == Stand(20, 50, 1_000)


def test_a_no_stands_again_after_a_yes_with_an_end() -> None:
    """Also where the yes was given again meanwhile; not after one that had no end."""
    person, _ = ledger.stated(Profile("u:ann"), said("withdrawn", 10))
    person, _ = ledger.stated(person, said("granted", 20, until_ms=50))
    assert [ledger.says(person, NEWS, at) for at in (49, 50)] == [True, False]
    again, _ = ledger.stated(person, said("granted", 30, until_ms=90))
    assert [ledger.says(again, NEWS, at) for at in (89, 90)] == [True, False]
    lasting, _ = ledger.stated(person, said("granted", 30))
    ending, _ = ledger.stated(lasting, said("granted", 40, until_ms=90))
    assert [ledger.says(x, NEWS, 100) for x in (lasting, ending)] == [True, None]


@pytest.mark.parametrize(
    ("statements", "no_ms"),
    [
        ([(NO, 10)], 10),
        ([(YES, 20), (NO, 10)], 10),  # it came late
        ([(YES, 20), (NO, 30)], 30),
        ([(NO, 20), (NO, 10)], 20),
        ([(YES, 20), (NO, 10), (YES, 15)], 10),  # that undoes nothing
        ([(YES, 20), (NO, 10), (YES, 30)], 0),
        ([(YES, 20), (NO, 10), (YES, 30, 50)], 10),  # it stands again
        ([(YES, 20), (NO, 10), (YES, 30, 50), (YES, 40, 60)], 10),
        ([(YES, 20), (NO, 10), (YES, 30, 50), (NO, 5)], 10),
    ],
)
def test_a_no_has_its_own_date(statements: list[Any], no_ms: int) -> None:
    """Whatever was said later, and undone by it."""
    person = Profile("u:ann")
    for each in statements:
        person, _ = ledger.stated(person, said(*each))
    assert person.stands[NEWS].no_ms == no_ms


def test_of_two_the_latest_no_has_the_date() -> None:
    """Also where one of them undid a yes that was newer than either, and where it is under a yes."""
    late, _ = ledger.stated(Profile("u:a"), said("granted", 20))
    late, _ = ledger.stated(late, said("withdrawn", 5))
    plain, _ = ledger.stated(Profile("a:b"), said("withdrawn", 10))
    for one, two in ((late, plain), (plain, late)):
        stand = ledger.strictest(one, two)[1][NEWS]
        assert (stand.at_ms, stand.refused_ms) == (20, 10)
    over, _ = ledger.stated(plain, said("granted", 30, until_ms=50))
    assert ledger.strictest(Profile("u:c"), over)[1][NEWS].refused_ms == 10
    assert Stand(7).refused_ms == 7  # as an earlier version left it


def test_a_yes_that_was_over_when_it_came_undoes_no_no() -> None:
    """As if it had never been said; and a no that is older undoes nothing that still stands."""
    person, _ = ledger.stated(Profile("u:ann"), said("withdrawn", 10))
    person, line = ledger.stated(person, said("granted", 20, until_ms=50))
    assert line.stands
    assert ledger.says(person, NEWS, 1_000) is False
    assert not ledger.takes_back(person, NEWS, 15, 1_000)
    assert ledger.takes_back(person, NEWS, 15, 40)


def test_of_two_with_an_end_a_no_before_either_stands_again() -> None:
    """The earlier end, and what stood before."""
    one = Profile("u:a", consent={NEWS: True}, stands={NEWS: Stand(5, 90)})
    two = Profile("a:b", consent={NEWS: True}, stands={NEWS: Stand(7, 60, refused=True)})
    assert ledger.strictest(one, two)[1] == {NEWS: Stand(7, 60, refused=True, no_ms=7)}
    assert ledger.strictest(Profile("u:c"), two) == ({NEWS: False}, {NEWS: Stand(7)})
    without = Profile("a:b", consent={NEWS: True}, stands={NEWS: Stand(7)})
    assert ledger.strictest(one, without)[1] == {NEWS: Stand(7, 90)}


def test_of_two_the_stricter_counts() -> None:
    """A no of either side; of two that agree, the earlier end; and nobody's yes becomes another's."""
    one = Profile("u:a", consent={"x": True, "y": True}, stands={"x": Stand(5), "y": Stand(5, 90)})
    two = Profile(
        "a:b",
        consent={"x": False, "y": True, "z": True},
        stands={"x": Stand(3), "y": Stand(7, 60), "z": Stand(1)},
    )
    consent, stands = ledger.strictest(one, two)
    assert consent == {"x": False, "y": True}
    assert stands == {"x": Stand(3, no_ms=3), "y": Stand(7, 60)}
    assert ledger.strictest(two, one) == (consent | {"z": True}, stands | {"z": Stand(1)})


def test_a_fresh_start_keeps_who_they_are_and_what_they_said() -> None:
    """And nothing that they did."""
    person = Profile(
        "u:ann",
        seq=4,
        user_id="ann",
        anonymous_ids=("x",),
        traits={"email": Trait("a@b.example", 1), "likes": Trait("c1", 1)},
        own_items={"i1": OwnItem(1)},
        evidence=3.0,
        consent={NEWS: True},
        stands={NEWS: Stand(1)},
    )
    fresh = ledger.fresh(person)
    assert fresh == Profile(
        "u:ann",
        seq=4,
        user_id="ann",
        anonymous_ids=("x",),
        traits={"email": Trait("a@b.example", 1)},
        consent={NEWS: True},
        stands={NEWS: Stand(1)},
    )


def banner(**preferences: Any) -> dict[str, str]:
    """What a banner's answer says no to."""
    spec = PrivacySpec(categories={"Ads": (ADVERTISING, CROSS_SITE), "All": PURPOSES})
    event = replace(
        an_event(), context={"consent": {"categoryPreferences": preferences.get("of", preferences)}}
    )
    return refusals.said(event, (), spec)


def test_what_a_banner_says() -> None:
    """Empty: no to all; left out: no; with a mapping, what the category speaks of; a no counts more."""
    assert set(banner()) == {*PURPOSES}
    assert set(banner(personalisation=True)) == {*PURPOSES} - {PERSONALISATION}
    assert set(banner(Ads=False, All=True)) == {ADVERTISING, CROSS_SITE}
    assert banner(All=True) == {}
    assert banner(newsletter=False, All=True) == {"newsletter": "banner"}
    assert refusals.said(an_event(), (), PrivacySpec()) == {}
    nothing = replace(an_event(), context={"consent": {}})
    assert refusals.said(nothing, (), PrivacySpec()) == {}


@pytest.mark.parametrize("answer", ["true", 1, None, "yes"])
def test_a_banner_agrees_by_true_alone(answer: Any) -> None:
    """Anything else is a no."""
    assert PERSONALISATION in banner(personalisation=answer)


def test_what_else_says_no() -> None:
    """The browser's signal, an unsubscription, a complaint."""
    signal = replace(an_event(), context={"gpc": True})
    assert refusals.said(signal, (), PrivacySpec()) == {ADVERTISING: "gpc", CROSS_SITE: "gpc"}
    left = an_event("Unsubscribed", properties={"list_id": "news"})
    assert refusals.said(left, (), PrivacySpec()) == {"news": "unsubscribed"}
    spam = an_event("Email Marked as Spam", properties={})
    found = refusals.said(spam, ("email_news", "other"), PrivacySpec())
    assert found == {EMAIL_MARKETING: "complained", "email_news": "complained"}


def test_nobody_can_be_made_to_say_no_to_everything_there_is() -> None:
    """A page can bring any names: so many are heard; the purposes that there are always."""
    said = {f"p{n}": False for n in range(1_000)}
    event = replace(an_event(), context={"consent": {"categoryPreferences": said}})
    found = refusals.said(event, (), PrivacySpec())
    assert {*PURPOSES} <= {*found}
    assert len(found) == len(PURPOSES) + refusals.MOST
    known = [f"k{n}" for n in range(refusals.MOST)]
    assert set(refusals.said(event, known, PrivacySpec())) == {*PURPOSES}
    long = an_event("Unsubscribed", properties={"list_id": "x" * 20_000})
    assert set(refusals.said(long, (), PrivacySpec())) == {EMAIL_MARKETING}
