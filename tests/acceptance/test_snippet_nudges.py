"""In-app messages in real Chromium: banner, tooltip and checklist, for everyone, one at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.hosting import SLOT, WithInbox, browser, loading, page, sent, shop, site
from tests.acceptance.pages import Site, until, visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

__all__ = ["browser", "page", "shop", "site"]

BANNER = {
    "messageId": "b1",
    "form": "banner",
    "title": "Free delivery this week",
    "text": "On all tents.",
    "buttons": [{"label": "See tents", "url": "/product"}, {"label": "Not now"}],
    "reasons": ["You looked at tents three times."],
    "whyUrl": "/w/token",
    "campaign": "tents",
}
TIP = {
    "messageId": "t1",
    "form": "tooltip",
    "title": "Save it here",
    "text": "The heart keeps an item for later.",
    "anchor": "#anchor",
    "buttons": [{"label": "Got it"}],
}
LIST = {
    "messageId": "c1",
    "form": "checklist",
    "title": "Three steps",
    "steps": [
        {"stepId": "crm", "title": "Connect the CRM", "url": "#crm", "done": True},
        {"stepId": "calendar", "title": "Connect the calendar", "url": "#calendar"},
        {"stepId": "team", "title": "Invite your team", "url": "#team"},
    ],
}
BODY = f"<button id=anchor>Keep</button>{SLOT}<input id=field><div class=tall></div>"


def waiting(shop: WithInbox, person: str, *messages: dict[str, Any]) -> str:
    """Put messages into an inbox; the lines that show them."""
    inbox = json.loads(shop.inbox.read_text())
    shop.inbox.write_text(json.dumps(inbox | {person: messages}))
    return loading(shop, person) + "germane.nudges();"


def dialog(page: Page, name: str) -> Locator:
    """A message by its title, as people who listen to the page find it."""
    return page.get_by_role("dialog", name=name)


def told(batches: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Which message events were sent: name, message, part."""
    whole = [each for batch in batches for each in batch["batch"]]
    return [
        (each["event"], each["properties"]["message_id"], each["properties"].get("part", ""))
        for each in whole
    ]


def test_one_at_a_time(page: Page, site: Site, shop: WithInbox) -> None:
    """A banner; closed with Escape, the next comes; what was closed does not come back."""
    batches = sent(page, "/v1/batch")
    page.goto(site.page("/banner", waiting(shop, "nia", BANNER, LIST), BODY))
    banner = dialog(page, "Free delivery this week")
    banner.wait_for()
    assert dialog(page, "Three steps").count() == 0
    banner.get_by_text("Why am I seeing this?").click()
    assert banner.get_by_text("You looked at tents three times.").is_visible()
    more = banner.get_by_role("link", name="More")
    assert more.get_attribute("href") == f"{shop.url}/w/token", (
        "on the server, not on the page's host"
    )
    until(page, lambda: ("In-App Message Viewed", "b1", "") in told(batches))
    page.keyboard.press("Escape")
    assert banner.count() == 0
    dialog(page, "Three steps").wait_for()
    until(page, lambda: ("In-App Message Dismissed", "b1", "") in told(batches))
    assert batches[0]["batch"][0]["properties"]["campaign"] == "tents"
    page.reload()
    dialog(page, "Three steps").wait_for()
    assert banner.count() == 0


def test_escape_closes_the_latest_box_alone(page: Page, site: Site, shop: WithInbox) -> None:
    """The answer to why first, then the banner below it."""
    script = waiting(shop, "nim", BANNER) + "germane.fill('#slot', 'home-grid', { size: 2 });"
    page.goto(site.page("/escape", script, BODY))
    banner, why = dialog(page, "Free delivery this week"), dialog(page, "Why am I seeing this?")
    banner.wait_for()
    page.locator("#slot .germane-why").first.click()
    why.wait_for()
    page.keyboard.press("Escape")
    assert (why.count(), banner.count()) == (0, 1)
    page.keyboard.press("Escape")
    assert banner.count() == 0


def test_a_button_that_leads_somewhere(page: Page, site: Site, shop: WithInbox) -> None:
    """The click is told although the page is left at once."""
    site.page("/product", "", "<h1>Tents</h1>", tag="<!-- -->")
    before = shop.counter("germane_events_total")
    page.goto(site.page("/button", waiting(shop, "nib", BANNER), BODY))
    dialog(page, "Free delivery this week").get_by_role("link", name="See tents").click()
    page.wait_for_url("**/product")
    until(page, lambda: shop.counter("germane_events_total") > before)


