"""The browser snippet in real Chromium, on pages with a strict policy, against a real server."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from germane.domain.person_token import sign
from tests.acceptance.conftest import Server
from tests.acceptance.hosting import (
    SHOP,
    SLOT,
    WithInbox,
    browser,
    cards,
    decided,
    exposures,
    interested,
    loading,
    page,
    sent,
    shop,
    site,
)
from tests.acceptance.pages import Site, another_tab, until, visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser", "page", "shop", "site"]


def test_a_slot_is_filled_and_what_is_seen_is_told(page: Page, site: Site, shop: Server) -> None:
    """Under the strictest policy, without a shift; what is below the fold is told when it was scrolled to."""
    body = f"<div class=tall></div>{SLOT}"
    script = loading(shop, "eve") + "germane.fill('#slot', 'home-grid', { size: 4 });"
    told = sent(page, "/v1/impressions")
    page.goto(site.page("/seen", script, body))
    cards(page).first.wait_for(state="attached")
    page.wait_for_timeout(1_800)
    assert told == []
    page.locator("#slot").scroll_into_view_if_needed()
    page.evaluate("() => document.querySelector('#slot').scrollIntoView()")
    page.wait_for_timeout(600)
    assert told == [], "not before a second is over"
    until(page, lambda: told and exposures(shop, "eve"))
    positions = sorted(position for each in told for position in each["positions"])
    assert positions == [0, 1, 2, 3]
    assert len(exposures(shop, "eve")[0]["items"]) == 4
    page.evaluate("() => scrollTo(0, 0)")
    page.wait_for_timeout(300)
    page.evaluate("() => document.querySelector('#slot').scrollIntoView()")
    page.wait_for_timeout(1_800)
    assert sorted(x for each in told for x in each["positions"]) == positions, "each once"
    assert page.evaluate("() => window.shift") < 0.01
    assert "germane_filled" not in page.content()
    assert page.locator("#slot").get_attribute("data-germane-filled") == "personalised"


def test_what_is_hidden_was_not_seen(page: Page, site: Site, shop: Server) -> None:
    """Inside the window, and yet invisible; or in a tab that is not in front."""
    script = loading(shop, "hid") + "germane.fill('#slot', 'home-grid', { size: 2 });"
    told = sent(page, "/v1/impressions")
    page.goto(site.page("/hidden", script, SLOT))
    page.evaluate("() => { document.querySelector('#slot').style.opacity = 0; }")
    cards(page).first.wait_for(state="attached")
    page.wait_for_timeout(2_000)
    assert told == []
    page.evaluate("() => { document.querySelector('#slot').style.opacity = 1; }")
    until(page, lambda: told)


def test_a_click_is_credited(page: Page, site: Site, shop: Server) -> None:
    """Also when it leads away from the page at once: it reaches the decision that showed the item."""
    for number in (1, 2, 3, 4):
        for kind in ("tent", "mat", "bike", "lamp"):
            url = {"url": f"{site.address}/product", "imageUrl": "https://img.example/x.png"}
            shop.api.patch(f"/v1/items/{kind}-{number}", json=url)
    site.page("/product", "", "<h1>Product</h1>", tag="<!-- -->")
    pick = "germane.fill('#slot', 'home-grid', { size: 1, exclude: %s });"
    others = [x["itemId"] for x in decided(shop, "nobody", size=64) if "tent" not in x["itemId"]]
    page.goto(site.page("/click", loading(shop, "cleo") + pick % json.dumps(others), SLOT))
    title = page.locator("#slot a .germane-title")
    title.wait_for()
    title.click()
    page.wait_for_url("**/product")
    until(page, lambda: any(each["credited"] for each in exposures(shop, "cleo")))
    (exposure,) = exposures(shop, "cleo")
    (credited,) = exposure["credited"]
    assert credited.startswith("tent-")
    assert credited.endswith("|click")
    clicks = shop.person("cleo")["interests"]["category"]
    assert {each["value"] for each in clicks} == {"Tents"}
    page.evaluate("() => { window.problems = []; }")


def test_why_and_less_like_this(page: Page, site: Site, shop: Server) -> None:
    """The reasons in sentences, by keyboard alone; a dismissal teaches, and the item goes away."""
    view = {"userId": "dora", "event": "Product Viewed", "properties": {"product_id": "bike-1"}}
    for number in range(3):
        shop.api.post("/v1/track", json=view | {"messageId": f"dora{number}"})
    script = loading(shop, "dora") + "germane.fill('#slot', 'home-grid', { size: 4 });"
    page.goto(site.page("/why", script, SLOT))
    cards(page).first.wait_for()
    first = cards(page).filter(has_text="bike").or_(cards(page)).first
    first.locator("button").focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog", name="Why am I seeing this?")
    assert "interested in Cycling" in box.inner_text()
    page.keyboard.press("Escape")
    assert box.count() == 0
    assert page.evaluate("() => document.activeElement.className") == "germane-why"
    page.keyboard.press("Enter")
    box.get_by_role("button", name="Less like this").click()
    until(page, lambda: cards(page).count() == 3)

    def disliked() -> bool:
        rows = shop.person("dora")["interests"]["category"]
        return any("dismiss" in row["from"]["text"] for row in rows)

    until(page, disliked)
    assert page.evaluate("() => document.activeElement.className") == "germane-why", "focus is kept"
    until(page, lambda: "Noted" in page.locator("germane-ui [role=status]").inner_text())


def test_less_like_this_is_obeyed(page: Page, site: Site, shop: Server) -> None:
    """What the person took out is not in the next answer, and its category is behind."""
    script = loading(shop, "lea") + "germane.fill('#slot', 'home-grid', { size: 4 });"
    page.goto(site.page("/less", script, SLOT))
    cards(page).first.wait_for()
    title = cards(page).first.locator(".germane-title").inner_text()
    before = {each["attributes"]["title"]: each for each in decided(shop, "lea", size=64)}
    cards(page).first.locator("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Less like this").click()
    until(page, lambda: cards(page).count() == 3)
    until(page, lambda: muted(shop, "lea")["items"])
    now = [each["attributes"]["title"] for each in decided(shop, "lea", size=64)]
    assert title in before
    assert title not in now
    assert len(now) > 3
    page.reload()
    cards(page).first.wait_for()
    assert cards(page).count() == 4
    assert title not in page.locator("#slot").inner_text()
    assert title in [x["attributes"]["title"] for x in decided(shop, "another", size=64)]


def test_not_for_this_reason_and_not_at_all(page: Page, site: Site, shop: Server) -> None:
    """A reason that is no reason any more is not given again; who opts out gets what everyone gets, and
    can come back."""
    view = {"userId": "ned", "event": "Product Viewed", "properties": {"product_id": "bike-1"}}
    for number in range(3):
        shop.api.post("/v1/track", json=view | {"messageId": f"ned{number}"})
    script = loading(shop, "ned") + "germane.fill('#slot', 'home-grid', { size: 4 });"
    address = site.page("/reason", script, SLOT)
    page.goto(address)
    box = page.get_by_role("dialog", name="Why am I seeing this?")

    def ask() -> str:
        cards(page).first.locator("button").click()
        return str(box.inner_text())

    cards(page).first.wait_for()
    assert "interested in Cycling" in ask()
    reason = box.get_by_role("listitem").filter(has_text="interested in Cycling")
    reason.get_by_role("button", name="Not for this reason").click()
    reason.get_by_text("Noted.").wait_for()
    until(page, lambda: muted(shop, "ned")["reasons"])
    page.reload()
    cards(page).first.wait_for()
    assert "interested in" not in ask()
    with page.context.expect_page() as opened:
        box.get_by_role("link", name="More").click()
    opened.value.get_by_role("heading", name="Why am I seeing this?").wait_for()
    assert "what you are interested in" in opened.value.locator("main").inner_text()
    opened.value.close()
    box.get_by_role("button", name="No personalisation for me").click()
    until(page, lambda: shop.person("ned")["consent"] == {"personalisation": False})
    page.reload()
    cards(page).first.wait_for()
    assert page.locator("#slot").get_attribute("data-germane-filled") == "opted_out"
    assert "This is shown to everyone." in ask()
    box.get_by_role("button", name="Personalise for me again").click()
    until(page, lambda: shop.person("ned")["consent"] == {"personalisation": True})


def test_the_page_that_tells_why(browser: Browser, shop: Server) -> None:
    """Whatever is in titles and categories stays text; a button works without a script, by keyboard, on a
    phone, and nothing of the page breaks its own policy."""
    shop.api.put("/v1/items/evil-9", json={**EVIL, "category": EVIL["title"], "price": 9})
    view = {"userId": "wes", "event": "Product Viewed", "properties": {"product_id": "evil-9"}}
    shop.api.post("/v1/track", json=view)
    body = {"person": {"userId": "wes"}, "surfaces": [{"surface": "home-grid", "size": 64}]}
    made = shop.api.post("/v1/decide", json=body | {"explain": True}).json()["decisions"][0]
    place = next(x["position"] for x in made["items"] if x["itemId"] == "evil-9")
    seen: list[str] = []
    with visitor(browser, viewport={"width": 360, "height": 740}) as page:
        page.on("console", lambda said: seen.append(said.text))
        page.on("dialog", lambda said: seen.append(said.message))
        page.goto(f"{made['whyUrl']}?at={place}")
        page.get_by_text("<img src=x onerror", exact=False).first.wait_for()
        assert page.locator("main").locator("img, script, a, [onerror]").count() == 0
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
        assert page.evaluate("() => window.problems") == []
        page.get_by_role("button", name="Less like this").focus()
        page.keyboard.press("Enter")
        page.get_by_role("status").wait_for()
        assert "You do not see: <img src=x" in page.locator("main").inner_text()
        assert page.locator("main").locator("img, script, a, [onerror]").count() == 0
        assert page.evaluate("() => window.problems") == []
    assert seen == []
    assert muted(shop, "wes")["items"][0]["itemId"] == "evil-9"
    assert "evil-9" not in [x["itemId"] for x in decided(shop, "wes", size=65)]
    shop.api.delete("/v1/items/evil-9")


def muted(server: Server, person: str) -> dict[str, Any]:
    """What a person asked to be spared."""
    answer = server.api.get(f"/v1/people/{person}")
    nothing: dict[str, Any] = {"items": [], "values": [], "reasons": []}
    return answer.json()["muted"] if answer.status_code == 200 else nothing


TEMPLATE = """
<div id=slot><p>Ours</p><template><article>
  <a data-href="url"><img data-src="imageUrl" data-alt="title"><b data-text="title"></b></a>
  <i data-text="priceText"></i><s data-if="badge" data-text="badge"></s><span data-why></span>
