"""Dead letters: what a replay does, and what it must not pretend to do."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.app import access
from germane.app.engine import Engine
from germane.app.erasing import erase_here
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild, save_rebuilt
from germane.app.steps import Steps
from germane.domain.event import DeadLetter, Event, Rejection
from germane.domain.outcome import Reward
from germane.domain.record import Txn
from germane.domain.settings import Settings
from germane.ingest import limits
from germane.ingest.segment import parse
from germane.testing import FakeWorld, an_event, an_order

HALF_BAD = {
    "order_id": "o-half",
    "products": [{"product_id": "i1", "price": 9.5}, {"sku": "i2", "price": 9.5}],
}


def mended(settings: Settings) -> Settings:
    """The order's products are known by their ``sku`` now."""
    purchase = replace(settings.signals["purchase"], item="properties.products[].sku")
    return replace(settings, signals=settings.signals | {"purchase": purchase})


def bought(engine: Engine, user: str = "u1") -> dict[str, int]:
    """What someone has of each item."""
    profile = engine.store.profile("main", f"u:{user}")
    return {} if profile is None else {k: v.count for k, v in profile.own_items.items()}


def reopened(engine: Engine, settings: Settings, folder: Path) -> Engine:
    """The same data under another declaration."""
    engine.store.close()
    return open_engine(settings, folder / "data", world=FakeWorld(engine.world.now_ms()))


def test_a_logged_event_is_not_replayed(engine: Engine) -> None:
    """Its good part counted; sent again it would be a duplicate, and that is no success."""
    engine.accept_now([an_order([], properties=HALF_BAD)])
    (letter,) = engine.letters()
    assert (letter.source, letter.code) == ("fold", "event.bad_property")
    assert bought(engine) == {"i1": 1}
    before = (engine.seq, engine.store.state_hash())
    said = engine.replay_letter(letter.letter_id)
    assert "still wrong" in said
    assert "no item id" in said
    assert (engine.seq, engine.store.state_hash()) == before
    assert [each.letter_id for each in engine.letters()] == [letter.letter_id]
    assert rebuild(engine).equal


def test_a_rebuild_counts_what_was_lost(engine: Engine, shop: Settings, tmp_path: Path) -> None:
    """Under the mended declaration it is folded whole, once, and its letter is settled."""
    purchase = replace(shop.signals["purchase"], item="properties.products[].sku")
    wrong = replace(shop, signals=shop.signals | {"purchase": purchase})
    engine = reopened(engine, wrong, tmp_path)
    engine.accept_now([an_order(["i1", "i2"]), an_order(["i3"], user="u2")])
    assert len(engine.letters()) == 3
    assert bought(engine) == {}
    engine = reopened(engine, shop, tmp_path)
    number = engine.letters()[0].letter_id
    assert "germane rebuild" in engine.replay_letter(number)
    assert len(engine.letters()) == 3
    report = rebuild(engine)
    save_rebuilt(report, tmp_path / "data", shop)
    assert (report.equal, report.letters) == (False, 3)
    engine = reopened(engine, shop, tmp_path)
    assert bought(engine) == {"i1": 1, "i2": 1}
    assert engine.letters() == []
    assert engine.replay_letter(number) == "it was replayed already"
    again = rebuild(engine)
    assert (again.equal, again.letters) == (True, 0)
    engine.store.close()


def test_a_rebuild_leaves_what_is_still_wrong(
    engine: Engine, shop: Settings, tmp_path: Path
) -> None:
    """The other product has no id now, so the letter waits on."""
    engine.accept_now([an_order([], properties=HALF_BAD)])
    engine = reopened(engine, mended(shop), tmp_path)
    assert rebuild(engine).letters == 0
    assert len(engine.letters()) == 1
    engine.store.close()


