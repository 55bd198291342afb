"""Stories of campaigns: who comes in, waits, leaves, and what is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from germane.deliver.compiled import listens_to, subjects
from germane.deliver.entering import forgettable, unwanted
from germane.domain.item import Item
from tests.unit.deliver.life import DAY_S, Life, a_campaign, ms

BACK = """
content = "back-in-stock"
priority = "high"
reentry = "after 30d"
[enter]
item = "back_in_stock"
event = "Product Added"
count = 2
within = "30d"
per = "person+item"
[goal]
event = "Order Completed"
"""
SIGN_UP = """
[enter]
event = "Signed Up"
[goal]
event = "Calendar Connected"
[[steps]]
content = "connect"
wait = { for = "3d", still = "!has(profile.traits.calendar)" }
[[steps]]
content = "help"
wait = "4d"
"""
CALLS = """
content = "upgrade"
channel = "inapp"
reentry = "always"
[enter]
event = "API Called"
count = 500
cycle = "account.traits.billing"
per = "account"
"""
MONDAY = 'content = "digest"\n[enter]\nschedule = "0 7 * * mon"\n'


def shoe() -> Life:
    return Life(BACK, subject="u:ann|item:shoe", item="shoe")


def test_abandoned_twice_then_back_in_stock() -> None:
    """Once is not enough; after the second time the item's return lets them in, at once, and only once."""
    life = shoe()
    life.track("Product Added", "shoe")
    life.change("back_in_stock")
    assert not life.composed
    life.jump(days=2)
    life.track("Product Added", "shoe", "sock")
    assert not life.composed
    assert life.state.phase == "outside"
    life.jump(days=5)
    life.change("back_in_stock")
    assert [each.content for each in life.composed] == ["back-in-stock"]
    assert life.composed[0].item == "shoe"
    assert life.composed[0].due_ms == life.now
    life.change("back_in_stock")
    life.settle()
    life.change("back_in_stock")
    assert len(life.composed) == 1


def test_bought_meanwhile() -> None:
    """Who bought it waits for nothing, though the purchase came in before what it followed."""
    life = shoe()
    start = life.now
    life.track("Product Added", "shoe")
    life.jump(days=1)
    life.track("Order Completed", "shoe", at=life.now)
    life.track("Product Added", "shoe", at=start + 3_600_000)  # late, and before the purchase
    life.change("back_in_stock")
    assert not life.composed
    life.track("Order Completed", "other")
    life.jump(hours=1)
    life.track("Product Added", "shoe")
    life.change("back_in_stock")
    assert not life.composed, "once since the purchase"
    life.jump(hours=1)
    life.track("Product Added", "shoe")
    life.change("back_in_stock")
    assert len(life.composed) == 1


def test_too_far_apart_or_too_long_ago() -> None:
    life = shoe()
    life.track("Product Added", "shoe")
    life.jump(days=31)
    life.track("Product Added", "shoe")
    life.change("back_in_stock")
    assert not life.composed, "31 days apart"
    life.jump(days=1)
    life.track("Product Added", "shoe")
    life.jump(days=40)
    life.change("back_in_stock")
    assert not life.composed, "40 days ago"


def test_a_price_drop() -> None:
    text = BACK.replace("back_in_stock", "price_drop").replace("count = 2", "count = 1\ndrop = 0.1")
    life = Life(text, subject="u:ann|item:shoe", item="shoe")
    life.track("Product Added", "shoe")
    life.change("price_drop", old=100, new=95)
    assert not life.composed
    life.change("price_drop", old=100, new=90)
    assert len(life.composed) == 1


def test_five_hundredth_call_of_a_billing_cycle() -> None:
    """The 500th lets the account in, once a cycle; late calls of the cycle before do not count."""
    life = Life(CALLS, "2026-11-14T23:00:00+00:00", subject="account:acme", account={"billing": 15})
    for _ in range(450):
        life.track("API Called")
    life.jump(hours=2)  # the 15th in Berlin began at 23:00 UTC
    assert not life.composed
    for number in range(60):
        life.track("API Called")
        assert len(life.composed) == (1 if number >= 49 else 0)
    life.settle()
    for _ in range(600):
        life.track("API Called")
    assert len(life.composed) == 1, "once a cycle"
    life.jump(days=31)
    for _ in range(499):
        life.track("API Called")
    life.track("API Called", at=ms("2026-12-01T00:00:00+00:00"))
    assert len(life.composed) == 1, "499, and one of the cycle before"
    life.track("API Called")
    assert len(life.composed) == 2
    assert life.composed[0].key != life.composed[1].key


