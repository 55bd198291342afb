"""Whatever somebody writes into a campaign, and whatever an event holds: an error that says so, or it works."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from germane.config import read_campaign
from germane.deliver.conditions import Conditions
from germane.deliver.entering import begun, on_clock, on_event
from germane.deliver.policy import policy_of
from germane.deliver.view import View
from germane.domain.campaign import Campaign, canonical
from germane.domain.errors import BadCampaign
from germane.domain.event import Event
from germane.domain.profile import Profile
from tests.unit.config.test_campaigns import WHOLE
from tests.unit.deliver.life import SETTINGS, ms

NOW = ms("2026-11-30T06:30:00+00:00")
CONDITIONS = Conditions(SETTINGS)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.text(max_size=4), max_size=3),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
    st.sampled_from(
        ("3d", "0s", "999999w", "after 3d", "after ", "08:00-20:00", "24:00", "* * * * *", "0 0 31 2 *",
         "2026-12-01T09:00", "9999-12-31T23:59", "0001-01-01T00:00", "event.properties.x == 1", "true",
         "account.traits.x", "month", "person+item", "\x00", "now", "[[[", "a.b.c.d", "'", '"')
    ),
)  # fmt: skip
TABLES = (
    tomllib.loads(WHOLE),
    tomllib.loads('content = "x"\n[enter]\nschedule = "0 7 * * mon"\nwhen = "true"\n'),
    tomllib.loads('content = "x"\n[enter]\naudience = "true"\nat = "2026-12-01T09:00"\n'),
    tomllib.loads(
        '[enter]\nevent = "A"\n[[steps]]\ncontent = "y"\nwait = "3d"\n'
        '[[steps]]\ncontent = "z"\nwhen = "true"\nchannel = "webhook"\nwebhook = "push"\n'
        '[steps.wait]\nevent = "B"\nfor = "1d"\n'
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(table: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys."""
    found = []
    pairs = table.items() if isinstance(table, dict) else enumerate(table)
    for key, value in pairs:
        found.append((table, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found


@given(st.sampled_from(TABLES), st.integers(0, 10**6), VALUES, st.booleans())
def test_any_value_anywhere(table: dict[str, Any], where: int, value: Any, add: bool) -> None:
    """It is refused with an error that names a key and a remedy; or what was read can be written, read back
    and carried out."""
    changed = deepcopy(table)
    spots = places(changed)
    container, key = spots[where % len(spots)]
    if add and isinstance(container, dict):
        key = f"{key}x"
    container[key] = value
    made, errors = None, []
    try:
        made = read_campaign("camp", changed, SETTINGS, CONDITIONS)
    except BadCampaign as error:
        errors = error.details["errors"]
    if made is None:
        assert errors
        assert all(each["key"] and each["problem"] and each["remedy"] for each in errors)
        return
    campaign = made.campaign
    assert msgspec.json.decode(canonical(campaign), type=Campaign).version == campaign.version
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(campaign), type=Campaign) == campaign
    view = View(SETTINGS, NOW, Profile("u:ann"), event=Event("m", "track", NOW, "A"))
    state = begun(made, view, "u:ann", "u:ann")
    state, _ = on_event(made, state, view)
    on_clock(made, state, View(SETTINGS, NOW + 10**9, Profile("u:ann")))
    for step in campaign.steps:
        assert policy_of(campaign, step, SETTINGS.delivery).channel


@given(JSON)
def test_no_event_makes_a_condition_fail(value: Any) -> None:
    """Every kind of question, asked of any JSON: an answer, with a reason where it is no."""
    event = Event(
        "m", "track", NOW, "A", properties={"x": value, "y": [value]}, traits={"t": value}
    )
    view = View(SETTINGS, NOW, event=event, account_traits={"x": value})
    for source in (
        "event.properties.x > 3",
        'event.properties.x == "a" || event.traits.t',
        "event.properties.x.y.z != null",
        "event.properties.y.exists(e, e > 1.5)",
        "size(event.properties.x) > 1",
        'event.properties.x.matches("a+")',
        "int(event.properties.x) % 2 == 0",
        "has(event.properties.x.a) && account.traits.x.a in [1, 'b']",
        "event.properties.x + event.properties.x == event.properties.x",
        "timestamp(event.properties.x) < now",
        "event.properties[event.properties.x] == 1",
    ):
        holds, why = CONDITIONS.get(source)(view)
        assert holds == (why is None)
