"""An export has every word that is stored of a person, and no word of anybody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from germane.app import access, erasing
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.domain.errors import UnknownPerson
from germane.privacy.page import page
from germane.testing import FakeWorld, an_event
from germane.testing.canaries import (
    CANARY,
    DAY_MS,
    Lives,
    a_canary_shop,
    canary,
    compressed,
    lived,
    of_whom,
    user,
    words_in,
)
from germane.testing.world import START_MS

PEOPLE = 8
NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with everybody in it; nothing in it changes."""
    place = tmp_path_factory.mktemp("lives") / "data"
    engine = open_engine(a_canary_shop(), place, world=FakeWorld(START_MS - 120 * DAY_MS))
    lived(Lives(engine, PEOPLE))
    assert engine.seal() > 0
    engine.store.close()
    return place


@pytest.fixture
def reading(folder: Path) -> Iterator[Engine]:
    """An engine that looks beside a server."""
    engine = open_engine(a_canary_shop(), folder, mode="read", world=FakeWorld())
    yield engine
    engine.store.close()


def told(export: dict[str, Any]) -> set[bytes]:
    """Canaries in an export."""
    return {each[0] for each in CANARY.finditer(msgspec.json.encode(export))}


@pytest.mark.parametrize("number", range(PEOPLE))
def test_every_word_of_theirs_and_of_nobody_else(
    folder: Path, reading: Engine, number: int
) -> None:
    """What a byte search finds on the disk, sealed history and rendered text opened, is what they are told."""
    stored = {each for each in words_in(folder) if of_whom([each]) == {number}}
    assert len(stored) > 45
    export = access.everything(reading, user(number))
    assert told(export) >= stored
    assert of_whom(told(export)) == {number}
    assert canary(number, "name") in json.dumps(export["messages"])
    assert compressed(reading)[number]
    html = page(export).encode()
    assert {each[0] for each in CANARY.finditer(html)} == told(export)


def test_what_it_says(reading: Engine) -> None:
    """Decisions with propensities and reasons, text of messages, consent with its notice, by each id."""
    export = access.everything(reading, canary(1, "anon"))
    assert export["form"] == "germane.person/1"
    assert export["personId"] == f"u:{user(1)}"
    assert {f"u:{user(1)}", f"a:{canary(1, 'anon')}", f"a:{canary(1, 'old')}"} <= {*export["keys"]}
    (decision,) = export["decisions"]
    assert all(0 < each["propensity"] <= 1 for each in decision["items"])
    assert any(each["reasons"] for each in decision["items"])
    assert decision["ask"]["context"]["device"] == canary(1, "device")
    assert export["outcomes"][0]["order_id"] == canary(1, "reported")
    assert export["consent"][0]["notice"] == canary(1, "notice")
    welcome = next(x for x in export["messages"] if x["message"]["campaign"] == "welcome")
    assert f"Dear {canary(1, 'name')}" in welcome["rendered"]["text"]
    assert {"message", "enrolment", "approval"} <= {*export["ledger"]}
    assert len(export["deadLetters"]) == 2
    assert export["profile"]["traits"]["firstName"]["value"] == canary(1, "name")
    with pytest.raises(UnknownPerson):
        access.everything(reading, "nobody")


def test_a_page_cannot_be_made_to_do_anything(engine: Engine) -> None:
    """Whatever somebody sent is text: as a value, as the name of a field, as an id."""
    engine.accept_now(
        [an_event(NASTY, user=NASTY, item=NASTY, context={NASTY: NASTY}, extra={NASTY: [NASTY]})]
    )
    html = page(access.everything(engine, NASTY))
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;alert(1)") > 5
    assert "http" not in html.replace("http-equiv", "")


def test_after_an_erasure_there_is_nothing_to_tell(engine: Engine) -> None:
    engine.accept_now([an_event(user="ann"), an_event(user="bob")])

    async def work() -> None:
        await engine.start()
        await erasing.erase(engine, "ann")
        await engine.stop()

    asyncio.run(work())
    with pytest.raises(UnknownPerson):
        access.everything(engine, "ann")
    assert len(access.everything(engine, "bob")["events"]) == 1
