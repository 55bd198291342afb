"""The demo on a small cut of the real data: it can be stopped and goes on, and its page moves."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from germane.domain.errors import NotFound, StorageFailed
from tests.acceptance import tools
from tests.acceptance.conftest import free_port

CUT = {"GERMANE_DEMO_HOUSEHOLDS": "25"}


started: list[subprocess.Popen[str]] = []


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command."""
    process = subprocess.Popen(
        [sys.executable, "-m", "germane", "demo", "shop", "--no-browser", "--data", str(folder)]
        + [*arguments],
        env=os.environ | CUT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    started.append(process)
    return process


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Whatever a test started ends with it."""
    yield
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    started.clear()


def counts(folder: Path) -> dict[str, int]:
    """What is in the data folder."""
    from germane.storage.sqlite import SqliteStore

    store = SqliteStore.open(folder / "germane-data", mode="read")
    with contextlib.closing(store):
        return store.counts() | {"cursor": int(store.meta("demo.imported") or b"-1")}


def until(port: int, good: Callable[[str], bool]) -> None:
    """Wait for the server, then for the page's picture to be as expected."""
    deadline = time.monotonic() + 90
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        while time.monotonic() < deadline:
            try:
                with client.stream("GET", "/console/live/events") as stream:
                    for line in stream.iter_lines():
                        if line.startswith("data: ") and good(line):
                            return
                        if time.monotonic() > deadline:
                            break
            except httpx.HTTPError:
                time.sleep(0.1)
    raise AssertionError("the page never showed what it should")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose import was killed on the way, and then went on to its end."""
    folder = tmp_path_factory.mktemp("demo") / "shop"
    first = demo(folder, "--until", "import")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(NotFound, StorageFailed):  # not there yet, or still being made
            if counts(folder)["cursor"] > 0:
                break
        time.sleep(0.02)
    first.kill()
    first.communicate()
    stopped = counts(folder)
    second = demo(folder, "--until", "import")
    printed, _ = second.communicate(timeout=300)
    assert second.returncode == 0, printed
    done = counts(folder)
    assert 0 < stopped["cursor"] < done["cursor"]
    return folder


def test_an_interrupted_import_goes_on(imported: Path, tmp_path: Path) -> None:
    """Killed half-way and started again, it has exactly what an import in one go has."""
    whole = demo(tmp_path / "whole", "--until", "import")
    printed, _ = whole.communicate(timeout=300)
    assert whole.returncode == 0, printed
    assert counts(imported) == counts(tmp_path / "whole")


def test_the_terminal_looks_at_the_demos_time(imported: Path) -> None:
    """The people of the demo are known there, though by the machine's clock all of it is long ago."""

    def said(*arguments: str) -> str:
        command = [sys.executable, "-m", "germane", *arguments]
        return subprocess.run(
            command, cwd=imported, env=os.environ | CUT, text=True, capture_output=True, check=True
        ).stdout

    people = [json.loads(line) for line in said("export", "people", "-").splitlines()]
    best = max(people, key=lambda each: each["readiness"]["evidence"])
    assert best["readiness"]["value"] > 0.9
    assert "Readiness 0%" not in said("person", best["userId"])
    assert "You have had this" in said("decide", best["userId"], "home-grid")


def test_the_page_is_live(imported: Path) -> None:
    """In real Chromium the numbers move; Ctrl-C ends with code 0; the next start goes on."""
    from playwright.sync_api import expect, sync_playwright

    port = free_port()
    running = demo(imported, "--port", str(port), "--speed", "60")
    until(port, lambda line: '"slates":' in line and '"unseen":0' in line)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=tools.chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        problems: list[str] = []
        page.on(
            "console", lambda said: problems.append(said.text) if said.type == "error" else None
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        outside: list[str] = []
        page.on("request", lambda sent: outside.append(sent.url))
        page.goto(f"http://127.0.0.1:{port}/console/live")
        # Locators, not functions in the page: its Content-Security-Policy allows no evaluation.
        expect(page.locator("#ours")).to_contain_text("%", timeout=30_000)
        expect(page.locator("#slate li")).to_have_count(10, timeout=30_000)
        first = page.text_content("#progress-text") or ""
        expect(page.locator("#progress-text")).not_to_have_text(first, timeout=30_000)
        assert re.match(r"\d", page.text_content("#p50") or "")
        assert "Household" in (page.text_content("#who") or "")
        browser.close()
    assert problems == []
    assert all(url.startswith(f"http://127.0.0.1:{port}/") for url in outside)
    with httpx.stream("GET", f"http://127.0.0.1:{port}/console/live/events"):  # a page is open
        running.send_signal(signal.SIGINT)
        printed, _ = running.communicate(timeout=30)
    assert running.returncode == 0, printed
    assert "Traceback" not in printed
    assert "Start again with the same command" in printed
    before = counts(imported)["records"]
    again = demo(imported, "--port", str(port), "--speed", "60")
    until(port, lambda line: '"slates":' in line)
    deadline = time.monotonic() + 60
    while counts(imported)["records"] <= before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert httpx.get(f"http://127.0.0.1:{port}/readyz").json()["ready"] is True
    again.send_signal(signal.SIGINT)
    printed, _ = again.communicate(timeout=30)
    assert again.returncode == 0, printed
    assert counts(imported)["records"] > before