def middle(found: Locator) -> tuple[float, float]:
    """Of a box on the screen."""
    at = found.bounding_box()
    assert at is not None
    return at["x"] + at["width"] / 2, at["y"] + at["height"] / 2


def test_a_tooltip_stays_with_its_element(page: Page, site: Site, shop: WithInbox) -> None:
    """Below it, above it where there is no room, at its side of the window, and with it when it moves."""
    page.goto(site.page("/tip", waiting(shop, "nic", TIP), f"<div class=tall></div>{BODY}"))
    tip, anchor = page.locator("germane-ui .tooltip"), page.locator("#anchor")
    tip.wait_for(state="attached")
    assert not tip.is_visible(), "its element is out of sight"
    page.evaluate("() => document.querySelector('#anchor').scrollIntoView({ block: 'center' })")
    until(page, tip.is_visible)
    (x, y), (anchor_x, anchor_y) = middle(tip), middle(anchor)
    assert abs(x - anchor_x) < 200
    assert 20 < y - anchor_y < 200
    page.evaluate("() => document.querySelector('#anchor').scrollIntoView({ block: 'end' })")
    until(page, lambda: middle(tip)[1] < middle(anchor)[1])
    page.evaluate("() => { document.querySelector('#anchor').style.margin = '0 0 0 900px'; }")
    until(page, lambda: middle(anchor)[0] > 900)
    page.wait_for_timeout(200)
    box = tip.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 1000
    page.set_viewport_size({"width": 360, "height": 640})
    page.wait_for_timeout(300)
    box = tip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360


def test_a_tooltip_waits_for_its_element(page: Page, site: Site, shop: WithInbox) -> None:
    """In a single-page app it comes later, goes, and comes back; what need not wait is shown meanwhile."""
    script = waiting(shop, "nid", {**TIP, "anchor": "#late"}, LIST)
    page.goto(site.page("/late", script, "<main id=app></main>"))
    steps = dialog(page, "Three steps")
    steps.get_by_role("button", name="Close").click()
    tip = dialog(page, "Save it here")
    page.wait_for_timeout(700)
    assert tip.count() == 0
    put = "() => { history.pushState({}, '', '/late?2'); app.innerHTML = '<b id=late>here</b>'; }"
    page.evaluate(put)
    tip.wait_for()
    page.evaluate("() => { app.innerHTML = ''; }")
    until(page, lambda: tip.count() == 0)
    page.evaluate(put)
    tip.wait_for()
    tip.get_by_role("button", name="Got it").click()
    until(page, lambda: tip.count() == 0)


def test_a_selector_that_is_none(page: Page, site: Site, shop: WithInbox) -> None:
    """That message is passed over; the next one is shown."""
    script = waiting(shop, "nie", {**TIP, "anchor": "##"}, LIST)
    page.goto(site.page("/selector", script, BODY))
    dialog(page, "Three steps").wait_for()


def test_a_checklist(page: Page, site: Site, shop: WithInbox) -> None:
    """How far one is, what is next; a step is a click, and the list stays."""
    batches = sent(page, "/v1/batch")
    page.goto(site.page("/list", waiting(shop, "nif", LIST), BODY))
    steps = dialog(page, "Three steps")
    steps.get_by_text("1 of 3 done").wait_for()
    assert steps.get_by_role("link").all_inner_texts() == [
        "Connect the calendar",
        "Invite your team",
    ]
    assert steps.get_by_role("listitem").first.inner_text().startswith("done:")
    steps.get_by_role("link", name="calendar").click()
    until(page, lambda: ("In-App Message Clicked", "c1", "calendar") in told(batches))
    assert steps.is_visible()


def test_the_focus_is_the_persons(page: Page, site: Site, shop: WithInbox) -> None:
    """A message takes nobody's focus, is read out, and gives the focus back when it was in it."""
    script = waiting(shop, "nig", BANNER)
    script = script.replace(
        "germane.nudges();", "document.querySelector('#field').focus();germane.nudges();"
    )
    page.goto(site.page("/focus", script, BODY))
    banner = dialog(page, "Free delivery this week")
    banner.wait_for()
    assert page.evaluate("() => document.activeElement.id") == "field"
    status = page.locator("germane-ui [role=status]")
    until(page, lambda: status.inner_text() == "Free delivery this week. On all tents.")
    banner.get_by_role("button", name="Not now").focus()
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.id") == "field"


