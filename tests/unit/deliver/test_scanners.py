"""Who opened and who clicked."""

from __future__ import annotations

from typing import Any

import pytest

from germane.domain.machine import Fetch, judge

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
SENT = 1_700_000_000_000


def a_click(after_s: float = 600, **more: Any) -> Fetch:
    said: dict[str, Any] = {"kind": "clicked", "agent": CHROME, "delivered_ms": SENT, "links": 5}
    return Fetch(at_ms=SENT + int(after_s * 1000), **(said | more))


@pytest.mark.parametrize(
    ("fetch", "who"),
    [
        (a_click(), "person"),
        (a_click(agent=IPHONE), "person"),
        (a_click(after_s=20), "person"),
        (a_click(after_s=5), "unsure"),
        (a_click(after_s=1.9), "machine"),
        (a_click(after_s=-1), "machine"),
        (a_click(after_s=1, delivered_ms=0), "person"),
        (a_click(method="HEAD"), "machine"),
        (a_click(method="OPTIONS"), "machine"),
        (a_click(agent=""), "machine"),
        (a_click(agent="Barracuda Sentinel (EE)"), "machine"),
        (a_click(agent="Mozilla/5.0 (compatible; bingbot/2.0)"), "machine"),
        (a_click(agent="python-requests/2.32"), "machine"),
        (a_click(agent="curl/8.5.0"), "machine"),
        (a_click(agent=CHROME.replace("Chrome", "HeadlessChrome")), "machine"),
        (a_click(agent="Slackbot-LinkExpanding 1.0"), "machine"),
        (a_click(agent="Microsoft Office Existence Discovery"), "machine"),
        (a_click(headers={"purpose": "prefetch"}), "machine"),
        (a_click(headers={"sec-purpose": "prefetch;prerender"}), "machine"),
        (a_click(headers={"x-moz": "prefetch"}), "machine"),
        (a_click(headers={"x-purpose": "preview"}), "machine"),
        (a_click(agent="Mozilla/5.0"), "person"),
        (a_click(kind="opened"), "person"),
        (a_click(kind="opened", after_s=1), "unsure"),
        (a_click(kind="opened", agent="Mozilla/5.0"), "machine"),
        (a_click(kind="opened", ip="17.58.101.5"), "machine"),
        (a_click(kind="opened", ip="18.58.101.5"), "person"),
        (a_click(kind="opened", ip="no address"), "person"),
        (a_click(kind="opened", agent="Mozilla/5.0 (via ggpht.com GoogleImageProxy)"), "unsure"),
        (a_click(kind="opened", agent="YahooMailProxy; https://help.yahoo.com"), "unsure"),
    ],
)  # fmt: skip
def test_who_it_was(fetch: Fetch, who: str) -> None:
    found, why = judge(fetch)
    assert found == who, why
    assert why


def test_a_burst_of_all_links() -> None:
    """Three links within seconds, or both of two; a person who clicks one link thrice is a person."""
    burst = [a_click(after_s=600 + n * 0.2, link=n) for n in range(3)]
    assert [judge(each, burst)[0] for each in burst] == ["machine"] * 3
    assert [judge(each, burst[:n])[0] for n, each in enumerate(burst)] == [
        "person",
        "person",
        "machine",
    ]
    both = [a_click(after_s=600 + n, link=n, links=2) for n in range(2)]
    assert judge(both[1], both[:1])[0] == "machine"
    again = [a_click(after_s=600 + n, link=0, links=2) for n in range(5)]
    assert judge(again[4], again[:4])[0] == "person"
    slowly = [a_click(after_s=600 + n * 30, link=n) for n in range(5)]
    assert judge(slowly[4], slowly[:4])[0] == "person"
    only = a_click(link=0, links=1)
    assert judge(only, [only])[0] == "person"
    opens = [a_click(kind="opened", after_s=600 + n) for n in range(5)]
    assert judge(opens[4], opens[:4])[0] == "person"
