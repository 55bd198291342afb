"""E-mails in a real Chromium: phone and desktop, light and dark, right to left."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, sync_playwright

from germane.config import load
from germane.config.contents import load_content
from germane.domain.content import Chosen, Rendered
from germane.domain.item import Item
from germane.domain.profile import Profile, Trait
from germane.generate.facts import Facts, Links
from germane.generate.render import render
from germane.testing.world import START_MS
from tests.acceptance.tools import chromium

RECIPE = Path(str(files("germane.recipes").joinpath("shop")))
PHONE, DESK = 390, 1_000
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="450">'
    '<rect width="600" height="450" fill="#7fa88f"/></svg>'
)
READABLE = 4.5
"""Least contrast of text, by WCAG 2.2 AA."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


def picks(**changes: Any) -> Rendered:
    """The weekly picks of the recipe, with pictures and a price that was cut."""
    loaded = load(RECIPE / "germane.toml", {})
    items = tuple(
        Item(
            f"i{number}",
            title=f"{title} {'with a rather long name ' * (number % 2)}",
            price=10.0 * (number + 1),
            brand="Northway",
            url=f"https://shop.example/i{number}",
            image_url=f"https://shop.example/i{number}.png",
            attributes={"list_price": 99} if number == 0 else {},
        )
        for number, title in enumerate(("Tent", "Lamp", "Kettle", "Boots", "Bag"))
    )
    facts = Facts(
        loaded.settings,
        Profile("u:ann", traits={"first_name": Trait("Ann", 0)}),
        START_MS,
        loaded.runtime.content,
        links=Links("https://shop.example/u/1", "https://shop.example/why/1"),
        **changes,
    )
    content = load_content(RECIPE / "content" / "weekly-picks.toml")
    content = replace(
        content,
        slots=tuple(replace(x, size=5) if x.kind == "items" else x for x in content.slots),
    )
    return render(content, Chosen({"subject": "plain", "opening": "warm"}, {"picks": items}), facts)


def shown(browser: Browser, html: str, width: int, scheme: str = "light") -> tuple[Page, list[str]]:
    """The mail on a screen, and what it asked the network for."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(body=SVG, content_type="image/svg+xml")

    page.route(lambda url: url.startswith("http"), answer)
    page.set_content(html)
    return page, asked


@pytest.mark.parametrize("width", [320, PHONE, DESK])
def test_nothing_sticks_out(browser: Browser, width: int) -> None:
    page, _ = shown(browser, picks().html, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_cards_stand_side_by_side_or_below_one_another(browser: Browser) -> None:
    html = picks().html
    for width, rows in ((DESK, 3), (PHONE, 5)):
        page, _ = shown(browser, html, width)
        tops = page.evaluate(
            "[...document.querySelectorAll('img[alt]')].map(x => Math.round(x.getBoundingClientRect().top))"
        )
        assert len(tops) == 5
        assert len(set(tops)) == rows


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser: Browser, scheme: str) -> None:
    """Each text against what is really behind it, light and dark."""
    page, _ = shown(browser, picks().html, PHONE, scheme)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 15
    worst = min(found, key=lambda each: each["contrast"])
    assert worst["contrast"] >= READABLE, worst
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) < 150) is (scheme == "dark")


CONTRASTS = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = el => {
    for (; el; el = el.parentElement) {
      const c = parse(getComputedStyle(el).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim();
    const style = getComputedStyle(el);
    if (!text || parseFloat(style.fontSize) < 6 || !el.getClientRects().length) continue;
    const [a, b] = [light(parse(style.color)), light(behind(el))];
    found.push({text, contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)});
  }
  return found;
}"""


def test_nothing_is_loaded_but_its_pictures(browser: Browser) -> None:
    _, asked = shown(browser, picks().html, DESK)
    assert sorted(asked) == [f"https://shop.example/i{number}.png" for number in range(5)]


def test_what_a_person_can_do(browser: Browser) -> None:
    """Every item, the button, why, and the way out are links that can be reached."""
    page, _ = shown(browser, picks().html, PHONE)
    links = page.evaluate("[...document.links].map(x => x.href)")
    for url in ("i0", "i4", "new", "u/1", "why/1"):
        assert f"https://shop.example/{url}" in links
    small = page.evaluate(
        "[...document.querySelectorAll('a')].filter(x => x.getBoundingClientRect().height < 14).length"
    )
    assert small == 0


def test_without_pictures_it_still_says_what_there_is(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": PHONE, "height": 900})
    page.route(lambda url: url.startswith("http"), lambda route: route.abort())
    page.set_content(picks().html)
    said = page.inner_text("body")
    for text in ("This week", "Tent", "€10.00", "€99.00", "See everything new", "Unsubscribe"):
        assert text in said


def test_right_to_left(browser: Browser) -> None:
    """An Arabic mail begins at the right."""
    content = load_content(RECIPE / "content" / "weekly-picks.toml")
    arabic = {
        "subject": {"text": "مرحبا"},
        "title": {"text": "هذا الأسبوع"},
        "opening": {"text": "أربعة أشياء لك."},
        "picks": {},
        "more": {"text": "المزيد", "url": "https://shop.example/new"},
    }
    slots = tuple(
        replace(
            slot, variants=(replace(slot.variants[0], texts={"en": {}, "ar": arabic[slot.name]}),)
        )
        for slot in content.slots
    )
    loaded = load(RECIPE / "germane.toml", {})
    facts = Facts(
        loaded.settings, Profile("u:a", locale="ar"), START_MS, loaded.runtime.content,
        links=Links("https://shop.example/u/1"),
    )  # fmt: skip
    items = (Item("i1", title="خيمة", price=10.0, url="https://shop.example/i1"),)
    found = render(replace(content, slots=slots), Chosen(items={"picks": items}), facts)
    page, _ = shown(browser, found.html, DESK)
    box = page.evaluate(
        "(() => { const r = document.createRange(); r.selectNodeContents(document.querySelector('h1'));"
        " const b = r.getBoundingClientRect(); return [b.left, b.right]; })()"
    )
    assert box[1] > 700
    assert "إلغاء الاشتراك" in found.text


def test_it_is_not_cut_off() -> None:
    """Gmail shows 102 kB of a mail."""
    assert len(picks().html.encode()) < 60_000


def test_plain_part() -> None:
    text = picks().text
    assert text.startswith("This week\n=========\n\nHi Ann,")
    assert "* Tent: €10.00 (€99.00)\n  Northway\n  https://shop.example/i0" in text
    assert text.rstrip().endswith("Unsubscribe: https://shop.example/u/1")
    assert "<" not in text
    assert max(map(len, text.splitlines())) < 998  # RFC 5322
