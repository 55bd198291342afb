"""Drives the published tracking clients, each in a process or a browser of its own."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.acceptance import tools

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.acceptance.conftest import Server

CLIENTS = Path(__file__).parent / "clients"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def drive_python(server: Server, version: str, mode: str, *, key: str = "", url: str = "") -> str:
    """Run the Python client's script; what it printed."""
    script = [sys.executable, "-W", "ignore", str(CLIENTS / "python_client.py")]
    return _printed(
        [*script, url or server.url, key or server.write_key, mode],
        PYTHONPATH=str(tools.segment_python(version)),
    )


def drive_node(server: Server, *, key: str = "", url: str = "", path: str = "") -> str:
    """Run the Node client's script; what it printed."""
    return _printed(
        [
            tools.node(),
            str(CLIENTS / "node_client.js"),
            url or server.url,
            key or server.write_key,
            path,
        ],
        NODE_PATH=str(tools.node_project() / "node_modules"),
    )


def _printed(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        command,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


@contextmanager
def opened_page(address: str) -> Iterator[Page]:
    """The page in a headless Chromium with an empty profile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tools.chromium(), args=CHROMIUM)
        page = browser.new_page()
        page.goto(address)
        yield page
        browser.close()


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """A web site of another origin than the server: its page loads the published browser client."""
    package = tools.node_project() / "node_modules" / "@segment" / "analytics-next" / "dist" / "umd"
    folder.mkdir()
    for file in package.glob("*.js"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "index.html").write_text(
        "<!doctype html><title>Shop</title><script src=index.js></script>"
    )
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{served.server_address[1]}/index.html"
        finally:
            served.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
