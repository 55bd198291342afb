"""Operators over HTTP: appointing them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from germane.api import approval_wire as wire
from germane.api.approval_view import operator_view
from germane.api.body import answer, parse
from germane.api.callers import caller_of
from germane.app.engine import Engine
from germane.app.operators import Operators


class OperatorRoutes:
    """Endpoints for appointing operators."""

    def __init__(self, engine: Engine) -> None:
        self._operators = Operators(engine)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/operators``."""
        return answer({"operators": [operator_view(each) for each in self._operators.all()]})

    async def put(self, request: Request) -> Response:
        """``PUT /v1/operators/{name}``: the token is in this answer and nowhere else."""
        by = caller_of(request).by
        body = await parse(request, wire.OperatorBody)
        name = request.path_params["name"]
        made, token = await self._operators.add(name, body.roles, limit=body.limit, by=by)
        return answer(operator_view(made) | {"token": token})

    async def token(self, request: Request) -> Response:
        """``POST /v1/operators/{name}/token``."""
        by = caller_of(request).by
        made, token = await self._operators.renew(request.path_params["name"], by=by)
        return answer(operator_view(made) | {"token": token})

    async def disable(self, request: Request) -> Response:
        """``POST /v1/operators/{name}/disable``."""
        by = caller_of(request).by
        return answer(
            operator_view(await self._operators.disable(request.path_params["name"], by=by))
        )

    async def enable(self, request: Request) -> Response:
        """``POST /v1/operators/{name}/enable``."""
        by, name = caller_of(request).by, request.path_params["name"]
        found = await self._operators.disable(name, by=by, disabled=False)
        return answer(operator_view(found))
