"""When a person answers: opens show when somebody sent, so they are divided by what was sent."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.domain.hours import HOUR_MS, HOURS, SLOTS, known_zone
from germane.domain.moment import Touch
from germane.domain.profile import Exposure
from germane.predict.response import STRENGTH, Rates, likeness, pick, rates, touches_of

MONDAY = 489_648
FLAT = [1 / SLOTS] * SLOTS
USUAL_SEND = 9


def campaign(person: int, best: int, weeks: int = 26) -> list[Touch]:
    """Five mails a week, four of five at 09:00, the others at a random hour. 10 % are answered; around
    the best hour, 60 %."""
    chance, sent = random.Random(person), []
    for day in range(weeks * 7):
        if day % 7 >= 5:
            continue
        clock = USUAL_SEND if chance.random() < 0.8 else chance.randrange(HOURS)
        apart = min(abs(clock - best), HOURS - abs(clock - best))
        answered = chance.random() < (0.6 if apart <= 1 else 0.1)
        sent.append(Touch(MONDAY + day * HOURS + clock, answered))
    return sent


def test_opens_show_when_you_sent() -> None:
    """The trap: of 200 people, the histogram of opens finds nearly nobody's best hour (it finds 09:00);
    opens divided by sends find it for most, though only a fifth of the mails was sent elsewhere."""
    chance = random.Random(1)
    naive = corrected = fooled = 0
    for person in range(200):
        best = chance.choice([hour for hour in range(HOURS) if abs(hour - USUAL_SEND) > 3])
        sent = campaign(person, best)
        opened = np.bincount([each.hour % HOURS for each in sent if each.answered], minlength=HOURS)
        guess = int(opened.argmax())
        found = rates(sent, FLAT, now_hour=sent[-1].hour, width_h=1.0).means[:HOURS]
        naive += near(guess, best)
        fooled += guess == USUAL_SEND
        corrected += near(int(found.argmax()), best)
    assert naive <= 5
    assert fooled >= 190
    assert corrected >= 120  # by chance: 25


def near(one: int, two: int) -> bool:
    """At most an hour apart."""
    return min(abs(one - two), HOURS - abs(one - two)) <= 1


def test_the_posterior_by_hand() -> None:
    """Prior and counts at the hour itself, the day before it, and on the other kind of day."""
    sent = [Touch(MONDAY + 9, True), Touch(MONDAY + 9, False)]
    found = rates(sent, FLAT, now_hour=MONDAY + 9, width_h=1.0)
    rate = (1 + 0.2 * 5) / (2 + 5)
    for slot, weight in ((9, 1.0), (33, 0.5), (5 * 24 + 9, 0.25), (10, np.exp(-0.5)), (21, 0.0)):
        assert found.alpha[slot] == pytest.approx(STRENGTH * rate + weight, abs=1e-6)
        assert found.beta[slot] == pytest.approx(STRENGTH * (1 - rate) + weight, abs=1e-6)
    assert found.touches == 2


def test_nothing_sent() -> None:
    """Then activity says where an answer is expected, around the base rate."""
    activity = np.array(FLAT)
    activity[19] *= 3
    activity /= activity.sum()
    means = rates([], activity.tolist(), now_hour=MONDAY, width_h=1.0).means
    assert int(means.argmax()) == 19
    assert means[19] == pytest.approx(3 * means[3])
    assert 0.1 < means[3] < 0.2 < means[19]


def test_machines_are_left_out() -> None:
    """What a scanner opened within the second says nothing, neither for nor against."""
    sent = [Touch(MONDAY + 9, True), Touch(MONDAY + 12, False)]
    scanned = [*sent, *(Touch(MONDAY + 3, True, machine=True) for _ in range(50))]
    asked = {"now_hour": MONDAY + 24, "width_h": 1.0}
    assert rates(scanned, FLAT, **asked) == rates(sent, FLAT, **asked)


def test_old_touches_fade() -> None:
    """180 days later, half."""
    found = rates([Touch(MONDAY, True)], FLAT, now_hour=MONDAY + 180 * 24, width_h=1.0)
    assert found.touches == pytest.approx(0.5)


def test_activity_has_168_shares() -> None:
    """Anything else is a mistake of the caller."""
    with pytest.raises(ValueError, match="24 shares; a week has 168"):
        rates([], [1 / 24] * 24, now_hour=0, width_h=1.0)


def test_what_a_profile_remembers() -> None:
    """Only that surface, in the person's zone; a purchase that was taken back is no answer."""
    utc = known_zone("UTC")
    assert utc is not None
    at_ms = (MONDAY + 9) * HOUR_MS
    shown = [
        Exposure("d1", "mail", at_ms, ("a",), ("a|click",)),
        Exposure("d2", "mail", at_ms, ("a",), ("a|purchase", "a|purchase|returned")),
        Exposure("d3", "home", at_ms, ("a",), ("a|click",)),
        Exposure("d4", "mail", at_ms, ("a", "b"), ("a|buy", "b|buy", "a|buy|returned")),
        Exposure("d5", "mail", at_ms, ("a",)),
    ]
    found = touches_of(shown, "mail", utc)
    assert [each.answered for each in found] == [True, False, True, False]
    assert {each.hour for each in found} == {MONDAY + 9}


@given(st.integers(1, 72), st.floats(0, 1), st.integers(0, 2**63 - 1))
def test_propensities_sum_to_one(count: int, share: float, seed: int) -> None:
    """Over the hours on offer, whatever is picked; and the picked one's is above 0."""
    found = Rates((1.0,) * 20 + (3.0,) * 148, (4.0,) * SLOTS, 0.0)
    slots = [n % SLOTS for n in range(count)]
    chosen = pick(found, slots, explore_share=share, seed=seed)
    best = int(found.means[slots].argmax())
    floor = share / count
    assert 0 <= chosen.index < count
    assert chosen.propensity == pytest.approx(floor + (1 - share) * (chosen.index == best))
    assert chosen.propensity > 0
    assert chosen == pick(found, slots, explore_share=share, seed=seed)


def test_propensities_are_frequencies() -> None:
    """20,000 picks come out as often as they say, within four standard errors."""
    found = Rates(tuple(1.0 + (n == 5) for n in range(SLOTS)), (4.0,) * SLOTS, 0.0)
    picks = [pick(found, list(range(8)), explore_share=0.2, seed=n) for n in range(20_000)]
    counts = np.bincount([each.index for each in picks], minlength=8) / len(picks)
    said = {each.index: each.propensity for each in picks}
    assert said == {n: pytest.approx(0.825 if n == 5 else 0.025) for n in range(8)}
    for n, share in said.items():
        assert abs(counts[n] - share) < 4 * (share * (1 - share) / len(picks)) ** 0.5


@pytest.mark.parametrize(("slots", "share", "why"), [([], 0.1, "offer"), ([1], 1.5, "0 to 1")])
def test_wrong_questions(slots: list[int], share: float, why: str) -> None:
    """Said as such."""
    with pytest.raises(ValueError, match=why):
        pick(rates([], FLAT, now_hour=0, width_h=1.0), slots, explore_share=share, seed=1)


def test_likeness_is_symmetric() -> None:
    """1 with itself, the circle of the day closed."""
    found = likeness(1.0)
    assert np.allclose(found, found.T)
    assert np.allclose(np.diag(found), 1.0)
    assert found[0, 23] == pytest.approx(np.exp(-0.5))