def test_no_cycle_can_be_told() -> None:
    life = Life(CALLS, subject="account:acme", account={"billing": "soon"})
    for _ in range(501):
        life.track("API Called")
    assert not life.composed
    assert life.code == "no_cycle"


def test_three_days_after_sign_up_and_no_calendar() -> None:
    life = Life(SIGN_UP)
    life.track("Signed Up")
    life.pass_(days=2.9)
    assert not life.composed
    life.pass_(days=0.2)
    assert [each.step for each in life.composed] == ["connect"]
    assert life.composed[0].due_ms == ms("2026-11-27T10:00:00+00:00")
    life.settle()
    life.pass_(days=4.1)
    assert [each.step for each in life.composed] == ["connect", "help"]
    life.settle()
    assert life.state.phase == "done"
    assert life.code == "finished"
    life.track("Signed Up")
    assert life.state.phase == "done", "never again"


def test_the_calendar_is_there_after_the_wait() -> None:
    life = Life(SIGN_UP)
    life.track("Signed Up")
    life.say(calendar="google")
    life.pass_(days=4)
    assert not life.composed
    assert life.code == "still_false"


@pytest.mark.parametrize("message_waits", [False, True])
def test_the_goal_stops_everything_at_once(message_waits: bool) -> None:
    """Also what was asked for and has not gone out."""
    life = Life(SIGN_UP)
    life.track("Signed Up")
    life.pass_(days=3.5 if message_waits else 1)
    life.track("Calendar Connected")
    assert life.state.phase == "done"
    assert life.state.due_ms == 0
    assert [each.key for each in life.cancelled] == [each.key for each in life.composed]
    assert len(life.cancelled) == int(message_waits)
    life.pass_(days=30)
    assert len(life.composed) == int(message_waits)


def test_a_goal_of_before_they_came_in_does_not_count() -> None:
    life = Life(SIGN_UP)
    life.track("Signed Up")
    life.track("Calendar Connected", at=life.now - 60_000)
    assert life.state.phase == "waiting"


def test_each_monday_at_seven_on_their_own_clock() -> None:
    """Through the change of clocks: always 07:00, every week, in whatever zone they live."""
    for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"):
        life = Life(MONDAY, "2026-03-01T00:00:00+00:00", zone=zone)
        for _ in range(10):
            life.pass_(days=7)
            life.settle()
        local = [
            datetime.fromtimestamp(each.due_ms / 1000, ZoneInfo(zone)) for each in life.composed
        ]
        assert len(local) == 10
        assert {(each.weekday(), each.hour, each.minute) for each in local} == {(0, 7, 0)}


def test_a_traveller_meets_an_occasion_once() -> None:
    """From New York to Los Angeles between two sevens, and back: one digest a Monday."""
    life = Life(MONDAY, "2026-11-27T00:00:00+00:00", zone="America/New_York")
    life.pass_(days=3.51)  # Monday 12:14 UTC: 07:14 in New York
    assert len(life.composed) == 1
    life.settle()
    life.move("America/Los_Angeles")
    life.pass_(hours=10)
    assert len(life.composed) == 1
    life.pass_(days=7)
    assert len(life.composed) == 2
    due = datetime.fromtimestamp(life.composed[1].due_ms / 1000, ZoneInfo("America/Los_Angeles"))
    assert (due.weekday(), due.hour) == (0, 7)


def test_the_same_seven_o_clock_is_met_once_however_far_they_fly() -> None:
    """Wednesday's in Tokyo, then a flight to where it is not yet Wednesday: the next is Thursday's."""
    life = Life(MONDAY.replace("mon", "*"), "2026-11-24T12:00:00+00:00", zone="Asia/Tokyo")
    life.pass_(hours=11)
    assert len(life.composed) == 1
    life.settle()
    life.move("America/Los_Angeles")
    life.pass_(hours=26)
    assert len(life.composed) == 1
    life.pass_(hours=24)
    assert [each.due_ms for each in life.composed[1:]] == [ms("2026-11-26T07:00:00-08:00")]


def test_what_was_missed_comes_once_or_not_at_all() -> None:
    """The server stood still: for hours, one digest, late; for days, none of what was missed."""
    life = Life(MONDAY, "2026-11-27T00:00:00+00:00", zone="UTC")
    life.jump(days=3.5)  # Monday noon
    life.tick()
    assert len(life.composed) == 1
    life.settle()
    life.jump(days=24)  # a Thursday, three Mondays later
    life.tick()
    assert len(life.composed) == 1
    assert life.code == "late"
    assert datetime.fromtimestamp(life.state.due_ms / 1000, UTC) == datetime(
        2026, 12, 28, 7, tzinfo=UTC
    )


