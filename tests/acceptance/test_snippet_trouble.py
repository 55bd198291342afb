"""The snippet never breaks the page that hosts it, whatever the server, the network or the page does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from germane.api.snippet import script
from tests.acceptance.conftest import Server
from tests.acceptance.hosting import (
    SHOP,
    SLOT,
    WithInbox,
    browser,
    cards,
    exposures,
    interested,
    loading,
    page,
    shop,
    site,
)
from tests.acceptance.pages import Site, hosted, misbehaving, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["browser", "page", "shop", "site"]

ITEM = {"itemId": "a", "position": 0, "attributes": {"title": "T"}}
ODD = {"decisionId": "d", "surface": "home-grid", "arm": "personalised", "expiresAt": "never"}
TRY = """
germane.load({ host: HOST, writeKey: 'w', userId: 'u' });
germane.track('Product Viewed', { product_id: 'x' });
const done = Promise.all([germane.fill('#slot', 'home-grid'), germane.nudges()]);
done.then(found => { document.title = 'found ' + JSON.stringify(found); });
"""


@pytest.mark.parametrize(
    "mode",
    [
        "closes",
        "500",
        "slow",
        "",
        "<html>gone</html>",
        "null",
        "[]",
        '{"decisions": 5, "messages": 5}',
        '{"decisions": [{}], "messages": [{}, null, 7]}',
        '{"decisions": [{"decisionId": "d", "items": [null]}], "messages": null}',
        json.dumps({"decisions": [ODD | {"items": [7]}]}),
        '{"decisions": [' * 5_000,
    ],
    ids=lambda mode: mode[:40] or "empty",
)  # fmt: skip
def test_the_server_is_away_or_mad(page: Page, mode: str) -> None:
    """The page keeps its own words, in at most some seconds, and no error reaches it."""
    with misbehaving(script(), mode) as wrong, hosted(wrong) as site:
        page.goto(site.page("/wrong", TRY.replace("HOST", f"'{wrong}'"), SLOT))
        until(page, lambda: page.title().startswith("found "), 15)
        assert page.title() == "found [null,0]"
        assert page.locator("#slot").inner_text() == SHOP


def test_odd_items(page: Page) -> None:
    """What can be shown of an odd answer is shown; what is missing is left out, and clicks do no harm."""
    items = [ITEM, {"itemId": "b", "position": 1}, {"position": 2, "attributes": {"title": {}}}]
    answer = json.dumps({"decisions": [ODD | {"items": items}], "messages": []})
    with misbehaving(script(), answer) as wrong, hosted(wrong) as site:
        page.goto(site.page("/odd", TRY.replace("HOST", f"'{wrong}'"), SLOT))
        cards(page).first.wait_for()
        assert cards(page).count() == 2
        for number in (0, 1):
            cards(page).nth(number).locator(".germane-title").click()


def test_no_script_at_all(page: Page) -> None:
    """The page stands without us."""
    with hosted("http://127.0.0.1:9") as site:
        page.goto(site.page("/none", "window.germane && germane.fill('#slot', 'x');", SLOT))
        assert page.locator("#slot").inner_text() == SHOP


POLLUTED = """
Array.prototype.toJSON = function () { return "wrong"; };
Array.prototype.last = function () { return this[this.length - 1]; };
Object.prototype.extra = "everywhere";
String.prototype.toJSON = undefined;
window.track = window.load = window.store = window.words = window.me = "the page's";
"""
WRECKED = """
Array.prototype.map = Array.prototype.filter = () => { throw new Error("wrecked"); };
Array.prototype[Symbol.iterator] = undefined;
Element.prototype.append = undefined;
JSON.stringify = () => { throw new Error("wrecked"); };
window.fetch = undefined;
localStorage.setItem = undefined;
"""


def test_a_page_that_adds_to_everything(page: Page, site: Site, shop: Server) -> None:
    """Old libraries do: the snippet works as ever, and leaves one name behind."""
    go = loading(shop, "pol") + "germane.fill('#slot', 'home-grid', { size: 2 });"
    go += "germane.track('Product Viewed', { product_id: 'tent-1', tags: ['a', 'b'] });"
    site.page("/before", POLLUTED + "window.names = 0; names = new Set(Object.keys(window));", "")
    head = "<script src=/before.js></script>"
    page.goto(site.page("/polluted", go, SLOT, head=head))
    cards(page).first.wait_for()
    until(page, lambda: interested(shop, "pol"))
    until(page, lambda: exposures(shop, "pol"))
    new = page.evaluate(
        "() => JSON.stringify(Object.keys(window).filter(x => !names.has(x)).join())"
    )
    assert json.loads(new).split(",") == ["germane"]
    assert (
        page.evaluate("() => window.load + typeof Array.prototype.toJSON") == "the page'sfunction"
    )


def test_a_page_that_breaks_everything(page: Page, site: Site, shop: Server) -> None:
    """There is nothing to be done then, and nothing is made worse: no error, no content lost."""
    go = loading(shop, "wre") + "germane.fill('#slot', 'home-grid'); germane.nudges();"
    go += "germane.track('x'); germane.identify('y'); germane.page(); germane.optOut();"
    site.page("/wreck", WRECKED, "")
    head = "<script src=/wreck.js></script>"
    page.goto(site.page("/wrecked", go, SLOT, head=head))
    page.wait_for_timeout(1_000)
    assert page.locator("#slot").text_content() == SHOP
    page.goto("about:blank")  # in that page not even the tests can ask anything


@pytest.mark.parametrize(
    ("own", "body", "works"),
    [
        ("window.germane = () => 'the page';", "", False),
        ("window.germane = { load: () => 'the page' };", "", False),
        ("", "<form name=germane><img name=currentScript></form>", True),
        ("window.germane = [['load', OPTIONS], ['fill', '#slot', 'home-grid']];", "", True),
    ],
)
def test_somebody_has_the_name(
    page: Page, site: Site, shop: Server, own: str, body: str, works: bool
) -> None:
    """A page's own ``germane`` stays; an element of that name is no obstacle; a list is what to do first."""
    line = loading(shop, "nam")
    options = line[len("germane.load(") : line.rindex(")")]
    site.page("/own", own.replace("OPTIONS", options), "")
    go = "" if "OPTIONS" in own else line + "germane.fill('#slot', 'home-grid');"
    tag = f"<script src=/own.js></script><script src='{shop.url}/germane.js' defer></script>"
    if not works:
        go = "window.theirs = typeof germane === 'function' ? germane() : germane.load();"
    page.goto(site.page("/named", go, body + SLOT, tag=tag))
    if works:
        cards(page).first.wait_for()
    else:
        assert page.evaluate("() => window.theirs") == "the page"
        other = f"<script src=/own.js></script><script src='{shop.url}/germane.js' data-name=g></script>"
        go = loading(shop, "nam").replace("germane.", "g.") + "g.fill('#slot', 'home-grid');"
        page.goto(site.page("/renamed", go, SLOT, tag=other))
        cards(page).first.wait_for()


