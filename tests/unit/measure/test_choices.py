"""Which choice is rewarded: by window, by name, once, taken back; kept apart from slates."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from germane.domain.decision import Choice, Decision
from germane.domain.event import Interaction
from germane.domain.ids import order_key
from germane.domain.outcome import Outcome, Reward
from germane.domain.profile import Exposure, OpenChoice, Profile
from germane.domain.settings import OutcomeSpec
from germane.measure import choices
from germane.measure.reported import Answer
from germane.profile.chosen import CREDITED, OPEN, fold_choice, kept_of
from germane.testing import a_campaign
from germane.testing.world import START_MS

COUNTED = a_campaign()
REVENUE = a_campaign(outcomes=(OutcomeSpec("money", "purchase", 2 * 86_400, 0.5, "revenue"),))
HOUR_MS = 3_600_000


def made(name: str, hours: float, **changes: Any) -> Decision:
    """A choice of ``mail`` some hours after the start."""
    choice = Choice("mens", 0.5, "exploring", "mens", 0, (), ())
    at_ms = START_MS + int(hours * HOUR_MS)
    values: dict[str, Any] = {"arm": "personalised", "choice": choice, **changes}
    return Decision(
        name, "u:1", "mail", at_ms=at_ms, expires_ms=at_ms, seed=0, model_version="", personal_seq=0,
        shared_seq=0, readiness=0.0, items=(), **values,
    )  # fmt: skip


def person(*decisions: Decision) -> Profile:
    """Somebody for whom these were made."""
    found = Profile("u:1")
    for each in decisions:
        found = fold_choice(found, each, COUNTED, seq=1, now_ms=each.at_ms)
    return found


def bought(item: str, hours: float, **values: Any) -> Interaction:
    """A purchase some hours after the start."""
    return Interaction(item, "purchase", START_MS + int(hours * HOUR_MS), **values)


def rewards(
    who: Profile,
    *did: Interaction,
    named: Decision | None = None,
    settings: Any = COUNTED,
    order: str = "",
) -> list[Reward]:
    """Of one event, which may be an order."""
    if order:
        did = tuple(replace(each, order=order_key(each.signal, order)) for each in did)
    return choices.attribute(who, did, settings.surfaces, settings.signals, named)


def brief(found: list[Reward]) -> list[tuple[str, str, float, str]]:
    """Decision, item, value, rule."""
    return [(x.decision_id, x.item_id, x.value, x.rule) for x in found]


def test_by_window_to_the_latest_before_it() -> None:
    """Not to one that came later, nor after the window; whatever the item."""
    who = person(made("d1", 0), made("d2", 10))
    assert brief(rewards(who, bought("i9", 12))) == [("d2", "i9", 1.0, "window")]
    assert brief(rewards(who, bought("i9", 5))) == [("d1", "i9", 1.0, "window")]
    assert rewards(who, bought("i9", 10 + 48.1)) == []
    assert rewards(who, bought("i9", -1)) == []
    assert len(rewards(who, bought("i9", 10 + 48))) == 1


def test_what_is_counted_counts_once_a_choice() -> None:
    """Three lines of an order are one purchase; a second order is none."""
    who = person(made("d1", 0))
    found = rewards(who, bought("i1", 1), bought("i2", 1), bought("i3", 1))
    assert brief(found) == [("d1", "i1", 1.0, "window")]
    after = choices.credit(who, found, {})
    assert choices.before(after, "d1") == 1.0
    assert rewards(after, bought("i4", 2)) == []


def test_revenue_counts_each_item_once() -> None:
    """Price times quantity times the factor, by line."""
    who = person(made("d1", 0))
    order = (bought("i1", 1, price=10.0, quantity=2.0), bought("i2", 1, price=4.0))
    found = rewards(who, *order, settings=REVENUE)
    assert brief(found) == [("d1", "i1", 10.0, "window"), ("d1", "i2", 2.0, "window")]
    after = choices.credit(who, found, {})
    assert choices.before(after, "d1") == 12.0
    assert rewards(after, *order, settings=REVENUE) == []


def test_by_name_and_to_no_other() -> None:
    """An event or outcome that names its choice belongs to it, also when the profile kept it no more."""
    old, new = made("d1", 0), made("d2", 10)
    who = person(old, new)
    assert brief(rewards(who, bought("i1", 12), named=old)) == [("d1", "i1", 1.0, "id")]
    assert brief(rewards(Profile("u:1"), bought("i1", 12), named=old)) == [("d1", "i1", 1.0, "id")]
    surface = COUNTED.surfaces["mail"]
    outcome = Outcome("m", "d1", "", "purchase", 0.0, START_MS + HOUR_MS)
    reward = choices.attribute_outcome(who, old, outcome, surface).reward
    assert reward is not None
    assert (reward.value, reward.rule) == (1.0, "id")
    after = choices.credit(who, [reward], {"d1": old.at_ms})
    again = replace(outcome, message_id="n")
    assert choices.attribute_outcome(after, old, again, surface).verdict == "duplicate"
    assert rewards(after, bought("i1", 12), named=old) == []
    late = replace(outcome, at_ms=START_MS + 49 * HOUR_MS)
    assert choices.attribute_outcome(who, old, late, surface).verdict == "late"


def told(who: Profile, decision: Decision, **said: Any) -> Answer:
    """What becomes of revenue that is reported for a decision after an hour."""
    values = {"item_id": "", "value": 42.0, "at_ms": START_MS + HOUR_MS, **said}
    outcome = Outcome("m", decision.decision_id, outcome="money", **values)
    return choices.attribute_outcome(who, decision, outcome, REVENUE.surfaces["mail"])


def booked(who: Profile, answer: Answer) -> Profile:
    """The person once it is counted."""
    assert answer.reward is not None, answer.verdict
    return choices.credit(who, [answer.reward], {})


def test_a_reported_order_and_its_event_count_once() -> None:
    """In either order of arrival, and also where the event falls to another choice than the one named."""
    first, later = made("d1", 0), made("d2", 1)
    lines = [bought("i1", 2, price=30.0), bought("i2", 2, price=12.0)]
    for who in (person(first), person(first, later)):
        after = booked(who, told(who, first, order_id="o1"))
        assert choices.before(after, "d1") == 21.0
        assert rewards(after, *lines, settings=REVENUE, order="o1") == []
        assert rewards(after, *lines, settings=REVENUE, named=first, order="o1") == []
        assert len(rewards(after, *lines, settings=REVENUE, order="o2")) == 2
        assert told(after, first, order_id="o1").verdict == "duplicate"
        assert told(after, first, order_id="o2").verdict == "counted"
        event_first = replace(who, known_orders={order_key("purchase", "o1"): 0})
        assert told(event_first, first, order_id="o1").verdict == "duplicate"
        assert told(event_first, first, order_id="o2").verdict == "counted"


def test_revenue_without_item_or_order_is_all_that_counts_for_a_choice() -> None:
    """Nothing tells it from the order's own event: whichever comes first counts, the other does not."""
    first = made("d1", 0)
    line = bought("i1", 2, price=30.0)
    after = booked(person(first), told(person(first), first))
    assert rewards(after, line, settings=REVENUE) == []
    for more in ({}, {"item_id": "i7"}, {"order_id": "o9"}):
        assert told(after, first, **more).verdict == "duplicate"
    by_event = choices.credit(person(first), rewards(person(first), line, settings=REVENUE), {})
    assert told(by_event, first).verdict == "duplicate"
    assert told(by_event, first, item_id="i1").verdict == "duplicate"
    assert told(by_event, first, item_id="i7").verdict == "counted"