</article></template></div>"""


def test_a_template_of_the_page(page: Page, site: Site, shop: Server) -> None:
    """The page's own markup, filled; what an item does not have is left out."""
    script = loading(shop, "tom") + "germane.fill('#slot', 'home-grid', { size: 2 });"
    page.goto(site.page("/template", script, TEMPLATE))
    page.locator("#slot > article").first.wait_for()
    assert page.locator("#slot > article").count() == 2
    assert page.locator("#slot > template").count() == 1
    assert page.locator("#slot s").count() == 0
    assert page.locator("#slot [data-why] button").count() == 2
    assert page.locator("#slot b").first.inner_text()
    assert "€" in page.locator("#slot i").first.inner_text()


EVIL = {
    "title": "<img src=x onerror=\"window.problems.push('xss title')\"><script>problems.push(1)</script>",
    "url": "javascript:window.problems.push('xss url')",
    "imageUrl": "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
}


@pytest.mark.parametrize("body", [SLOT, TEMPLATE], ids=["cards", "template"])
def test_markup_in_the_catalogue_is_text(page: Page, site: Site, shop: Server, body: str) -> None:
    """Titles are text, and an address that would run something is no address."""
    shop.api.put("/v1/items/evil-1", json={**EVIL, "category": "Tents", "price": 9})
    others = [x["itemId"] for x in decided(shop, "nobody", size=65) if x["itemId"] != "evil-1"]
    fill = f"germane.fill('#slot', 'home-grid', {{ size: 1, exclude: {json.dumps(others)} }});"
    page.goto(site.page("/evil", loading(shop, "xena") + fill, body))
    slot = page.locator("#slot")
    slot.get_by_text("<img src=x onerror", exact=False).wait_for()
    assert slot.locator("script").count() == 0
    assert slot.locator("a[href], img[src]").count() == 0
    slot.get_by_text("<img src=x", exact=False).click()
    shop.api.delete("/v1/items/evil-1")


