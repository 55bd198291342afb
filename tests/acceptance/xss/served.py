"""The whole way: payloads come in by the API, and a real server shows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from germane.testing.xss import Watch
from tests.acceptance.conftest import Server, a_project
from tests.acceptance.xss.checking import SOME, Checked, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LOT = 180
_LOT = """
[surfaces.lot-{lot}]
size = {size}
[[surfaces.lot-{lot}.outcomes]]
name = "purchase"
signal = "purchase"
window = "7d"
[[surfaces.lot-{lot}.rules]]
kind = "include"
when = 'item.lot == "{lot}"'
"""
_ATTRIBUTE = "[catalogue.attributes.lot]\n\n# --- What people do"
_FILL = """async names => {
  for (const name of names) {
    await germane.fill(document.body.appendChild(document.createElement("div")), name, { why: true });
  }
  return document.querySelectorAll(".germane-card").length;
}"""
FIELDS = (
    "item id",
    "title",
    "category",
    "brand",
    "department",
    "description",
    "url",
    "image",
    "product of an event",
    "property",
    "name of a property",
    "trait",
    "name of a trait",
    "campaign of a visit",
    "address of a page",
    "path",
    "query",
    "token",
    "person id",
)


def a_server(folder: Path, texts: Sequence[str] = SOME) -> Server:
    """A shop whose catalogue and whose one customer are payloads."""
    kept = taken(texts)
    server = Server(a_project(folder))
    lots = "".join(_LOT.format(lot=n, size=LOT) for n in range(-(-len(kept) // LOT)))
    config = server.config.read_text().replace("# --- What people do", _ATTRIBUTE, 1)
    server.config.write_text(config.replace("[server]", f"{lots}\n[server]", 1))
    server.start()
    for start in range(0, len(kept), 100):
        some = [*enumerate(kept)][start : start + 100]
        items = [_item(n, each) for n, each in some]
        _good(server.api.post("/v1/items/batch", json={"items": items}))
        events = [each for n, text in some for each in _events(n, text)]
        _good(server.api.post("/v1/batch", json={"batch": events}))
    return server


def taken(texts: Sequence[str]) -> list[str]:
    """Those that may be an id: a zero byte is in none."""
    return [each for each in texts if "\x00" not in each]


def _item(number: int, text: str) -> dict[str, Any]:
    shown = {"title": text, "category": text, "brand": text, "url": text, "imageUrl": text}
    more = {"lot": str(number // LOT), "department": text, "description": text}
    return {"itemId": f"{number} {text}", **shown, "price": 1.0, "attributes": more}


def _events(number: int, text: str) -> list[dict[str, Any]]:
    who = {
        "userId": "ann",
        "context": {"campaign": {"name": text}, "page": {"url": text, "title": text}},
    }
    viewed = {"product_id": f"{number} {text}", "note": text, text: text}
    return [
        {"type": "track", "event": "Product Viewed", "properties": viewed, **who},
        {
            "type": "identify",
            "traits": {"interest": text, "favorite_category": text, "note": text, text: text},
            **who,
        },
        {"type": "track", "event": text, "properties": {}, **who},
    ]


def _good(answer: Any) -> None:
    assert answer.status_code == 200, answer.text[:500]


def looked_at(browser: Browser, server: Server, texts: Sequence[str] = SOME) -> list[Checked]:
    """Its pages in a browser, and what it says to addresses that are payloads."""
    echoes = _echoed(server, texts)
    count = len(taken(texts))
    return [_looked(browser, server, echoes, count, policy) for policy in (True, False)]


def _looked(
    browser: Browser, server: Server, echoes: list[str], count: int, policy: bool
) -> Checked:
    armed: list[str] = list(echoes)
    with watched(browser, policy=policy) as (page, watch):
        armed += _example(page, watch, server)
        for address in _pages(server):
            page.set_extra_http_headers(
                {"Authorization": f"Bearer {server.server_key}", "Accept": "text/html"}
            )
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 200, (address, answer.text()[:300])
            watch.use(page)
            armed += watch.touch(page)
    return Checked("a whole server", len(FIELDS), count, policy, watch.hits, armed, {})


def _example(page: Page, watch: Watch, server: Server) -> list[str]:
    """The page that shows the snippet, and the same snippet with all of the catalogue."""
    page.goto(f"{server.url}/example")
    page.locator(".germane-card").first.wait_for()
    names = [f"lot-{n}" for n in range(server.config.read_text().count("[[surfaces.lot-") // 2)]
    shown = page.evaluate(_FILL, names)
    assert shown > (len(names) - 1) * LOT, shown
    watch.use(page)
    return watch.touch(page)


def _pages(server: Server) -> list[str]:
    """The export of the customer, and the page that tells why they saw what they saw."""
    surfaces = [{"surface": name, "size": 12} for name in ("home-grid", "lot-0", "lot-1", "lot-2")]
    body = {"person": {"userId": "ann"}, "surfaces": surfaces, "explain": True}
    answer = server.api.post("/v1/decide", json=body)
    _good(answer)
    decisions = answer.json()["decisions"]
    assert all(len(each["items"]) == 12 for each in decisions)
    return [
        f"{server.url}/v1/people/ann/export",
        *(each["whyUrl"] for each in decisions),
        f"{server.url}/docs",
    ]


def _echoed(server: Server, texts: Sequence[str]) -> list[str]:
    """Addresses whose answer would be read as a page that holds what was asked."""
    found, gone = [], server.api.get("/w/word").text
    for n, each in enumerate(texts):
        part = quote(each, safe="")
        ways = (f"/{part}", f"/w/{part}", f"/v1/people/{part}/export?{part}={part}")
        answer = server.api.get(ways[n % 3], headers={"Accept": "text/html"})
        kind = answer.headers["content-type"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert kind in ("application/json", "text/html; charset=utf-8"), (ways[n % 3], kind)
        if kind != "application/json" and answer.text != gone:
            found.append(f"{ways[n % 3]}: {answer.text}")
    return found
