"""Verdicts, edits and operators as clients send them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from germane.api.wire import Id, Wire

Digest = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
ReasonText = Annotated[str, msgspec.Meta(max_length=500)]


class VerdictBody(Wire):
    """A verdict on exactly what has this digest."""

    digest: Digest
    reason: ReasonText = ""


class EditBody(Wire):
    """Other words for a message that waits: of single slots; or as a whole, of an e-mail subject, html and
    text, else the payload."""

    digest: Digest
    subject: Annotated[str, msgspec.Meta(max_length=2_000)] | None = None
    html: str | None = None
    text: str | None = None
    payload: dict[str, Any] | None = None
    slots: Annotated[dict[str, dict[str, str]], msgspec.Meta(min_length=1)] | None = None


class BulkRef(Wire):
    """One of many."""

    approval_id: Id
    digest: Digest


class BulkBody(Wire):
    """The same verdict on many."""

    answer: Literal["approve", "reject"]
    approvals: Annotated[list[BulkRef], msgspec.Meta(min_length=1, max_length=1_000)]
    reason: ReasonText = ""


class OperatorBody(Wire):
    """What an operator may do."""

    roles: Annotated[list[str], msgspec.Meta(min_length=1, max_length=5)]
    limit: Annotated[float, msgspec.Meta(ge=0)] | None = None
