"""What our scripts draw: the snippet's lists and messages, and the live page. All that a server can answer is
payloads; the host page has a strict policy, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from germane.api.snippet import script
from germane.console.live import _CSP
from germane.testing.xss import TOUCH, Document, Documents, serving
from tests.acceptance.xss.checking import SOME, Checked, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

POLICY = "default-src 'self'; img-src 'self' https: http:; base-uri 'none'; object-src 'none'"
_HOST = """<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title>
<script src=/own.js></script><script src=/germane.js></script>
<b id=anchor>here</b><div id=cards></div><div id=text></div><div id=stamped><template><article data-if=title>
<a data-href=url><img data-src=imageUrl data-alt=title><b data-text=title></b></a><i data-text=brand></i>
<i data-text=priceText></i><i data-text=itemId></i><i data-why></i></article></template></div></html>"""
_OWN = """
window.answers = { decisions: [], messages: [] };
window.fetch = async () => new Response(JSON.stringify({ ...answers, serverTime: new Date().toISOString() }),
  { headers: { "content-type": "application/json" } });
"""
"""The page answers for the server, so that nothing waits."""
_BEGIN = "germane.load({ host: location.origin, writeKey: 'k', anonymousId: 'a' })"
_LISTS = (
    f"""async decision => {{
  const touch = {TOUCH}, armed = [], kinds = [["#cards", {{ why: true }}], ["#stamped", {{}}],
    ["#text", {{ why: true, render: item => item.attributes.title }}]];
  answers.decisions = [decision];
  for (const [where, how] of kinds) await germane.fill(where, "list" + where, how);
  armed.push(...touch());
  for (const each of document.querySelectorAll("#cards .germane-why")) {{
    each.click();
    const box = document.querySelector("germane-ui").shadowRoot.querySelector("[role=dialog]");"""
    """
    armed.push(...touch(box));
    for (const button of box.querySelectorAll("li button")) button.click();
    box.querySelector(".cross").click();
  }
  return [armed, document.querySelectorAll(".germane-why").length];
}"""
)
_MESSAGES = (
    f"""async messages => {{
  const touch = {TOUCH}, armed = [];
  let shown = 0;
  for (const each of messages) {{
    answers.messages = [each];
    await germane.nudges();
    const box = document.querySelector("germane-ui").shadowRoot.querySelector("[role=dialog]");"""
    """
    if (!box) continue;
    shown += 1;
    for (const part of box.querySelectorAll("details")) part.open = true;
    armed.push(...touch(box));
    const button = box.querySelector("button.act");
    if (button) button.click();
  }
  return [armed, shown];
}"""
)
LIST_FIELDS = (
    "decision id",
    "surface",
    "arm",
    "answer's event",
    "answer's property",
    "page that tells why",
    "item id",
    "title",
    "url",
    "image",
    "currency",
    "brand",
    "category",
    "name of an attribute",
    "reason",
    "code of a reason",
)
MESSAGE_FIELDS = (
    "message id",
    "title",
    "text",
    "anchor",
    "button",
    "address of a button",
    "step id",
    "step",
    "address of a step",
    "decision id",
    "campaign",
    "reason",
    "page that tells why",
    "form",
)
LIVE_FIELDS = (
    "date",
    "household",
    "readiness",
    "interest",
    "evidence",
    "item",
    "its words",
    "trait",
    "its value",
    "time of a trip",
    "slate title",
    "category",
    "slot",
    "reason",
    "bought",
    "changed",
)


def decision(texts: Sequence[str]) -> dict[str, Any]:
    """One answer with all of them."""
    joined = " ".join(texts)
    items = [
        {
            "itemId": each,
            "position": n,
            "attributes": {
                "title": each,
                "url": each,
                "imageUrl": each,
                "brand": each,
                "category": each,
                each: each,
                "price": 1.5,
                "currency": each,
            },
            "reasons": [each],
            "reasonCodes": [each],
        }
        for n, each in enumerate(texts)
    ]
    answers = {each: {"event": joined, "property": joined} for each in ("click", "dismiss")}
    return {
        "decisionId": joined,
        "surface": joined,
        "arm": joined,
        "kind": "grid",
        "items": items,
        "answers": answers,
        "whyUrl": texts[0],
        "expiresAt": "2999-01-01T00:00:00Z",
    }


def messages(texts: Sequence[str]) -> list[dict[str, Any]]:
    """A checklist, a tooltip and something unheard of for each of them, with it everywhere."""
    return [
        {
            "messageId": f"{form}{n} {each}",
            "form": form or each,
            "title": each,
            "text": each,
            "anchor": "#anchor" if form else each,
            "buttons": [{"label": each, "url": each}],
            "steps": [
                {"stepId": each, "title": each, "url": each},
                {"stepId": "s", "title": each, "done": True},
            ],
            "decisionId": each,
            "campaign": each,
            "reasons": [each],
            "whyUrl": each,
        }
        for form in ("checklist", "tooltip", "")
        for n, each in enumerate(texts)
    ]


def picture(texts: Sequence[str], number: Any) -> dict[str, Any]:
    """What the live page is told; ``number``: in place of each figure."""
    joined = " ".join(texts)
    slate = [
        {
            "id": x,
            "title": x,
            "category": x,
            "price": None,
            "slot": x,
            "reason": x,
            "hit": n % 2 == 0,
        }
        for n, x in enumerate(texts)
    ]
    trip = {
        "at": joined,
        "slate": slate,
        "bought": list(texts),
        "count": number,
        "changed": list(texts),
    }
    household = {
        "id": joined,
        "readiness": {"value": number, "meaning": joined},
        "interests": [{"value": x, "share": 0.1, "from": {"text": x}} for x in texts],
        "own": [{"title": joined, "itemId": joined, "text": joined}],
        "traits": {each: each for each in texts},
        "trip": trip,
    }
    return {
        "date": joined,
        "rates": {"events": number, "decisions": number},
        "totals": {"events": number, "decisions": number, "records": number},
        "score": {
            "done": number,
            "total": number,
            "slates": number,
            "hits": number,
            "bestHits": number,
            "recent": [number, number, number],
            "loop": {"p50": number, "p99": number, "pairs": number},
            "weeks": [[number, 30, 20, 10]],
        },
        "households": list(texts),
        "household": household,
    }


def _hosted(served: Documents) -> str:
    kind = {"Content-Type": "text/javascript"}
    served.put(Document("germane.js", script(), kind))
    served.put(Document("own.js", _OWN, kind))
    return served.put(Document("host", _HOST, {"Content-Security-Policy": POLICY}))


def lists(page: Page, served: Documents, texts: Sequence[str]) -> tuple[list[str], int]:
    """The snippet fills slots in each of its ways; every why-button is pressed, and what is in its box."""
    page.goto(_hosted(served))
    page.evaluate(_BEGIN)
    return tuple(page.evaluate(_LISTS, decision(texts)))


def nudges(page: Page, served: Documents, texts: Sequence[str]) -> tuple[list[str], int]:
    """The snippet shows in-app messages, one after the other; their buttons are pressed."""
    page.goto(_hosted(served))
    page.evaluate(_BEGIN)
    return tuple(page.evaluate(_MESSAGES, messages(texts)))


def live(page: Page, served: Documents, texts: Sequence[str]) -> tuple[list[str], int]:
    """The live page draws one picture; and one that has texts where numbers belong."""
    static = files("germane.console").joinpath("static")
    for name, kind in (("live.js", "text/javascript"), ("live.css", "text/css")):
        text = static.joinpath(name).read_text("utf-8")
        served.put(Document(f"console/live/{name}", text, {"Content-Type": kind}))
    html = static.joinpath("live.html").read_text("utf-8")
    address = served.put(Document("live", html, {"Content-Security-Policy": _CSP}))
    shown = 0
    for number in (1, texts[0]):
        told = msgspec.json.encode(picture(texts, number)).decode()
        events = Document(
            "console/live/events", f"data: {told}\n\n", {"Content-Type": "text/event-stream"}
        )
        served.put(events)
        page.goto(address)
        page.wait_for_function("document.querySelector('#date').textContent !== 'Starting'")
        shown += page.locator("#slate li").count()
    return [], shown


SCRIPTED: dict[str, tuple[Callable[..., tuple[list[str], int]], tuple[str, ...], int]] = {
    "snippet, lists": (lists, LIST_FIELDS, 3),
    "snippet, messages": (nudges, MESSAGE_FIELDS, 3),
    "live page": (live, LIVE_FIELDS, 1),
}
"""Name -> what draws it, its fields, how often each text must at least be shown."""


def drawn(browser: Browser, name: str, texts: Sequence[str] = SOME) -> list[Checked]:
    """Draw it under its policy and without any.

    Raises:
        AssertionError: not everything was shown, so that nothing is proven.
    """
    draw, fields, times = SCRIPTED[name]
    return [
        _drawn(browser, name, draw, fields, times * len(texts), texts, policy)
        for policy in (True, False)
    ]


def _drawn(
    browser: Browser,
    name: str,
    draw: Callable[..., tuple[list[str], int]],
    fields: tuple[str, ...],
    least: int,
    texts: Sequence[str],
    policy: bool,
) -> Checked:
    with serving() as served, watched(browser, policy=policy) as (page, watch):
        armed, shown = draw(page, served, texts)
        assert shown >= least, (name, shown, least)
        watch.use(page)
        armed += watch.touch(page)
    return Checked(name, len(fields), len(texts), policy, watch.hits, armed, {})
