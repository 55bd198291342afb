"""What nothing declares is refused by name: it is stored nowhere, and whoever forgot a declaration is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.app import erasing, folded
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.app.undeclared import NAMES, OTHERS, STORED, Undeclared
from germane.config.audit_undeclared import MOST, audit_undeclared
from germane.domain.campaign import Campaign, Enter
from germane.domain.event import Event, Rejection
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.moves import CampaignPut
from germane.domain.record import Txn
from germane.domain.settings import PrivacySpec, Settings
from germane.testing import FakeWorld, a_shop, an_event
from germane.testing.world import START_MS

SECRET = b"s3cr3t-value"
KEEP = replace(a_shop(), privacy=PrivacySpec(undeclared="keep"))


def words(folder: Path) -> bytes:
    """Every byte of a data folder."""
    return b"".join(each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file())


def call(kind: str, **fields: object) -> Event:
    return Event(f"m-{kind}-{len(str(fields))}", kind, START_MS, user_id="ann", **fields)  # type: ignore[arg-type]


SENT = [
    call("track", name="Doctor Booked", properties={"reason": "s3cr3t-value"}),
    call("identify", traits={"likes": "c1", "gender": "s3cr3t-value", "email": "ann@x.example"}),
    call("track", name="Product Viewed", properties={"product_id": "i1"},
         context={"traits": {"shoe": "s3cr3t-value"}}, extra={"note": "s3cr3t-value"}),
    call("group", group_id="acme", traits={"plan": "gold", "owner": "s3cr3t-value"}),
    call("page", name="Clinic", properties={"url": "s3cr3t-value"},
         context={"page": {"title": "s3cr3t-value"}, "locale": "de"}),
]  # fmt: skip


def test_it_is_stored_nowhere_and_named_everywhere(tmp_path: Path) -> None:
    """Not in the profile, not in the log, not in a dead letter; after a restart its names are known still."""
    engine = open_engine(a_shop(), tmp_path / "data", world=FakeWorld())
    letter = json.dumps({"type": "identify", "traits": {"gender": "s3cr3t-value", "likes": "c1"}})
    nameless = json.dumps(
        {"type": "track", "event": "Doctor Booked", "properties": {"a": "s3cr3t-value"}}
    )
    page = json.dumps({"type": "page", "name": "Clinic", "properties": {"a": "s3cr3t-value"}})
    sent = (letter, nameless, page)
    bad = [Rejection("event.missing_id", "no id", each.encode()) for each in sent]
    receipt = engine.accept_now(SENT, bad)
    assert receipt.accepted == len(SENT), "it is no mistake of the client's"
    person = engine.whose("ann")
    assert sorted(person.traits) == ["email", "likes"]
    assert (person.locale, person.account, len(person.rhythm)) == ("de", "acme", 1)
    assert [each.item_id for each in person.recent] == ["i1"]
    identified, visited = (json.loads(each.body) for each in engine.letters())
    assert (identified["traits"], visited) == ({"likes": "c1"}, {"type": "page"})
    names = {
        "track Doctor Booked": "Declare [signals.NAME] with event = 'Doctor Booked' and the item that "
        "it is about; what is about no item, a campaign may name",
        "trait gender": 'Declare [traits.gender] with category = "sensitive"',
        "trait shoe": 'Declare [traits.shoe] with category = "declared"',
        "account owner": 'Declare [traits.owner] with category = "declared"',
    }
    assert {name: remedy for name, _, remedy in engine.undeclared_names()} == names
    assert engine.refused["field note"] == 1
    engine.store.close()
    assert SECRET not in words(tmp_path / "data")
    again = open_engine(a_shop(), tmp_path / "data", world=FakeWorld())
    assert {name for name, *_ in again.undeclared_names()} == {*names}
    declared = replace(a_shop(), traits=a_shop().traits | {"shoe": a_shop().traits["likes"]})
    again.store.close()
    mended = open_engine(declared, tmp_path / "data", world=FakeWorld())
    assert "trait shoe" not in {name for name, *_ in mended.undeclared_names()}
    mended.store.close()


def test_what_a_campaign_listens_to_is_declared_by_it(engine: Engine) -> None:
    """Events, and pages whole; before it is pushed they are refused."""
    page = call("page", name="Clinic", properties={"url": "u"})
    booked = an_event("Doctor Booked", user="ann", message_id="b1")
    engine.accept_now([booked])
    for number, event in enumerate(("Doctor Booked", "page:Clinic")):
        engine.put_moves([CampaignPut(Campaign(f"c{number}", enter=Enter(event=event)))])
    engine.accept_now([replace(booked, message_id="b2"), page])
    kept = [each for each in engine.store.read(0) if each.kind == "event"]
    assert [each.message_id for each in kept] == ["b2", page.message_id]
    assert b"url" in kept[1].body
    assert engine.undeclared_names() == [], "it is declared now"


def test_a_no_inside_of_it_is_heard(engine: Engine) -> None:
    """The event is refused, what the banner said is not."""
    denied = {"consent": {"categoryPreferences": {}}}
    engine.accept_now([call("track", name="Banner Closed", context=denied, properties={"a": "x"})])
    assert engine.whose("ann").consent["personalisation"] is False
    (record,) = (each for each in engine.store.read(0) if each.kind == "event")
    assert b"Banner Closed" not in record.body


def test_an_old_log_is_folded_by_todays_declaration(tmp_path: Path) -> None:
    """A stricter configuration drops undeclared traits from what is read at once, and from what is stored at a
    rebuild; the same declaration folds the same state."""
    engine = open_engine(KEEP, tmp_path / "data", world=FakeWorld())
    engine.accept_now(SENT)
    assert "gender" in engine.whose("ann").traits
    engine.store.close()
    strict = open_engine(a_shop(), tmp_path / "data", world=FakeWorld())
    assert sorted(strict.readable(strict.whose("ann")).traits) == ["email", "likes"]
    rebuild(strict)
    stored = strict.store.profile(DEFAULT_TENANT, "u:ann")
    assert stored is not None
    assert sorted(stored.traits) == ["email", "likes"]
    strict.store.close()
    again = open_engine(a_shop(), tmp_path / "data", world=FakeWorld())
    assert rebuild(again).equal
    again.store.close()


def test_an_erasure_takes_the_names_along(tmp_path: Path) -> None:
    """Clients made them up: one may be somebody's."""
    engine = open_engine(a_shop(), tmp_path / "data", world=FakeWorld())
    engine.accept_now([*SENT, call("track", name="Hello from Annabella")])
    assert b"Annabella" in (engine.store.meta(STORED) or b"")
    erasing.erase_here(engine, "ann")
    engine.store.close()
    assert b"Annabella" not in words(tmp_path / "data")