def test_a_page_that_removes_nodes(page: Page, site: Site, shop: Server) -> None:
    """The slot goes while the answer is on its way; our own boxes are thrown out; calls are nonsense."""
    go = loading(shop, "rem") + (
        "const filling = germane.fill('#slot', 'home-grid'); document.querySelector('#slot').remove();"
        "filling.then(() => { document.title = 'filled'; });"
        "germane.fill('##wrong', 'home-grid'); germane.fill(null, null); germane.fill('h1', 'no-such');"
        "germane.fill('h1', 'home-grid', { render: () => { throw new Error('theirs'); } });"
        "germane.track(); germane.track(Symbol.iterator, 7); germane.identify(null, 5);"
        "germane.load(null); germane.load(7); germane.outcome();"
    )
    page.goto(site.page("/removing", go, SLOT))
    until(page, lambda: page.title() == "filled")
    assert page.locator("h1").inner_text() == "Shop"


def test_why_survives_a_page_that_throws_boxes_out(page: Page, site: Site, shop: Server) -> None:
    """The next question is answered in a new box."""
    page.goto(site.page("/out", loading(shop, "why") + "germane.fill('#slot', 'home-grid');", SLOT))
    cards(page).first.locator("button").click()
    page.evaluate("() => document.querySelector('germane-ui').remove()")
    page.locator("h1").click()
    cards(page).first.locator("button").click()
    page.get_by_role("dialog", name="Why am I seeing this?").wait_for()


