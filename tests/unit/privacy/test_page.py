"""The export as a page."""

from __future__ import annotations

from germane.privacy import page


def test_a_file_of_it_has_a_policy_too() -> None:
    """It is opened from a disk, where no header forbids anything."""
    told = page.page({"personId": "<i>ann</i>", "events": [{"name": "<script>x()</script>"}]})
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\';' in told
    assert told.index("Content-Security-Policy") < told.index("&lt;i&gt;ann")
    assert "<script" not in told
    assert "<i>" not in told


def test_fields_are_read_as_words_and_moments_as_dates() -> None:
    """What is a name of theirs, or a number, stays as it is."""
    event = {
        "item_id": "a_b",
        "sentAt": "now",
        "at_ms": 1_764_000_000_000,
        "wait_ms": 1500,
        "X9_y": 1,
    }
    told = page.page({"personId": "ann", "events": [event]})
    assert "<dt>item id</dt><dd>a_b</dd><dt>sent at</dt><dd>now</dd>" in told
    assert "<dt>at</dt><dd>2025-11-24 16:00:00 UTC</dd><dt>wait ms</dt><dd>1500</dd>" in told
    assert "<dt>X9_y</dt><dd>1</dd>" in told
