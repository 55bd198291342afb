"""Sees when a payload runs: by a call, a dialog, or a question to a host that nobody else asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Frame, Page, Request

CANARY = "canary.test"
"""A host that only payloads name, and that nobody finds (RFC 2606)."""
_URL = re.compile(rf"^https?://{CANARY}(?=[/:?#]|$)")
_CALLED = "xss ran: "
_HOOK = """(() => {
  const say = console.info.bind(console, "CALLED");
  const number = what => (String(what).match(/\\d+/) || ["0"])[0];
  Object.defineProperty(window, "xss", { value: (...what) => say(number(what)) });
})()""".replace("CALLED", _CALLED.strip())
TOUCH = r"""(root = document) => {
  const armed = [], inside = root => [...root.querySelectorAll("*")].flatMap(
    each => [each, ...(each.shadowRoot ? inside(each.shadowRoot) : [])]);
  const runs = /^(javascript|vbscript|livescript|data):/i;
  const addresses = ["href", "xlink:href", "action", "formaction", "src", "data"];
  const harmless = ["img", "link"]; // what is only a picture runs nothing
  for (const each of inside(root)) {
    const names = Element.prototype.getAttributeNames.call(each);
    const value = name => Element.prototype.getAttribute.call(each, name);
    const handlers = names.filter(name => /^on[a-z]+$/.test(name));
    const led = harmless.includes(each.localName) ? [] : names.filter(name => addresses.includes(name)
      && (runs.test(value(name).replace(/[\0-\x20]/g, "")) || (name === "href" && runs.test(each.protocol))));
    for (const name of [...handlers, ...led, ...(names.includes("srcdoc") ? ["srcdoc"] : [])]) {
      armed.push(`<${each.localName} ${name}=${value(name)}>`);
    }
    for (const name of handlers) {
      each.dispatchEvent(new Event(name.slice(2), { bubbles: true, cancelable: true }));
      if (typeof each.focus === "function") each.focus({ preventScroll: true });
    }
    if (!led.length) continue;
    if (["action", "formaction"].includes(led[0])) {
      const button = each.localName === "form" ? document.createElement("button") : each;
      if (button !== each) Element.prototype.append.call(each, button);
      button.click();
    } else {
      each.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window }));
    }
  }
  return armed;
}"""
"""Sets off every handler and follows every address that would run something; tells what it found to set off.
That is there only because mark-up was read: in a page of ours, nothing is."""


class Hit(NamedTuple):
    """Something ran."""

    number: int
    """Of its payload; 0 where that is not known."""
    how: str
    """``call``, ``dialog`` or ``request``."""
    where: str
    """Address of the page, or the one that was asked for."""


class Watch:
    """Over everything that one context of a browser opens. Make it before the first page."""

    def __init__(self, context: BrowserContext) -> None:
        self.hits: list[Hit] = []
        context.add_init_script(_HOOK)
        context.on("console", self._said)
        context.on("dialog", self._asked)
        context.on("request", self._requested)

    @property
    def ran(self) -> set[int]:
        """Numbers of the payloads that ran."""
        return {each.number for each in self.hits}

    def touch(self, page: Page, *, settle_ms: int = 150) -> list[str]:
        """Set off whatever can be in a page and its frames, and give it time; what was found to set off."""
        page.wait_for_timeout(settle_ms)
        armed = [each for frame in page.frames for each in _touched(frame)]
        page.wait_for_timeout(settle_ms)
        return armed

    def use(self, page: Page, *, tabs: int = 8) -> None:
        """As people do: the mouse goes over what is in sight, the focus from one thing to the next."""
        for y in range(20, 700, 110):
            page.mouse.move(300, y)
        for _ in range(tabs):
            page.keyboard.press("Tab")

    def _said(self, message: ConsoleMessage) -> None:
        if message.text.startswith(_CALLED):
            number = int(message.text.removeprefix(_CALLED))
            self.hits.append(Hit(number, "call", message.location["url"]))

    def _asked(self, dialog: Dialog) -> None:
        self.hits.append(
            Hit(_number(dialog.message), "dialog", dialog.page.url if dialog.page else "")
        )
        dialog.dismiss()

    def _requested(self, request: Request) -> None:
        if _URL.match(request.url):
            self.hits.append(Hit(_number(_URL.sub("", request.url)), "request", request.url))


def _touched(frame: Frame) -> list[str]:
    from playwright.sync_api import Error

    try:
        found: list[str] = frame.evaluate(f"() => ({TOUCH})()")
    except Error:  # a payload led it away while it was touched
        return []
    return found


def _number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else 0
