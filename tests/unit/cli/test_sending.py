"""Content, campaigns and messages from the command line, without a server: what is told and refused."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from germane.app.opening import open_engine
from germane.cli.errors import guarded
from germane.cli.program import app
from germane.config import load
from germane.domain.message import Why
from germane.domain.moves import Claimed, Settled
from germane.testing.world import START_MS
from tests.unit.app.test_posting import a_message, planned


class Shop:
    """A project, and commands in its folder, in this process."""

    def __init__(self, folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def run(self, *arguments: str, code: int = 0) -> str:
        """A command; what it printed, on both streams. It must end with that code."""
        self._monkeypatch.setattr(sys, "argv", ["germane", *arguments])
        got = guarded(app)
        printed = self._capsys.readouterr()
        assert got == code, printed
        return str(printed.out + printed.err)

    def told(self, *arguments: str, code: int = 0) -> Any:
        """The same with ``--json``."""
        return json.loads(self.run(*arguments, "--json", code=code))


@pytest.fixture
def bare(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The recipe as it is."""
    made = Shop(tmp_path / "shop", capsys, monkeypatch)
    made.run("init", str(made.folder))
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture
def shop(bare: Shop) -> Shop:
    """With everything pushed."""
    bare.run("content", "push")
    bare.run("campaign", "push")
    return bare


def test_what_is_pushed_is_what_is_in_the_folder(shop: Shop) -> None:
    """Changed files are told, wrong ones stop everything, and what is gone goes only when that is meant."""
    content, campaigns = shop.folder / "content", shop.folder / "campaigns"
    banner = content / "cart-banner.toml"
    banner.write_text(banner.read_text().replace('"To the cart"', '"Open the cart"'))
    seen = shop.told("content", "push", "--dry-run")
    assert (seen["changed"], seen["pushed"]) == (["cart-banner"], False)
    assert shop.told("content", "push")["changed"] == ["cart-banner"]
    assert "Open the cart" in shop.run("content", "show", "cart-banner")
    picks = content / "weekly-picks.toml"
    whole = picks.read_text()
    picks.write_text(whole.replace("https://shop.example", "https://elsewhere.example"))
    wrong = shop.told("content", "push", code=1)
    assert "no host that links may lead to" in wrong["errors"][0]["text"]
    picks.write_text(whole)
    (campaigns / "weekly-picks.toml").unlink()
    assert shop.told("campaign", "push")["gone"] == ["weekly-picks"]
    assert "There is nobody to ask" in shop.run("campaign", "push", "--prune", code=2)
    would = shop.run("campaign", "push", "--prune", "--dry-run")
    assert "--prune" not in would
    assert "0 would be, and weekly-picks would be ended." in would
    assert shop.told("campaign", "push", "--prune", "--yes")["removed"] == ["weekly-picks"]
    assert shop.told("campaign", "show", "weekly-picks")["status"] == "ended"
    picks.unlink()
    would = shop.run("content", "push", "--prune", "--dry-run")
    assert "and weekly-picks would be taken away." in would
    assert shop.told("content", "push", "--prune", "--yes")["removed"] == ["weekly-picks"]
    (campaigns / "cart-left.toml").write_text('content = "cart-banner"\n[enter]\nevnt = "x"\n')
    assert "Did you mean 'event'" in shop.run("campaign", "push", code=1)


def test_one_live_campaign_that_could_not_send_is_in_no_others_way(shop: Shop) -> None:
    """It stays as it was; those before and after it are pushed, and the command says both."""
    shop.run("campaign", "live", "cart-left", "--yes")
    for path in (shop.folder / "campaigns").glob("*.toml"):
        path.write_text(path.read_text().replace('title = "', 'title = "New: '))
    left = shop.folder / "campaigns" / "cart-left.toml"
    left.write_text(left.read_text().replace('content = "cart-banner"', 'content = "cart-baner"'))
    told = shop.told("campaign", "push", code=1)
    assert "There is no content 'cart-baner'" in told["refused"]["cart-left"]
    assert sorted(told["changed"]) == ["back-in-stock", "weekly-picks"]
    assert shop.told("campaign", "show", "weekly-picks")["title"].startswith("New: ")
    said = shop.run("campaign", "push", code=1)
    assert "cart-left is live, and could not send like this" in said
    left.write_text(left.read_text().replace("cart-baner", "cart-banner"))
    assert shop.told("campaign", "push")["changed"] == ["cart-left"]


