"""What an engine must keep to on every binding of the store, and with every channel. Inherit them::

class TestMyStore(PrivacyContract):
    @pytest.fixture
    def store(self): ...

class TestMyChannel(ChannelPrivacyContract):
    @pytest.fixture
    def channel(self): ...          # and how many messages reached anybody:
    def reached(self, channel): ...

class TestMyReport(ReportPrivacyContract):
    def shown(self, engine): ...        # all that it shows, as text
"""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace

from germane.app.consents import proven, said_by
from germane.app.engine import Engine
from germane.app.erasing import erase
from germane.app.posting import Postman
from germane.app.release import Release
from germane.deliver import outbox
from germane.domain.content import Rendered
from germane.domain.decision import Ask
from germane.domain.event import Event, Rejection
from germane.domain.message import Message
from germane.domain.moves import Planned, Stated
from germane.domain.ports import Store
from germane.domain.purposes import EMAIL_MARKETING, PERSONALISATION
from germane.domain.sending import Channel, Outgoing
from germane.domain.settings import PrivacySpec, Settings, TraitSpec
from germane.predict.model import SharedModel
from germane.testing.builders import a_shop, an_event, an_item
from germane.testing.world import START_MS, FakeWorld

CANARY = "canary-7d1f"
KEY = bytes(32)


def an_engine(store: Store, **privacy: Any) -> Engine:
    """Over a store, with ten items and a sensitive trait."""
    shop = a_shop()
    traits = shop.traits | {"illness": TraitSpec("illness", category="health", speakable=False)}
    settings: Settings = replace(shop, traits=traits, privacy=PrivacySpec(**privacy))
    engine = Engine(settings, store, SharedModel(settings), FakeWorld(), key=KEY)
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(10)])
    return engine


def whole(store: Store) -> bytes:
    """Everything of people that a store gives away."""
    found = [record.body + record.derived + record.person.encode() for record in store.read(0)]
    found += [repr(each).encode() for each in store.profiles("main")]
    found += [each.body for each in store.letters(pending_only=False)]
    return b"\n".join(found)


class PrivacyContract:
    """Opt-out, categories, the ledger, erasure: whatever stores it."""

    def test_nothing_is_kept_of_who_opted_out(self, store: Store) -> None:
        """Nor learned, and what they see is for nobody."""
        engine = an_engine(store)
        engine.put_moves([Stated("u:u1", PERSONALISATION, False, "test", salt="s")])
        before, log = engine.model.digest(), store.last_seq()
        told = Event("told", "identify", START_MS, user_id="u1", traits={"likes": CANARY})
        engine.accept_now([an_event(properties={"product_id": CANARY}), told])
        (made,), trust = engine.decide("u1", "", "", [Ask("home")], record=False)
        assert (made.person, made.arm, trust) == ("", "opted_out", 0.0)
        assert (engine.model.digest(), store.last_seq()) == (before, log)
        assert CANARY.encode() not in whole(store)

    def test_where_yes_comes_first_nobody_is_known_before_it(self, store: Store) -> None:
        """No profile, no record."""
        engine = an_engine(store, jurisdiction="gdpr")
        log = store.last_seq()
        engine.accept_now([an_event(user=CANARY)])
        assert (store.last_seq(), store.counts()["profiles"]) == (log, 0)

    def test_sensitive_data_wait_for_a_yes_of_their_own(self, store: Store) -> None:
        """They are left out of what is kept; the rest is."""
        engine = an_engine(store)
        told = Event(
            "t1", "identify", START_MS, user_id="u1", traits={"illness": CANARY, "likes": "c1"}
        )
        engine.accept_now([told])
        assert set(engine.profile_of("u:u1").traits) == {"likes"}
        assert CANARY.encode() not in whole(store)
        engine.put_moves([Stated("u:u1", "sensitive_data", True, "test", salt="s")])
        engine.accept_now([replace(told, message_id="t2")])
        assert CANARY.encode() in whole(store)

    def test_what_was_said_is_proven(self, store: Store) -> None:
        """Line by line, by whichever read."""
        engine = an_engine(store)
        for number, granted in enumerate((True, False, True)):
            engine.put_moves([Stated("u:u1", EMAIL_MARKETING, granted, "test", salt=f"s{number}")])
        said = said_by(engine.entries, engine.tenant, "u:u1")
        assert [each.state for each in said] == ["granted", "withdrawn", "granted"]
        proof = proven(engine.entries, engine.tenant)
        assert (proof.lines, proof.broken) == (3, "")

    def test_who_is_erased_is_found_nowhere(self, store: Store) -> None:
        """Log, profile, decisions, letters, ledger; others stay, and the ledger still holds."""
        engine = an_engine(store)
        for user in (CANARY, "stays-7d1f"):
            traits = {"email": f"{user}@example.org", "likes": user}
            engine.accept_now(
                [
                    an_event(user=user),
                    Event(f"t-{user}", "identify", START_MS, user_id=user, traits=traits),
                ]
            )
            engine.put_moves([Stated(f"u:{user}", EMAIL_MARKETING, True, "test", salt=user)])
            engine.decide(user, "", "", [Ask("home")])
        assert CANARY.encode() in whole(store)
        asyncio.run(erase(engine, CANARY))
        assert CANARY.encode() not in whole(store)
        assert b"stays-7d1f" in whole(store)
        assert engine.person_key(CANARY) is None
        assert not proven(engine.entries, engine.tenant).broken


