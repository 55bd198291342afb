"""60 times kill -9 while sending: *never twice* has no second, *never lost* has no gap."""

from __future__ import annotations

from benchmarks import sendkills


def test_sendkills() -> None:
    """What is in doubt is listed for a person, and is no more than was on its way."""
    found = sendkills.run(60)
    assert sendkills.holds(found), found
    assert found["mails"] > 500
