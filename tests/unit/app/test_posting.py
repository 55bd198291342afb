"""The outbox: what goes out, what does not, and what is recorded of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.moving import address_key
from germane.app.opening import open_engine
from germane.app.posting import Postman, backoff_s
from germane.app.rebuild import rebuild
from germane.app.release import Later, Never, Release
from germane.app.sends import messages_with
from germane.deliver import outbox
from germane.domain.content import Rendered
from germane.domain.errors import WrongMove
from germane.domain.message import Message, Why
from germane.domain.moves import (
    Claimed,
    Held,
    Planned,
    Rewritten,
    Settled,
    Stated,
    Suppressed,
    Switched,
)
from germane.domain.profile import Profile
from germane.domain.sending import Ambiguous, Outgoing, Refused, Result, Retry, Sent
from germane.domain.settings import Settings
from germane.testing import FakeWorld, an_event
from germane.testing.world import START_MS

MAIL = Rendered("picks", "c1", "email", "en", "Hello", html="<p>Hello</p>", text="Hello")
SAID = Why(START_MS, "test", "Because.")


class FakeChannel:
    """Answers as it is told, one answer a message; remembers what it was given."""

    def __init__(self, *answers: Result | Callable[[], Awaitable[Result]]) -> None:
        self.answers = list(answers)
        self.sent: list[Outgoing] = []

    async def send(self, outgoing: Outgoing) -> Result:
        """The next answer; ``Sent`` when there are no more."""
        self.sent.append(outgoing)
        answer = self.answers.pop(0) if self.answers else Sent("250 ok")
        return await answer() if callable(answer) else answer

    async def close(self) -> None:
        """Nothing to close."""


def a_message(number: int = 1, **changed: object) -> Message:
    """A mail to ``u1`` that is due."""
    made = Message(
        message_id=outbox.message_id(START_MS, f"weekly/u:u{number}/1/mail"),
        person=f"u:u{number}",
        channel="email",
        campaign="weekly",
        version="v1",
        content="picks",
        purpose="email_marketing",
        kind="never_twice",
        priority="normal",
        created_ms=START_MS,
        status="queued",
        due_ms=START_MS,
    )
    return replace(made, **changed)


def planned(message: Message) -> Planned:
    """With its text."""
    data, digest = outbox.packed(MAIL)
    return Planned(replace(message, digest=digest), data)


def written(message: Message) -> Outgoing:
    """As a channel gets it."""
    return Outgoing(message_id=message.message_id, person=message.person, to=message.address)


def a_postman(engine: Engine, channel: FakeChannel, **kwargs: object) -> Postman:
    """With one channel."""
    return Postman(Release.of(engine), {"email": channel}, engine, written, **kwargs)  # type: ignore[arg-type]


def joined(user: str = "u1", *, granted: bool = True) -> list[object]:
    """What makes somebody reachable: their address and their consent."""
    told = an_event("", kind="identify", user=user, traits={"email": f"{user}@example.org"})
    return [told, Stated(f"u:{user}", "email_marketing", granted, "test")]


async def introduced(engine: Engine, user: str = "u1") -> None:
    """Somebody with an address and consent."""
    told, stated = joined(user)
    await engine.accept([told])  # type: ignore[list-item]
    await engine.move([stated])  # type: ignore[list-item]


async def drained(postman: Postman) -> None:
    """Until nothing is due and nothing is going out."""
    busy = True
    while busy:
        busy = await postman.round()
        if postman._out:
            await asyncio.wait(postman._out)


def in_a_loop(engine: Engine, work: Callable[[], Awaitable[None]]) -> None:
    """As a server runs it."""

    async def run() -> None:
        await engine.start()
        try:
            await work()
        finally:
            await engine.stop()

    asyncio.run(run())


def status_of(engine: Engine, message: Message) -> str:
    """How it stands."""
    found = engine.moving.message(engine.tenant, message.message_id)
    assert found is not None
    return found.status


def why_of(engine: Engine, message: Message) -> str:
    """The code of its latest reason."""
    found = engine.moving.message(engine.tenant, message.message_id)
    assert found is not None
    return found.whys[-1].code


def test_a_message_goes_out_once(engine: Engine) -> None:
    """It is claimed, sent and settled; its state is a fold over the log."""
    channel, message = FakeChannel(), a_message()

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        await drained(a_postman(engine, channel))
        await drained(a_postman(engine, channel))

    in_a_loop(engine, work)
    assert [(each.message_id, each.to) for each in channel.sent] == [
        (message.message_id, "u1@example.org")
    ]
    found = engine.moving.message(engine.tenant, message.message_id)
    assert found is not None
    assert (found.status, found.attempts, found.address) == ("sent", 1, "u1@example.org")
    assert [each.code for each in found.whys] == ["send.claimed", "send.sent"]
    record = engine.store.record(found.rendered_seq)
    assert record is not None
    assert rebuild(engine).equal


def test_without_consent_nothing_goes_out(engine: Engine) -> None:
    """Never asked, withdrawn by API, by an unsubscription, by a preference: each is a no."""
    channel = FakeChannel()
    refusals = {
        "u1": an_event("Unsubscribed"),
        "u2": an_event(
            "x",
            user="u2",
            context={"consent": {"categoryPreferences": {"email_marketing": False}}},
        ),
        "u3": Stated("u:u3", "email_marketing", False, "api"),
        "u4": an_event("Email Marked as Spam", user="u4"),
    }

    async def work() -> None:
        for number, (user, no) in enumerate(refusals.items(), 1):
            await introduced(engine, user)
            await engine.move([planned(a_message(number))])
            await (engine.move([no]) if isinstance(no, Stated) else engine.accept([no]))
        told, _ = joined("u5")
        await engine.accept([told])  # type: ignore[list-item]
        await engine.move([planned(a_message(5))])
        await drained(a_postman(engine, channel))

    in_a_loop(engine, work)
    assert channel.sent == []
    for number in range(1, 6):
        assert status_of(engine, a_message(number)) == "skipped"
        assert why_of(engine, a_message(number)) == "consent.none"


def test_transactional_mail_needs_no_consent(engine: Engine) -> None:
    """But an address that does not exist gets nothing at all."""
    channel = FakeChannel()
    ordered = a_message(1, purpose="transactional")

    async def work() -> None:
        await engine.accept([joined("u1")[0], joined("u2")[0]])  # type: ignore[list-item]
        key = address_key("email", "U2@Example.org ")
        await engine.move([Suppressed("email", key, "", True, SAID)])
        await engine.move([planned(ordered), planned(a_message(2, purpose="transactional"))])
        await drained(a_postman(engine, channel))

    in_a_loop(engine, work)
    assert [each.person for each in channel.sent] == ["u:u1"]
    assert why_of(engine, a_message(2)) == "address.suppressed"


def test_who_says_no_after_the_claim_gets_nothing(engine: Engine) -> None:
    """The last look is in the moment in which it begins."""
    channel, message = FakeChannel(), a_message()

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        postman = a_postman(engine, channel)
        round_ = asyncio.create_task(postman.round())
        for _ in range(100):
            if status_of(engine, message) == "claimed":
                break
            await asyncio.sleep(0)
        await engine.accept([an_event("Unsubscribed")])
        await round_
        await drained(postman)

    in_a_loop(engine, work)
    assert channel.sent == []
    assert status_of(engine, message) == "cancelled"


def test_the_kill_switch(engine: Engine) -> None:
    """Nothing begins while it is on; what waited goes out when it is off again."""
    channel, message = FakeChannel(), a_message()

    async def work() -> None:
        await introduced(engine)
        for scope, name in (("all", ""), ("channel", "email"), ("campaign", "weekly")):
            await engine.move([Switched(scope, name, True, SAID)])  # type: ignore[arg-type]
        await engine.move([planned(message)])
        await drained(a_postman(engine, channel))
        assert channel.sent == []
        assert status_of(engine, message) == "queued"
        for scope, name in (("all", ""), ("channel", "email"), ("campaign", "weekly")):
            await engine.move([Switched(scope, name, False, SAID)])  # type: ignore[arg-type]
        engine.world.advance(seconds=120)  # type: ignore[attr-defined]
        await drained(a_postman(engine, channel))

    in_a_loop(engine, work)
    assert len(channel.sent) == 1


def test_the_kill_switch_after_the_claim(engine: Engine) -> None:
    """What was claimed and has not begun waits like the rest: it is not lost."""
    channel, message = FakeChannel(), a_message()

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        postman = a_postman(engine, channel)
        round_ = asyncio.create_task(postman.round())
        for _ in range(100):
            if status_of(engine, message) == "claimed":
                break
            await asyncio.sleep(0)
        await engine.move([Switched("all", "", True, SAID)])
        await round_
        await drained(postman)
        assert channel.sent == []
        assert (status_of(engine, message), why_of(engine, message)) == ("queued", "switch.off")
        await engine.move([Switched("all", "", False, SAID)])
        engine.world.advance(seconds=120)  # type: ignore[attr-defined]
        await drained(postman)

    in_a_loop(engine, work)
    assert [each.message_id for each in channel.sent] == [message.message_id]
    assert rebuild(engine).equal


@pytest.mark.parametrize(
    ("kind", "answer", "status", "code"),
    [
        ("never_twice", Retry(0, "451 later"), "queued", "send.put_off"),
        ("never_twice", Refused("smtp.550", "no such user"), "failed", "smtp.550"),
        ("never_twice", Ambiguous("lost after the dot"), "ambiguous", "send.ambiguous"),
        ("never_lost", Ambiguous("lost after the dot"), "queued", "send.again"),
    ],
)
def test_answers(engine: Engine, kind: str, answer: Result, status: str, code: str) -> None:
    """What becomes of a message by what the other side said."""
    message = a_message(kind=kind)

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        await drained(a_postman(engine, FakeChannel(answer)))

    in_a_loop(engine, work)
    assert (status_of(engine, message), why_of(engine, message)) == (status, code)


def test_it_is_tried_again_until_three_days_are_over(engine: Engine) -> None:
    """Twice as late each time; then it is given up."""
    message, channel = a_message(), FakeChannel(*[Retry(0, "451 later")] * 200)

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        postman = a_postman(engine, channel)
        for _ in range(24 * 4):
            await drained(postman)
            engine.world.advance(seconds=3600)  # type: ignore[attr-defined]

    in_a_loop(engine, work)
    assert status_of(engine, message) == "failed"
    assert why_of(engine, message) == "send.given_up"
    assert 12 <= len(channel.sent) <= 30
    waits = [backoff_s(replace(message, attempts=n)) for n in range(1, 12)]
    assert waits == sorted(waits)
    assert 60 <= waits[0] <= 72
    assert waits[-1] <= 6 * 3600 * 1.2


def test_an_address_that_does_not_exist_is_not_written_to_again(engine: Engine) -> None:
    """Whatever the purpose, and whoever has it."""
    channel = FakeChannel(Refused("smtp.5.1.1", "no such user", suppress=True))
    second = a_message(2, message_id="f" * 28, person="u:u1", purpose="transactional")

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(a_message())])
        await drained(a_postman(engine, channel))
        await engine.move([planned(second)])
        await drained(a_postman(engine, channel))

    in_a_loop(engine, work)
    assert len(channel.sent) == 1
    assert why_of(engine, second) == "address.suppressed"
    assert rebuild(engine).equal


@pytest.mark.parametrize("campaign", ["weekly", ""])
@pytest.mark.parametrize(("kind", "status"), [("never_twice", "ambiguous"), ("never_lost", "sent")])
def test_what_a_crash_leaves_in_doubt(
    engine: Engine, shop: Settings, tmp_path: Path, kind: str, status: str, campaign: str
) -> None:
    """A message that was going out when the process ended: a person decides, or it goes out again. One of no
    campaign, such as the log for a CRM, as well."""
    message, channel = a_message(kind=kind, campaign=campaign), FakeChannel()

    async def claim() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        await engine.move([Claimed(message.message_id, "u1@example.org", SAID)])

    in_a_loop(engine, claim)
    engine.store.close()
    again = open_engine(shop, tmp_path / "data", world=FakeWorld(START_MS + 1000))

    async def go_on() -> None:
        postman = a_postman(again, channel)
        assert await postman.recover() == 1
        assert await postman.recover() == 0
        await drained(postman)
        assert [x.message_id for x in messages_with(again, "", status)] == [message.message_id]
        assert messages_with(again, "other", status) == []

    in_a_loop(again, go_on)
    assert status_of(again, message) == status
    assert [each.message_id for each in channel.sent] == (
        [message.message_id] if kind == "never_lost" else []
    )
    again.store.close()


def test_what_is_too_late_is_not_sent(engine: Engine) -> None:
    """After it expires it is of no use."""
    channel, message = FakeChannel(), a_message(expires_ms=START_MS + 1000)

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        engine.world.advance(seconds=1)  # type: ignore[attr-defined]
        await drained(a_postman(engine, channel))

    in_a_loop(engine, work)
    assert (channel.sent, status_of(engine, message)) == ([], "expired")


def test_other_reasons_are_asked(engine: Engine) -> None:
    """Each check may put it off or drop it, with its own reason."""

    def check(message: Message, person: Profile, now_ms: int) -> Later | Never | None:
        if message.campaign == "late":
            return Later(now_ms + 5000, Why(now_ms, "cap.reached", "Three of three this week."))
        return Never("skipped", Why(now_ms, "claim.price", "The price has changed."))

    late, dropped = a_message(1, campaign="late"), a_message(2)

    async def work() -> None:
        await introduced(engine, "u1")
        await introduced(engine, "u2")
        await engine.move([planned(late), planned(dropped)])
        postman = Postman(Release.of(engine, [check]), {"email": FakeChannel()}, engine, written)
        await drained(postman)

    in_a_loop(engine, work)
    found = engine.moving.message(engine.tenant, late.message_id)
    assert found is not None
    assert (found.status, found.due_ms, found.whys[-1].code) == (
        "queued",
        START_MS + 5000,
        "cap.reached",
    )
    assert (status_of(engine, dropped), why_of(engine, dropped)) == ("skipped", "claim.price")


def test_a_channel_that_is_not_there(engine: Engine) -> None:
    """The message fails, and says so."""
    message = a_message(channel="sms")

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        await drained(a_postman(engine, FakeChannel()))

    in_a_loop(engine, work)
    assert (status_of(engine, message), why_of(engine, message)) == ("failed", "channel.missing")


def test_a_channel_that_breaks_leaves_doubt(engine: Engine) -> None:
    """A bug in a channel is no answer: nobody knows whether it went out."""

    async def broken() -> Result:
        raise RuntimeError("a bug")

    message = a_message()

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        await drained(a_postman(engine, FakeChannel(broken)))

    in_a_loop(engine, work)
    assert status_of(engine, message) == "ambiguous"


def test_no_more_than_a_few_are_in_flight(engine: Engine) -> None:
    """So many can be in doubt after a crash."""
    most, now = 0, 0

    async def slow() -> Result:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return Sent()

    async def work() -> None:
        for number in range(1, 31):
            await introduced(engine, f"u{number}")
        await engine.move([planned(a_message(number)) for number in range(1, 31)])
        await drained(a_postman(engine, FakeChannel(*[slow] * 30), flying=4))

    in_a_loop(engine, work)
    assert 1 < most <= 4
    assert all(status_of(engine, a_message(number)) == "sent" for number in range(1, 31))


async def stopped(postman: Postman, moment: asyncio.Event) -> None:
    """Run it until that moment, then stop it as a server does."""
    running = asyncio.create_task(postman.run())
    await moment.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await postman.close()


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (None, "queued", "send.stopped"),
        (Ambiguous("No answer yet."), "ambiguous", "send.ambiguous"),
        (Sent("250 ok"), "sent", "send.sent"),
    ],
)
def test_a_stop_waits_for_no_answer_that_does_not_come(
    engine: Engine, answer: Result | None, status: str, code: str
) -> None:
    """What was not handed over goes out at the next start; of the rest the channel says what is known."""
    message, handed_over = a_message(), asyncio.Event()

    async def silent() -> Result:
        handed_over.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if answer is None:
                raise
        return answer or Sent()

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        await stopped(a_postman(engine, FakeChannel(silent), stop_s=0.01), handed_over)

    in_a_loop(engine, work)
    after = Release.of(engine).message(message.message_id)
    assert after is not None
    assert (after.status, after.whys[-1].code) == (status, code)
    assert after.status != "queued" or after.due_ms <= engine.world.now_ms()


def test_a_stop_while_claims_become_durable_leaves_no_doubt(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is claimed in that moment goes out, and is settled."""
    message, channel, claimed = a_message(), FakeChannel(), asyncio.Event()
    durable = engine.durable

    async def slowly() -> None:
        if status_of(engine, message) == "claimed":
            claimed.set()
        await asyncio.sleep(0)
        await durable()

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(message)])
        monkeypatch.setattr(engine, "durable", slowly)
        await stopped(a_postman(engine, channel), claimed)

    in_a_loop(engine, work)
    assert len(channel.sent) == 1
    assert status_of(engine, message) == "sent"


