"""The scheduler by example: what is said, and the days on which clocks change."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from germane.deliver.planning import plan, release
from germane.deliver.policy import policy_of
from germane.domain.plan import Ask, Plan, Reason, SendPolicy, Sent
from germane.domain.settings import CapSpec, DeliverySpec
from tests.unit.deliver.life import a_campaign, ms

DAY = CapSpec(1, 86_400, "email", calendar=True)
OFFICE = SendPolicy("email", window=(480, 1200), quiet=(1320, 420), spread_s=0)
TUESDAY = ms("2026-12-01T12:00:00+01:00")


def an_ask(at: str | int = TUESDAY, **more: Any) -> Ask:
    now = ms(at) if isinstance(at, str) else at
    found: dict[str, Any] = {"zone": "Europe/Berlin", "due_ms": now, **more}
    return Ask("m", "u:ann", now, **found)


def codes(found: Plan) -> list[str]:
    return [each.code for each in found.reasons]


def a_week(*best: int) -> tuple[float, ...]:
    """A week in which some slots are likely, the first of them most."""
    raw = [1.0] * 168
    for rank, slot in enumerate(best):
        raw[slot] = 100.0 - rank
    return tuple(each / sum(raw) for each in raw)


def test_at_once() -> None:
    found = plan(OFFICE, an_ask())
    assert found.at_ms == TUESDAY
    assert codes(found) == ["at_once"]
    assert found.reasons[0].text == "It may go at once, Tue 2026-12-01 12:00 (Europe/Berlin)."


def test_quiet_hours_hold_it_to_their_end() -> None:
    found = plan(replace(OFFICE, window=None), an_ask("2026-12-01T05:30:00+01:00"))
    assert found.at_ms == ms("2026-12-01T07:00:00+01:00")
    assert codes(found) == ["quiet_hours", "first_moment"]
    assert "22:00-07:00" in found.reasons[0].text


def test_the_window_opens_tomorrow() -> None:
    found = plan(OFFICE, an_ask("2026-12-01T21:14:00+01:00"))
    assert found.at_ms == ms("2026-12-02T08:00:00+01:00")
    assert found.reasons[0] == Reason(
        "window", "It is Tue 2026-12-01 21:14 (Europe/Berlin): the window is 08:00-20:00."
    )


def test_days() -> None:
    found = plan(replace(OFFICE, days=(4,), deadline_s=4 * 86_400), an_ask())
    assert found.at_ms == ms("2026-12-04T08:00:00+01:00")
    assert found.reasons[0].text.endswith("messages go out on fri only.")


def test_capped_until_midnight_then_the_window() -> None:
    sends = (Sent("k", "email", "normal", TUESDAY - 3_600_000),)
    found = plan(replace(OFFICE, caps=(DAY,)), an_ask(sends=sends))
    assert found.at_ms == ms("2026-12-02T08:00:00+01:00")
    assert found.reasons[0].text == (
        "The cap is 1 e-mail in a calendar day; 1 sent or reserved near it: "
        "free again Wed 2026-12-02 00:00 (Europe/Berlin)."
    )


def test_no_room_before_the_deadline() -> None:
    """Three of three this week, and two days to go."""
    week = CapSpec(3, 7 * 86_400)
    sends = tuple(Sent(f"k{n}", "email", "low", TUESDAY - n * 3_600_000) for n in range(3))
    found = plan(replace(OFFICE, caps=(week,)), an_ask(sends=sends))
    assert found.at_ms is None
    assert codes(found) == ["capped", "no_room"]
    assert "not free in time" in found.reasons[0].text


def test_deadline_passed() -> None:
    found = plan(OFFICE, an_ask(due_ms=TUESDAY - 3 * 86_400_000))
    assert found.at_ms is None
    assert codes(found) == ["deadline_passed"]
    assert "for 2 days" in found.reasons[0].text


def test_transactional_goes_at_once_whatever_the_rest_says() -> None:
    policy = replace(OFFICE, priority="transactional", caps=(DAY,))
    sends = (Sent("k", "email", "high", TUESDAY),)
    found = plan(policy, an_ask("2026-12-01T03:00:00+01:00", sends=sends))
    assert found.at_ms == ms("2026-12-01T03:00:00+01:00")
    assert release(policy, an_ask("2026-12-09T03:00:00+01:00"), found).verdict == "send"


def test_transactional_ones_do_not_count() -> None:
    sends = (Sent("k", "email", "transactional", TUESDAY),)
    assert plan(replace(OFFICE, caps=(DAY,)), an_ask(sends=sends)).at_ms == TUESDAY


def test_in_app_neither_keeps_nor_fills_the_cap_of_all() -> None:
    both = CapSpec(1, 86_400)
    sends = (Sent("k", "inapp", "normal", TUESDAY),)
    assert plan(replace(OFFICE, caps=(both,)), an_ask(sends=sends)).at_ms == TUESDAY
    shown = SendPolicy("inapp", caps=(both,))
    mails = (Sent("k", "email", "normal", TUESDAY),)
    assert plan(shown, an_ask(sends=mails)).at_ms == TUESDAY


def test_back_in_stock_takes_the_place_of_a_digest() -> None:
    """The digest waits for tomorrow morning; the alert goes today, and the digest is planned anew."""
    digest = Sent("digest", "email", "low", TUESDAY + 3_600_000, waiting=True)
    alert = replace(OFFICE, priority="high", caps=(DAY,))
    found = plan(alert, an_ask(sends=(digest,)))
    assert (found.at_ms, found.takes) == (TUESDAY, ("digest",))
    assert "takes the place of 1 less urgent message" in found.reasons[-1].text
    low = replace(OFFICE, priority="low", caps=(DAY,))
    sends = (Sent("alert", "email", "high", TUESDAY, waiting=True),)
    assert plan(low, an_ask(sends=sends)).at_ms == ms("2026-12-02T08:00:00+01:00")


def test_equals_keep_their_places() -> None:
    sends = (Sent("k", "email", "normal", TUESDAY + 3_600_000, waiting=True),)
    found = plan(replace(OFFICE, caps=(DAY,)), an_ask(sends=sends))
    assert (found.at_ms, found.takes) == (ms("2026-12-02T08:00:00+01:00"), ())


def test_the_zone_is_not_known() -> None:
    for zone, says in (("", "not known"), ("Mars/Olympus", "'Mars/Olympus'")):
        found = plan(OFFICE, an_ask(zone=zone, default_zone="Asia/Kathmandu"))
        assert found.zone == "Asia/Kathmandu"
        assert found.reasons[0].code == "zone_unknown"
        assert says in found.reasons[0].text


def test_decided_before() -> None:
    why = Reason("held_out", "In the holdout.")
    assert plan(OFFICE, an_ask(nothing=why)) == replace(
        plan(OFFICE, an_ask(nothing=why)), at_ms=None, reasons=(why,)
    )


def test_the_best_hour_in_the_window() -> None:
    """Wednesday 23:00 would be best, and is quiet; 19:00 is the best of what is open."""
    policy = replace(OFFICE, best_hour=True)
    found = plan(policy, an_ask(week=a_week(48 + 23, 48 + 19)))
    assert found.at_ms == ms("2026-12-02T19:00:00+01:00")
    assert "times the average hour" in found.reasons[-1].text
    assert found.propensity == 1.0


def test_the_hour_that_is_lived_twice() -> None:
    """Sunday 02:00 is best, and comes twice: it goes out in the first."""
    policy = SendPolicy("email", best_hour=True, deadline_s=86_400)
    found = plan(policy, an_ask("2026-10-24T12:00:00+02:00", week=a_week(144 + 2)))
    assert found.at_ms == ms("2026-10-25T02:00:00+02:00")


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ("Europe/Berlin", "2026-03-29T00:30:00+01:00", "2026-03-30T02:00:00+02:00"),
        ("Europe/Berlin", "2026-10-25T00:30:00+02:00", "2026-10-25T02:00:00+02:00"),
        ("America/New_York", "2026-03-08T00:30:00-05:00", "2026-03-09T02:00:00-04:00"),
        ("Australia/Lord_Howe", "2026-10-04T00:30:00+10:30", "2026-10-04T02:30:00+11:00"),
        ("Asia/Kathmandu", "2026-03-29T00:30:00+05:45", "2026-03-29T02:00:00+05:45"),
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T02:00:00+14:00"),
    ],
)
def test_a_window_in_the_small_hours(zone: str, at: str, expected: str) -> None:
    """02:00-03:00: skipped with the clocks, cut in half (Lord Howe changes by 30 minutes), or a day later
    where a whole day was skipped."""
    policy = SendPolicy("email", window=(120, 180), deadline_s=3 * 86_400)
    assert plan(policy, an_ask(at, zone=zone)).at_ms == ms(expected)


def test_nothing_is_better_than_a_bad_hour() -> None:
    policy = replace(OFFICE, best_hour=True, least_chance=2.0)
    found = plan(policy, an_ask(week=(1 / 168,) * 168))
    assert found.at_ms is None
    assert found.reasons[-1].code == "not_worth_it"


def test_exploring() -> None:
    """A share of seeds takes any open hour; the propensity says how likely that was."""
    policy = replace(OFFICE, best_hour=True, exploration_share=0.2, deadline_s=8 * 3600 - 1)
    found = [plan(policy, an_ask(week=a_week(24 + 15), seed=seed)) for seed in range(300)]
    explored = [each for each in found if "explored" in codes(each)]
    assert 30 < len(explored) < 100
    best = {each.propensity for each in found if each.at_ms == ms("2026-12-01T15:00:00+01:00")}
    assert best == {0.8 + 0.2 / 8}
    assert {each.propensity for each in explored} - best == {0.2 / 8}


def test_hours_are_not_known_yet() -> None:
    found = plan(replace(OFFICE, best_hour=True), an_ask())
    assert found.at_ms == TUESDAY
    assert "hours_unknown" in codes(found)


def test_a_release_is_spread() -> None:
    """What waits for 08:00 goes out over 15 minutes, each at its own moment, always the same."""
    policy = replace(OFFICE, spread_s=900)
    start = ms("2026-12-01T08:00:00+01:00")
    found = [
        plan(policy, replace(an_ask("2026-12-01T06:00:00+01:00"), key=f"m{n}")).at_ms
        for n in range(300)
    ]
    after = [(at or 0) - start for at in found]
    assert min(after) >= 0
    assert max(after) < 900_000
    assert (
        max(sum(low <= each < low + 60_000 for each in after) for low in range(0, 900_000, 60_000))
        < 45
    )
    assert plan(policy, an_ask()).at_ms == TUESDAY, "what one person did is answered at once"


def test_release_looks_again() -> None:
    """Another message went out meanwhile: later; too late: dropped; nothing changed: sent."""
    policy = replace(OFFICE, caps=(DAY,))
    planned = plan(policy, an_ask())
    own = Sent("m", "email", "normal", TUESDAY, waiting=True)
    assert release(policy, an_ask(sends=(own,)), planned).verdict == "send"
    other = Sent("k", "email", "low", TUESDAY - 60_000)
    later = release(policy, an_ask(sends=(own, other)), planned)
    assert (later.verdict, later.at_ms) == ("later", ms("2026-12-02T08:00:00+01:00"))
    assert [each.code for each in later.reasons] == ["capped", "first_moment"]
    night = release(policy, an_ask("2026-12-01T23:00:00+01:00", due_ms=TUESDAY), planned)
    assert (night.verdict, night.at_ms) == ("later", ms("2026-12-02T08:00:00+01:00"))
    late = release(policy, an_ask("2026-12-05T10:00:00+01:00", due_ms=TUESDAY), planned)
    assert (late.verdict, late.reasons[0].code) == ("drop", "deadline_passed")
    early = release(policy, an_ask(TUESDAY - 60_000, due_ms=TUESDAY), planned)
    assert (early.verdict, early.at_ms) == ("later", TUESDAY)


def test_a_policy_of_a_campaign() -> None:
    made = a_campaign(
        'content = "x"\npriority = "high"\n[enter]\nevent = "A"\n'
        '[send]\nwindow = "09:00-17:00"\ndays = ["mon"]\ndeadline = "1d"\nbest_hour = true\n'
    ).campaign
    found = policy_of(made, made.steps[0], DeliverySpec())
    assert found == SendPolicy(
        "email",
        "high",
        (540, 1020),
        (0,),
        (1320, 420),
        DeliverySpec().caps,
        True,
        0.05,
        0.0,
        86_400,
        900,
    )
    shown = replace(made, channel="inapp", send=replace(made.send, window=None, ignore_caps=True))
    policy = policy_of(shown, shown.steps[0], DeliverySpec(window=(480, 1200)))
    assert (policy.quiet, policy.window, policy.caps) == (None, None, ())
    bill = replace(made, purpose="transactional")
    assert policy_of(bill, bill.steps[0], DeliverySpec()).transactional