EVIL = {
    "messageId": "x1",
    "form": "banner",
    "title": "<img src=x onerror=\"window.problems.push('xss')\">",
    "text": "<script>window.problems.push('xss')</script>",
    "buttons": [{"label": "<b>Go</b>", "url": "javascript:window.problems.push('xss')"}],
    "reasons": ["<i>because</i>"],
}


def test_markup_in_a_message_is_text(page: Page, site: Site, shop: WithInbox) -> None:
    """And an address that would run something is no address: that button only closes."""
    page.goto(site.page("/evil-nudge", waiting(shop, "nih", EVIL), BODY))
    box = page.get_by_role("dialog")
    box.get_by_text("<img src=x", exact=False).wait_for()
    assert box.locator("img, script, a, b, i").count() == 0
    box.get_by_text("<b>Go</b>").click()
    until(page, lambda: box.count() == 0)


LUMINANCE = """
node => {
  const dot = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = colour => {
    dot.fillStyle = colour;
    dot.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...dot.getImageData(0, 0, 1, 1).data].slice(0, 3).map(
      x => (x /= 255) <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let ground = node;
  while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
  const two = [light(getComputedStyle(node).color), light(getComputedStyle(ground).backgroundColor)].sort();
  return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_and_motion(browser: Browser, site: Site, shop: WithInbox, scheme: Any) -> None:
    """At least 4.5 to 1 for every text, in light and dark; nothing moves for people who asked for that."""
    script = waiting(shop, "nij", BANNER, LIST)
    with visitor(browser, color_scheme=scheme, reduced_motion="reduce") as page:
        page.goto(site.page("/contrast", script, BODY))
        box = dialog(page, "Free delivery this week")
        box.wait_for()
        assert box.evaluate("node => getComputedStyle(node).animationName") == "none"
        for part in ("h2", "p", "a", "button.act", "button.cross", "summary"):
            ratio = box.locator(part).first.evaluate(LUMINANCE)
            assert ratio >= 4.5, (part, ratio)
        page.keyboard.press("Escape")
        steps = dialog(page, "Three steps")
        steps.wait_for()
        for part in ("h2", "p", "a"):
            assert steps.locator(part).first.evaluate(LUMINANCE) >= 4.5, part


def test_targets_are_large_enough(page: Page, site: Site, shop: WithInbox) -> None:
    """24 pixels at least for whoever has to hit them (WCAG 2.2, 2.5.8)."""
    script = waiting(shop, "nik", BANNER) + "germane.fill('#slot', 'home-grid', { size: 2 });"
    page.goto(site.page("/targets", script, BODY))
    dialog(page, "Free delivery this week").get_by_text("Why am I seeing this?").click()
    page.locator("#slot .germane-why").first.click()
    dialog(page, "Why am I seeing this?").get_by_role("button", name="Less like this").wait_for()
    for each in [
        *page.locator("germane-ui :is(button, a)").all(),
        page.locator(".germane-why").first,
    ]:
        at = each.bounding_box()
        assert at is not None
        assert min(at["width"], at["height"]) >= 24, each


def test_the_pages_style_and_ours_do_not_meet(page: Page, site: Site, shop: WithInbox) -> None:
    """A page that styles every element leaves our boxes as they are; we leave the page as it is."""
    style = "* { display: none !important; color: red !important; } html, body { display: block !important; }"
    site.pages["/loud.css"] = ("text/css", style)
    head = "<link rel=stylesheet href=/loud.css>"
    page.goto(site.page("/loud", waiting(shop, "nil", BANNER), BODY, head=head))
    host = page.locator("germane-ui")
    host.wait_for(state="attached")
    box = dialog(page, "Free delivery this week")
    box.wait_for()
    colour = box.locator("h2").evaluate("node => getComputedStyle(node).color")
    assert colour != "rgb(255, 0, 0)"
    assert box.is_visible()


def test_what_waits_no_more_is_closed_at_the_next_look(
    page: Page, site: Site, shop: WithInbox
) -> None:
    """Bought in another tab, say: the page asks again, and the next one takes its place."""
    batches = sent(page, "/v1/batch")
    page.goto(site.page("/bought", waiting(shop, "kim", BANNER), BODY))
    dialog(page, "Free delivery this week").wait_for()
    waiting(shop, "kim", LIST)
    page.evaluate("germane.nudges()")
    steps = dialog(page, "Three steps")
    steps.wait_for()
    assert dialog(page, "Free delivery this week").count() == 0
    assert not [each for each in told(batches) if each[0] == "In-App Message Dismissed"]
    steps.get_by_text("Invite your team").click()
    waiting(shop, "kim")
    page.evaluate("germane.nudges()")
    assert steps.count() == 1
