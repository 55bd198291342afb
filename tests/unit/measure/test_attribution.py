"""Attribution: inside the window, to the latest slate, once; taken back once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.domain.decision import Decision, SlateItem
from germane.domain.event import Interaction
from germane.domain.ids import order_key
from germane.domain.outcome import Outcome, Reward
from germane.domain.profile import Exposure, Profile
from germane.domain.settings import OutcomeSpec
from germane.measure.attribution import (
    Kept,
    attribute,
    attribute_event,
    attribute_outcome,
    credit,
)
from germane.measure.reported import Answer
from germane.testing import a_shop
from germane.testing.world import START_MS

WINDOW_S = 7 * 86_400
SHOP = a_shop(
    surface={
        "outcomes": (
            OutcomeSpec("purchase", "purchase", WINDOW_S, 2.0, "revenue"),
            OutcomeSpec("view", "view", 3_600),
        )
    }
)
TWICE = a_shop(
    surface={
        "outcomes": (
            OutcomeSpec("order", "purchase", WINDOW_S),
            OutcomeSpec("soon", "purchase", 60, 3.0),
        )
    }
)


def did(signal: str, item: str, after_s: float, **values: Any) -> Interaction:
    """An interaction some seconds after the slate."""
    return Interaction(item, signal, START_MS + int(after_s * 1000), **values)


def bought(item: str, after_s: float, **values: Any) -> Interaction:
    """A purchase some seconds after the slate."""
    return did("purchase", item, after_s, **values)


def seen(*items: str, name: str = "d1", at_ms: int = START_MS, surface: str = "home") -> Exposure:
    """A slate that was seen."""
    return Exposure(name, surface, at_ms, items)


def decided(*items: str, name: str = "d1", at_ms: int = START_MS) -> Decision:
    """A decision, whether or not it was seen."""
    slate = tuple(SlateItem(item, n, 1.0, 1.0, "relevant", {}) for n, item in enumerate(items))
    return Decision(name, "u:1", "home", "personalised", at_ms, at_ms, 1, "v", 1, 1, 0.5, slate)


def reported(item: str, outcome: str, after_s: float = 5, value: float | None = None) -> Outcome:
    """An outcome by decision id."""
    at_ms = START_MS + int(after_s * 1000)
    return Outcome(f"m{after_s}", "d1", item, outcome, value, at_ms)


# -- by item and window --------------------------------------------------------------------------


def test_value_is_revenue() -> None:
    """Factor times price times quantity; a purchase without a price counts as one."""
    profile = Profile("u:1", exposures=(seen("a"),))
    (reward,) = attribute(profile, [bought("a", 5, quantity=3, price=4.0)], SHOP.surfaces)
    wanted = Reward("d1", "home", "a", "purchase", 24.0, START_MS + 5_000, "window")
    assert reward == wanted
    (reward,) = attribute(profile, [bought("a", 5, quantity=3)], SHOP.surfaces)
    assert reward.value == 2.0
    (reward,) = attribute(profile, [bought("a", 5, price=0.0)], SHOP.surfaces)
    assert reward.value == 0.0


def test_window_and_signal() -> None:
    """Before the slate, after the window, other items and signals do not count; both edges do."""
    profile = Profile("u:1", exposures=(seen("a"),))
    edges = ((-0.001, 0), (0, 1), (WINDOW_S, 1), (WINDOW_S + 0.001, 0))
    for after_s, counts in edges:
        assert len(attribute(profile, [bought("a", after_s)], SHOP.surfaces)) == counts
    for each in (bought("b", 5), did("dismiss", "a", 5), did("view", "a", 3_601)):
        assert attribute(profile, [each], SHOP.surfaces) == []
    assert attribute(profile, [bought("a", 5)], {}) == []  # the surface is gone


def test_the_latest_slate_gets_it() -> None:
    """Of two slates that showed the item, the later one; sent again it does not go to the earlier."""
    profile = Profile("u:1", exposures=(seen("a"), seen("a", name="d2", at_ms=START_MS + 10)))
    first = attribute(profile, [bought("a", 60)], SHOP.surfaces)
    assert [each.decision_id for each in first] == ["d2"]
    assert attribute(credit(profile, first), [bought("a", 60)], SHOP.surfaces) == []


def test_a_slate_that_does_not_wait_for_it_is_passed_over() -> None:
    """A later slate of a surface without that outcome, or after the event, does not hide the earlier."""
    later = seen("a", name="d2", at_ms=START_MS + 10, surface="together")
    after = seen("a", name="d3", at_ms=START_MS + 90_000)
    profile = Profile("u:1", exposures=(seen("a"), later, after))
    (reward,) = attribute(profile, [bought("a", 60)], SHOP.surfaces)
    assert reward.decision_id == "d1"


def test_one_signal_may_mean_several_outcomes() -> None:
    """Each inside its own window, each once."""
    profile = Profile("u:1", exposures=(seen("a"),))
    first = attribute(profile, [bought("a", 70)], TWICE.surfaces)
    assert [each.outcome for each in first] == ["order"]
    both = attribute(profile, [bought("a", 30), bought("a", 30)], TWICE.surfaces)
    assert [(each.outcome, each.value) for each in both] == [("order", 1.0), ("soon", 3.0)]
    profile = credit(profile, first)
    assert [x.outcome for x in attribute(profile, [bought("a", 30)], TWICE.surfaces)] == ["soon"]


TIMES = st.integers(-10, WINDOW_S + 10)


@given(
    st.lists(st.tuples(TIMES, st.sets(st.sampled_from("abc"), min_size=1)), max_size=6),
    st.lists(st.tuples(st.sampled_from(["purchase", "view", "refund"]), st.sampled_from("abc"), TIMES)),
)  # fmt: skip
def test_each_outcome_counts_once_and_inside_its_window(
    slates: list[tuple[int, set[str]]], sent: list[tuple[str, str, int]]
) -> None:
    """However often it is sent; never before the impression, never after the window."""
    exposures = tuple(
        seen(*sorted(items), name=f"d{n}", at_ms=START_MS + at_s * 1000)
        for n, (at_s, items) in enumerate(sorted(slates, key=lambda slate: slate[0]))
    )
    shown = {each.decision_id: each for each in exposures}
    profile, total = Profile("u:1", exposures=exposures), []
    windows = {"purchase": WINDOW_S, "view": 3_600}
    for signal, item, at_s in sent:
        each = did(signal, item, at_s)
        rewards = attribute(profile, [each, each], SHOP.surfaces, SHOP.signals)
        for reward in rewards:
            exposure = shown[reward.decision_id]
            assert item in exposure.items
            assert reward.at_ms >= exposure.at_ms
            if reward.rule == "window":
                assert reward.at_ms <= exposure.at_ms + windows[reward.outcome] * 1000
        total += [(x.decision_id, x.item_id, x.outcome, x.rule) for x in rewards]
        profile = credit(profile, rewards)
    assert len(total) == len(set(total))
    returned = {key[:3] for key in total if key[3] == "returned"}
    assert returned <= {key[:3] for key in total if key[3] == "window"}


# -- refunds ---------------------------------------------------------------------------------------


def returning(purchase: Interaction, *refunds: Interaction) -> list[float]:
    """Values of all rewards of a purchase and its refunds, in order."""
    profile, values = Profile("u:1", exposures=(seen("a"),)), []
    for each in (purchase, *refunds):
        rewards = attribute(profile, [each], SHOP.surfaces, SHOP.signals)
        values += [reward.value for reward in rewards]
        profile = credit(profile, rewards)
        profile = Profile("u:1", exposures=profile.exposures, recent=(*profile.recent, each))
    return values


@pytest.mark.parametrize(
    ("refund", "value"),
    [
        ({}, -24.0),  # all of it
        ({"price": 4.0, "quantity": 1.0}, -8.0),  # one of three
        ({"price": 400.0}, -24.0),  # never more than was credited
    ],
)
def test_a_refund_takes_back_once(refund: dict[str, float], value: float) -> None:
    """What was credited, or the part that comes back; sent again it takes nothing."""
    purchase = bought("a", 5, quantity=3.0, price=4.0)
    back = did("refund", "a", 9, **refund)
    assert returning(purchase, back, back) == [24.0, value]


def test_a_refund_of_what_was_not_credited() -> None:
    """Nothing was given, so nothing is taken; the other signals are not concerned."""
    assert returning(did("refund", "a", 9)) == []
    assert returning(did("view", "a", 5), did("refund", "a", 9)) == [1.0]
    profile = Profile("u:1", exposures=(seen("a"),))
    assert attribute(profile, [did("refund", "a", 9)], SHOP.surfaces) == []


def test_a_refund_of_what_counted_against() -> None:
    """An outcome with a value below 0 is given back likewise, and no more than there was."""
    against = a_shop(
        surface={"outcomes": (OutcomeSpec("cost", "purchase", WINDOW_S, -1.0, "revenue"),)}
    )
    purchase = bought("a", 5, price=10.0)
    exposure = Exposure("d1", "home", START_MS, ("a",), ("a|cost",))
    profile = Profile("u:1", exposures=(exposure,), recent=(purchase,))
    for price, value in ((4.0, 4.0), (40.0, 10.0)):
        refund = did("refund", "a", 9, price=price)
        (reward,) = attribute(profile, [refund], against.surfaces, against.signals)
        assert reward.value == value


def test_lines_of_one_item_are_one_credit() -> None:
    """Two lines of an order are worth their sum, and come back as their sum or one by one."""
    both = [bought("a", 5, price=1.0, order=7), bought("a", 5, price=1.0, quantity=3.0, order=7)]
    profile = Profile("u:1", exposures=(seen("a"),))
    (reward,) = attribute(profile, both, SHOP.surfaces, SHOP.signals)
    assert (reward.value, reward.order) == (8.0, 7)
    profile = replace(credit(profile, [reward]), recent=tuple(both))
    refund = did("refund", "a", 9, order=7)
    (first,) = attribute(profile, [refund], SHOP.surfaces, SHOP.signals)
    assert (first.value, first.rule) == (-6.0, "returned in part")
    (whole,) = attribute(profile, [refund, refund], SHOP.surfaces, SHOP.signals)
    assert (whole.value, whole.rule) == (-8.0, "returned")


def test_the_purchase_that_was_credited_comes_back() -> None:
    """Not the earliest one, which arrived late and was never credited."""
    later, earlier = bought("a", 50, price=30.0, order=2), bought("a", 5, price=10.0, order=1)
    profile = Profile("u:1", exposures=(seen("a"),))
    profile = credit(profile, attribute(profile, [later], SHOP.surfaces, SHOP.signals))
    profile = replace(profile, recent=(later,))
    assert attribute(profile, [earlier], SHOP.surfaces, SHOP.signals) == []
    profile = replace(profile, recent=(earlier, later))
    for order, values in ((1, []), (2, [-60.0])):
        refund = did("refund", "a", 90, order=order)
        found = attribute(profile, [refund], SHOP.surfaces, SHOP.signals)
        assert [each.value for each in found] == values


def test_an_account_of_an_earlier_version() -> None:
    """It tells no amounts: the first purchase is taken back once, in whole or in part, and no more."""
    first, second = bought("a", 5, price=10.0), bought("a", 50, price=30.0)
    exposure = Exposure("d1", "home", START_MS, ("a",), ("a|purchase",))
    profile = Profile("u:1", exposures=(exposure,), recent=(first, second))
    assert attribute(profile, [did("refund", "a", 60)], SHOP.surfaces, SHOP.signals) == []
    refund = did("refund", "a", 9, price=4.0)
    found = attribute(profile, [refund], SHOP.surfaces, SHOP.signals)
    assert [(each.value, each.rule) for each in found] == [(-8.0, "returned")]
    profile = credit(profile, found)
    assert attribute(profile, [refund], SHOP.surfaces, SHOP.signals) == []


# -- by id -----------------------------------------------------------------------------------------


def test_an_event_that_names_its_decision() -> None:
    """Exact: also without an impression, also for an item below those reported, never twice."""
    decision = decided("a", "b")
    for exposures in ((), (seen("a"),)):
        profile = Profile("u:1", exposures=exposures)
        rewards = attribute_event(profile, decision, [bought("b", 5, price=3.0)], SHOP.surfaces)
        assert [(x.item_id, x.value, x.rule) for x in rewards] == [("b", 6.0, "id")]
        again = credit(profile, rewards)
        assert attribute_event(again, decision, [bought("b", 6)], SHOP.surfaces) == []
    assert attribute_event(Profile("u:1"), decision, [bought("z", 5)], SHOP.surfaces) == []
    assert attribute_event(Profile("u:1"), decision, [bought("a", -1)], SHOP.surfaces) == []


def test_the_window_begins_with_the_impression() -> None:
    """A page that is decided early and shown late; named before it was reported it counts as well."""
    late_ms = START_MS + 86_400_000
    profile = Profile("u:1", exposures=(seen("a", at_ms=late_ms),))
    decision = decided("a")
    for after_s, counts in ((0, 1), (WINDOW_S + 86_400, 1), (WINDOW_S + 86_401, 0)):
        found = attribute_event(profile, decision, [bought("a", after_s)], SHOP.surfaces)
        assert len(found) == counts


def test_an_outcome_by_id() -> None:
    """The value is the declared one; revenue is what is reported, times the factor."""
    surface, decision, profile = SHOP.surfaces["home"], decided("a"), Profile("u:1")

    def value(outcome: Outcome) -> float | None:
        found = attribute_outcome(profile, decision, outcome, surface).reward
        return None if found is None else found.value

    assert value(reported("a", "purchase", value=12.5)) == 25.0
    assert value(reported("a", "purchase")) == 2.0
    assert value(reported("a", "view", value=99.0)) == 1.0
    assert value(reported("z", "view")) is None
    assert value(reported("a", "smile")) is None
    assert value(reported("a", "view", after_s=3_601)) is None
    assert value(reported("a", "purchase", value=0.0)) == 0.0, "what was free is worth nothing"
    first = attribute_outcome(profile, decision, reported("a", "view"), surface).reward
    assert first is not None
    profile = credit(profile, [first])
    assert value(reported("a", "view", after_s=6)) is None
    for after_s, verdict in ((6, "duplicate"), (9e9, "duplicate")):
        again = reported("a", "view", after_s=after_s)
        assert attribute_outcome(profile, decision, again, surface).verdict == verdict
    late = reported("a", "purchase", after_s=9e9)
    assert attribute_outcome(profile, decision, late, surface).verdict == "late"
    assert value(reported("a", "purchase")) == 2.0


def test_a_refund_that_names_a_decision() -> None:
    """It takes back as one that names none; so does a named purchase whose refund came first."""
    purchase, refund = bought("a", 5, price=3.0), did("refund", "a", 9)
    args = (SHOP.surfaces, SHOP.signals)
    profile = Profile("u:1", exposures=(seen("a"),))
    after = credit(profile, attribute_event(profile, decided("a"), [purchase], *args))
    after = replace(after, recent=(purchase,))
    for name in ("d1", "d9"):
        (back,) = attribute_event(after, decided("a", name=name), [refund], *args)
        assert (back.decision_id, back.value, back.rule) == ("d1", -6.0, "returned")
    waiting = Profile("u:1", recent=(refund,))
    found = attribute_event(waiting, decided("a"), [purchase], *args)
    assert [each.value for each in found] == [6.0, -6.0]


def test_a_reported_purchase_is_taken_back_as_it_was_reported() -> None:
    """5 were reported, its own event says 20: what is taken is 5. By its order it needs no event."""
    surface, decision, profile = SHOP.surfaces["home"], decided("a"), Profile("u:1")

    def told(order_id: str) -> Profile:
        outcome = Outcome("m", "d1", "a", "purchase", 5.0, START_MS + 5_000, order_id)
        reward = attribute_outcome(profile, decision, outcome, surface).reward
        assert reward is not None
        return credit(profile, [reward], reported=True)

    def back(who: Profile, refund: Interaction) -> list[float]:
        return [x.value for x in attribute(who, [refund], SHOP.surfaces, SHOP.signals)]

    key = order_key("purchase", "o7")
    own = bought("a", 6, price=10.0, quantity=2.0, order=key)
    after = replace(told(""), recent=(own,), known_orders={key: 0})
    assert back(after, did("refund", "a", 9, order=key)) == [-10.0]
    assert back(told("o7"), did("refund", "a", 9, order=key)) == [-10.0]
    assert back(told("o7"), did("refund", "a", 9, order=key + 1)) == []
    assert back(told("o7"), did("refund", "a", 9, order=key, price=2.0)) == [-4.0]


def test_an_outcome_without_an_impression_does_not_move_the_window() -> None:
    """The account begins with the decision, so the window of the other items does."""
    surface, decision, profile = SHOP.surfaces["home"], decided("a", "b"), Profile("u:1")
    days = 86_400
    first = attribute_outcome(profile, decision, reported("a", "purchase", 6 * days, 1.0), surface)
    assert first.reward is not None
    profile = credit(profile, [first.reward], {"d1": decision.at_ms}, reported=True)
    assert profile.exposures[0].at_ms == decision.at_ms
    second = reported("b", "purchase", 10 * days, 1.0)
    assert attribute_outcome(profile, decision, second, surface).verdict == "late"


def test_a_decision_whose_account_was_dropped_for_its_age() -> None:
    """What was counted for it is not known: it is forgotten, as long as nothing is kept of it."""
    surface, decision = SHOP.surfaces["home"], decided("a")
    outcome, kept = reported("a", "purchase", value=1.0), Kept(since_ms=START_MS + 1)
    verdict = attribute_outcome(Profile("u:1"), decision, outcome, surface, kept=kept).verdict
    assert verdict == "forgotten"
    profile = Profile("u:1", exposures=(seen("a"),))
    assert attribute_outcome(profile, decision, outcome, surface, kept=kept).verdict == "counted"
    found = attribute_event(Profile("u:1"), decision, [bought("a", 5)], SHOP.surfaces, kept=kept)
    assert found == []


def test_by_id_and_by_window_are_one_account() -> None:
    """What was counted by one way does not count again by the other."""
    decision = decided("a")
    profile = Profile("u:1", exposures=(seen("a"),))
    by_window = credit(profile, attribute(profile, [bought("a", 5)], SHOP.surfaces))
    assert attribute_event(by_window, decision, [bought("a", 5)], SHOP.surfaces) == []
    by_id = attribute_event(profile, decision, [bought("a", 5)], SHOP.surfaces)
    assert attribute(credit(profile, by_id), [bought("a", 5)], SHOP.surfaces) == []


def test_an_order_counts_for_one_slate_only() -> None:
    """Reported for one and come as an event for a later one, in either order, or named by two: once."""
    later = START_MS + 10_000
    profile = Profile("u:1", exposures=(seen("a"), seen("a", name="d2", at_ms=later)))
    first, second = decided("a"), decided("a", name="d2", at_ms=later)
    surface, key = SHOP.surfaces["home"], order_key("purchase", "o1")
    event = bought("a", 20, price=5.0, order=key)

    def report(who: Profile, decision: Decision, order_id: str = "o1") -> Answer:
        at_ms = START_MS + 20_000
        outcome = Outcome("m", decision.decision_id, "a", "purchase", 5.0, at_ms, order_id)
        return attribute_outcome(who, decision, outcome, surface)

    answer = report(profile, first)
    assert answer.reward is not None
    told = credit(profile, [answer.reward], reported=True)
    assert attribute(told, [event], SHOP.surfaces) == []
    assert attribute_event(told, second, [event], SHOP.surfaces) == []
    assert report(told, second).verdict == "duplicate"
    came = credit(profile, attribute(profile, [event], SHOP.surfaces))
    assert report(came, first).verdict == "duplicate"
    for who in (told, came):  # another order of the item counts, and so does what names none
        assert report(who, second if who is told else first, "o2").verdict == "counted"
        assert report(who, second if who is told else first, "").verdict == "counted"
        refund = did("refund", "a", 30, order=key)
        back = attribute(replace(who, recent=(event,)), [refund], SHOP.surfaces, SHOP.signals)
        assert [each.value for each in back] == [-10.0]
    assert len(attribute(told, [replace(event, order=key + 1)], SHOP.surfaces)) == 1


def test_credits_without_impressions_stay_bounded() -> None:
    """A client that never reports what was seen: the oldest accounts are closed, and stay closed."""
    surface, profile = SHOP.surfaces["home"], Profile("u:1")
    outcomes = [(f"d{n:02}", START_MS + n) for n in range(12)]
    for name, at_ms in outcomes:
        decision = decided("a", name=name, at_ms=at_ms)
        outcome = Outcome("m", name, "a", "view", 0.0, at_ms)
        found = attribute_outcome(profile, decision, outcome, surface, kept=Kept(10)).reward
        assert found is not None
        profile = credit(profile, [found], limit=10)
    assert len(profile.exposures) == 10
    for name, at_ms in outcomes:  # all of them were counted; none counts again
        decision = decided("a", name=name, at_ms=at_ms)
        outcome = Outcome("m", name, "a", "view", 0.0, at_ms)
        assert attribute_outcome(profile, decision, outcome, surface, kept=Kept(10)).reward is None


def test_what_is_taken_from_a_slate_that_was_dropped() -> None:
    """It leaves no account of its own: that would say that nothing had counted."""
    back = Reward("d9", "home", "a", "purchase", -1.0, START_MS, "returned")
    assert credit(Profile("u:1"), [back]).exposures == ()


def test_crediting_changes_only_the_account() -> None:
    """The profile before is as it was; nothing to credit is nothing done."""
    profile = Profile("u:1", exposures=(seen("a"), seen("b", name="d2")))
    assert credit(profile, []) is profile
    rewards = attribute(profile, [bought("a", 5), bought("b", 5)], SHOP.surfaces)
    after = credit(profile, rewards)
    assert [each.credited for each in after.exposures] == [("a|purchase",), ("b|purchase",)]
    assert [each.credited for each in profile.exposures] == [(), ()]
