"""Consent purposes: what is allowed unless somebody says no, and what only if they said yes."""

from __future__ import annotations

from collections.abc import Mapping

PERSONALISATION = "personalisation"
"""First-party personalisation inside the product: on, with opt-out."""
EMAIL_MARKETING = "email_marketing"
TRANSACTIONAL = "transactional"
"""What people asked for or must have: it needs no consent."""
ON_BY_DEFAULT = (PERSONALISATION, TRANSACTIONAL)


def granted(consent: Mapping[str, bool], purpose: str) -> bool:
    """Whether a purpose is allowed, by what a person has stated so far."""
    if purpose == TRANSACTIONAL:
        return True
    return consent.get(purpose, purpose in ON_BY_DEFAULT)
