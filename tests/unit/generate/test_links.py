"""Addresses: which may stand in content."""

from __future__ import annotations

import pytest

from germane.domain.settings import ContentSpec
from germane.generate.links import hosted, wrong_with
from germane.generate.said import check_address, typed_addresses

SHOP = ContentSpec(link_hosts=("shop.example", "*.cdn.example"), link_schemes=("myapp",))


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://SHOP.example/a?b=c#d",
        "https://shop.example:8443/a",
        "https://shop.example./a",
        "https://a.cdn.example/x.png",
        "https://a.b.cdn.example/x.png",
        "myapp://cart/12",
        "https://shop.example/%20%E2%82%AC",
    ],
)
def test_good(url: str) -> None:
    assert wrong_with(url, SHOP) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/cart",
        "//shop.example/cart",
        "shop.example/cart",
        "http://shop.example/",  # not asked for
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://shop.example/",
        "https://",
        "https:///path",
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "https://evilshop.example/",
        "https://cdn.example/",  # only below it
        "https://xcdn.example/",
        "https://shop.example@evil.example/",
        "https://user:pass@shop.example/",
        "https://shop.example\\@evil.example/",
        "https://evil.example\\.shop.example/",
        "https://shop.example/a b",
        "https://shop.example/<b>",
        "https://shop.example/\n",
        "https://shop.example:port/",
        "https://[::1",
        "https://shop.example/" + "a" * 2_000,
    ],
)
def test_bad(url: str) -> None:
    wrong = wrong_with(url, SHOP)
    assert wrong is not None
    assert all(wrong), "says what is wrong, and what to do"


def test_no_list_allows_javascript() -> None:
    spec = ContentSpec(link_hosts=("shop.example",), link_schemes=("javascript", "http"))
    assert wrong_with("javascript:alert(1)", spec) is not None
    assert wrong_with("http://shop.example/", spec) is None


def test_images_have_no_deep_links() -> None:
    assert wrong_with("myapp://x.png", SHOP, image=True) is not None
    assert wrong_with("https://a.cdn.example/x.png", SHOP, image=True) is None


def test_hosts() -> None:
    assert not hosted("shop.example", ContentSpec())
    assert hosted("a.cdn.example", SHOP)


@pytest.mark.parametrize(
    ("source", "good"),
    [
        ("{{ item.url }}", True),  # looked at when it is filled
        ("https://shop.example/{{ item.id }}?u={{ person.plan }}", True),
        ("https://{{ item.id }}.cdn.example/", False),
        ("https://shop.example{{ item.id }}/", False),
        ("{% if a %}https://evil.example/{% endif %}", False),
        ("https://evil.example/{{ item.id }}", False),
        ("java{{ item.id }}script:x", False),
    ],
)
def test_addresses_with_values(source: str, good: bool) -> None:
    assert (check_address(source, SHOP) is None) is good


def test_typed_addresses() -> None:
    text = "See [this](https://evil.example/a), www.evil.example and https://shop.example/b."
    assert [url for url, _ in typed_addresses(text, SHOP)] == [
        "https://evil.example/a",
        "www.evil.example",
    ]