def test_a_page_without_a_script_of_its_own(page: Page, site: Site, shop: WithInbox) -> None:
    """One script tag and one element: everything else is in their attributes."""
    tag = f'<script src="{shop.url}/germane.js" data-write-key="{shop.write_key}" data-nudges defer></script>'
    body = f"<div id=slot data-germane=home-grid data-size=3>{SHOP}</div>"
    shop.inbox.write_text("{}")
    page.goto(site.page("/attributes", "", body, tag=tag))
    cards(page).first.wait_for()
    assert cards(page).count() == 3
    visitor_id = page.evaluate("() => germane.anonymousId")
    until(page, lambda: exposures(shop, visitor_id))
    page.reload()
    cards(page).first.wait_for()
    assert page.evaluate("() => germane.anonymousId") == visitor_id


def test_the_example(page: Page, shop: Server) -> None:
    """The page that the server itself shows."""
    page.goto(f"{shop.url}/example")
    page.locator("[data-germane] .germane-card").first.wait_for()
    assert page.locator("[data-germane] .germane-card").count() == 8


def test_events_of_the_page(page: Page, site: Site, shop: Server) -> None:
    """track, identify and page arrive as from any Segment client; Global Privacy Control is passed on."""
    script = loading(shop, "una") + (
        "germane.page('Home'); germane.identify('una', { interest: 'Outdoor' });"
        "germane.track('Product Viewed', { product_id: 'kettle-1' });"
    )
    page.context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })"
    )
    batches = sent(page, "/v1/batch")
    page.goto(site.page("/events", script, SLOT))
    until(page, lambda: interested(shop, "una"))
    assert shop.person("una")["traits"]["interest"]["value"] == "Outdoor"
    until(page, lambda: sum(len(batch["batch"]) for batch in batches) >= 3)
    whole = [each for batch in batches for each in batch["batch"]]
    assert [each["type"] for each in whole] == ["page", "identify", "track"]
    assert all(each["context"]["globalPrivacyControl"] for each in whole)
    assert shop.letters() == []


