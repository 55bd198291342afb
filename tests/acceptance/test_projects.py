"""`germane serve --project`: two projects in one process, as clients, browsers and operators see them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.acceptance.conftest import Server, a_project, free_port, germane
from tests.acceptance.driving import drive_node, drive_python, opened_page
from tests.acceptance.pages import chromium, until, visitor

if TYPE_CHECKING:
    from playwright.sync_api import Page

OWN = ("GERMANE_WRITE_KEY", "GERMANE_SERVER_KEY")


class Shop(Server):
    """One of several: what tests of a server ask, they can ask of it."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder)
        self.url = f"http://127.0.0.1:{port}/p/{folder.name}"
        keys = dict(re.findall(r"^(\w+)=(.*)$", (folder / ".env").read_text(), re.MULTILINE))
        self.write_key, self.server_key = (keys[name] for name in OWN)
        self.api.close()
        self.api = httpx.Client(base_url=self.url, auth=(self.server_key, ""), timeout=30)


class Street:
    """The server of both."""

    def __init__(self, base: Path) -> None:
        self.port, self.log = free_port(), base / "server.log"
        self.url = f"http://127.0.0.1:{self.port}"
        self.shop, self.blog = (Shop(a_project(base / x), self.port) for x in ("shop", "blog"))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def both(self) -> tuple[Shop, Shop]:
        """In the order in which they are named."""
        return self.shop, self.blog

    def start(self) -> Street:
        """Start, and wait until all can serve."""
        named = [
            x for each in self.both for x in ("--project", f"{each.folder.name}={each.config}")
        ]
        environment = {k: v for k, v in os.environ.items() if k not in OWN}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "germane", "serve", *named, "--port", str(self.port)],
                env=environment | {"GERMANE_SERVER__LOG": "json"},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return self
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """The exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(30)

    def close(self) -> None:
        """Stop if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        for each in self.both:
            each.api.close()


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("street")).start()
    yield opened
    opened.close()


def test_published_clients_take_a_host_with_a_path(street: Street) -> None:
    """Python by its host, Node, which takes no path there, by its path; the other project hears nothing."""
    shop, blog = street.both
    for mode in ("queue", "gzip"):
        assert drive_python(shop, "2.4.0", mode).strip().endswith("done 0")
    driven = drive_node(blog, url=street.url, path="/p/blog/v1/batch")
    assert driven.strip().endswith("done 0"), driven
    assert shop.person("py-user")["account"] == "acme"
    assert blog.person("node-user")["account"] == "acme"
    assert shop.api.get("/v1/people/node-user").status_code == 404
    assert blog.api.get("/v1/people/py-user").status_code == 404
    printed = drive_python(blog, "2.4.0", "sync", key=shop.write_key)
    assert "auth.invalid_key" in printed, printed


LOAD = """
async ([host, key]) => {
  const { AnalyticsBrowser } = window.AnalyticsNext;
  const [analytics] = await AnalyticsBrowser.load(
    { writeKey: key, cdnURL: "http://" + host },
    { integrations: { "Segment.io": { apiHost: host + "/v1", protocol: "http" } } });
  await analytics.track("Product Viewed", { product_id: "kettle-1", price: 45 });
  await analytics.identify("browser-user", { firstName: "Free" });
  await new Promise(done => setTimeout(done, 1500));
}
"""


def test_the_browser_client(street: Street, shop_page: str) -> None:
    """From another origin, so with a preflight; its settings come from under the prefix, too."""
    failures: list[str] = []
    with opened_page(shop_page) as page:
        page.on("requestfailed", lambda x: failures.append(f"{x.url} {x.failure}"))
        page.evaluate(LOAD, [street.shop.url.removeprefix("http://"), street.shop.write_key])
    assert failures == []
    assert street.shop.person("browser-user")["traits"]["firstName"]["value"] == "Free"
    assert street.blog.api.get("/v1/people/browser-user").status_code == 404


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser, visitor(browser) as opened:
        yield opened


