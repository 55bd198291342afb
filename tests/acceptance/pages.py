"""Web pages that host the snippet, of another origin and under a strict policy; and servers that misbehave."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.acceptance import tools
from tests.acceptance.driving import CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

WATCH = """
window.problems = [];
document.addEventListener("securitypolicyviolation",
  e => problems.push(`policy: ${e.violatedDirective} ${e.blockedURI}`));
addEventListener("error", e => problems.push(`error: ${e.message}`));
addEventListener("unhandledrejection", e => problems.push(`rejection: ${e.reason}`));
window.shift = 0;
new PerformanceObserver(list => {
  for (const each of list.getEntries()) window.shift += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
div[id^=slot] { min-height: 20rem; }
.tall { height: 1600px; }
#anchor { margin: 3rem 0 0 60%; }
"""


class Site:
    """Pages by path. Every one is under a policy that lets in only the site itself and Germane."""

    def __init__(self, germane: str) -> None:
        self.germane = germane
        self.pages: dict[str, tuple[str, str]] = {
            "/style.css": ("text/css", STYLE),
            "/favicon.ico": ("image/x-icon", ""),
        }
        self.address = ""

    @property
    def policy(self) -> str:
        """No ``unsafe-inline``, no ``unsafe-eval``, no other host."""
        return (
            f"default-src 'self'; script-src 'self' {self.germane}; connect-src 'self' {self.germane}; "
            "style-src 'self'; img-src 'self' https:; base-uri 'none'; object-src 'none'"
        )

    def page(self, path: str, script: str, body: str, *, head: str = "", tag: str = "") -> str:
        """Put a page there, whose own script calls the snippet; its address."""
        tag = tag or f'<script src="{self.germane}/germane.js"></script>'
        own = f'<script src="{path}.js" defer></script>' if script else ""
        text = (
            "<!doctype html><html lang=en><meta charset=utf-8>"
            "<meta name=viewport content='width=device-width'><title>Shop</title>"
            f"<link rel=stylesheet href=/style.css>{head}{tag}{own}<body>{body}</body></html>"
        )
        self.pages[path] = "text/html", text
        self.pages[f"{path}.js"] = ("text/javascript", script)
        return self.address + path


class _Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def say(self, status: int, kind: str, text: str, **headers: str) -> None:
        """One whole answer."""
        body = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def _listening(handler: type[_Quiet]) -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        served.daemon_threads = True
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        try:
            yield served.server_address[1]
        finally:
            served.shutdown()
            thread.join()


@contextmanager
def hosted(germane: str) -> Iterator[Site]:
    """A site that hosts pages for the server at this address."""
    site = Site(germane)

    class Pages(_Quiet):
        def do_GET(self) -> None:
            kind, text = site.pages.get(self.path.partition("?")[0], ("", ""))
            policy = {"Content_Security_Policy": site.policy} if kind == "text/html" else {}
            self.say(200 if kind else 404, f"{kind}; charset=utf-8", text, **policy)

    with _listening(Pages) as port:
        site.address = f"http://localhost:{port}"
        yield site


@contextmanager
def misbehaving(script: str, mode: str) -> Iterator[str]:
    """A server that has the script, and answers every question in one wrong way."""
    done = threading.Event()

    class Wrong(_Quiet):
        def do_GET(self) -> None:
            self.say(200, "text/javascript", script)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            allowed = {"Access_Control_Allow_Origin": "*"}
            with suppress(OSError):
                if mode == "slow":
                    done.wait(20)
                if mode == "closes":
                    self.connection.close()
                elif mode == "500":
                    self.say(500, "application/json", '{"code": "internal"}', **allowed)
                else:
                    self.say(200, "application/json", mode, **allowed)

    with _listening(Wrong) as port:
        yield f"http://127.0.0.1:{port}"
        done.set()


@contextmanager
def chromium(**how: Any) -> Iterator[Browser]:
    """A headless Chromium; ``how`` goes to its launch."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tools.chromium(), args=CHROMIUM, **how)
        yield browser
        browser.close()


@contextmanager
def visitor(browser: Browser, **how: Any) -> Iterator[Page]:
    """A page of a browser with an empty profile, which notes what goes wrong in it."""
    context = browser.new_context(**how)
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


def another_tab(page: Page) -> Page:
    """A tab beside this one, of the same visitor."""
    context: BrowserContext = page.context
    return context.new_page()


def until(page: Page, good: Callable[[], object], seconds: float = 10) -> None:
    """Wait for it, while the browser's news come in."""
    deadline = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < deadline, "it never came"
        page.wait_for_timeout(50)
