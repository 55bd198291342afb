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
