"""Laws of the scheduler: never outside, never over, never too late; and the best of what is left."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.deliver.planning import plan, release
from germane.domain.hours import local_hour, slot_of_week
from germane.domain.plan import Ask, Plan, SendPolicy, Sent
from tests.laws import sending
from tests.laws.sending import DAY_MS, HOUR_MS, RANK

Week = tuple[float, ...]
DRAWS = int(os.environ.get("GERMANE_DRAWS", "20000"))
"""1,000,000 take some minutes."""


def asked(
    draw: random.Random, policies: Sequence[SendPolicy] = (), weeks: Sequence[Week] = ()
) -> tuple[SendPolicy, Ask, ZoneInfo]:
    """Some question; of the policies and weeks that are given, or of new ones."""
    name, now = sending.a_moment(draw)
    policy = draw.choice(policies) if policies else sending.a_policy(draw)
    due = now + draw.choice((0, 0, -2 * HOUR_MS, 5 * HOUR_MS, -3 * DAY_MS))
    ask = Ask(
        f"m{draw.randrange(1000)}", f"u:{draw.randrange(1000)}", now, due, name,
        sends=sending.some_sends(draw, now),
        week=_week(draw, weeks) if policy.best_hour and draw.random() < 0.9 else (),
        seed=draw.getrandbits(63),
    )  # fmt: skip
    return policy, ask, ZoneInfo(name)


def _week(draw: random.Random, weeks: Sequence[Week]) -> Week:
    return draw.choice(weeks) if weeks else sending.a_week(draw)


def lawful(policy: SendPolicy, ask: Ask, found: Plan, zone: ZoneInfo) -> None:
    """What must be true of any plan that has a time."""
    at = found.at_ms
    assert at is not None
    assert at >= max(ask.now_ms, ask.due_ms)
    assert at <= ask.due_ms + policy.deadline_s * 1000
    assert sending.open_at(policy, at, zone), "outside the window, or in quiet hours"
    assert not sending.capped(policy, ask, at, zone), "over a cap"
    assert 0 < found.propensity <= 1
    assert found.reasons
    left = [each for each in ask.sends if each.key not in found.takes]
    higher = replace(ask, sends=tuple(replace(each, waiting=False) for each in left))
    assert not sending.capped(policy, higher, at, zone), (
        "those that must give way are not all named"
    )
    for each in ask.sends:
        if each.key in found.takes:
            assert each.waiting
            assert RANK[each.priority] > RANK[policy.priority]


def test_whatever_is_drawn() -> None:
    """Plans and releases, near changes of clocks, with what was sent and what is reserved."""
    draw = random.Random(20_261_128)
    policies = [sending.a_policy(draw) for _ in range(2_000)]
    weeks = [sending.a_week(draw) for _ in range(100)]
    planned = dropped = 0
    for number in range(DRAWS):
        policy, ask, zone = asked(draw, policies, weeks)
        found = plan(policy, ask)
        if found.at_ms is None:
            dropped += 1
            assert found.reasons[-1].code in ("deadline_passed", "no_room")
            if number % 50 == 0:
                nowhere(policy, ask, zone, draw)
            continue
        planned += 1
        lawful(policy, ask, found, zone)
        if number % 10 == 0:
            later = replace(
                ask, now_ms=found.at_ms + draw.choice((0, 1, HOUR_MS, 9 * HOUR_MS, -HOUR_MS))
            )
            out = release(policy, later, found)
            if out.verdict == "send":
                lawful(policy, later, replace(found, at_ms=later.now_ms, takes=out.takes), zone)
            elif out.verdict == "later":
                assert out.at_ms is not None
                assert out.at_ms > later.now_ms
    assert planned > 0.3 * DRAWS
    assert dropped > 0.1 * DRAWS


def nowhere(policy: SendPolicy, ask: Ask, zone: ZoneInfo, draw: random.Random) -> None:
    """A message that was dropped had no moment to go: none of some hundred that are tried is open."""
    start, end = max(ask.now_ms, ask.due_ms), ask.due_ms + policy.deadline_s * 1000
    for at in range(start, end + 1, max(1, (end - start) // 100)):
        assert not (sending.open_at(policy, at, zone) and not sending.capped(policy, ask, at, zone))


@given(st.integers(0, 2**32))
def test_the_best_hour_of_those_that_are_open(seed: int) -> None:
    """No open minute of the days until the deadline lies in a better hour than the one that was chosen."""
    draw = random.Random(seed)
    policy, ask, zone = asked(draw)
    policy = replace(policy, best_hour=True, exploration_share=0.0, spread_s=0)
    ask = replace(ask, week=sending.a_week(draw))
    found = plan(policy, ask)
    if found.at_ms is None:
        return
    taken = ask.week[slot_of_week(local_hour(found.at_ms, zone))]
    start, end = max(ask.now_ms, ask.due_ms), ask.due_ms + policy.deadline_s * 1000
    for at in range(start, min(end, start + 6 * DAY_MS), 15 * 60_000):
        if sending.open_at(policy, at, zone) and not sending.capped(policy, ask, at, zone):
            assert ask.week[slot_of_week(local_hour(at, zone))] <= taken
    assert found.propensity == 1.0


@given(st.integers(0, 2**32))
def test_what_is_less_urgent_and_waits_is_no_hindrance(seed: int) -> None:
    """The plan is the same as if the less urgent ones that wait did not exist."""
    policy, ask, _ = asked(random.Random(seed))
    alone = replace(
        ask,
        sends=tuple(
            each
            for each in ask.sends
            if not (each.waiting and RANK[each.priority] > RANK[policy.priority])
        ),
    )
    assert plan(policy, ask).at_ms == plan(policy, alone).at_ms


@given(st.integers(0, 2**32))
def test_propensities_are_those_of_the_draws(seed: int) -> None:
    """Over many seeds, each hour is taken as often as its propensity says."""
    draw = random.Random(seed)
    policy, ask, _ = asked(draw)
    policy = replace(policy, best_hour=True, exploration_share=0.5, spread_s=0, deadline_s=4 * 3600)
    ask = replace(ask, week=sending.a_week(draw), due_ms=ask.now_ms, sends=())
    times: dict[int, list[float]] = {}
    for number in range(400):
        found = plan(policy, replace(ask, seed=number))
        if found.at_ms is not None:
            times.setdefault(found.at_ms, []).append(found.propensity)
    for each in times.values():
        assert len(set(each)) == 1
        expected = each[0] * 400
        assert abs(len(each) - expected) < 6 * (expected * (1 - each[0])) ** 0.5 + 1e-9
    if times:
        assert abs(sum(each[0] for each in times.values()) - 1.0) < 0.3


@given(st.integers(0, 2**32))
def test_several_campaigns_at_once(seed: int) -> None:  # noqa: C901 - one story
    """A month of one person: messages of all urgencies become due, are planned and reserved, are released
    late or after the clock jumped, in any order. What really went out never breaks a cap, a window, quiet
    hours or a deadline; no more urgent one is dropped for want of a place that a waiting one holds."""
    draw = random.Random(seed)
    name, now = sending.a_moment(draw)
    zone = ZoneInfo(name)
    caps = tuple(sending.a_cap(draw) for _ in range(2))
    quiet = sending.a_span(draw, 60)
    waiting: dict[str, tuple[SendPolicy, Ask, Plan]] = {}
    sends: dict[str, Sent] = {}
    went: list[tuple[str, SendPolicy, int]] = []
    number = 0

    def put(policy: SendPolicy, ask: Ask) -> None:
        ask = replace(ask, now_ms=now, sends=tuple(sends.values()))
        found = plan(policy, ask)
        if found.at_ms is None:
            return
        for key in found.takes:
            del sends[key]
        sends[ask.key] = Sent(ask.key, policy.channel, policy.priority, found.at_ms, waiting=True)
        waiting[ask.key] = policy, ask, found
        again = [waiting.pop(key) for key in found.takes]
        for other, its, _ in again:
            put(other, its)

    for _ in range(60):
        now += draw.choice((0, 60_000, HOUR_MS, 7 * HOUR_MS, DAY_MS, -2 * HOUR_MS))
        if draw.random() < 0.5:
            number += 1
            policy = replace(sending.a_policy(draw, week=False), caps=caps, quiet=quiet)
            put(policy, Ask(f"m{number}", "u:1", now, now, name))
        due = [key for key, (_, _, found) in waiting.items() if (found.at_ms or 0) <= now]
        draw.shuffle(due)
        for key in due[: draw.randrange(3)]:
            if key not in waiting:
                continue
            policy, ask, found = waiting.pop(key)
            out = release(policy, replace(ask, now_ms=now, sends=tuple(sends.values())), found)
            del sends[key]
            if out.verdict == "send":
                sends[key] = Sent(key, policy.channel, policy.priority, now)
                went.append((key, policy, now))
                for other in out.takes:
                    del sends[other]
                    put(*waiting.pop(other)[:2])
            elif out.verdict == "later":
                assert out.at_ms is not None
                assert out.at_ms > now
                put(policy, ask)
    for _, policy, at in went:
        assert sending.open_at(policy, at, zone)
    for cap in caps:
        times = [at for _, policy, at in went if sending.counts(cap, policy.channel)]
        assert not sending.over(cap, times, zone)
