"""Whose a log record is, after people turned out to be the same."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from germane.app.engine import Engine
from germane.app.records import records_of
from germane.domain.event import Event
from germane.domain.settings import PrivacySpec, Settings
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld

Call = tuple[str, str, str]
"""Kind, user id, and anonymous id (of an alias: the earlier id)."""


def logged(calls: list[Call]) -> Engine:
    """An engine that these calls came to, message ids ``0``, ``1``, ..."""
    declared = Settings(privacy=PrivacySpec(undeclared="keep"))
    engine = Engine(declared, MemoryStore(), SharedModel(declared), FakeWorld(), key=b"k")
    for number, (kind, user, other) in enumerate(calls):
        event = Event(
            str(number),
            kind,  # type: ignore[arg-type]
            engine.world.now_ms(),
            name="x" if kind == "track" else "",
            user_id=user,
            anonymous_id="" if kind == "alias" else other,
            previous_id=other if kind == "alias" else "",
        )
        engine.accept_now([event])
    return engine


def found(engine: Engine, person: str) -> str:
    """Message ids of the records of a person."""
    read = engine.store.read
    return "".join(each.message_id for each in records_of(read(0), read(0), person))


def test_before_and_after_an_identify() -> None:
    """What a visitor did is the user's; what another visitor did is not."""
    engine = logged(
        [("track", "", "x"), ("track", "", "y"), ("identify", "1", "x"), ("track", "", "x")]
    )
    assert found(engine, "u:1") == "023"
    assert found(engine, "a:y") == "1"
    assert engine.person_key("x") == "u:1"


def test_a_shared_device() -> None:
    """What was done before the first one signed in stays with the first one."""
    engine = logged(
        [("track", "", "x"), ("identify", "1", "x"), ("identify", "2", "x"), ("track", "", "x")]
    )
    assert (found(engine, "u:1"), found(engine, "u:2")) == ("01", "23")


def test_over_several_links() -> None:
    """A visitor, a user, and the account into which that user was merged."""
    engine = logged(
        [
            ("track", "", "x"),
            ("identify", "1", "x"),
            ("track", "1", ""),
            ("alias", "2", "1"),
            ("track", "1", ""),
            ("track", "3", ""),
        ]
    )
    assert found(engine, "u:2") == "01234"


ids = st.sampled_from(["", "1", "2", "3"])
calls = st.lists(
    st.tuples(st.sampled_from(["identify", "alias", "track"]), ids, ids).filter(
        lambda x: (x[1] and x[2]) if x[0] == "alias" else (x[1] or x[2])
    ),
    max_size=15,
)


@settings(deadline=None, max_examples=60)
@given(calls)
def test_every_record_is_one_persons(history: list[Call]) -> None:
    """Of the people who are left, each record is exactly one's."""
    engine = logged(history)
    left = [each["personId"] for each in engine.people()]
    whose = Counter(
        each.message_id
        for person in left
        for each in records_of(engine.store.read(0), engine.store.read(0), person)
    )
    assert whose == Counter(str(n) for n in range(len(history)))
