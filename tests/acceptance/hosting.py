"""What tests of the browser snippet share: a server with an inbox, a site, a visitor."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from germane.domain.person_token import sign
from tests.acceptance.conftest import Server, a_project
from tests.acceptance.pages import Site, chromium, hosted, visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHOP = "Nothing is broken: the page's own words."
"""What the host page shows by itself."""
SLOT = f"<h1>Shop</h1><div id=slot data-x><p>{SHOP}</p></div><div class=tall></div>"


CHOICE = """
[surfaces.hero]
kind = "choice"
nothing = true
default = ["news"]
exploration_share = 0.5
[[surfaces.hero.actions]]
id = "news"
title = "What is new"
[[surfaces.hero.outcomes]]
name = "click"
signal = "click"
window = "1d"
"""


class WithInbox(Server):
    """A server whose in-app messages come from a file."""

    def command(self) -> list[str]:
        """The same parts, and an inbox."""
        self.inbox = self.folder / "inbox.json"
        if not self.inbox.exists():
            self.inbox.write_text("{}")
        what = [str(self.config), str(self.data_dir), str(self.port), str(self.inbox)]
        return [sys.executable, "-m", "tests.acceptance.inbox_server", *what]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithInbox]:
    """One server for all of these tests; each has people of its own."""
    opened = WithInbox(a_project(tmp_path_factory.mktemp("snippet") / "shop"))
    opened.config.write_text(opened.config.read_text().replace("[server]", f"{CHOICE}\n[server]"))
    opened.start()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser; each visitor has an empty profile."""
    with chromium(ignore_default_args=["--disable-back-forward-cache"]) as opened:
        yield opened


@pytest.fixture(scope="module")
def site(shop: Server) -> Iterator[Site]:
    """A site of another origin."""
    with hosted(shop.url) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A visitor, whom nothing may have gone wrong for at the end."""
    with visitor(browser, viewport={"width": 1000, "height": 700}) as opened:
        seen: list[str] = []
        opened.on("console", lambda said: seen.append(said.text) if said.type == "error" else None)
        opened.on("pageerror", lambda error: seen.append(str(error)))
        yield opened
        assert opened.evaluate("() => window.problems") == []
        quiet = ("Failed to load resource", "net::ERR")
        loud = [each for each in seen if not each.startswith(quiet)]
        assert not loud, loud


def loading(server: Server, person: str, more: str = "", *, valid_s: float = 600) -> str:
    """The line that begins everything, for one person."""
    token = sign(server.server_key, now_s=time.time(), valid_s=valid_s, user_id=person)
    options = f"host: '{server.url}', writeKey: '{server.write_key}', token: '{token}'"
    return f"germane.load({{ {options}, {more} }});"


def sent(page: Page, path: str) -> list[dict[str, Any]]:
    """Bodies of what this page sends there, from now on."""
    bodies: list[dict[str, Any]] = []
    page.context.on(
        "request",
        lambda x: (
            bodies.append(json.loads(x.post_data or "{}"))
            if x.url.endswith(path) and x.method == "POST"
            else None
        ),
    )
    return bodies


def cards(page: Page) -> Any:
    """The built-in cards of the slot."""
    return page.locator("#slot .germane-card")


def exposures(server: Server, person: str) -> list[dict[str, Any]]:
    """Slates that a person is known to have seen."""
    answer = server.api.get(f"/v1/people/{person}")
    return answer.json()["exposures"] if answer.status_code == 200 else []


def decided(server: Server, person: str, **ask: Any) -> list[dict[str, Any]]:
    """A look at what the server would show."""
    asked = {"surface": "home-grid", **ask}
    body = {"person": {"userId": person}, "surfaces": [asked], "record": False}
    return server.api.post("/v1/decide", json=body).json()["decisions"][0]["items"]


def interested(server: Server, person: str) -> bool:
    """Whether an interest of theirs is known."""
    answer = server.api.get(f"/v1/people/{person}")
    return answer.status_code == 200 and bool(answer.json()["interests"].get("category"))
