"""HTML that a person wrote shows, and does nothing else."""

from __future__ import annotations

import pytest

from germane.domain.content import Chosen
from germane.generate.active import active
from germane.generate.render import render
from germane.testing import an_item
from germane.testing.contents import a_content, a_slot, facts
from germane.testing.xss import payloads


def test_what_germane_renders_is_shown() -> None:
    """So that an edit of it can be taken."""
    content = a_content(
        a_slot("head", "heading", "Hi {{ person.first_name }}"),
        a_slot("words", "text", "**New**: [see](https://shop.example/on=1)\n\n- once = enough"),
        a_slot("go", "button", "Go", url="https://shop.example/"),
        a_slot("picture", "image", image="https://shop.example/a.png", alt="A"),
        a_slot("items", "items", "For you", surface="home"),
    )
    item = an_item(1, price=2.0, currency="EUR", url="https://shop.example/1")
    told = facts({"first_name": "<Ann>"})
    made = render(content, Chosen(items={"items": (item,)}), told)
    assert not made.dropped
    assert active(made.html) == ""


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("<p>x</p><SCRIPT>1</SCRIPT>", "<SCRIPT>"),
        ("<img/src=x/onerror=x()>", "onerror="),
        ('<a href="&#106;ava&Tab;script:x()">x</a>', "javascript:"),
        ("<a href=' \x01javascript:x()'>x</a>", "javascript:"),
        ('<img src="data:image/svg+xml,x">', "data:"),
        ("<meta http-equiv=refresh content=0>", "http-equiv="),
        ("<!-- --!><form action=x>", "<form>"),
        ("<p title='</p><iframe>'>", "<iframe>"),
        ("<svg onload=x()>", "<svg>"),
    ],
)
def test_what_acts_is_named(html: str, told: str) -> None:
    """In the writer's own spelling where it is a tag or a handler."""
    assert active(html) == told


@pytest.mark.parametrize(
    "html",
    [
        "<p style='color:red'>On = off; data: all; JavaScript: the good parts</p>",
        '<img src="data:image/png;base64,AAAA"><a href="https://shop.example/?on=1">x</a>',
        '<meta http-equiv="Content-Type" content="text/html"><!--[if mso]><v:rect></v:rect><![endif]-->',
    ],
)
def test_what_shows_is_let_through(html: str) -> None:
    """Words about scripts are words."""
    assert active(html) == ""


def test_payloads_that_run_are_found() -> None:
    """Those that bring an element of their own; and most of all there are."""
    brought = [x for x in payloads() if x.family in ("script", "svg", "frame") and "<" in x.text]
    kept = [x.text for x in brought if not active(x.text)]
    assert all(x.startswith(("<a ping", "<img src", "<META", "<picture", "<math")) for x in kept), (
        kept
    )
    assert sum(not active(x.text) for x in payloads()) < 0.4 * len(payloads())
