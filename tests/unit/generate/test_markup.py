"""The little mark-up of texts, as HTML and as plain text."""

from __future__ import annotations

import pytest

from germane.generate.markup import sentences, to_html, to_text


def same(url: str) -> str:
    return url


@pytest.mark.parametrize(
    ("source", "html", "text"),
    [
        ("One.", "<p>One.</p>", "One."),
        ("One\ntwo", "<p>One<br>two</p>", "One\ntwo"),
        ("One\n\n\ntwo", "<p>One</p><p>two</p>", "One\n\ntwo"),
        ("**A** b", "<p><strong>A</strong> b</p>", "A b"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("a * b * c", "<p>a * b * c</p>", "a * b * c"),
        (
            "[Go **x**](https://a.example/?x=1&y=2)!",
            '<p><a href="https://a.example/?x=1&amp;y=2">Go **x**</a>!</p>',
            "Go **x** (https://a.example/?x=1&y=2)!",
        ),
        ("a < b & c", "<p>a &lt; b &amp; c</p>", "a < b & c"),
        ("[no link]", "<p>[no link]</p>", "[no link]"),
    ],
)
def test_markup(source: str, html: str, text: str) -> None:
    assert to_html(source, same) == html
    assert to_text(source, same) == text


def test_sentences() -> None:
    found = [
        each for each, _ in sentences("One. Two? [Three](https://x.example)!\n\n- four\n- **five**")
    ]
    assert found == ["One.", "Two?", "Three!", "four", "five"]
