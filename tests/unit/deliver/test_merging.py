"""Two enrolments of what turns out to be one person."""

from __future__ import annotations

from msgspec.structs import replace

from germane.deliver.compiled import Compiled
from germane.deliver.merging import merged
from germane.domain.enrolment import Effect, Enrolment
from tests.unit.deliver.life import Life
from tests.unit.deliver.test_machine import BACK, SIGN_UP


def both(one: Life, two: Life) -> tuple[Enrolment, tuple[Effect, ...]]:
    made: Compiled = one.made
    return merged(made, one.state, two.state)


def signed_up(
    days: float, *, settle: bool = False, goal: bool = False, text: str = SIGN_UP
) -> Life:
    life = Life(text)
    life.track("Signed Up")
    life.pass_(days=days)
    if settle:
        life.settle()
    if goal:
        life.track("Calendar Connected")
    return life


def test_the_most_advanced_goes_on() -> None:
    """In either order: the first message went out already, so it does not go out again."""
    ahead, behind = signed_up(3.5, settle=True), signed_up(1)
    for one, two in ((ahead, behind), (behind, ahead)):
        state, effects = both(one, two)
        assert state.phase == "waiting"
        assert state.step == "help"
        assert state.sent == ("connect",)
        assert not effects


def test_what_either_sent_counts_as_sent() -> None:
    """The one that goes on does not repeat what the other one got."""
    one, two = signed_up(3.5, settle=True), signed_up(3.5, settle=True)
    two.state = replace(two.state, sent=("help",), step="connect")
    one.state, _ = both(one, two)
    assert set(one.state.sent) == {"connect", "help"}
    one.pass_(days=10)
    one.settle()
    assert len(one.composed) <= 2


def test_of_two_messages_one_is_taken_back() -> None:
    one, two = signed_up(3.5), signed_up(3.5)
    two.state = replace(two.state, message="other/key")
    state, effects = both(one, two)
    assert state.phase == "sending"
    assert len(effects) == 1
    assert {state.message, effects[0].key} == {one.state.message, "other/key"}


def test_a_goal_that_one_of_them_reached_holds_for_both() -> None:
    """The other's message is taken back."""
    state, effects = both(signed_up(1, goal=True), signed_up(3.5))
    assert state.phase == "done"
    assert state.reason is not None
    assert state.reason.code == "goal"
    assert len(effects) == 1


def test_whose_goal_is_reached_waits_for_nothing_of_the_other() -> None:
    """The clock looks at them no more, whichever is kept; nor does it stumble where a merge left a wait."""
    through, waits = signed_up(1, goal=True), signed_up(1)
    for one, two in ((through, waits), (waits, through)):
        state, _ = both(one, two)
        assert (state.phase, state.due_ms) == ("done", 0)
    left = signed_up(1, goal=True)
    left.state = replace(left.state, due_ms=left.now)
    left.tick()
    assert (left.state.phase, left.state.due_ms, left.composed) == ("done", 0, [])


def test_what_one_got_the_other_does_not_come_in_for_again() -> None:
    """Consent lets in whoever lacked it, but not where either got a message of it."""
    lacked, got = signed_up(1), signed_up(1)
    lacked.state = replace(lacked.state, phase="done", lacked=True, ended_ms=lacked.now)
    before = replace(got.state, phase="done", sent=("connect",), ended_ms=got.now, entered_ms=1)
    alone, _ = merged(lacked.made, lacked.state, replace(before, phase="outside", sent=(), entry=0))
    assert alone.lacked
    for one, two in ((lacked.state, before), (before, lacked.state)):
        state, _ = merged(lacked.made, one, two)
        assert not state.lacked


def test_one_after_the_other() -> None:
    """Through long ago, and in again: that goes on where the campaign takes people again, else it does not."""
    for reentry, phase in (
        ("never", "done"),
        ("always", "waiting"),
        ("after 30d", "waiting"),
        ("after 90d", "done"),
    ):
        text = f'reentry = "{reentry}"\n{SIGN_UP}'
        first = signed_up(1, goal=True, text=text)
        second = Life(text, "2027-01-10T10:00:00+00:00")
        second.track("Signed Up")
        state, _ = both(first, second)
        assert state.phase == phase, reentry


def test_counts_are_put_together() -> None:
    """Each abandoned it once: together twice, so the next change lets them in."""
    one, two = (Life(BACK, subject="u:ann|item:shoe", item="shoe") for _ in range(2))
    one.track("Product Added", "shoe")
    two.jump(hours=5)
    two.track("Product Added", "shoe")
    one.state, effects = both(one, two)
    assert not effects
    assert one.state.phase == "outside"
    assert len(one.state.times) == 2
    one.jump(days=1)
    one.change("back_in_stock")
    assert len(one.composed) == 1


def test_bought_as_the_other_one() -> None:
    """What one of them abandoned before the other bought it does not count."""
    one, two = (Life(BACK, subject="u:ann|item:shoe", item="shoe") for _ in range(2))
    one.track("Product Added", "shoe")
    one.jump(hours=1)
    one.track("Product Added", "shoe")
    two.jump(hours=9)
    two.track("Order Completed", "shoe")
    one.state, _ = both(one, two)
    one.jump(days=1)
    one.change("back_in_stock")
    assert not one.composed
