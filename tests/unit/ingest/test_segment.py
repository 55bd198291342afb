"""Reading what clients send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.domain.errors import BadRequest, TooLarge
from germane.domain.event import Event
from germane.domain.ids import order_key
from germane.ingest import identity, limits, segment
from germane.ingest.depth import too_deep
from germane.ingest.segment import KINDS, parse, parse_kept
from germane.ingest.signals import Extractor
from germane.testing import a_shop, an_event, an_order

NOW = 1_800_000_000_000


def one(message: dict, **batch: object) -> Event:
    """The single event of a batch."""
    parsed = parse(
        json.dumps({"batch": [message], **batch}).encode(), route="batch", wall_ms=NOW, now_ms=NOW
    )
    assert parsed.rejected == []
    return parsed.events[0]


def reason(message: object) -> str:
    """Why an item of a batch is rejected."""
    parsed = parse(
        json.dumps({"batch": [message]}).encode(), route="batch", wall_ms=NOW, now_ms=NOW
    )
    assert parsed.events == []
    return parsed.rejected[0].code


TRACK = {"type": "track", "event": "x", "userId": "u"}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "track", "event": "x"}, "event.missing_id"),
        ({"type": "track", "userId": "u"}, "event.missing_name"),
        ({"type": "track", "userId": "u", "event": "  "}, "event.missing_name"),
        ({"type": "alias", "userId": "u"}, "event.missing_id"),
        ({"type": "group", "userId": "u"}, "event.missing_id"),
        ({"userId": "u"}, "event.unknown_type"),
        (TRACK | {"userId": ["u"]}, "event.bad_id"),
        (TRACK | {"userId": "x" * 600}, "event.bad_id"),
        (TRACK | {"messageId": "x" * 101}, "event.bad_message_id"),
        (TRACK | {"properties": []}, "event.bad_property"),
        (TRACK | {"timestamp": "soon"}, "event.bad_timestamp"),
        ("text", "event.not_an_object"),
    ],
)
def test_rejected_with_a_reason(message: object, code: str) -> None:
    """An item that cannot be used says why."""
    assert reason(message) == code


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ({}, "there is no type: it must be track, identify, page, screen, group or alias"),
        ({"type": "Track"}, 'the type "Track" is not known: it must be track, identify, page'),
        ({"type": ["track", None]}, 'the type ["track",null] is not known'),
    ],
)
def test_a_bad_type_is_told_in_plain_words(kind: dict[str, object], says: str) -> None:
    """As it was sent, and what it may be."""
    body = json.dumps({"batch": [{"userId": "u", **kind}]}).encode()
    parsed = parse(body, route="batch", wall_ms=NOW, now_ms=NOW)
    assert parsed.rejected[0].message.startswith(says)


def test_what_is_tolerated() -> None:
    """Numbers as ids, nulls, unknown fields, batch context under the item's."""
    event = one(
        TRACK | {"userId": 7, "anonymousId": None, "shoe": 1, "context": {"locale": "de"}},
        context={"locale": "en", "timezone": "Europe/Berlin"},
    )
    assert (event.user_id, event.anonymous_id) == ("7", "")
    assert event.extra == {"shoe": 1}
    assert event.context == {"locale": "de", "timezone": "Europe/Berlin"}
    assert event.message_id


@pytest.mark.parametrize(
    ("original_s", "sent_s", "at_s"),
    [
        (-600, 0, -600),  # clocks agree
        (86_400 - 600, 86_400, -600),  # the device is a day fast
        (-3_600 - 5, -3_600, -5),  # and an hour slow
        (-100, None, -100),  # no sentAt: the client's time
        (9_999_999, None, 0),  # far future: arrival
    ],
)
def test_clocks_are_corrected(original_s: int, sent_s: int | None, at_s: int) -> None:
    """stored = arrival - (sentAt - originalTimestamp)"""
    batch = {} if sent_s is None else {"sentAt": NOW + sent_s * 1000}
    event = one(TRACK | {"originalTimestamp": NOW + original_s * 1000}, **batch)
    assert event.at_ms == NOW + at_s * 1000