def test_an_audience_at_a_time() -> None:
    text = 'content = "x"\n[enter]\naudience = \'profile.traits.role == "buyer"\'\nat = "{}"\n'
    here = Life(text.format("2026-12-01T09:00"), zone="America/New_York", traits={"role": "buyer"})
    here.pass_(days=10)
    assert [each.due_ms for each in here.composed] == [ms("2026-12-01T09:00:00-05:00")]
    same = Life(
        text.format("2026-12-01T09:00+01:00"), zone="America/New_York", traits={"role": "buyer"}
    )
    same.pass_(days=10)
    assert [each.due_ms for each in same.composed] == [ms("2026-12-01T09:00:00+01:00")]
    other = Life(text.format("2026-12-01T09:00"), traits={"role": "maker"})
    other.pass_(days=10)
    assert not other.composed
    assert other.state.due_ms == 0
    assert other.code == "condition_false"
    nobody = Life(text.format("2026-12-01T09:00"))
    nobody.pass_(days=10)
    assert nobody.code == "condition_missing"


def test_history_that_is_imported_lets_nobody_in() -> None:
    life = Life(SIGN_UP)
    life.track("Signed Up", at=life.now - 3 * DAY_S * 1000)
    assert life.state.phase == "outside"
    assert life.code == "late"


def test_until_a_time_of_day_and_a_move() -> None:
    """The wait ends at nine on the clock that they have then."""
    text = SIGN_UP.replace('for = "3d"', 'for = "3d", until_local = "09:00"')
    life = Life(text, zone="Europe/Berlin")
    life.track("Signed Up")
    life.move("America/New_York")
    life.pass_(days=10)
    assert life.composed[0].due_ms == ms("2026-11-27T09:00:00-05:00")


def test_waiting_for_an_event() -> None:
    text = """
content = "thanks"
[enter]
event = "Order Completed"
[wait]
event = "Order Delivered"
for = "10d"
"""
    life = Life(text)
    life.track("Order Completed")
    life.pass_(days=5)
    assert not life.composed
    life.track("Order Delivered")
    assert len(life.composed) == 1
    lost = Life(text)
    lost.track("Order Completed")
    lost.pass_(days=11)
    assert not lost.composed
    assert lost.code == "did_not_come"
    on = Life(text + 'otherwise = "go_on"\n')
    on.track("Order Completed")
    on.pass_(days=11)
    assert len(on.composed) == 1


def test_leaving() -> None:
    life = Life(SIGN_UP + '[exit]\nwhen = "has(profile.traits.paid)"\n')
    life.track("Signed Up")
    life.say(paid=True)
    life.track("Anything")
    assert life.state.phase == "done"
    assert life.code == "left"


def test_a_message_that_is_dropped_lets_them_go_on() -> None:
    life = Life(SIGN_UP)
    life.track("Signed Up")
    life.pass_(days=3.1)
    life.settle(sent=False)
    life.pass_(days=4.1)
    assert [each.step for each in life.composed] == ["connect", "help"]


def test_settling_twice_changes_nothing() -> None:
    life = Life(SIGN_UP)
    life.track("Signed Up")
    life.pass_(days=3.1)
    key = life.state.message
    life.settle()
    before = life.state
    life.settle(key=key)
    assert life.state == before
    assert before.step == "help"


def test_an_edit_that_turns_the_steps_round() -> None:
    """What went out does not go out again."""
    one, two = '[[steps]]\ncontent = "one"\n', '[[steps]]\ncontent = "two"\nwait = "1d"\n'
    enter = '[enter]\nevent = "Signed Up"\n'
    life = Life(enter + one + two)
    life.track("Signed Up")
    life.settle()
    life.edit(enter + two + one)
    life.pass_(days=2)
    life.settle()
    assert [each.step for each in life.composed] == ["one", "two"]
    assert life.state.phase == "done"


def test_coming_back() -> None:
    text = 'content = "x"\nreentry = "after 30d"\n[enter]\nevent = "Visited"\n'
    life = Life(text)
    for expected in (1, 1, 2):
        life.track("Visited")
        if life.state.message:
            life.settle()
        assert len(life.composed) == expected
        life.jump(days=16)
    assert len({each.key for each in life.composed}) == 2


