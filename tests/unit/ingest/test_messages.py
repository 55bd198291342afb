"""Rows that are messages of the tracking API themselves: taken as the API takes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from germane.domain.event import Event
from germane.ingest.bulk import Row, Shaper, Unusable, grouped, map_columns
from germane.ingest.bulk.columns import Kind
from germane.ingest.segment import parse
from tests.unit.ingest.test_listed import SETTINGS, items_of

NOW_MS = 1_800_000_000_000
ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "messageId": "seg-1",
    "timestamp": "2026-10-01T10:00:00Z",
    "properties": {"order_id": "A1", "products": [{"product_id": "tent"}, {"product_id": "mat"}]},
    "context": {"locale": "de"},
    "plan": "x",
}


def shaped(*rows: dict[str, Any], kind: Kind = "events") -> list[Event]:
    """The events that the lines of a file are."""
    names = tuple(dict.fromkeys(name for each in rows for name in each))
    mapping = map_columns(kind, names, [], more=True)
    shaper = Shaper(kind, mapping, SETTINGS, now_ms=NOW_MS)
    lines = [Row(number, each) for number, each in enumerate(rows, 1)]
    return [shaper.event(each) for each in grouped(lines, shaper)]


def by_the_api(row: dict[str, Any]) -> Event:
    """The event that the API takes it for."""
    body = json.dumps(row).encode()
    (event,) = parse(body, route=row["type"], wall_ms=NOW_MS, now_ms=NOW_MS).events
    return event


def test_an_order_is_what_the_api_takes_it_for() -> None:
    """With its items, context and id."""
    (event,) = shaped(ORDER)
    assert event == by_the_api(ORDER)
    assert items_of(event) == ["tent", "mat"]


@pytest.mark.parametrize(
    "row",
    [
        {"type": "identify", "anonymousId": "a1", "traits": {"email": "a@example.org"}},
        {"type": "page", "name": "Home", "userId": "u1", "properties": {"path": "/"}},
        {"type": "group", "userId": "u1", "groupId": "g1", "traits": {}},
        {"type": "track", "event": "Seen", "userId": 7},
    ],
)
def test_so_is_every_other_call(row: dict[str, Any]) -> None:
    """Whichever columns the first rows had."""
    row = row | {"messageId": "m2", "timestamp": "2026-10-01T10:00:00Z"}
    assert shaped(ORDER, row)[1] == by_the_api(row)


def test_without_an_id_it_is_known_by_its_content() -> None:
    """So importing it again changes nothing."""
    row = {name: value for name, value in ORDER.items() if name != "messageId"}
    (first,), (again,) = shaped(row), shaped(row)
    assert first == again
    assert first.message_id.startswith("import-events-")
    assert replace(first, message_id="seg-1") == by_the_api(ORDER)


def test_its_time_is_the_one_that_the_file_tells() -> None:
    """When it was sent corrects nothing: the file is not sent by a client now."""
    sent = {"sentAt": "2026-10-01T10:00:09Z", "originalTimestamp": "2026-10-01T11:00:00Z"}
    (event,) = shaped(ORDER | sent)
    assert event.at_ms == by_the_api(ORDER).at_ms
    untimed = {name: value for name, value in ORDER.items() if name != "timestamp"}
    with pytest.raises(Unusable, match="no timestamp"):
        shaped(ORDER, untimed)


def test_what_the_api_refuses_is_a_reject() -> None:
    """With its reason."""
    with pytest.raises(Unusable, match="a track call needs an event name"):
        shaped(ORDER | {"event": " "})


def test_of_people_only_what_they_say_of_themselves_is_a_row() -> None:
    """Their events are imported as events."""
    row = {"type": "identify", "userId": "u1", "traits": {"email": "a"}, "messageId": "m"}
    row |= {"timestamp": "2026-10-01T10:00:00Z"}
    assert shaped(row, kind="people") == [by_the_api(row)]
    with pytest.raises(Unusable, match=r"a track is no row of people \(germane import events\)"):
        shaped(ORDER, kind="people")


def test_a_row_with_columns_of_its_own_is_none() -> None:
    """A type alone makes no message."""
    (event,) = shaped({"userId": "u", "timestamp": 1_790_000_000, "type": "page", "sku": "tent"})
    assert (event.kind, event.name) == ("track", "page")


def test_a_row_with_a_context_alone_has_columns() -> None:
    """What it tells stands in them."""
    row = {
        "type": "track",
        "event": "Viewed",
        "userId": "u1",
        "timestamp": "2026-10-01T10:00:00Z",
        "product_id": "tent",
        "context": {"ip": "10.0.0.1"},
    }
    (event,) = shaped(row)
    assert "tent" in str(event.properties)


def test_whoever_maps_columns_means_them() -> None:
    """A message that has columns beside what it tells."""
    row = {**ORDER, "shop_no": "c1"}
    mapping = map_columns("events", tuple(row), ["user_id=shop_no"], more=True)
    shaper = Shaper("events", mapping, SETTINGS, now_ms=NOW_MS)
    (event,) = (shaper.event(each) for each in grouped([Row(1, row)], shaper))
    assert event.user_id == "c1"