def test_switched_off_for_us() -> None:
    """A message that is addressed to others than us is acknowledged and not used."""
    body = json.dumps(
        {
            "batch": [
                TRACK | {"integrations": {"All": False}},
                TRACK | {"integrations": {"All": False, "Germane": True}},
            ]
        }
    )
    parsed = parse(body.encode(), route="batch", wall_ms=NOW, now_ms=NOW)
    assert (len(parsed.events), parsed.switched_off) == (1, 1)


LONG = TRACK | {
    "userId": "someone",
    "messageId": "m",
    "timestamp": NOW - 90_000,
    "context": {"locale": "de"},
}
AROUND = {"sentAt": NOW - 60_000, "context": {"locale": "en", "timezone": "Europe/Berlin"}}


def test_a_kept_message_is_the_event_it_would_have_been(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the batch said for it is kept with it, and so is the clock of its arrival."""
    good = one(LONG, **AROUND)
    assert good.at_ms == NOW - 30_000
    body = json.dumps({"batch": [LONG], **AROUND}).encode()
    with monkeypatch.context() as patch:
        patch.setattr(limits, "ID_CHARS", 3)
        (kept,) = parse(body, route="batch", wall_ms=NOW, now_ms=NOW).rejected
        assert "longer than 3" in str(parse_kept(kept.body, NOW))
    assert parse_kept(kept.body, NOW) == good


def test_a_bug_costs_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others of its batch are read, and it is kept: with all of it, and what went wrong."""
    read = segment._event

    def broken(message: dict[str, Any], *rest: Any) -> Event:
        if message["messageId"] == "m":
            raise ZeroDivisionError("a bug")
        return read(message, *rest)

    body = json.dumps({"batch": [LONG, LONG | {"messageId": "n"}], **AROUND}).encode()
    with monkeypatch.context() as patch:
        patch.setattr(segment, "_event", broken)
        parsed = parse(body, route="batch", wall_ms=NOW, now_ms=NOW)
        (kept,) = parsed.rejected
        assert "a bug" in str(parse_kept(kept.body, NOW))
    assert [each.message_id for each in parsed.events] == ["n"]
    assert (kept.code, kept.message) == ("event.parse_failed", "ZeroDivisionError: a bug")
    assert parse_kept(kept.body, NOW) == one(LONG, **AROUND)


def test_a_kept_single_call_knows_its_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """The route said what it was."""
    body = json.dumps(LONG | {"type": None}).encode()
    with monkeypatch.context() as patch:
        patch.setattr(limits, "ID_CHARS", 3)
        (kept,) = parse(body, route="track", wall_ms=NOW, now_ms=NOW).rejected
    found = parse_kept(kept.body, NOW)
    assert isinstance(found, Event)
    assert (found.kind, found.user_id) == ("track", "someone")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"type": "tra', "not valid JSON"),
        (b"7", "not a JSON object"),
        (json.dumps(TRACK | {"integrations": {"All": False}}).encode(), "others"),
    ],
)
def test_what_was_kept_and_is_no_event(body: bytes, says: str) -> None:
    """It says why."""
    assert says in str(parse_kept(body, NOW))


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r"cut \ud83d", "cut \ufffd"),
        (r"\udE00\uD83D", "\ufffd\ufffd"),
        (r"whole \ud83d\ude00", "whole 😀"),
        (r"text \\ud83d and \\\ud83d", "text \\ud83d and \\\ufffd"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
    ],
)
def test_half_characters(sent: str, read: str) -> None:
    """A text that was cut inside an emoji costs that character, not its batch."""
    body = f'{{"batch": [{{"type": "page", "userId": "u", "name": "{sent} \\ud800"}}]}}'
    parsed = parse(body.encode(), route="batch", wall_ms=NOW, now_ms=NOW)
    assert [each.name for each in parsed.events] == [f"{read} \ufffd"]


@pytest.mark.parametrize("field", ["timestamp", "sentAt", "messageId", "userId", "x"])
def test_numbers_beyond_everything(field: str) -> None:
    """The message is an event or is rejected with a reason; it is never an exception."""
    for number in (10**400, -(10**30), 1e308):
        body = json.dumps(TRACK | {"timestamp": NOW, field: number}).encode()
        parsed = parse(body, route="track", wall_ms=NOW, now_ms=NOW)
        assert len(parsed.events) + len(parsed.rejected) == 1


