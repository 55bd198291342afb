"""Consent purposes: what they are called, and what is nobody's to refuse."""

from __future__ import annotations

import re
from collections.abc import Iterable

PERSONALISATION = "personalisation"
"""First-party personalisation inside the product."""
EMAIL_MARKETING = "email_marketing"
CROSS_SITE = "cross_site_tracking"
"""What people do on other sites, or what others tell of them."""
SENSITIVE = "sensitive_data"
"""Health, money, politics, belief, origin, sexuality, exact place."""
OFFLINE = "offline_linking"
"""Linking what somebody does online with who they are offline."""
ADVERTISING = "cross_channel_advertising"
TRANSACTIONAL = "transactional"
"""What people asked for or must have: it needs no consent."""
PURPOSES = (PERSONALISATION, EMAIL_MARKETING, CROSS_SITE, SENSITIVE, OFFLINE, ADVERTISING)
"""Those that people are asked about, each on its own, never in a bundle."""
NAME = "[a-z][a-z0-9_]{0,63}"
"""How a purpose is written, wherever one is named: nobody could agree to another."""
REMEDY = "Use small letters, digits and underscores, a letter first, 64 at most"
_NAME = re.compile(NAME, re.ASCII)


def is_purpose(text: str) -> bool:
    """Whether a purpose may be called so."""
    return _NAME.fullmatch(text) is not None


def remedy(known: Iterable[str] = ()) -> str:
    """What to do about one that is called otherwise, with those in use."""
    used = ", ".join(sorted(set(known)))
    return f"{REMEDY}: {EMAIL_MARKETING}." + (f" In use: {used}." if used else "")