def test_a_way_out_of_reach_is_said_once(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """And once that it works again."""
    lost = Retry(0, "No connection to mail:25.", "smtp.connection")
    grey = Retry(0, "Try later.", "smtp.deferred")

    async def work() -> None:
        for number in range(1, 6):
            await introduced(engine, f"u{number}")
        await engine.move([planned(a_message(number)) for number in range(1, 6)])
        await drained(a_postman(engine, FakeChannel(grey, lost, lost, Sent(), Sent()), flying=1))

    in_a_loop(engine, work)
    said = [each.getMessage() for each in caplog.records if "messages by" in each.getMessage()]
    assert said == [
        "messages by email wait: No connection to mail:25.",
        "messages by email go out again",
    ]


def test_messages_go_with_who_turns_out_to_be_the_same(engine: Engine) -> None:
    """What was sent to one counts for both; what waits goes to the one."""
    channel, message = FakeChannel(), a_message(person="a:device")

    async def work() -> None:
        await introduced(engine)
        await engine.accept([an_event(user="", anonymous_id="device")])
        await engine.move([planned(message)])
        await engine.accept([an_event("", kind="identify", anonymous_id="device")])
        await drained(a_postman(engine, channel))

    in_a_loop(engine, work)
    assert [each.person for each in channel.sent] == ["u:u1"]
    whose = engine.entries.of(engine.tenant, "u:u1", "message")
    assert [each.key for each in whose] == [message.message_id]
    assert rebuild(engine).equal


def test_what_cannot_be_done_with_a_message() -> None:
    """Each state allows a few moves."""
    queued = a_message()
    rewritten = Rewritten(queued, b"", SAID)
    claimed = outbox.fold(queued, Claimed("x", "a@b", SAID), at_ms=START_MS, seq=2)
    sent = outbox.fold(claimed, Settled("x", "sent", SAID), at_ms=START_MS + 5, seq=3)
    assert (sent.status, sent.settled_ms, sent.due_ms) == ("sent", START_MS + 5, 0)
    wrong = [
        (None, Claimed("x", "a@b", SAID)),
        (queued, Settled("x", "sent", SAID)),
        (queued, planned(queued)),
        (claimed, Claimed("x", "a@b", SAID)),
        (claimed, rewritten),
        (sent, Held("x", "queued", START_MS, SAID)),
        (sent, Claimed("x", "a@b", SAID)),
        (replace(queued, status="approval"), Claimed("x", "a@b", SAID)),
    ]
    for message, move in wrong:
        with pytest.raises(WrongMove):
            outbox.fold(message, move, at_ms=START_MS, seq=9)


def test_a_wrong_move_changes_nothing(engine: Engine) -> None:
    """What was moved before it is durable; the offset is not used up."""

    async def work() -> None:
        await introduced(engine)
        before = engine.seq
        with pytest.raises(WrongMove):
            await engine.move([planned(a_message()), Claimed("nobody", "x", SAID)])
        assert engine.seq == before + 1

    in_a_loop(engine, work)
    assert status_of(engine, a_message()) == "queued"
    assert rebuild(engine).equal


def test_two_messages_of_one_round_see_one_another(engine: Engine) -> None:
    """The second is judged when the first is claimed: a cap of one holds inside one round, too."""

    def check(message: Message, person: Profile, now_ms: int) -> Later | Never | None:
        mine = engine.entries.of(engine.tenant, person.person, "message")
        if any(outbox.read(each).status in ("claimed", "sent") for each in mine):
            return Later(now_ms + 86_400_000, Why(now_ms, "cap.reached", "One of one today."))
        return None

    one, two = a_message(1), a_message(2, person="u:u1")
    channel = FakeChannel()

    async def work() -> None:
        await introduced(engine)
        await engine.move([planned(one), planned(two)])
        await drained(Postman(Release.of(engine, [check]), {"email": channel}, engine, written))

    in_a_loop(engine, work)
    assert len(channel.sent) == 1
    assert sorted(status_of(engine, each) for each in (one, two)) == ["queued", "sent"]