def test_a_default_is_not_learned_from() -> None:
    """It leaves nothing in the profile, and an outcome that names it counts for nothing."""
    choice = Choice("mens", 1.0, "default", "mens", 0, (), ())
    default = made("d1", 0, choice=choice)
    assert person(default).choices == ()
    assert rewards(person(default), bought("i1", 1), named=default) == []
    assert told(person(default), default).verdict == "untaught"


def test_a_refund_takes_back_what_was_credited_once() -> None:
    """At most what it was worth; only for the item that was credited."""
    who = replace(
        person(made("d1", 0)),
        recent=(bought("i1", 1, price=10.0), bought("i2", 1, price=4.0)),
    )
    order = (bought("i1", 1, price=10.0), bought("i2", 1, price=4.0))
    who = choices.credit(who, rewards(who, *order, settings=REVENUE), {})

    def refunded(item: str, **values: Any) -> Interaction:
        return Interaction(item, "refund", START_MS + 5 * HOUR_MS, **values)

    back = rewards(who, refunded("i1", price=99.0), settings=REVENUE)
    assert brief(back) == [("d1", "i1", -5.0, "returned")]
    assert rewards(who, refunded("i3", price=9.0), settings=REVENUE) == []
    after = choices.credit(who, back, {})
    assert choices.before(after, "d1") == 2.0
    assert rewards(after, refunded("i1", price=99.0), settings=REVENUE) == []
    assert brief(rewards(after, refunded("i2", price=1.0), settings=REVENUE))[0][2] == -0.5