class ChannelPrivacyContract:
    """Nothing reaches anybody who has not agreed, or no longer does."""

    def reached(self, channel: Channel) -> int:
        """How many messages the channel gave to anybody."""
        raise NotImplementedError

    def test_only_who_agreed_is_reached(self, store: Store, channel: Channel) -> None:
        """Of three, one: who said no since, and who said nothing, are not."""
        engine = an_engine(store)
        for user, answers in (("yes", (True,)), ("no", (True, False)), ("nothing", ())):
            told = {"email": f"{user}@example.org"}
            engine.accept_now([Event(f"t-{user}", "identify", START_MS, user_id=user, traits=told)])
            said = [Stated(f"u:{user}", EMAIL_MARKETING, x, "test", salt=user) for x in answers]
            engine.put_moves([*said, due_mail(user)])
        asyncio.run(_sent(engine, channel))
        assert self.reached(channel) == 1
        counts = engine.entries.counts(engine.tenant, "message")
        assert counts == {("contract", "sent"): 1, ("contract", "skipped"): 2}


class ReportPrivacyContract:
    """A report tells of people in general: of nobody by name, and of who opted out nothing."""

    def shown(self, engine: Engine) -> str:
        """All that a report shows of what an engine knows."""
        raise NotImplementedError

    def test_it_names_nobody(self, store: Store) -> None:
        """No id, no address, no trait of anybody; nothing that is sensitive, whoever agreed to that."""
        engine = an_engine(store)
        engine.put_moves([Stated(f"u:{CANARY}", "sensitive_data", True, "test", salt="s")])
        self._lives(engine, CANARY, {"email": f"{CANARY}@example.org", "illness": CANARY})
        assert CANARY.encode() in whole(store)
        assert CANARY not in self.shown(engine)

    def test_who_opted_out_is_not_in_it(self, store: Store) -> None:
        """Nothing of what they do, not even with which things; names of events may be counted."""
        engine = an_engine(store)
        engine.put_moves([Stated("u:out", PERSONALISATION, False, "test", salt="s")])
        self._lives(engine, "out", {"likes": CANARY}, item=CANARY)
        assert CANARY not in self.shown(engine)

    def _lives(self, engine: Engine, user: str, traits: dict[str, Any], **event: Any) -> None:
        told = Event(f"t-{user}", "identify", START_MS, user_id=user, traits=traits)
        did = an_event(user=user, anonymous_id=f"device-of-{user}", **event)
        broken = Rejection("event.bad", "It cannot be used.", f'{{"userId": "{user}"}}'.encode())
        engine.accept_now([told, did, an_event(user=user)], [broken])
        engine.put_moves([due_mail(user)])
        engine.decide(user, "", "", [Ask("home")])


def due_mail(user: str, campaign: str = "contract") -> Planned:
    """A mail of a campaign to a user, due now, with its text."""
    data, digest = outbox.packed(Rendered("c", "v", "email", "en", "Hi", text="Hi"))
    message = Message(
        message_id=outbox.message_id(START_MS, user),
        person=f"u:{user}",
        channel="email",
        campaign=campaign,
        version="v",
        content="c",
        purpose=EMAIL_MARKETING,
        kind="never_twice",
        priority="normal",
        created_ms=START_MS,
        status="queued",
        due_ms=START_MS,
        digest=digest,
    )
    return Planned(message, data)


async def _sent(engine: Engine, channel: Channel) -> None:
    await engine.start()

    def written(each: Message) -> Outgoing:
        return Outgoing(message_id=each.message_id, person=each.person, to=each.address)

    postman = Postman(Release.of(engine), {"email": channel}, engine, written)
    busy = True
    while busy:
        busy = await postman.round() or await postman.landed()
        await asyncio.sleep(0)
    await postman.close()
    await engine.stop()
