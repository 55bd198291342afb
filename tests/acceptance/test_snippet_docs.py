"""What the documentation of the browser snippet shows works as it stands there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.acceptance import tools
from tests.acceptance.conftest import Server
from tests.acceptance.hosting import browser, exposures, page, shop, site
from tests.acceptance.pages import Site, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["browser", "page", "shop", "site"]

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "in-the-browser.md"


def block(language: str, number: int = 0) -> str:
    """A block of code of the guide."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)[number]


def opens(server: Server, token: str, person: str) -> None:
    """The token is good, and of this person."""
    body = {"writeKey": server.write_key, "token": token, "surfaces": [{"surface": "home-grid"}]}
    answer = httpx.post(f"{server.url}/v1/decide", json=body)
    assert answer.status_code == 200, answer.text
    decision = answer.json()["decisions"][0]["decisionId"]
    seen = {"decisionId": decision, "positions": [0]}
    assert server.api.post("/v1/impressions", json=seen).json()["accepted"] == 1
    assert exposures(server, person)


def printed(command: list[str], server: Server) -> str:
    """What a program says."""
    key = {"GERMANE_SERVER_KEY": server.server_key, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=key, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_a_token_by_python(shop: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by the lines of the guide, it opens the server."""
    monkeypatch.setenv("GERMANE_SERVER_KEY", shop.server_key)
    names: dict[str, object] = {}
    exec(block("python"), names)  # noqa: S102 - our own documentation
    opens(shop, names["person_token"]("by-python"), "by-python")  # type: ignore[operator]


def test_a_token_by_node(shop: Server) -> None:
    """Likewise; its ids may be of any alphabet."""
    program = block("js") + 'console.log(personToken("жанна"));'
    opens(shop, printed([tools.node(), "-e", program], shop), "жанна")


def test_a_token_by_php(shop: Server) -> None:
    """Likewise."""
    program = block("php") + "echo person_token('by-php');"
    opens(shop, printed([tools.php(), "-r", program], shop), "by-php")


def test_the_page(page: Page, site: Site, shop: Server) -> None:
    """The whole page, but for key and address."""
    text = block("html").replace("http://127.0.0.1:8400", shop.url)
    site.pages["/guide"] = ("text/html", text.replace("WRITE_KEY", shop.write_key))
    page.goto(f"{site.address}/guide")
    page.locator(".germane-card").nth(7).wait_for()
    visitor = page.evaluate("() => germane.anonymousId")
    until(page, lambda: exposures(shop, visitor))


def test_a_token_that_is_fetched_and_own_markup(page: Page, site: Site, shop: Server) -> None:
    """The two further pieces together."""
    token = printed([tools.node(), "-e", block("js") + 'console.log(personToken("own"));'], shop)
    script = block("js", 1).replace("http://127.0.0.1:8400", shop.url)
    script = script.replace("WRITE_KEY", shop.write_key)
    address = site.page("/own-markup", script, block("html", 1))
    site.pages["/germane-token"] = ("text/plain", token)
    page.goto(address)
    page.locator("#for-you article h3").first.wait_for()
    assert page.locator("#for-you article .germane-why").count() == 8
    assert page.locator("#for-you em").count() == 0
    until(page, lambda: exposures(shop, "own"))
