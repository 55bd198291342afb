"""What a replay of a dead letter does, and what it says when it can do nothing."""

from __future__ import annotations

import json

from msgspec.json import encode

from germane.app import Engine
from germane.domain.event import Rejection
from germane.ingest.segment import parse
from germane.testing import FakeWorld, an_event


def test_a_signal_that_was_lost_is_not_said_to_be_recovered(engine: Engine) -> None:
    """The event is in the log: the letter stays, with what to do instead."""
    event = an_event(item="")
    engine.accept_now([event])
    (letter,) = engine.letters()
    assert letter.code == "event.bad_property"
    said = engine.replay_letter(letter.letter_id)
    assert "is in the log" in said
    assert "germane rebuild" in said
    assert [each.letter_id for each in engine.letters()] == [letter.letter_id]


def test_a_refused_message_stands_alone(engine: Engine, world: FakeWorld) -> None:
    """What its batch and its address said of it is in the letter, and its time is that of its arrival."""
    now = world.now_ms()
    batch = {
        "batch": [{"type": "walk", "userId": "u1", "messageId": "a", "context": {"locale": "de"}}],
        "context": {"timezone": "Europe/Berlin", "locale": "en"},
        "sentAt": now - 5_000,
    }
    parsed = parse(json.dumps(batch).encode(), route="batch", wall_ms=now, now_ms=now)
    (rejection,) = parsed.rejected
    kept = json.loads(rejection.body)
    assert kept["context"] == {"timezone": "Europe/Berlin", "locale": "de"}
    assert kept["sentAt"] == now - 5_000
    single = parse(b'{"event": "x"}', route="track", wall_ms=now, now_ms=now)
    assert json.loads(single.rejected[0].body)["type"] == "track"


def test_a_replayed_event_has_the_time_at_which_it_came(engine: Engine, world: FakeWorld) -> None:
    """The sender's clock is corrected by when the message arrived, not by when it is replayed."""
    now = world.now_ms()
    body = {"type": "track", "event": "Product Viewed", "userId": "u1", "messageId": "late"}
    body |= {"timestamp": now - 60_000, "sentAt": now, "properties": {"product_id": "i1"}}
    refused = Rejection("event.unknown_type", "refused by an earlier version", encode(body))
    engine.accept_now([], [refused])
    world.advance(days=2)
    (letter,) = engine.letters()
    assert engine.replay_letter(letter.letter_id) == ""
    profile = engine.store.profile(engine.tenant, "u:u1")
    assert profile is not None
    assert [each.at_ms for each in profile.recent] == [now - 60_000]
    assert engine.letters() == []
