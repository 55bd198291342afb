"""Operators over HTTP: who asks, and appointing them."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from germane.api import approval_wire as wire
from germane.api.approval_view import operator_view
from germane.api.auth import Keys, presented
from germane.api.body import answer, parse
from germane.app.engine import Engine
from germane.app.operators import Operators
from germane.domain.errors import Forbidden, NoOperator, Unauthorized, UnknownOperator
from germane.domain.operator import TOKEN_PREFIX, Operator

HEADER = "germane-operator"
"""With the server key: in whose name."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    operator: Operator | None
    """``None``: whoever has the server key, in nobody's name."""
    how: str

    @property
    def by(self) -> str:
        """As the log names them."""
        return self.operator.name if self.operator is not None else self.how

    @property
    def name(self) -> str:
        """Of the operator; empty: nobody is named."""
        return self.operator.name if self.operator is not None else ""

    def required(self) -> Operator:
        """The operator.

        Raises:
            NoOperator: it is not said who.
        """
        if self.operator is None:
            raise NoOperator()
        return self.operator


class Callers:
    """Tells who asks: by their token, or by the server key and the name that comes with it."""

    def __init__(self, operators: Operators, keys: Keys) -> None:
        self._operators = operators
        self._keys = keys

    def whose(self, request: Request) -> Caller:
        """Who asks.

        Raises:
            Unauthorized: no key, one that is not known, or the token of somebody who is disabled.
            Forbidden: the write key.
            NoOperator: the operator who is named does not exist, or is disabled.
        """
        given = presented(request)
        if given is not None and given.startswith(TOKEN_PREFIX):
            operator = self._operators.by_token(given)
            if operator is None:
                raise Unauthorized(
                    "The token is not known, or its operator is disabled.",
                    hint="`germane operator token NAME` makes a new one.",
                )
            return Caller(operator, "API")
        self._keys.require_server(request)
        name = request.headers.get(HEADER, "").strip()
        if not name:
            return Caller(None, "server key")
        try:
            operator = self._operators.named(name)
        except UnknownOperator as error:
            raise NoOperator(error.message, hint=error.hint) from None
        if operator.disabled:
            raise NoOperator(f"{operator.name} is disabled.", hint="Act in another name.")
        return Caller(operator, "server key")


class OperatorRoutes:
    """Endpoints for appointing operators: for the server key, and for administrators."""

    def __init__(self, engine: Engine, keys: Keys) -> None:
        self._operators = Operators(engine)
        self._callers = Callers(self._operators, keys)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/operators``."""
        self._callers.whose(request)
        return answer({"operators": [operator_view(each) for each in self._operators.all()]})

    async def put(self, request: Request) -> Response:
        """``PUT /v1/operators/{name}``: the token is in this answer and nowhere else."""
        by = self._admin(request).by
        body = await parse(request, wire.OperatorBody)
        name = request.path_params["name"]
        made, token = await self._operators.add(name, body.roles, limit=body.limit, by=by)
        return answer(operator_view(made) | {"token": token})

    async def token(self, request: Request) -> Response:
        """``POST /v1/operators/{name}/token``."""
        by = self._admin(request).by
        made, token = await self._operators.renew(request.path_params["name"], by=by)
        return answer(operator_view(made) | {"token": token})

    async def disable(self, request: Request) -> Response:
        """``POST /v1/operators/{name}/disable``."""
        by = self._admin(request).by
        return answer(
            operator_view(await self._operators.disable(request.path_params["name"], by=by))
        )

    async def enable(self, request: Request) -> Response:
        """``POST /v1/operators/{name}/enable``."""
        by, name = self._admin(request).by, request.path_params["name"]
        found = await self._operators.disable(name, by=by, disabled=False)
        return answer(operator_view(found))

    def _admin(self, request: Request) -> Caller:
        caller = self._callers.whose(request)
        if caller.operator is not None and "admin" not in caller.operator.roles:
            raise Forbidden(
                f"{caller.operator.name} may not appoint operators.",
                hint="It takes the role admin, or the server key.",
            )
        return caller