def test_a_batch_cannot_multiply_a_huge_context() -> None:
    """Its context goes into each of its messages, so it is bounded like one."""
    body = json.dumps({"batch": [TRACK], "context": {"x": "y" * limits.MESSAGE_BYTES}})
    with pytest.raises(TooLarge, match="context"):
        parse(body.encode(), route="batch", wall_ms=NOW, now_ms=NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)
message_like = st.dictionaries(
    st.sampled_from(
        [
            "type",
            "event",
            "userId",
            "anonymousId",
            "messageId",
            "timestamp",
            "properties",
            "traits",
            "context",
            "sentAt",
            "previousId",
            "groupId",
            "integrations",
            "x",
        ]
    ),
    json_values | st.sampled_from(KINDS),
    max_size=8,
)


@given(st.lists(message_like | json_values, max_size=5), json_values)
def test_any_json_is_an_event_or_a_reason(messages: list, sent_at: object) -> None:
    """Whatever the items are, each becomes an event or a rejection, and nothing else happens."""
    body = json.dumps({"batch": messages, "sentAt": sent_at}).encode()
    try:
        parsed = parse(body, route="batch", wall_ms=NOW, now_ms=NOW)
    except BadRequest:
        return
    assert len(parsed.events) + len(parsed.rejected) + parsed.switched_off == len(messages)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_clearly(body: bytes) -> None:
    """Noise is a BadRequest, whatever the route."""
    for route in ("batch", "track"):
        try:
            parse(body, route=route, wall_ms=NOW, now_ms=NOW)
        except BadRequest:
            continue


@given(json_values)
def test_depth(value: object) -> None:
    """Counting brackets in the text gives the nesting of the value."""

    def depth(each: object) -> int:
        if isinstance(each, dict):
            return 1 + max(map(depth, each.values()), default=0)
        if isinstance(each, list):
            return 1 + max(map(depth, each), default=0)
        return 0

    text = json.dumps(value).encode()
    assert not too_deep(text, depth(value))
    if depth(value):
        assert too_deep(text, depth(value) - 1)


people = st.sampled_from(["1", "2", "3"])


@given(
    st.lists(
        st.tuples(st.sampled_from(["identify", "alias", "track"]), people, people), max_size=30
    )
)
def test_identity_never_runs_in_circles(calls: list[tuple[str, str, str]]) -> None:
    """After any calls, every key leads to one person in one step, and nobody was merged into oneself."""
    owners: dict[str, str] = {}
    for kind, user, other in calls:
        event = Event("m", kind, NOW, user_id=user, anonymous_id=other, previous_id=other)
        link = identity.resolve(event, owners.get)
        assert link.person not in link.merge
        for key, person in owners.items():
            if person in link.merge:
                owners[key] = link.person
        owners |= link.claims
        assert all(owners.get(person, person) == person for person in owners.values())


def test_signals_of_an_order() -> None:
    """Each product is an interaction with its price; bad numbers are named and cost only themselves."""
    extractor = Extractor(a_shop())
    found, wrong = extractor.extract(an_order(["a", "b"]))
    assert [(each.item_id, each.signal, each.price) for each in found] == [
        ("a", "purchase", 9.5),
        ("b", "purchase", 9.5),
    ]
    assert wrong == []
    broken = an_order(
        [],
        properties={
            "order_id": 7,
            "products": [
                {"product_id": 3, "price": "12.5"},
                {"price": 1},
                {"product_id": "c", "price": "cheap"},
            ],
        },
    )
    found, wrong = extractor.extract(broken)
    assert [(each.item_id, each.price) for each in found] == [("3", 12.5), ("c", None)]
    assert len(wrong) == 2
    assert {each.order for each in found} == {order_key("purchase", "7")}
    refund = an_event(
        "Order Refunded", properties={"order_id": "7", "products": [{"product_id": 3}]}
    )
    (back,), _ = extractor.extract(refund)  # it names the order that it takes back from
    assert back.order == order_key("purchase", "7")
    assert extractor.whole(refund) == []
    (whole,) = extractor.whole(an_event("Order Refunded", properties={"order_id": 7}))
    assert (whole.item_id, whole.order) == ("", back.order)