def test_offline_and_online_again(page: Page, site: Site, shop: Server) -> None:
    """What was decided stays there to be shown until it expires; what happened is told later, once."""
    go = loading(shop, "off") + "germane.fill('#slot', 'home-grid', { size: 3 });"
    page.goto(site.page("/offline", go, SLOT + "<div id=slot2>own</div><div id=slot3>own</div>"))
    until(page, lambda: exposures(shop, "off"))
    shown = cards(page).all_inner_texts()
    page.context.set_offline(True)
    page.evaluate("() => { germane.fill('#slot2', 'home-grid', { size: 3 }); }")
    page.locator("#slot2 .germane-card").first.wait_for(timeout=2_000)
    assert page.locator("#slot2 .germane-card").all_inner_texts() == shown
    page.evaluate("() => { germane.fill('#slot3', 'home-grid', { size: 5 }); }")
    page.evaluate("() => germane.track('Product Viewed', { product_id: 'tent-1' })")
    page.wait_for_timeout(1_000)
    assert page.locator("#slot3").inner_text() == "own"
    assert not interested(shop, "off")
    page.context.set_offline(False)
    until(page, lambda: interested(shop, "off"))
    page.wait_for_timeout(500)
    assert shop.person("off")["readiness"]["evidence"] == 1


def test_an_answer_that_has_expired_is_not_shown(page: Page, site: Site, shop: Server) -> None:
    """Not even offline."""
    go = loading(shop, "exp") + "germane.fill('#slot', 'home-grid', { size: 3 });"
    page.goto(site.page("/expired", go, SLOT + "<div id=slot2>own</div>"))
    cards(page).first.wait_for()
    age = """() => {
      for (const name of Object.keys(localStorage).filter(x => x.includes(":d:"))) {
        const kept = JSON.parse(localStorage[name]);
        localStorage[name] = JSON.stringify({ ...kept, expiresAt: new Date(Date.now() - 60000).toISOString() });
      }
    }"""
    page.evaluate(age)
    page.context.set_offline(True)
    page.evaluate("() => { germane.fill('#slot2', 'home-grid', { size: 3 }); }")
    page.wait_for_timeout(500)
    assert page.locator("#slot2").inner_text() == "own"
    page.context.set_offline(False)


def test_a_server_that_comes_back(page: Page, site: Site, shop: WithInbox) -> None:
    """Events are sent again until the server has them, also by the next page; once each."""
    address = site.page("/comes-back", loading(shop, "bak"), SLOT)
    page.goto(address)
    shop.kill()
    for number in (1, 2, 3):
        page.evaluate(f"() => germane.track('Product Viewed', {{ product_id: 'tent-{number}' }})")
    page.wait_for_timeout(500)
    page.goto(site.page("/other", "", "<h1>Elsewhere</h1>", tag="<!-- -->"))
    shop.start()
    page.goto(address)
    until(page, lambda: interested(shop, "bak"), 30)
    page.wait_for_timeout(1_000)
    assert shop.person("bak")["readiness"]["evidence"] == 3


def test_storage_that_is_shut(page: Page, site: Site, shop: Server) -> None:
    """Without localStorage everything works for as long as the page is open."""
    shut = (
        "Object.defineProperty(window, 'localStorage',"
        " { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    site.page("/shut", shut, "")
    go = loading(shop, "sec") + "germane.fill('#slot', 'home-grid', { size: 2 });"
    page.goto(site.page("/private", go, SLOT, head="<script src=/shut.js></script>"))
    cards(page).first.wait_for()
    until(page, lambda: exposures(shop, "sec"))


def test_a_clock_that_is_wrong(page: Page, site: Site, shop: Server) -> None:
    """A device an hour slow: its reports are dated by the server's clock, or they would be refused."""
    site.page("/slow-clock", "const real = Date.now; Date.now = () => real() - 3600000;", "")
    go = loading(shop, "slo") + "germane.fill('#slot', 'home-grid', { size: 2 });"
    page.goto(site.page("/slow", go, SLOT, head="<script src=/slow-clock.js></script>"))
    cards(page).first.wait_for()
    until(page, lambda: exposures(shop, "slo"))


def test_size(shop: Any) -> None:
    """What a browser fetches, packed: small enough not to be noticed."""
    import gzip

    packed = len(gzip.compress(script().encode(), 9))
    assert packed < 12_100, packed