def test_a_token_that_runs_out(page: Page, site: Site, shop: Server) -> None:
    """The page's function is asked for another one, and nothing is lost."""
    old = sign(shop.server_key, now_s=time.time() - 3_600, valid_s=60, user_id="rita")
    new = sign(shop.server_key, now_s=time.time(), valid_s=600, user_id="rita")
    script = (
        f"let asked = 0; germane.load({{ host: '{shop.url}', writeKey: '{shop.write_key}',"
        f"token: async () => asked++ ? '{new}' : '{old}' }});"
        "germane.fill('#slot', 'home-grid', { size: 2 });"
    )
    page.goto(site.page("/expiring", script, SLOT))
    cards(page).first.wait_for()
    until(page, lambda: exposures(shop, "rita"))


def test_opting_out(page: Page, site: Site, shop: Server) -> None:
    """Ids are forgotten, nothing is sent any more, also after a reload; the page keeps its own words."""
    script = loading(shop, "otto") + (
        "germane.fill('#slot', 'home-grid', { size: 2 });"
        "document.querySelector('h1').addEventListener('click', () => germane.optOut());"
    )
    page.goto(site.page("/optout", script, SLOT))
    cards(page).first.wait_for()
    page.locator("h1").click()
    assert page.evaluate("() => Object.keys(localStorage)") == ["germane:off"]
    requests: list[str] = []
    page.on("request", lambda x: requests.append(x.url) if x.method == "POST" else None)
    page.evaluate("() => germane.track('Product Viewed', { product_id: 'tent-1' })")
    page.reload()
    page.wait_for_timeout(1_500)
    assert requests == []
    assert page.locator("#slot").inner_text() == SHOP
    page.evaluate("() => germane.optIn()")
    page.reload()
    cards(page).first.wait_for()


def test_a_log_out(page: Page, site: Site, shop: Server) -> None:
    """Another visitor from then on."""
    page.goto(site.page("/logout", loading(shop, "lena"), SLOT))
    before = page.evaluate("() => germane.anonymousId")
    page.evaluate("() => germane.reset()")
    assert page.evaluate("() => germane.anonymousId") not in (before, "")


def test_somebody_else_at_the_same_browser(page: Page, site: Site, shop: Server) -> None:
    """They share no anonymousId, so that two people never become one; what one sees is not the other's."""
    page.goto(
        site.page("/first", loading(shop, "max") + "germane.fill('#slot', 'home-grid');", SLOT)
    )
    cards(page).first.wait_for()
    first = page.evaluate("() => germane.anonymousId")
    page.goto(site.page("/second", loading(shop, "mia"), SLOT))
    assert page.evaluate("() => germane.anonymousId") != first
    kept = "() => Object.keys(localStorage).filter(x => x.includes(':d:')).length"
    assert page.evaluate(kept) == 0
    page.goto(site.page("/third", loading(shop, "mia"), SLOT))
    assert page.evaluate("() => germane.anonymousId") != first


