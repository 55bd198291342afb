"""Routes of keys and of the audit log."""

from __future__ import annotations

from germane.api.endpoint import Endpoint
from germane.api.security import PAGE_MAX, AuditRoutes, KeyBody, KeyRoutes, RotateBody
from germane.app.engine import Engine


def security(engine: Engine) -> list[Endpoint]:
    """All of them."""
    return [*_keys(KeyRoutes(engine)), *_audit(AuditRoutes(engine))]


def _keys(on: KeyRoutes) -> list[Endpoint]:
    tag, one = "Keys", "/v1/keys/{key_id}"
    return [
        Endpoint("GET", "/v1/keys", on.listed, "Keys that were made while serving", tag, "keys"),
        Endpoint(
            "POST", "/v1/keys", on.make, "A new key; the answer has it, once", tag, "keys", body=KeyBody
        ),
        Endpoint(
            "POST", one + "/rotate", on.rotate, "Another one in its place; the old one goes on for a while",
            tag, "keys", body=RotateBody, also=(404,),
        ),
        Endpoint(
            "POST", one + "/revoke", on.revoke, "It opens nothing from now on", tag, "keys", also=(404,)
        ),
    ]  # fmt: skip


def _audit(on: AuditRoutes) -> list[Endpoint]:
    tag = "Audit"
    return [
        Endpoint(
            "GET", "/v1/audit", on.listed, "Who did what; the newest first", tag, "audit.read",
            query=(("limit", 1, PAGE_MAX), ("before", 0, 2**40)), texts=("since", "person"),
        ),
        Endpoint(
            "GET", "/v1/audit/verification", on.verified,
            "Whether anything in the audit log was changed, removed or moved", tag, "audit.read",
            texts=("head",),
        ),
    ]  # fmt: skip