def test_two_lines_of_one_item_on_a_choice() -> None:
    """They count together, and come back together; also where the refund names another choice."""
    lines = (
        bought("i1", 1, price=10.0, order=7),
        bought("i1", 1, price=10.0, quantity=3.0, order=7),
    )
    who = person(made("d1", 0), made("d2", 2))
    found = rewards(who, *lines, settings=REVENUE)
    assert brief(found) == [("d1", "i1", 20.0, "window")]
    who = replace(choices.credit(who, found, {}), recent=lines)
    refund = Interaction("i1", "refund", START_MS + 5 * HOUR_MS, order=7)
    for named in (None, made("d1", 0), made("d2", 2)):
        back = rewards(who, refund, refund, settings=REVENUE, named=named)
        assert brief(back) == [("d1", "i1", -20.0, "returned")]
    after = choices.credit(who, back, {})
    assert choices.before(after, "d1") == 0.0


def test_a_reported_order_is_taken_back_by_what_its_refund_says() -> None:
    """The whole order was reported: a refund that names it takes its own amount, and no more than all."""
    first = made("d1", 0)
    answer = told(person(first), first, order_id="o1")
    assert answer.reward is not None
    who = choices.credit(person(first), [answer.reward], {}, reported=True)
    for amount, left in ((30.0, 6.0), (30.0, 0.0), (30.0, 0.0)):
        at_ms, key = START_MS + 9 * HOUR_MS, order_key("purchase", "o1")
        refund = Interaction("i1", "refund", at_ms, 1.0, amount, order=key)
        who = choices.credit(who, rewards(who, refund, settings=REVENUE), {})
        assert choices.before(who, "d1") == left
    assert told(who, first, order_id="o1").verdict == "duplicate"


def test_what_is_taken_from_a_choice_that_was_dropped() -> None:
    """It leaves no account of its own: that would say that nothing had counted."""
    back = Reward("d9", "mail", "i1", "money", -1.0, START_MS, "returned")
    assert choices.credit(Profile("u:1"), [back], {}).choices == ()


def test_choices_at_every_page_do_not_push_out_what_counted() -> None:
    """A hundred choices later the rewarded one is still known, the slates untouched, all of it bounded."""
    slate = Exposure("s", "home", START_MS, ("i1",))
    first = made("d0", 0)
    who = replace(person(first), exposures=(slate,))
    who = choices.credit(who, rewards(who, bought("i1", 0.01)), {})
    for n in range(1, 101):
        each = made(f"d{n}", n / 100)
        who = fold_choice(who, each, COUNTED, seq=n, now_ms=each.at_ms)
    assert who.exposures == (slate,)
    assert [x.decision_id for x in who.choices] == ["d0", "d97", "d98", "d99", "d100"]
    assert rewards(who, bought("i1", 2), named=first) == []
    assert brief(rewards(who, bought("i1", 2), named=made("d50", 0.5)))[0][0] == "d50"


def test_bounds() -> None:
    """So many of each, and those without a reward only while their window is open."""
    some = [OpenChoice(f"d{n}", "mail", START_MS + n) for n in range(9)]
    rewarded = [OpenChoice(f"r{n}", "mail", START_MS + n, ("i|purchase",)) for n in range(30)]
    kept = kept_of((*some, *rewarded), COUNTED, START_MS + HOUR_MS)
    assert sum(not x.credited for x in kept) == OPEN
    assert sum(bool(x.credited) for x in kept) == CREDITED == choices.REMEMBERED
    later = kept_of((*some, *rewarded), COUNTED, START_MS + 72 * HOUR_MS)
    assert all(x.credited for x in later)
    forgotten = replace(Profile("u:1"), choices=kept)
    assert rewards(forgotten, bought("i1", 1), named=made("r0", 0)) == []
