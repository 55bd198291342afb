"""Links of our own: sealed, and put into HTML without touching anything else."""

from __future__ import annotations

import html
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.deliver.tracking import prepared, unsubscribe_url
from germane.domain.links import Link, LinkKeys
from tests.unit.deliver.channels.letters import a_letter

KEYS = LinkKeys([b"the newest secret", b"the one before"])
BASE = "https://go.shop.example"
LINK = Link(
    "c",
    "m-1",
    "u:ann@people.example",
    1_700_000_000,
    "c",
    "d",
    "news",
    "https://a.example/?q=1#x",
    1,
    3,
)


def tracked(page: str, **more: object) -> str:
    return prepared(a_letter(html=page, **more), KEYS, BASE, track=True).html


def leads(page: str) -> list[str]:
    """Where the counted links lead, in order."""
    found = [KEYS.open(each, "c") for each in re.findall(r"/c/([\w-]+)", page)]
    assert all(each is not None for each in found)
    assert [each.number for each in found if each] == list(range(len(found)))
    assert all(each.of == len(found) for each in found if each)
    return [each.url for each in found if each]


@given(
    st.builds(
        Link,
        st.sampled_from(["c", "o", "u"]),
        st.text(max_size=30),
        st.text(max_size=40),
        st.integers(0, 2**40),
        url=st.text(max_size=300),
    )  # fmt: skip
)
def test_a_token_says_what_was_sealed(link: Link) -> None:
    token = KEYS.seal(link)
    assert re.fullmatch(r"[\w-]+", token)
    assert KEYS.open(token, link.kind) == link
    assert KEYS.seal(link) == token
    others = [kind for kind in ("c", "o", "u") if kind != link.kind]
    assert all(KEYS.open(token, kind) is None for kind in others)  # type: ignore[arg-type]


def test_a_token_tells_nobody_else_anything() -> None:
    token = KEYS.seal(LINK)
    raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for secret in (b"ann", b"people", b"a.example", b"m-1", b"news"):
        assert secret not in raw
    assert len(token) < 220


def test_a_token_that_was_changed_opens_nothing() -> None:
    """Whichever bit it is."""
    token = KEYS.seal(LINK)
    raw = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    for place in range(len(raw)):
        for bit in (1, 128):
            raw[place] ^= bit
            changed = urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
            assert KEYS.open(changed, "c") is None
            raw[place] ^= bit
    for bad in (
        "",
        "a",
        token[:-4],
        token + "AAAA",
        token.replace(token[5], "!"),
        "A" * 9_000,
        "ü" * 40,
    ):
        assert KEYS.open(bad, "c") is None


def test_keys_are_replaced() -> None:
    """Old links open as long as their key is kept; a strange key opens none."""
    old, new = LinkKeys([b"the one before"]), LinkKeys([b"the newest secret"])
    assert KEYS.open(old.seal(LINK), "c") == LINK
    assert KEYS.open(new.seal(LINK), "c") == LINK
    assert KEYS.seal(LINK) == new.seal(LINK)
    assert new.open(old.seal(LINK), "c") is None
    with pytest.raises(ValueError, match="secret"):
        LinkKeys([])


@pytest.mark.parametrize(
    ("page", "urls"),
    [
        ('<a href="https://a.example/x">x</a>', ["https://a.example/x"]),
        ("<a class=b href='http://a.example/x?a=1&amp;b=2#end' target=_blank>x</a>", ["http://a.example/x?a=1&b=2#end"]),
        ("<a href=https://a.example/x>x</a>", ["https://a.example/x"]),
        ('<A\nHREF = "HTTPS://A.example/">x</A>', ["HTTPS://A.example/"]),
        ('<a title="a > b" href="https://a.example/">x</a>', ["https://a.example/"]),
        ('<area href="https://a.example/"><a href="https://b.example/">', ["https://a.example/", "https://b.example/"]),
        ('<a data-href="https://no.example/" href="https://a.example/">', ["https://a.example/"]),
        ('<a href="mailto:a@b.example">x</a><a href="tel:+49">x</a><a href="#top">x</a><a href="/x">x</a>', []),
        ('<a href="javascript:alert(1)">x</a><a href="ftp://a.example">x</a><a href="">x</a><a>x</a>', []),
        ('<!-- <a href="https://a.example/">x</a> --><p>', []),
        ('<!--[if mso]><a href="https://a.example/">x</a><![endif]-->', []),
        ('<style>a[href="https://a.example/"]{}</style><script><a href="https://a.example/"></script>', []),
        ('<a href="https://a.example/" data-track="off">x</a>', []),
        ('<a href="https://go.shop.example/u/abc">leave</a>', []),
        ('<abbr href="https://a.example/">x</abbr><link href="https://a.example/x.css">', []),
        ('<a href="https://a.example/' + "x" * 2_100 + '">x</a>', []),
        ('<a href="https://a.example/x', []),
    ],
)  # fmt: skip
def test_web_links_are_counted_and_nothing_else(page: str, urls: list[str]) -> None:
    """What stands around them stays, byte for byte."""
    made = tracked(page)
    assert leads(made) == urls
    rest = re.sub(r'"https://go\.shop\.example/c/[\w-]+"', "X", made)
    rest = re.sub(r"<img src=\"[^>]*>$", "", rest)
    for url in urls:
        page = re.sub(rf"""(["']?){re.escape(html.escape(url, quote=False))}\1""", "X", page)
    assert rest == page


def test_the_pixel_is_in_the_body() -> None:
    made = tracked("<html><body><p>Hi</p></body></html>")
    found = re.fullmatch(r'<html><body><p>Hi</p><img src="(.*?)" .*></body></html>', made)
    assert found is not None
    token = found[1].removeprefix(f"{BASE}/o/").removesuffix(".gif")
    link = KEYS.open(token, "o")
    assert link is not None
    assert (link.message_id, link.person, link.campaign_id) == ("m-1", "u:ann", "back-in-stock")


def test_a_campaign_that_counts_nothing_is_left_alone() -> None:
    letter = a_letter(html='<a href="https://a.example/">x</a>')
    assert prepared(letter, KEYS, BASE, track=False) == letter


def test_the_unsubscription() -> None:
    """Given where it is missing, the same at every try, about this purpose; never for transactional mail."""
    letter = a_letter(unsubscribe_url="")
    made = prepared(letter, KEYS, BASE, track=False)
    assert made.unsubscribe_url == unsubscribe_url(letter, KEYS, BASE)
    link = KEYS.open(made.unsubscribe_url.removeprefix(f"{BASE}/u/"), "u")
    assert link is not None
    assert (link.person, link.purpose) == ("u:ann", "email_marketing")
    urgent = replace(letter, purpose="transactional")
    assert prepared(urgent, KEYS, BASE, track=False).unsubscribe_url == ""


def test_html_that_never_ends_takes_no_time() -> None:
    """Unclosed quotes and tags, a megabyte of them."""
    import time

    begun = time.process_time()
    for page in (
        '<a "' * 50_000,
        "<a " * 100_000,
        "<!--" * 50_000,
        "<style>" * 20_000,
        "<a href='" * 50_000,
    ):
        tracked(page)
    assert time.process_time() - begun < 10