@pytest.mark.parametrize("name", ["Bought by ann@x.example", "ann%40x.example", "Call 0301234567"])
def test_a_name_that_may_be_data_is_not_told(engine: Engine, name: str) -> None:
    """An address, a number."""
    engine.accept_now([an_event(name, user="ann")])
    assert name.encode() not in engine.undeclared.packed()
    assert engine.refused.total() == 1
    assert engine.undeclared_in([an_event(name)]) != [f"track {name}"]


def test_only_so_many_names_are_kept() -> None:
    """They come from clients."""
    counts = Undeclared(None)
    news = [counts.count([f"track {number}"]) for number in range(NAMES + 5)]
    assert news.count(True) == NAMES + 1
    assert counts.counts[OTHERS] == 5
    assert Undeclared(counts.packed()).counts == counts.counts


def test_the_check_names_them() -> None:
    """Each with its remedy, and no more than can be read."""
    found = audit_undeclared([(f"trait t{n}", n, "Declare it") for n in range(MOST + 3)])
    assert [each.level for each in found] == ["warning"] * (MOST + 1)
    assert "'t0'" in found[0].text
    assert found[0].remedy.startswith("Declare it")
    assert "3 more" in found[-1].text


def test_keep_keeps_all(tmp_path: Path) -> None:
    """As before; nothing is told as undeclared."""
    settings: Settings = KEEP
    engine = open_engine(settings, tmp_path / "data", world=FakeWorld())
    engine.accept_now(SENT)
    assert engine.undeclared_names() == []
    assert {"gender", "shoe"} < engine.whose("ann").traits.keys()
    engine.store.close()
    assert SECRET in words(tmp_path / "data")


def test_a_rebuild_says_why_it_finds_another_state(tmp_path: Path) -> None:
    """Another configuration, or an earlier version; once. Nothing is said where nothing changed."""
    engine = open_engine(KEEP, tmp_path / "data", world=FakeWorld())
    engine.accept_now(SENT)
    same = rebuild(engine)
    assert (same.equal, same.why) == (True, "")
    engine.store.close()
    strict = open_engine(a_shop(), tmp_path / "data", world=FakeWorld())
    other = rebuild(strict)
    assert not other.equal
    assert "configuration" in other.why
    strict.store.close()
    again = open_engine(a_shop(), tmp_path / "data", world=FakeWorld())
    assert (rebuild(again).equal, rebuild(again).why) == (True, "")
    again.store.commit(Txn(meta={folded.STORED: b"1 x"}))
    assert "earlier version" in rebuild(again).why
    assert rebuild(again).why == ""
    again.store.close()


def test_a_folder_that_was_written_under_two_configurations_says_so(tmp_path: Path) -> None:
    """Also when the last one is the first again."""
    for settings in (KEEP, a_shop(), KEEP):
        open_engine(settings, tmp_path / "data", world=FakeWorld()).store.close()
    engine = open_engine(KEEP, tmp_path / "data", world=FakeWorld())
    assert "configuration" in rebuild(engine).why
    engine.store.close()