def test_the_snippet_finds_its_project(street: Street, page: Page) -> None:
    """From the address of its own script, on a page of each project, and nothing goes to the other one: not
    what a page left behind to be sent, nor who the visitor is, nor that they want none of it."""
    shop, blog = street.both
    asked: list[str] = []
    page.on("request", lambda x: asked.append(x.url) if x.method == "POST" else None)
    page.goto(f"{shop.url}/example")
    page.locator(".germane-card").first.wait_for()
    until(page, lambda: any("/p/shop/v1/impressions" in each for each in asked))
    assert all("/p/shop/v1/" in each for each in asked), asked
    mine = page.evaluate("() => germane.anonymousId")
    known = shop.api.get(f"/v1/people/a:{mine}")
    assert known.status_code == 200
    page.evaluate("() => germane.optOut()")
    asked.clear()
    page.goto(f"{blog.url}/example")
    page.locator(".germane-card").first.wait_for()
    until(page, lambda: any("/p/blog/v1/impressions" in each for each in asked))
    assert all("/p/blog/v1/" in each for each in asked), asked
    assert page.evaluate("() => germane.anonymousId") != mine
    assert blog.api.get(f"/v1/people/a:{mine}").status_code == 404
    page.locator(".germane-why").first.click()
    link = page.get_by_role("link", name="More", exact=True).first
    assert f"{blog.url}/w/" in (link.get_attribute("href") or "")


def test_the_page_of_the_api(street: Street, page: Page) -> None:
    """With its style and its document, both by addresses under the prefix."""
    failed: list[str] = []
    page.on("response", lambda x: failed.append(x.url) if x.status >= 400 else None)
    page.goto(street.shop.url)
    assert page.url == f"{street.shop.url}/docs"
    page.get_by_role("link", name="openapi.json").click()
    assert page.url == f"{street.shop.url}/openapi.json"
    assert failed == []


def command(shop: Shop, *arguments: str) -> str:
    """Of the command line, in the folder of a project."""
    done = germane(*arguments, cwd=shop.folder)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def test_commands_reach_their_own_project(street: Street) -> None:
    """They are told by the data folder where it is served: nobody says port or path."""
    shop, blog = street.both
    made = command(shop, "keys", "make", "--scope", "server", "--name", "import")
    key = next(each for each in made.split() if each.startswith("gs_"))
    assert httpx.get(f"{shop.url}/v1/surfaces", auth=(key, "")).status_code == 200
    assert httpx.get(f"{blog.url}/v1/surfaces", auth=(key, "")).status_code == 401
    assert "import" in command(shop, "keys", "list")
    assert "import" not in command(blog, "keys", "list")
    looked = json.loads(command(blog, "decide", "somebody", "home-grid", "--json"))
    assert looked["decisions"][0]["surface"] == "home-grid"
    assert "POST /v1/keys" in command(shop, "audit")
    assert "POST /v1/keys" not in command(blog, "audit")


def test_every_line_of_the_log_names_its_project(street: Street) -> None:
    httpx.get(f"{street.shop.url}/v1/surfaces")
    httpx.get(f"{street.url}/p/nosuch/v1/surfaces")
    time.sleep(0.2)
    lines = [json.loads(x) for x in street.log.read_text().splitlines() if x.startswith("{")]
    asked = [each.get("project") for each in lines if each.get("route") == "/v1/surfaces"]
    assert "shop" in asked
    assert asked[-1] is None


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_all_stop_and_nothing_is_lost(tmp_path: Path, how: signal.Signals) -> None:
    """Each with a snapshot; a start after it knows everything, and commands work on the folders between."""
    street = Street(tmp_path).start()
    try:
        for each in street.both:
            event = {
                "event": "Product Viewed",
                "userId": "u",
                "properties": {"product_id": "toy-1"},
            }
            assert each.api.post("/v1/track", json=event).status_code == 200
            assert (each.data_dir / "germane.address").read_text() == f"{each.url}\n"
        assert street.stop(how) == 0
        for each in street.both:
            assert not (each.data_dir / "germane.address").exists()
            assert list((each.data_dir / "models").rglob("*shared*")), "a snapshot"
            assert "u:u" in command(each, "person", "u")
        street.start()
        assert [each.api.get("/v1/people/u").status_code for each in street.both] == [200, 200]
    finally:
        street.close()
    assert "Traceback" not in street.log.read_text()