def test_a_choice(page: Page, site: Site, shop: Server) -> None:
    """One action or nothing: what is there is reported as seen in both cases, and a click is an outcome."""
    seen, clicks = sent(page, "/v1/impressions"), sent(page, "/v1/outcomes")
    chosen: set[bool] = set()
    for number in range(20):
        if chosen == {True, False}:
            break
        go = loading(shop, f"hero{number}") + (
            "germane.fill('#slot', 'hero', { render: item => item.attributes.title })"
            ".then(found => { document.title = 'items ' + found.items.length; });"
        )
        page.goto(site.page("/hero", go, SLOT))
        until(page, lambda: page.title().startswith("items "))
        something = page.title() == "items 1"
        if something not in chosen:
            chosen.add(something)
            before = len(seen)
            until(page, lambda: len(seen) > before)  # noqa: B023 - asked at once
            assert seen[-1]["positions"] == [0]
            assert page.locator("#slot").inner_text() == ("What is new" if something else SHOP)
        if something and not clicks:
            page.locator("#slot").get_by_text("What is new").click()
            until(page, lambda: clicks)
            assert clicks[0]["outcome"] == "click"
    assert chosen == {True, False}
    until(page, lambda: shop.counter('germane_outcomes_total{how="reported"}') == 1)


def test_a_single_page_application(page: Page, site: Site, shop: Server) -> None:
    """A slot that appears later is filled then; one that went away and came back can be filled again."""
    script = loading(shop, "spa") + "germane.fill('#later', 'home-grid', { size: 2 });"
    page.goto(site.page("/spa", script, "<main id=app>Loading</main>"))
    page.wait_for_timeout(300)
    show = (
        "() => { history.pushState({}, '', '/spa?x'); app.innerHTML = '<div id=later>own</div>'; }"
    )
    page.evaluate(show)
    page.locator("#later .germane-card").first.wait_for()
    page.evaluate("() => { app.innerHTML = ''; }")
    page.evaluate(show)
    page.evaluate("() => { germane.fill('#later', 'home-grid', { size: 3 }); }")
    page.locator("#later .germane-card").nth(2).wait_for()


def test_back_and_forward(page: Page, site: Site, shop: Server) -> None:
    """The page stays in the browser's back-forward cache, and works when it comes out of it."""
    script = loading(shop, "bea") + (
        "germane.fill('#slot', 'home-grid', { size: 2 });"
        "addEventListener('pageshow', e => { window.restored = e.persisted; });"
    )
    told = sent(page, "/v1/impressions")
    address = site.page("/back", script, SLOT)
    other = site.page("/elsewhere", "", "<h1>Elsewhere</h1>", tag="<!-- -->")
    page.goto(address)
    until(page, lambda: exposures(shop, "bea"))
    page.goto(other)
    page.go_back(wait_until="commit")  # what comes out of the cache loads nothing
    assert page.evaluate("() => window.restored") is True
    count = len(told)
    cards(page).first.locator(".germane-why").click()
    page.get_by_role("button", name="Less like this").click()
    until(page, lambda: interested(shop, "bea"))
    page.wait_for_timeout(1_500)
    assert len(told) == count


def test_two_tabs(page: Page, site: Site, shop: Server) -> None:
    """One visitor, two outboxes: nothing is lost, nothing counts twice."""
    track = (
        "for (let i = 0; i < 20; i++) "
        "germane.track('Product Viewed', { product_id: 'tent-' + (1 + i % 6) });"
    )
    address = site.page("/tabs", loading(shop, "tab") + track, SLOT)
    other = another_tab(page)
    page.goto(address)
    other.goto(address)
    until(page, lambda: interested(shop, "tab"))
    until(page, lambda: shop.person("tab")["readiness"]["evidence"] == 40)
    waiting = "() => Object.keys(localStorage).filter(x => x.includes(':q:')).length"
    until(page, lambda: page.evaluate(waiting) == 0)
    assert shop.person("tab")["readiness"]["evidence"] == 40
    other.close()
