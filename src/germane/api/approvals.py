"""Approvals over HTTP: the queue, one of it, verdicts, edits, figures."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from germane.api import approval_wire as wire
from germane.api.approval_view import in_brief, stats_view, whole
from germane.api.body import answer, parse
from germane.api.callers import caller_of
from germane.api.ops import whole_number
from germane.app.approving import Approving
from germane.app.engine import Engine
from germane.app.rewording import Edit
from germane.domain.approval import STATUSES, Answer
from germane.domain.errors import BadRequest, GermaneError

PAGE_MAX = 500


class ApprovalRoutes:
    """Endpoints for operators: with their token, or with the server key in somebody's name."""

    def __init__(self, engine: Engine, approving: Approving) -> None:
        self._engine = engine
        self._approving = approving

    async def listed(self, request: Request) -> Response:
        """``GET /v1/approvals?status=&campaign=&after=&limit=``."""
        status = request.query_params.get("status", "")
        if status and status not in STATUSES:
            raise BadRequest(
                f"There is no status {status[:40]!r}.", hint=f"Known: {', '.join(STATUSES)}."
            )
        limit = whole_number(request, "limit", 100, PAGE_MAX, least=1)
        found = self._approving.listed(
            status=status,
            campaign=request.query_params.get("campaign", ""),
            after=request.query_params.get("after", ""),
            limit=limit,
        )
        last = found[-1].approval_id if len(found) == limit else None
        return answer({"approvals": [in_brief(each, self._engine) for each in found], "next": last})

    async def stats(self, request: Request) -> Response:
        """``GET /v1/approvals/stats?campaign=``."""
        found = self._approving.stats(request.query_params.get("campaign", ""))
        return answer({"campaigns": stats_view(found)})

    async def one(self, request: Request) -> Response:
        """``GET /v1/approvals/{approval_id}``: looking at it is recorded, for an operator."""
        caller = caller_of(request)
        approval_id = request.path_params["approval_id"]
        approval = await self._approving.open(approval_id, caller.operator)
        return answer(await whole(approval, self._engine, self._approving))

    async def approve(self, request: Request) -> Response:
        """``POST /v1/approvals/{approval_id}/approve``."""
        return await self._judged(request, "approve")

    async def reject(self, request: Request) -> Response:
        """``POST /v1/approvals/{approval_id}/reject``."""
        return await self._judged(request, "reject")

    async def _judged(self, request: Request, said: Answer) -> Response:
        caller = caller_of(request)
        operator = caller.required()
        body = await parse(request, wire.VerdictBody)
        after = await self._approving.judge(
            request.path_params["approval_id"],
            operator,
            said,
            body.digest,
            reason=body.reason,
            how=caller.how,
        )
        return answer(in_brief(after, self._engine))

    async def edit(self, request: Request) -> Response:
        """``POST /v1/approvals/{approval_id}/edit``."""
        caller = caller_of(request)
        operator = caller.required()
        body = await parse(request, wire.EditBody)
        edit = Edit(body.subject, body.html, body.text, body.payload, body.slots)
        approval_id = request.path_params["approval_id"]
        after = await self._approving.edit(approval_id, operator, body.digest, edit, how=caller.how)
        return answer(await whole(after, self._engine, self._approving))

    async def bulk(self, request: Request) -> Response:
        """``POST /v1/approvals/bulk``: one verdict on many."""
        caller = caller_of(request)
        operator = caller.required()
        body = await parse(request, wire.BulkBody)
        found = await self._approving.judge_many(
            [(each.approval_id, each.digest) for each in body.approvals],
            operator,
            body.answer,
            reason=body.reason,
            how=caller.how,
        )
        return answer(bulk_view(found))


def bulk_view(found: dict[str, GermaneError | None]) -> dict[str, Any]:
    """What became of each."""
    failed = {
        name: {"code": error.code, "message": error.message, "hint": error.hint}
        for name, error in found.items()
        if error is not None
    }
    return {"done": len(found) - len(failed), "failed": failed}