def test_an_edit_while_people_wait() -> None:
    """The wait is reckoned anew from when it began; a step that is gone lets them go."""
    life = Life(SIGN_UP)
    life.track("Signed Up")
    life.pass_(days=1)
    life.edit(SIGN_UP.replace('for = "3d"', 'for = "5d"'))
    life.pass_(days=3)
    assert not life.composed
    life.pass_(days=1.1)
    assert len(life.composed) == 1
    life.settle()
    life.edit('content = "other"\n[enter]\nevent = "Signed Up"\n')
    life.pass_(days=9)
    assert len(life.composed) == 1
    assert life.code == "step_gone"


def test_an_edit_of_the_status_is_no_new_version() -> None:
    dry, live = (a_campaign(f'status = "{each}"\n{SIGN_UP}') for each in ("dry", "live"))
    assert dry.campaign.version == live.campaign.version


def test_dry_then_live() -> None:
    """What happened while it was dry does not keep anybody out."""
    life = Life(SIGN_UP)
    life.track("Signed Up")
    life.pass_(days=3.1)
    life.edit('status = "live"\n' + SIGN_UP)
    life.track("Anything")
    assert life.state.phase == "outside"
    assert len(life.cancelled) == 1
    life.track("Signed Up")
    assert life.state.phase == "waiting"
    assert not life.state.dry


def test_no_occasion_is_lost_by_going_live_or_by_an_edit() -> None:
    """The first Monday after the campaign went live, or was edited, is like any other."""
    for change in ('status = "live"\n' + MONDAY, MONDAY + 'when = "profile.known"\n'):
        life = Life(MONDAY, "2026-11-27T00:00:00+00:00", zone="UTC")
        life.edit(change)
        life.pass_(days=5)
        assert [each.due_ms for each in life.composed] == [ms("2026-11-30T07:00:00+00:00")]


def test_paused_and_ended() -> None:
    life = Life('status = "live"\n' + SIGN_UP)
    life.track("Signed Up")
    life.edit('status = "paused"\n' + SIGN_UP)
    life.jump(days=3.5)
    life.tick()
    life.track("Calendar Connected")
    assert life.state.phase == "waiting"
    assert not life.composed
    life.edit('status = "live"\n' + SIGN_UP)
    life.tick()
    assert len(life.composed) == 1
    life.edit('status = "ended"\n' + SIGN_UP)
    life.tick()
    assert life.state.phase == "done"
    assert len(life.cancelled) == 1


def test_what_is_no_longer_wanted_when_it_is_released() -> None:
    """Sold out again, bought elsewhere, paused: it does not go out."""
    life = shoe()
    for _ in range(2):
        life.track("Product Added", "shoe")
    life.change("back_in_stock")
    assert unwanted(life.made, life.state, life.view()) is None
    for item in (None, Item("shoe", in_stock=False)):
        why = unwanted(life.made, life.state, life.view(item=item))
        assert why is not None
        assert why.code == "item_gone"
    life.edit('status = "paused"\n' + BACK)
    why = unwanted(life.made, life.state, life.view())
    assert why is not None
    assert why.code == "not_running"
    calendar = Life(SIGN_UP)
    calendar.track("Signed Up")
    calendar.pass_(days=3.1)
    calendar.say(calendar="google")
    why = unwanted(calendar.made, calendar.state, calendar.view())
    assert why is not None
    assert why.code == "still_false"


def test_what_can_be_forgotten() -> None:
    life = shoe()
    assert forgettable(life.made, life.state, life.now)
    life.track("Product Added", "shoe")
    assert not forgettable(life.made, life.state, life.now)
    life.jump(days=31)
    assert forgettable(life.made, life.state, life.now)
    for _ in range(2):
        life.track("Product Added", "shoe")
    life.change("back_in_stock")
    life.settle()
    assert not forgettable(life.made, life.state, life.now + 10**12)
    assert not forgettable(life.made, Life(MONDAY).state, life.now)


def test_who_listens_and_whom_it_concerns() -> None:
    back = a_campaign(BACK).campaign
    assert listens_to(back) == {"Product Added", "Order Completed"}
    assert subjects(back, "u:ann", "acme", ["a", "b", "a"]) == (
        ("u:ann|item:a", "a"),
        ("u:ann|item:b", "b"),
    )
    assert (
        listens_to(a_campaign(SIGN_UP + '[exit]\nwhen = "has(profile.traits.paid)"').campaign)
        is None
    )
    calls = a_campaign(CALLS).campaign
    assert subjects(calls, "u:ann", "acme", []) == (("account:acme", ""),)
    assert subjects(calls, "u:ann", "", []) == ()
