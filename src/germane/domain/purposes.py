"""Consent purposes: what is allowed unless somebody says no, and what only if they said yes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

PERSONALISATION = "personalisation"
"""First-party personalisation inside the product: on, with opt-out."""
EMAIL_MARKETING = "email_marketing"
TRANSACTIONAL = "transactional"
"""What people asked for or must have: it needs no consent."""
NAME = "[a-z][a-z0-9_]{0,63}"
"""How a purpose is written, wherever one is named: nobody could agree to another."""
REMEDY = "Use small letters, digits and underscores, a letter first, 64 at most"
_NAME = re.compile(NAME, re.ASCII)
ON_BY_DEFAULT = (PERSONALISATION, TRANSACTIONAL)


def granted(consent: Mapping[str, bool], purpose: str) -> bool:
    """Whether a purpose is allowed, by what a person has stated so far."""
    if purpose == TRANSACTIONAL:
        return True
    return consent.get(purpose, purpose in ON_BY_DEFAULT)


def is_purpose(text: str) -> bool:
    """Whether a purpose may be called so."""
    return _NAME.fullmatch(text) is not None


def remedy(known: Iterable[str] = ()) -> str:
    """What to do about one that is called otherwise, with those in use."""
    used = ", ".join(sorted(set(known)))
    return f"{REMEDY}: {EMAIL_MARKETING}." + (f" In use: {used}." if used else "")