def test_what_a_push_warns_of_is_told_once(shop: Shop) -> None:
    """Whether its file tells it, or the server that has the content, or both."""
    late = shop.folder / "campaigns" / "late.toml"
    late.write_text(
        'content = "nowhere"\n[enter]\naudience = "true"\nat = "2020-01-01T09:00"\n'
        '[send]\nwindow = "22:30-23:30"\n'
    )
    said = shop.run("campaign", "push")
    for text in (
        "is over: nobody comes in any more",
        "lies in the quiet hours",
        "no content 'nowhere'",
    ):
        assert said.count(text) == 1, said
    for remedy in ("Set enter.at to a time", "Change send.window", "Write content/nowhere.toml"):
        assert said.count(remedy) == 1, said
    late.write_text(late.read_text() + 'days = ["mon"]\n')
    told = shop.told("campaign", "push")
    for found in (told["obstacles"]["late"], told["warnings"]):  # a program reads the one it wants
        assert sum("is over" in each["text"] for each in found) == 1


def test_a_stop_is_seen_where_campaigns_are(shop: Shop) -> None:
    """Else all of them look as if they were sending."""
    assert "Sending is stopped" not in shop.run("campaign", "list")
    shop.run("stop-sending", "--reason", "a wrong price")
    shop.run("campaign", "live", "cart-left", "--yes")
    for command in ("list", "show"):
        names = ("cart-left",) if command == "show" else ()
        said = shop.run("campaign", command, *names)
        assert "Sending is stopped: everything (a wrong price)  germane go-on-sending" in said
    assert "go-on-sending`" in shop.run("campaign", "live", "cart-left", "--yes")
    shop.run("go-on-sending")
    shop.run("stop-sending", "--campaign", "weekly-picks")
    assert "Sending is stopped: campaign weekly-picks" in shop.run("campaign", "list")
    for command in ("show", "live"):
        assert "Sending is stopped" not in shop.run("campaign", command, "cart-left")


def test_messages_are_taken_back_and_resolved_together(shop: Shop) -> None:
    """One that cannot be is in no other's way; alone it is an error."""
    ids = made_up(shop.folder)
    assert "1 of them" not in shop.run("messages", "cancel", ids["queued"][0])
    told = shop.told("messages", "cancel", *ids["queued"][1:], "nothing", code=1)
    assert [each["status"] for each in told["messages"]] == ["cancelled", "cancelled"]
    assert told["refused"] == {"nothing": "There is no such message."}
    asked = ("messages", "resolve", *ids["ambiguous"], "--again")
    assert "Send 2 messages again?" in shop.run(*asked, code=2)
    assert "Send 2 messages again?" in shop.run(*asked, ids["queued"][0], code=2)
    none = shop.run("messages", "resolve", ids["queued"][0], "--again", code=1)
    assert "It is cancelled: there is no doubt to resolve." in none
    none = shop.run("messages", "resolve", ids["queued"][0], "nothing", "--again", code=1)
    assert "None of them is ambiguous: there is no doubt to resolve." in none
    assert "There is no such" in shop.run("messages", "resolve", "nothing", "--again", code=1)
    said = shop.run("messages", "resolve", *ids["ambiguous"], ids["queued"][0], "--arrived", code=1)
    assert "2 of them: counts as sent." in said
    assert "It is cancelled: there is no doubt to resolve." in said
    assert shop.told("messages", "list", "--status", "ambiguous") == []


def made_up(folder: Path) -> dict[str, list[str]]:
    """Messages in the outbox of a project: status -> ids."""
    settings = load(folder / "germane.toml", {}).settings
    engine = open_engine(settings, folder / "germane-data")
    found: dict[str, list[str]] = {"queued": [], "ambiguous": []}

    async def made() -> None:
        await engine.start()
        for number in range(5):
            message = a_message(number)
            found["queued" if number < 3 else "ambiguous"].append(message.message_id)
            await engine.move([planned(message)])
            if number >= 3:
                why = Why(START_MS, "test", "Nobody knows.")
                await engine.move([Claimed(message.message_id, "u@x.example", why)])
                await engine.move([Settled(message.message_id, "ambiguous", why)])
        await engine.stop()

    asyncio.run(made())
    engine.store.close()
    return found


def test_a_dry_run_is_told_apart_from_what_was_skipped(shop: Shop) -> None:
    """In the counts of a campaign, in lists, and where a person asks."""
    dry_run(shop.folder)
    told = shop.told("campaign", "show", "weekly-picks")["messages"]
    assert told == {"dry": 2, "skipped": 1}
    for command in (("list",), ("show", "weekly-picks")):
        assert "3 messages: 2 dry, 1 skipped" in shop.run("campaign", *command)
    assert len(shop.told("messages", "list", "--status", "dry")) == 2
    (left,) = shop.told("messages", "list", "--campaign", "weekly-picks", "--status", "skipped")
    assert left["personId"] == "u:u2"


def dry_run(folder: Path) -> None:
    """Three messages of a dry campaign, of which one would not have gone out."""
    settings = load(folder / "germane.toml", {}).settings
    engine = open_engine(settings, folder / "germane-data")
    changed = {"campaign": "weekly-picks", "due_ms": 0, "settled_ms": START_MS}
    messages = [a_message(x, status="skipped" if x == 2 else "dry", **changed) for x in range(3)]

    async def made() -> None:
        await engine.start()
        await engine.move([planned(each) for each in messages])
        await engine.stop()

    asyncio.run(made())
    engine.store.close()


