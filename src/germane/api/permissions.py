"""What may be done, and who may do it: by key and by role. Every endpoint names its permission."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from germane.domain.key import Scope
from germane.domain.operator import Role

Permission = Literal[
    "open",
    "track",
    "decide",
    "decide.many",
    "reports.read",
    "content.read",
    "content.write",
    "campaigns.read",
    "campaigns.write",
    "campaigns.run",
    "catalogue.read",
    "catalogue.write",
    "approvals.read",
    "approvals.judge",
    "approvals.edit",
    "people.read",
    "people.export",
    "people.erase",
    "consent.write",
    "letters.read",
    "letters.write",
    "operators.read",
    "operators.write",
    "keys",
    "audit.read",
]
"""``open``: anybody, without a key, or with a proof of its own (a link's seal, a provider's signature)."""
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
ALL = frozenset(PERMISSIONS)
TRAFFIC: frozenset[Permission] = frozenset({"open", "track", "decide", "decide.many"})
"""What the product itself does all day: it is counted, not audited."""
PERSONAL: frozenset[Permission] = frozenset({"people.read", "people.export", "letters.read"})
"""A look at single people: it is audited like a change."""
ADMIN_ONLY: frozenset[Permission] = frozenset(
    {"keys", "operators.write", "people.erase", "audit.read"}
)
"""What a server key may not do once there is an admin key."""
OF_SCOPE: dict[Scope, frozenset[Permission]] = {
    "write": frozenset({"open", "track"}),
    "server": ALL - ADMIN_ONLY,
    "admin": ALL,
}
"""A write key with a person token asks for its person, too (``browser.py``)."""
_WRITES: frozenset[Permission] = frozenset(
    {
        "open",
        "operators.read",
        "reports.read",
        "content.read",
        "content.write",
        "campaigns.read",
        "campaigns.write",
        "catalogue.read",
        "approvals.read",
        "approvals.judge",
        "approvals.edit",
    }
)
OF_ROLE: dict[Role, frozenset[Permission]] = {
    "admin": ALL,
    "editor": _WRITES | {"catalogue.write"},
    "approver": _WRITES | {"campaigns.run"},
    "analyst": frozenset(
        {
            "open",
            "operators.read",
            "reports.read",
            "content.read",
            "campaigns.read",
            "catalogue.read",
        }
    ),
    "privacy officer": frozenset(
        {
            "open",
            "operators.read",
            "reports.read",
            "campaigns.read",
            "approvals.read",
            "approvals.judge",
            "people.read",
            "people.export",
            "people.erase",
            "consent.write",
            "letters.read",
            "audit.read",
        }
    ),
}
"""Whose verdict counts is said by the policies of approvals; ``approvals.judge`` only lets them ask."""
MEANING: dict[Permission, str] = {
    "open": "health, metrics, this description; links in messages and providers' calls, by their own seal",
    "track": "send events",
    "decide": "ask for decisions and report what became of them, for one person",
    "decide.many": "ask for decisions for many people at once",
    "reports.read": "surfaces, how choices stand, outcomes of content, figures of approvals and of privacy",
    "content.read": "read content",
    "content.write": "write content and take it away",
    "campaigns.read": "read campaigns, their figures, the size of their audience, kill switches",
    "campaigns.write": "write campaigns",
    "campaigns.run": "let campaigns go live, pause and end them; kill switches; cancel or resolve messages",
    "catalogue.read": "read items",
    "catalogue.write": "add, change and remove items",
    "approvals.read": "see what waits for approval, and its text",
    "approvals.judge": "approve and reject, where the policy counts them",
    "approvals.edit": "change the text of what waits",
    "people.read": "profiles, the moment, messages to people, why somebody got none",
    "people.export": "all that is known of somebody",
    "people.erase": "erase somebody",
    "consent.write": "record what somebody agreed to",
    "letters.read": "dead letters, which hold what people sent",
    "letters.write": "replay and dismiss dead letters",
    "operators.read": "who runs this Germane",
    "operators.write": "appoint operators, end them, give them tokens",
    "keys": "make, list, rotate and revoke keys",
    "audit.read": "read and verify the audit log",
}


def of_roles(roles: Iterable[Role]) -> frozenset[Permission]:
    """What somebody with these roles may do."""
    return frozenset().union(*(OF_ROLE[each] for each in roles))


def roles_with(permission: Permission) -> str:
    """In words, for a hint: ``editor, approver or admin``."""
    *others, _ = found = [
        *(each for each in OF_ROLE if each != "admin" and permission in OF_ROLE[each]),
        "admin",
    ]
    return f"{', '.join(others)} or admin" if others else found[0]
