"""500 payloads in every field that a page or a mail shows: none runs, in real Chromium.

Pages are loaded under the policy that they come with, and once more without any, so that escaping holds by
itself. Mails have no policy of ours. `python -m benchmarks.xss` does the same with every payload there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from germane.api import pages
from germane.testing.xss import FAMILIES, Document, bare, payloads, serving
from tests.acceptance.pages import chromium
from tests.acceptance.xss import filled, mails, scripted, served
from tests.acceptance.xss.checking import SOME, Sink, checked, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser; each look at something has a context of its own."""
    with chromium() as opened:
        yield opened


def test_the_payloads_do_run_where_nothing_is_done(browser: Browser) -> None:
    """The control: bare, in a page that forbids nothing, most of them run, and of each family some."""
    some = [each for each in payloads() if each.text in SOME]
    with serving() as here, watched(browser, policy=True) as (page, watch):
        for shown in here.each_framed(page, [Document(f"{x.number}", bare(x)) for x in some]):
            watch.touch(shown)
    ran = {each.family for each in some if each.number in watch.ran}
    assert len(some) == 500
    assert len(watch.ran & {each.number for each in some}) >= 300
    assert ran == {*FAMILIES}


def test_a_policy_that_is_taken_away_is_gone(browser: Browser) -> None:
    """The other control: only the policy holds this back, and without it, it runs."""
    html = "<script>xss(1)</script><img src=x onerror=xss(2)><a href=javascript:xss(3)>x</a>"
    for policy, expected in ((True, set()), (False, {1, 2, 3})):
        with serving() as here, watched(browser, policy=policy) as (page, watch):
            page.goto(here.put(Document("x", html, pages.HEADERS)))
            assert len(watch.touch(page)) == 2
        assert watch.ran == expected


@pytest.mark.parametrize("sink", [*filled.SINKS, *mails.SINKS], ids=lambda sink: sink.name)
def test_what_is_shown_is_text(browser: Browser, sink: Sink) -> None:
    """Nothing runs, nothing would, and the elements are those that there are with harmless words."""
    for found in checked(browser, sink):
        assert found.good, found


@pytest.mark.parametrize("name", scripted.SCRIPTED)
def test_what_a_script_draws_is_text(browser: Browser, name: str) -> None:
    """Whatever the server answers."""
    for found in scripted.drawn(browser, name):
        assert found.good, found


def test_what_came_in_by_the_api(browser: Browser, tmp_path: Path) -> None:
    """The whole way: the example page, the export, the page that tells why; and addresses that are payloads."""
    server = served.a_server(tmp_path / "shop")
    try:
        for found in served.looked_at(browser, server):
            assert found.good, found
    finally:
        server.close()
