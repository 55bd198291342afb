"""The machine of a campaign under anything that may happen to it, in any order."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from germane.deliver.entering import begun, expelled
from germane.deliver.merging import merged
from germane.domain.enrolment import Enrolment
from germane.domain.plan import Reason
from tests.unit.deliver.life import Life

STEPS = """
[[steps]]
content = "one"
wait = {{ for = "2d", until_local = "09:00" }}
[[steps]]
content = "two"
when = "!has(profile.traits.paid)"
wait = {{ event = "Opened", for = "3d", otherwise = "{otherwise}" }}
[[steps]]
content = "three"
"""
TEXT = """
reentry = "{reentry}"
[enter]
{enter}
[exit]
when = "profile.traits.role == 'gone'"
[goal]
event = "Bought"
"""
ENTERS = (
    'event = "Came"',
    'event = "Came"\ncount = 3\nwithin = "2d"',
    'event = "Came"\ncount = 4\ncycle = "month"',
    'schedule = "30 2 * * *"',
    'audience = "profile.known"\nat = "2026-03-30T02:30"',
)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "")
HOUR_MS = 3_600_000


class Campaigns(RuleBasedStateMachine):
    """Two people, who may turn out to be one; clocks that jump; campaigns that are edited."""

    @initialize(
        enter=st.sampled_from(ENTERS),
        reentry=st.sampled_from(("never", "always", "after 5d")),
        otherwise=st.sampled_from(("leave", "go_on")),
        zone=st.sampled_from(ZONES),
    )
    def begin(self, enter: str, reentry: str, otherwise: str, zone: str) -> None:
        self.reentry = reentry
        self.text = TEXT.format(enter=enter, reentry=reentry) + STEPS.format(otherwise=otherwise)
        self.lives = [
            Life(self.text, "2026-03-26T12:00:00+00:00", zone=zone, subject=f"u:{n}")
            for n in (1, 2)
        ]
        self.one = False
        self.sent: Counter[str] = Counter()
        self.steps: Counter[tuple[int, str]] = Counter()

    def life(self, which: int) -> Life:
        return self.lives[0 if self.one else which]

    @rule(
        which=st.integers(0, 1),
        name=st.sampled_from(("Came", "Came", "Came", "Opened", "Bought")),
        late=st.sampled_from((0, 0, 0, 5, 30, 200, -3)),
    )
    def event(self, which: int, name: str, late: int) -> None:
        """An event; late, early by the client's clock, or on time."""
        life = self.life(which)
        before = life.state
        life.track(name, at=life.now - late * HOUR_MS)
        at_ms = life.now - max(0, late) * HOUR_MS  # what is to come happens now
        if name == "Bought" and before.inside and at_ms >= before.entered_ms:
            assert not life.state.inside, "the goal stops at once"

    @rule(which=st.integers(0, 1), hours=st.sampled_from((0, 1, 7, 24, 24, 50, 400)))
    def time(self, which: int, hours: int) -> None:
        """Time passes for both; the clock looks at one of them, or not."""
        for life in self.lives:
            life.jump(hours=hours)
        self.life(which).tick()
        self.life(which).tick()

    @rule(which=st.integers(0, 1), hours=st.integers(1, 30))
    def back(self, which: int, hours: int) -> None:
        """The clock was wrong, and is set back."""
        for life in self.lives:
            life.jump(hours=-hours)
        self.life(which).tick()

    @rule(which=st.integers(0, 1), went=st.booleans())
    def settle(self, which: int, went: bool) -> None:
        life = self.life(which)
        if life.state.message:
            key = life.state.message
            if went:
                self.sent[key] += 1
                self.steps[life.state.entry, life.state.step] += 1
            life.settle(sent=went)
            life.settle(sent=went)

    @rule(which=st.integers(0, 1), zone=st.sampled_from(ZONES))
    def move(self, which: int, zone: str) -> None:
        self.life(which).move(zone)

    @rule(
        which=st.integers(0, 1),
        traits=st.sampled_from(({"paid": True}, {"role": "x"}, {"role": "gone"})),
    )
    def say(self, which: int, traits: dict[str, object]) -> None:
        self.life(which).say(**traits)

    @rule(gone=st.booleans())
    def edit(self, gone: bool) -> None:
        """A step goes, or comes back."""
        text = self.text.replace('content = "two"', 'content = "two-b"') if gone else self.text
        for life in self.lives:
            life.edit(text)

    @rule(which=st.integers(0, 1))
    def expel(self, which: int) -> None:
        life = self.life(which)
        life._take(expelled(life.made, life.state, life.view(), Reason("consent", "Withdrawn.")))
        assert not life.state.inside

    @precondition(lambda self: not self.one)
    @rule(order=st.booleans())
    def merge(self, order: bool) -> None:
        """They are one from now on."""
        kept, other = self.lives if order else self.lives[::-1]
        sent = {*kept.state.sent, *other.state.sent}
        overlap = kept.state.inside and other.state.inside
        kept._take(merged(kept.made, kept.state, other.state))
        kept.cancelled += other.cancelled
        kept.composed += other.composed
        if overlap:
            assert sent <= {*kept.state.sent}
        self.lives = [kept, kept]
        self.one = True

    @invariant()
    def is_whole(self) -> None:
        """Small, storable, and of one piece."""
        for life in getattr(self, "lives", ()):
            state = life.state
            raw = msgspec.msgpack.encode(state)
            assert msgspec.msgpack.decode(raw, type=Enrolment) == state
            assert len(raw) < 2_000
            assert (state.phase == "sending") == bool(state.message)
            assert len(state.times) <= 64
            assert len(state.sent) == len(set(state.sent))
            assert not state.message or state.due_ms == 0
            assert state.inside == bool(state.step)

    @invariant()
    def nothing_twice(self) -> None:
        """No message is asked for twice, none goes out twice, and none that was taken back is pending."""
        for life in {id(each): each for each in getattr(self, "lives", ())}.values():
            keys = Counter(each.key for each in life.composed)
            assert not keys or max(keys.values()) == 1
            assert life.state.message not in {each.key for each in life.cancelled}
        if getattr(self, "reentry", "") == "never" and getattr(self, "one", False):
            life = self.lives[0]
            assert life.state.entry <= 1

    @invariant()
    def whom_it_takes_never_again(self) -> None:
        """Of a campaign that takes nobody twice, each person gets each step once at most."""
        if getattr(self, "reentry", "") == "never" and not self.one:
            for life in self.lives:
                steps = Counter(each.step for each in life.composed)
                assert not steps or max(steps.values()) == 1


def test_a_new_one_is_outside() -> None:
    life = Life(TEXT.format(enter=ENTERS[0], reentry="never") + STEPS.format(otherwise="leave"))
    assert begun(life.made, life.view(), "u:1", "u:1").phase == "outside"


Campaigns.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestCampaigns = Campaigns.TestCase