def test_replay_of_an_unfolded_event_keeps_its_own_letter(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be folded is logged by a replay; a bad product in it gets a letter of its own."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(Steps, "event", broken)
        engine.accept_now([an_order([], properties=HALF_BAD, message_id="late")])
        assert [each.code for each in engine.letters()] == ["event.fold_failed"]
        number = engine.letters()[0].letter_id
        assert "a bug" in engine.replay_letter(number)
    assert engine.replay_letter(number) == ""
    assert engine.store.seen("main", ["late"]) == {"late"}
    assert bought(engine) == {"i1": 1}
    assert [each.code for each in engine.letters()] == ["event.bad_property"]
    assert rebuild(engine).equal


@pytest.mark.parametrize("bad", ["half \ud83d", object(), {1: {2: {"\udc00"}}}])
def test_an_event_that_no_json_can_hold_is_kept(engine: Engine, bad: object) -> None:
    """Such things do not come by HTTP, but nothing that comes may stop the others."""
    worse = an_event(message_id="worse", properties={"product_id": "i1", "bad": bad})
    engine.accept_now([worse, an_event(user="next")])
    (letter,) = engine.letters()
    assert b"worse" in letter.body
    assert engine.store.seen("main", ["worse"]) == set()
    assert engine.replay_letter(letter.letter_id) == ""  # with what can be told of it
    assert engine.store.seen("main", ["worse"]) == {"worse"}
    assert bought(engine, "next") == {"i1": 0}


def test_an_event_that_is_no_event_is_told(engine: Engine) -> None:
    """Numbers beyond 64 bits cannot go into the log; the letter holds them whole."""
    huge = an_event(message_id="huge", properties={"product_id": "i1", "n": 10**30})
    good = Event("good", "track", huge.at_ms, "Product Viewed", "u1", properties={"x": 1})
    receipt = engine.accept_now([huge, good])
    assert (receipt.accepted, receipt.duplicates, receipt.rejected) == (1, 0, 1)
    assert engine.stats()["events_total"] == engine.stats()["rejected_total"] == 1
    failed = next(each for each in engine.letters() if each.code == "event.fold_failed")
    assert str(10**30).encode() in failed.body
    assert engine.replay_letter(failed.letter_id) != ""
    assert rebuild(engine).equal


def test_a_replay_is_the_event_as_if_it_had_been_good(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message of a batch, refused, kept, and used a day later: at the time when it happened."""
    now_ms = engine.world.now_ms()
    message = {"type": "track", "event": "Product Viewed", "userId": "someone", "messageId": "m"}
    message |= {"timestamp": now_ms - 90_000, "properties": {"product_id": "i1"}}
    batch = {"batch": [message], "sentAt": now_ms - 60_000, "context": {"locale": "de-DE"}}
    with monkeypatch.context() as patch:
        patch.setattr(limits, "ID_CHARS", 3)
        parsed = parse(json.dumps(batch).encode(), route="batch", wall_ms=now_ms, now_ms=now_ms)
    engine.accept_now(parsed.events, parsed.rejected)
    (letter,) = engine.letters()
    engine.world.advance(days=1)  # type: ignore[attr-defined]
    assert engine.replay_letter(letter.letter_id) == ""
    profile = engine.store.profile("main", "u:someone")
    assert profile is not None
    assert profile.recent[0].at_ms == now_ms - 30_000
    assert profile.locale == "de-DE"
    assert engine.letters() == []


def test_a_large_message_of_a_batch_is_kept_whole(engine: Engine) -> None:
    """With what its batch said for it; who replays it wants it as it is."""
    now_ms = engine.world.now_ms()
    message = {"type": "track", "event": "Product Viewed", "userId": "large", "messageId": "m"}
    message |= {"properties": {"product_id": "i1", "essay": "x" * 100_000}}
    batch = {"batch": [message], "context": {"locale": "de-DE"}}
    parsed = parse(json.dumps(batch).encode(), route="batch", wall_ms=now_ms, now_ms=now_ms)
    receipt = engine.accept_now(parsed.events, parsed.rejected)
    assert (receipt.accepted, receipt.rejected) == (0, 1)
    (letter,) = engine.letters()
    assert letter.code == "event.too_large"
    assert "kept whole" in letter.message
    assert json.loads(letter.body)["properties"]["essay"] == "x" * 100_000
    assert engine.replay_letter(letter.letter_id) == ""
    profile = engine.store.profile("main", "u:large")
    assert profile is not None
    assert (profile.locale, profile.recent[0].item_id) == ("de-DE", "i1")


def test_accepted_is_what_is_in_the_log(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While serving, too: what cannot be folded is rejected, and sent again it is no duplicate."""
    fold, bad = Steps.event, an_event(message_id="bad")

    def broken(self: Steps, event: Event, *rest: object) -> list[Reward]:
        if event.message_id == "bad":
            raise RuntimeError("a bug")
        return fold(self, event, *rest)  # type: ignore[arg-type]

    async def live() -> None:
        await engine.start()
        receipt = await engine.accept([bad, an_event(message_id="a"), an_event(message_id="a")])
        assert (receipt.accepted, receipt.duplicates, receipt.rejected) == (1, 1, 1)
        monkeypatch.undo()
        receipt = await engine.accept([bad])
        assert (receipt.accepted, receipt.duplicates, receipt.rejected) == (1, 0, 0)
        await engine.stop()

    monkeypatch.setattr(Steps, "event", broken)
    asyncio.run(live())
    assert engine.store.counts()["records"] == engine.seq


def test_each_letter_of_an_event_has_its_own_reason(
    engine: Engine, shop: Settings, tmp_path: Path
) -> None:
    """Not the first one's; and when its own cause is mended, what is left is said."""
    products = [
        {"product_id": "i1", "price": "dear", "quantity": 1},
        {"product_id": "i2", "price": 9.5, "quantity": "some"},
    ]
    engine.accept_now([an_order([], properties={"order_id": "o", "products": products})])
    price, quantity = engine.letters()
    assert "price" in price.message
    assert "price" in engine.replay_letter(price.letter_id)
    assert "quantity" in engine.replay_letter(quantity.letter_id)
    without = replace(shop.signals["purchase"], quantity="")
    engine = reopened(engine, replace(shop, signals=shop.signals | {"purchase": without}), tmp_path)
    said = engine.replay_letter(quantity.letter_id)
    assert "this is mended, but not all" in said
    assert price.message in said
    assert "still wrong" in engine.replay_letter(price.letter_id)
    engine.store.close()


def test_a_replay_while_serving(engine: Engine) -> None:
    """It is durable when it is answered, and counts once however often it is asked for."""
    body = json.dumps({"type": "identify", "userId": "u9", "messageId": "m9"}).encode()
    engine.accept_now([], [Rejection("event.too_large", "too large", body)], "api")

    async def run() -> list[str]:
        await engine.start()
        number = engine.letters()[0].letter_id
        said = [await engine.replay(number), await engine.replay(number), await engine.replay(99)]
        await engine.stop()
        return said

    said = asyncio.run(run())
    assert said == ["", "it was replayed already", "there is no such dead letter"]
    assert [each.person for each in engine.store.read(0)][-1:] == ["u:u9"]
    assert engine.letters() == []


def test_a_dismissed_letter_waits_no_longer(engine: Engine) -> None:
    """It is kept with its time; dismissed again or replayed before, that is said. A replay still tries it."""
    engine.accept_now([an_order([], properties=HALF_BAD)], [Rejection("c", "why", b"{}")])
    first, second = (each.letter_id for each in engine.letters())
    before = (engine.seq, engine.store.state_hash())
    assert engine.dismiss_letter(first) == ""
    assert [each.letter_id for each in engine.letters()] == [second]
    kept = engine.store.letter(first)
    assert kept is not None
    assert kept.dismissed_ms == engine.world.now_ms()
    assert engine.dismiss_letter(first) == "it was dismissed already"
    assert engine.dismiss_letter(77) == "there is no such dead letter"
    assert "still wrong" in engine.replay_letter(first)
    assert (engine.seq, engine.store.state_hash()) == before


def test_a_dismissal_while_serving(engine: Engine) -> None:
    """It is durable when it is answered."""
    engine.accept_now([], [Rejection("c", "why", b"{}")])

    async def act() -> None:
        await engine.start()
        assert await engine.dismiss(1) == ""
        assert engine.store.letters() == []
        assert await engine.dismiss(1) == "it was dismissed already"
        await engine.stop()

    asyncio.run(act())


def test_a_letter_with_their_address_in_a_link_is_theirs(engine: Engine) -> None:
    """It is in their export, and goes with an erasure; one of somebody like them stays."""
    engine.accept_now(
        [an_event("", kind="identify", user="anna", traits={"email": "anna@x.example"})]
    )
    links = ("https://x.example/?to=ANNA%2540x.example", "https://x.example/?to=joanna%40x.example")
    seen = {"type": "track", "event": "Product Viewed"}
    bodies = [json.dumps({**seen, "properties": {"url": x}}).encode() for x in links]
    engine.accept_now([], [Rejection("event.missing_id", "no id", each) for each in bodies], "api")
    export = access.everything(engine, "anna")
    assert [links[0] in json.dumps(each) for each in export["deadLetters"]] == [True]
    erase_here(engine, "anna")
    (left,) = engine.letters()
    assert links[1].encode() in left.body


def test_a_letter_that_is_replayed_twice_at_once_counts_once(engine: Engine) -> None:
    """Its message has no id of its own."""
    body = (
        b'{"type":"track","event":"Product Viewed","userId":"u1","properties":{"product_id":"i1"}}'
    )
    engine.store.commit(Txn(letters=[DeadLetter(0, engine.world.now_ms(), "api", "x", "x", body)]))

    async def work() -> None:
        await engine.start()
        assert await asyncio.gather(engine.replay(1), engine.replay(1)) == ["", ""]
        await engine.stop()

    asyncio.run(work())
    assert sum(each.kind == "event" for each in engine.store.read(0)) == 1
    assert list(engine.letters()) == []
