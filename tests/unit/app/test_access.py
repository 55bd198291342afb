"""An export has every word that is stored of a person, and no word of anybody else."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from germane.app import access, erasing
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.domain.errors import UnknownPerson
from germane.domain.ledger import Entry
from germane.domain.moves import Stated
from germane.domain.record import Txn
from germane.domain.settings import NoticeSpec, PrivacySpec
from germane.privacy.page import page
from germane.profile.words import rfc3339
from germane.testing import FakeWorld, a_shop, an_event
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
    assert export["consent"][0]["version"] == canary(1, "notice")
    welcome = next(x for x in export["messages"] if x["message"]["campaign"] == "welcome")
    assert f"Dear {canary(1, 'name')}" in welcome["rendered"]["text"]
    assert {"message", "enrolment", "approval", "consent"} <= {*export["ledger"]}
    assert len(export["deadLetters"]) == 2
    assert export["profile"]["traits"]["firstName"]["value"] == canary(1, "name")
    with pytest.raises(UnknownPerson):
        access.everything(reading, "nobody")


@pytest.mark.parametrize("number", range(PEOPLE))
def test_it_is_plain_json(reading: Engine, number: int) -> None:
    """Of every kind of entry that is somebody's: nothing in it is bytes."""
    export = access.everything(reading, user(number))
    assert msgspec.json.decode(json.dumps(export)) == msgspec.to_builtins(export)
    assert {"message", "enrolment", "consent"} <= {*export["ledger"]}


def test_any_body_of_an_entry_is_plain(engine: Engine) -> None:
    """Also of a kind that nobody has entries of today."""
    engine.accept_now([an_event(user="ann")])
    body = msgspec.msgpack.encode({"raw": b"\x01\xff", "more": [b"\x02"]})
    entry = Entry("suppression", "k", body, "u:ann")
    engine.store.commit(Txn(entries={(engine.tenant, "suppression", "k"): entry}))
    export = access.everything(engine, "ann")
    assert export["ledger"]["suppression"][0]["about"] == {"raw": "01ff", "more": ["02"]}
    assert json.dumps(export)


def test_consent_as_the_ledger_proves_it(tmp_path: Path) -> None:
    """Each line with the hash of the declared notice, its times, and what binds it; and events that say no."""
    banner = NoticeSpec("banner", "3", "ab" * 32)
    privacy = PrivacySpec(notices={"banner": banner})
    engine = open_engine(replace(a_shop(), privacy=privacy), tmp_path / "data", world=FakeWorld())
    engine.accept_now([an_event(user="ann")])
    until_ms = START_MS + 30 * DAY_MS
    yes = Stated("u:ann", "personalisation", True, "api", "3", notice_name="banner", salt="s")
    no = Stated("u:ann", "email_marketing", False, "letter")
    engine.put_moves([replace(yes, until_ms=until_ms, fresh=True), no])
    opted = {"consent": {"categoryPreferences": {}}}
    engine.accept_now([an_event(user="ann", context=opted)])
    export = access.everything(engine, "ann")
    first, second, *told = export["consent"]
    assert (first["purpose"], first["state"], first["fresh"]) == (
        "personalisation",
        "granted",
        True,
    )
    assert (first["notice"], first["version"]) == ("banner", "3")
    assert first["text_sha256"] == "ab" * 32
    assert first["declared"] == {"name": "banner", "version": "3", "text_sha256": "ab" * 32}
    assert (first["until"], second["until"]) == (rfc3339(until_ms), None)
    assert (second["purpose"], second["state"]) == ("email_marketing", "withdrawn")
    assert "declared" not in second
    assert told, "what an event said is a line, too"
    assert {each["state"] for each in told} == {"withdrawn"}
    line = export["ledger"]["consent"][-1]["about"]
    assert re.fullmatch(r"[0-9a-f]{64} [0-9a-f]{64}", f"{line['seal']} {line['digest']}")
    assert line["received"].endswith("Z")
    html = page(json.loads(json.dumps(export)))
    assert "ab" * 32 in html
    engine.store.close()


def test_a_page_cannot_be_made_to_do_anything(engine: Engine) -> None:
    """Whatever somebody sent is text: as a value, as the name of a field, as an id."""
    engine.accept_now(
        [an_event(user=NASTY, item=NASTY, context={NASTY: NASTY, "page": {NASTY: [NASTY]}})]
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
