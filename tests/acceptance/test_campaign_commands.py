"""Content, campaigns, messages, the kill switch and consent by commands: beside a server, and alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Server, a_project, germane
from tests.acceptance.mailing import Sink, smtp_sink, text_of

MAIL = """
[channels.email]
host = "127.0.0.1"
port = 2525
tls = "none"
from = "The shop <news@shop.example>"

[links]
base_url = "http://127.0.0.1:8400"
"""
AT_ONCE = {"GERMANE_DELIVERY__QUIET_HOURS": "none", "GERMANE_DELIVERY__SPREAD": "0s"}
ANN = "ann@example.org"


class Shop(Server):
    """The recipe, with a way out for e-mail, and commands in its folder."""

    def run(self, *arguments: str, code: int = 0) -> str:
        """A command; what it printed, on both streams. It must end with that code."""
        done = germane(
            *arguments,
            cwd=self.folder,
            GERMANE_SERVER__PORT=str(self.port),
            GERMANE_SERVER_KEY=self.server_key,
            GERMANE_WRITE_KEY=self.write_key,
            **self.environment,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return str(done.stdout + done.stderr)

    def told(self, *arguments: str, code: int = 0) -> Any:
        """The same with ``--json``."""
        return json.loads(self.run(*arguments, "--json", code=code))

    def wanted(self, user: str, address: str, item: str = "boots-3") -> None:
        """Somebody with an address who put an item into the cart twice."""
        traits = {"email": address, "first_name": user.title()}
        self.tracked("identify", user, traits=traits)
        for _ in range(2):
            self.tracked("track", user, event="Product Added", properties={"product_id": item})

    def tracked(self, kind: str, user: str, **fields: Any) -> None:
        """A tracking call."""
        answer = self.api.post(f"/v1/{kind}", json={"userId": user, **fields})
        assert answer.status_code == 200, answer.text

    def stocked(self, item: str, there: bool) -> None:
        """The catalogue says whether an item is to be had."""
        answer = self.api.patch(f"/v1/items/{item}", json={"inStock": there})
        assert answer.status_code == 200, answer.text

    def messages(self, count: int, *arguments: str, seconds: float = 20) -> list[dict[str, Any]]:
        """Wait until so many are listed, the newest first."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.told("messages", "list", *arguments)
            if len(found) >= count:
                return list(found)
        raise AssertionError(self.run("messages", "list"))


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Takes the mail."""
    with smtp_sink() as made:
        yield made


@pytest.fixture
def shop(tmp_path: Path, sink: Sink) -> Iterator[Shop]:
    """A project; its server is not started yet."""
    folder = a_project(tmp_path / "shop")
    with (folder / "germane.toml").open("a") as file:
        file.write(MAIL)
    opened = Shop(folder, GERMANE_CHANNELS__EMAIL__PORT=str(sink.port), **AT_ONCE)
    opened.environment["GERMANE_LINKS__BASE_URL"] = opened.url
    yield opened
    opened.close()


def test_the_first_message(shop: Shop, sink: Sink) -> None:
    """From two folders of files to a mail that was read, beside a running server; then the brakes."""
    shop.start()
    assert "new      back-in-stock" in shop.run("content", "push")
    assert shop.told("content", "push")["same"] == ["back-in-stock", "cart-banner", "weekly-picks"]
    said = shop.run("campaign", "push")
    assert "A new campaign is dry" in said
    assert {x["status"] for x in shop.told("campaign", "list")} == {"dry"}

    shop.wanted("ann", ANN)
    preview = shop.told("campaign", "preview", "back-in-stock")
    assert (preview["people"], preview["counts"]["no_consent"]) == (1, 1)
    shop.run("consent", "ann", "email_marketing", "grant", "--notice", "2026-11")
    assert shop.told("consent", "ann")["consent"] == {"email_marketing": True}
    assert "1  would get it" in shop.run("campaign", "preview", "back-in-stock")
    assert "There is nobody to ask" in shop.run("campaign", "live", "back-in-stock", code=2)
    live = shop.told("campaign", "live", "back-in-stock", "--yes")
    assert (live["status"], live["notes"]) == ("live", [])
    assert "waits for the item" in shop.run("why-not", "ann", "back-in-stock")

    shop.stocked("boots-3", there=True)
    (mail,) = sink.to(ANN, 1)
    assert "Everyday sneakers" in text_of(mail)
    (message,) = shop.messages(1, "--status", "sent")
    assert (message["campaign"], message["personId"]) == ("back-in-stock", "u:ann")
    shown = shop.run("messages", "show", message["messageId"])
    assert "Everyday sneakers" in shown
    assert "It goes out." in shown
    assert "newest message is sent" in shop.run("why-not", "ann", "back-in-stock")
    assert "1 message: 1 sent" in shop.run("campaign", "list")
    assert "1 message: 1 sent" in shop.run("campaign", "watch", "back-in-stock")

    stopped = shop.told("stop-sending", "--reason", "a wrong price")
    assert stopped["on"] == [{"scope": "all", "name": "", "reason": "a wrong price"}]
    shop.wanted("bob", "bob@example.org")
    shop.run("consent", "bob", "email_marketing", "grant")
    shop.stocked("boots-3", there=False)
    shop.stocked("boots-3", there=True)
    (held,) = shop.messages(1, "--person", "bob")
    assert held["status"] == "queued"
    time.sleep(1.5)
    assert shop.told("messages", "show", held["messageId"])["whys"][-1]["code"] == "switch.off"
    assert "There was no stop of campaign back-in-stock" in shop.run(
        "go-on-sending", "--campaign", "back-in-stock"
    )
    assert "It will not go out" in shop.run("messages", "cancel", held["messageId"])
    assert "Goes on: everything" in shop.run("go-on-sending")
    assert shop.told("go-on-sending") == {"on": []}
    assert "only what waits" in shop.run("messages", "cancel", held["messageId"], code=1)
    assert len(sink.mails) == 1


def test_without_a_server(shop: Shop) -> None:
    """The same commands open the data folder themselves, and say that nothing goes out before a server runs."""
    assert "No such" not in shop.run("campaign", "list")
    assert "run `germane content push`" in shop.run("content", "list")
    assert "run `germane campaign push`" in shop.run("campaign", "list")
    assert "a campaign makes them" in shop.run("messages", "list")
    assert "There is no content" in shop.run("campaign", "push")
    refused = shop.run("campaign", "live", "cart-left", "--yes", code=1)
    assert "There is no content 'cart-banner'" in refused
    shop.run("content", "push")
    live = shop.told("campaign", "live", "cart-left", "--yes")
    assert live["notes"] == [
        "No server has this data folder: nothing goes out before `germane serve`."
    ]
    assert "It is live already" in shop.run("campaign", "live", "cart-left")
    assert "No server has this data folder" in shop.run("campaign", "watch", "cart-left", code=2)
    assert shop.told("campaign", "pause", "cart-left")["status"] == "paused"
    assert "said by cart-left" in shop.run("content", "remove", "cart-banner", "--yes", code=1)
    assert shop.told("campaign", "end", "cart-left")["status"] == "ended"
    assert shop.told("content", "remove", "cart-banner", "--yes") == {"removed": "cart-banner"}
    shop.run("consent", "u:eve", "email_marketing", "withdraw")
    assert shop.told("consent", "eve")["consent"] == {"email_marketing": False}
    shop.start()
    assert shop.person("eve")["consent"] == {"email_marketing": False}
    assert shop.api.get("/v1/campaigns/cart-left").json()["status"] == "ended"
