"""Routes of approvals and operators."""

from __future__ import annotations

from germane.api import approval_wire as wire
from germane.api import schemas
from germane.api.approvals import PAGE_MAX, ApprovalRoutes
from germane.api.endpoint import Endpoint
from germane.api.operators import OperatorRoutes
from germane.app.approving import Approving
from germane.app.composing import Composer
from germane.app.engine import Engine


def approval(engine: Engine, composer: Composer | None = None) -> list[Endpoint]:
    """All of them. ``composer``: renders what is changed; ``None``: one that knows no addresses of our own."""
    return [
        *_approvals(ApprovalRoutes(engine, Approving(engine, composer=composer))),
        *_operators(OperatorRoutes(engine)),
    ]


def _approvals(on: ApprovalRoutes) -> list[Endpoint]:
    tag, one = "Approvals", "/v1/approvals/{approval_id}"
    return [
        Endpoint(
            "GET",
            "/v1/approvals",
            on.listed,
            "What waits for a person, and what became of it",
            tag,
            "approvals.read",
            answer=schemas.APPROVALS,
            query=(("limit", 1, PAGE_MAX),),
            texts=("status", "campaign", "after"),
        ),
        Endpoint(
            "GET",
            "/v1/approvals/stats",
            on.stats,
            "How many, how fast, and why people said no, by campaign",
            tag,
            "reports.read",
            texts=("campaign",),
        ),
        Endpoint(
            "POST",
            "/v1/approvals/bulk",
            on.bulk,
            "One verdict on many; of more than a few, some must have been opened",
            tag,
            "approvals.judge",
            body=wire.BulkBody,
            answer=schemas.BULK,
        ),
        Endpoint(
            "GET",
            one,
            on.one,
            "One, with the rendered content, why this person, and what it is expected to bring",
            tag,
            "approvals.read",
            answer=schemas.APPROVAL,
            also=(404,),
        ),
        Endpoint(
            "POST",
            one + "/approve",
            on.approve,
            "Approve exactly what has this digest",
            tag,
            "approvals.judge",
            body=wire.VerdictBody,
            answer=schemas.APPROVAL,
            also=(404, 409),
        ),
        Endpoint(
            "POST",
            one + "/reject",
            on.reject,
            "Reject it, with the reason",
            tag,
            "approvals.judge",
            body=wire.VerdictBody,
            answer=schemas.APPROVAL,
            also=(404, 409),
        ),
        Endpoint(
            "POST",
            one + "/edit",
            on.edit,
            "Other words: another digest, to be approved by somebody else",
            tag,
            "approvals.edit",
            body=wire.EditBody,
            answer=schemas.APPROVAL,
            also=(404, 409),
        ),
    ]


def _operators(on: OperatorRoutes) -> list[Endpoint]:
    tag, one = "Operators", "/v1/operators/{name}"
    return [
        Endpoint("GET", "/v1/operators", on.listed, "Who runs this Germane", tag, "operators.read"),
        Endpoint(
            "PUT",
            one,
            on.put,
            "Appoint somebody, or give them other roles; the answer has their new token, once",
            tag,
            "operators.write",
            body=wire.OperatorBody,
        ),
        Endpoint(
            "POST", one + "/token", on.token, "A new token; the old one ends", tag, "operators.write",
            also=(404,),
        ),
        Endpoint(
            "POST", one + "/disable", on.disable,
            "They can do nothing, and what they approved counts no longer", tag, "operators.write",
            also=(404,),
        ),
        Endpoint(
            "POST", one + "/enable", on.enable, "They can again", tag, "operators.write", also=(404,)
        ),
    ]  # fmt: skip