def test_wrong_use_is_said_with_its_remedy(shop: Shop) -> None:
    """Names that are nearly right, and what was left out."""
    cases = {
        ("campaign", "show", "back-in-stok"): (1, "Did you mean 'back-in-stock'?"),
        ("content", "show", "cart"): (1, "cart-banner"),
        ("stop-sending", "--channel", "mail"): (1, "Did you mean 'email'?"),
        ("stop-sending", "--channel", "webhook:gone"): (1, "There is no channel"),
        ("go-on-sending", "--channel", "mail"): (1, "Did you mean 'email'?"),
        ("stop-sending", "--channel", "email", "--campaign", "x"): (2, "One at a time"),
        ("messages", "list", "--campaign", "back-in-stok"): (1, "Did you mean 'back-in-stock'?"),
        ("messages", "list", "--status", "send"): (1, "Did you mean 'sent'?"),
        ("messages", "show", "nothing"): (1, "messages list"),
        ("messages", "resolve", "nothing"): (2, "--arrived"),
        ("messages", "list", "--person", "nobody"): (1, "known"),
        ("consent", "ann", "email_marketing"): (2, "grant, or withdraw"),
        ("consent", "ann"): (1, "Nothing is known about 'ann'"),
        ("why-not", "ann", "back-in-stock"): (1, "Nothing is known about 'ann'"),
    }
    for arguments, (code, said) in cases.items():
        assert said in shop.run(*arguments, code=code), arguments


def test_no_way_out(shop: Shop) -> None:
    """A campaign for a channel that nobody configured cannot go live; check looks at the folders, too."""
    refused = shop.run("campaign", "live", "back-in-stock", "--yes", code=1)
    assert "No channel 'email' is configured" in refused
    assert shop.told("campaign", "list")[0]["status"] == "dry"
    shop.run("check")
    (shop.folder / "content" / "cart-banner.toml").unlink()
    assert "there is no content 'cart-banner'" in shop.run("check", code=1)


def test_a_person_and_a_campaign(shop: Shop) -> None:
    """Consent is recorded and shown; a purpose that nothing has is most likely a slip."""
    assert "so far" in shop.run("consent", "ann", "emial", "grant")
    refused = shop.run("consent", "ann", "Mein Zweck!", "grant", code=1)
    assert "'Mein Zweck!' is no name of a purpose." in refused
    assert "small letters, digits and underscores" in refused
    assert "In use: email_marketing, personalisation." in refused
    shop.run("consent", "ann", "email_marketing", "withdraw", "--notice", "v2")
    assert shop.told("consent", "ann")["consent"] == {"emial": True, "email_marketing": False}
    assert "no e-mail address is known" in shop.run("campaign", "preview", "back-in-stock")
    assert "Nothing has let them in" in shop.run("why-not", "ann", "back-in-stock")
    found = shop.told("why-not", "ann", "back-in-stock")
    assert (found["standing"], found["messages"]) == ("no_address", [])


def test_empty_folders_say_what_to_do(bare: Shop) -> None:
    """Before anything was pushed, and where there is no data at all."""
    assert "There is no data" in bare.run("campaign", "list", code=1)
    assert "There is no data" in bare.run("stop-sending", code=1)
    bare.run("import", "catalogue", "catalogue.csv")
    assert "run `germane content push`" in bare.run("content", "list")
    assert "run `germane campaign push`" in bare.run("campaign", "list")
    assert "a campaign makes them" in bare.run("messages", "list")
    missing = bare.run("content", "push", "nowhere", code=1)
    assert "There is no content in nowhere" in missing
    assert "There is no campaign in nowhere" in bare.run("campaign", "push", "nowhere", code=1)


def test_outcomes_of_what_was_pushed_and_never_said(shop: Shop) -> None:
    """It says why there are no figures; of what is not there, what was meant."""
    told = shop.told("content", "outcomes", "weekly-picks")
    assert told["content"] == "weekly-picks"
    assert told["windowS"] == 7 * 86_400
    printed = shop.run("content", "outcomes", "weekly-picks")
    assert "95 % intervals" in printed
    assert "weekly-picks" in shop.run("content", "outcomes", "weekly-pics", code=1)


def test_whose_work_is_pushed(bare: Shop) -> None:
    """It is kept with content and campaigns, and told."""
    refused = bare.run("content", "push", "--as", "ann", code=1)
    assert "no operator 'ann'" in refused
    bare.run("operator", "add", "ann", "--role", "editor")
    bare.run("content", "push", "--as", "ann")
    bare.run("campaign", "push", "--as", "ann")
    assert {each["putBy"] for each in bare.told("content", "list")} == {"ann"}
    name = bare.told("campaign", "list")[0]["campaign"]
    assert "put here by ann" in bare.run("campaign", "show", name)
