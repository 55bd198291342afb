"""Categories of data, and what each may be kept and used for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from germane.domain.purposes import (
    CROSS_SITE,
    EMAIL_MARKETING,
    OFFLINE,
    PERSONALISATION,
    SENSITIVE,
    TRANSACTIONAL,
)
from germane.domain.settings import Settings

BEHAVIOUR = "behaviour"
DECLARED = "declared"
CONTACT = "contact"
SERVICE = "service"
_SENSITIVE = (
    "sensitive",
    "health",
    "financial",
    "political",
    "religious",
    "ethnic",
    "sexual",
    "biometric",
    "precise_location",
)
NEEDS: Mapping[str, tuple[str, ...]] = {
    BEHAVIOUR: (PERSONALISATION,),
    DECLARED: (PERSONALISATION,),
    "third_party": (PERSONALISATION, CROSS_SITE),
    "offline": (PERSONALISATION, OFFLINE),
    **dict.fromkeys(_SENSITIVE, (PERSONALISATION, SENSITIVE)),
}
"""Category -> purposes that all must be allowed."""
ANY_OF: Mapping[str, tuple[str, ...]] = {
    CONTACT: (EMAIL_MARKETING, TRANSACTIONAL),
    SERVICE: (TRANSACTIONAL,),
}
"""Category -> purposes of which one is enough."""
NAMES = (*NEEDS, *ANY_OF)
"""Every category there is."""
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "first_name": ("first_name", "firstName", "firstname", "given_name"),
    "last_name": ("last_name", "lastName", "lastname", "family_name"),
    "name": ("name", "fullName", "full_name"),
    "company": ("company", "company_name", "companyName"),
}
"""How people are called in texts -> what tracking clients call that."""
OWN: Mapping[str, str] = {
    "email": CONTACT,
    "phone": CONTACT,
    "locale": SERVICE,
    "timezone": SERVICE,
    "createdAt": DECLARED,
    "created_at": DECLARED,
    **{name: DECLARED for names in SPELLINGS.values() for name in names},
}
"""Traits of Segment's that need no declaration, and their category: how people are reached and addressed, and
since when they have been there."""
RESERVED: Mapping[str, str] = {
    "address": "precise_location",
    "age": DECLARED,
    "avatar": DECLARED,
    "birthday": DECLARED,
    "description": DECLARED,
    "employees": DECLARED,
    "gender": "sensitive",
    "id": DECLARED,
    "industry": DECLARED,
    "plan": DECLARED,
    "title": DECLARED,
    "username": DECLARED,
    "website": DECLARED,
}
"""Segment's other reserved traits, which must be declared, and the category that fits each."""
OWN_OF_ACCOUNTS = frozenset(("name", "industry", "employees", "plan", "website", "createdAt"))
"""Traits of an account (``group``) that need no declaration: they are about a company, not about people."""


def category_of(trait: str, settings: Settings) -> str:
    """Of a trait, declared or not."""
    spec = settings.traits.get(trait)
    return spec.category if spec is not None else OWN.get(trait, DECLARED)


def own_of(name: str) -> str | None:
    """Which of the traits that need no declaration is meant by a name in another spelling: ``E-Mail``."""
    return _BY_LETTERS.get(_letters(name))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_BY_LETTERS: Mapping[str, str] = {_letters(each): each for each in reversed([*OWN])}


def sensitive(category: str) -> bool:
    """Whether data of it need a consent of their own, and are never spoken of."""
    return category in _SENSITIVE
