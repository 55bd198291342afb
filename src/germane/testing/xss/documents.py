"""Documents that were made, shown to a browser as a server would send them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from playwright.sync_api import Page

SKELETON = """() => [...document.querySelectorAll("*")].map(
  each => `${each.localName}[${each.getAttributeNames().sort().join()}]`)"""
"""Elements and names of attributes, in their order: the same, whatever is only shown."""


class Document(NamedTuple):
    """What a server would answer."""

    name: str
    html: str
    headers: Mapping[str, str] = {}


class Documents:
    """Serves documents on this machine, by name; others can be put there at any time."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.known: dict[str, Document] = {}

    def put(self, document: Document) -> str:
        """Where a browser finds it."""
        self.known[f"/{document.name}"] = document
        return f"{self.address}/{document.name}"

    def each_framed(
        self, page: Page, documents: Sequence[Document], *, at_a_time: int = 60
    ) -> Iterator[Page]:
        """Load documents that may be framed, many at a time, each in a frame of its own."""
        for start in range(0, len(documents), at_a_time):
            some = documents[start : start + at_a_time]
            frames = "".join(f"<iframe src='{self.put(each)}'></iframe>" for each in some)
            page.goto(self.put(Document(f"from-{start}", f"<!doctype html>{frames}")))
            yield page


@contextmanager
def serving() -> Iterator[Documents]:
    """A server for them, on a port that is free."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = documents.known.get(self.path.partition("?")[0])
            body = found.html.encode() if found is not None else b""
            headers = {
                "Content-Type": "text/html; charset=utf-8",
                **(found.headers if found is not None else {}),
                "Content-Length": str(len(body)),
            }
            self.send_response(404 if found is None else 200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        served.daemon_threads = True
        documents = Documents(f"http://127.0.0.1:{served.server_address[1]}")
        thread = Thread(target=served.serve_forever)
        thread.start()
        try:
            yield documents
        finally:
            served.shutdown()
            thread.join()
