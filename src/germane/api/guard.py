"""Before each handler: may they? After it: the audit log."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from germane.api.callers import Caller, Callers
from germane.api.endpoint import Endpoint, Handler
from germane.api.errors import status_of
from germane.app.engine import Engine
from germane.app.trail import Trail
from germane.domain.audit import AuditRecord
from germane.domain.errors import Forbidden, GermaneError, Unauthorized

REFUSALS_EVERY_MS = 60_000
"""A refusal of one route with one status is entered into the audit log no more often than this."""
TARGET_MAX = 200
"""Characters of an id that are entered."""


class Guard:
    """Puts itself in front of endpoints."""

    def __init__(self, engine: Engine, callers: Callers) -> None:
        self._engine = engine
        self._callers = callers
        self._trail = Trail(engine)
        self._refused: dict[tuple[str, int], tuple[int, int]] = {}
        """(act, status) -> when it was last entered, and how many came since."""

    def over(self, each: Endpoint) -> Endpoint:
        """The same endpoint, guarded. Where events are sent and decisions asked for the handler itself looks at
        the key, which may stand in the body: here only refusals are counted."""
        if each.permission == "open":
            return each
        inside = each.permission in ("track", "decide")
        return replace(each, handler=self._counted(each) if inside else self._admitted(each))

    def _counted(self, each: Endpoint) -> Handler:
        handler = each.handler

        async def counted(request: Request) -> Response:
            try:
                return await handler(request)
            except (Unauthorized, Forbidden) as error:
                self._refuse(each, error)
                raise

        return counted

    def _admitted(self, each: Endpoint) -> Handler:
        handler, audited = each.handler, each.audited

        async def admitted(request: Request) -> Response:
            try:
                caller = self._callers.whose(request)
            except (Unauthorized, Forbidden) as error:
                self._refuse(each, error)
                raise
            try:
                caller.need(each.permission)
            except Forbidden as error:
                self._refuse(each, error, caller)
                raise
            request.state.caller = caller
            if not audited:
                return await handler(request)
            return await self._entered(each, request, caller)

        return admitted

    async def _entered(self, each: Endpoint, request: Request, caller: Caller) -> Response:
        """Call the handler, and tell what came of it. A change is answered once its record is durable, too."""
        reads, status = each.method == "GET", 500
        person = request.path_params.get("person_id") or request.query_params.get("person", "")
        target = self._pseudonym(person)  # as they are known before: maybe they are erased now
        try:
            response = await each.handler(request)
            status = response.status_code
        except GermaneError as error:
            status = status_of(error)
            raise
        finally:
            local = caller.how == "command line"  # who has the data folder can read it anyway
            if not (reads and local):
                self._enter(each, caller, target or self._target(request), status)
            if not reads:
                await self._engine.durable()
        return response

    def _enter(
        self, each: Endpoint, caller: Caller | None, target: str, status: int, count: int = 1
    ) -> None:
        actor = caller.actor if caller is not None else ""
        self._trail.enter(AuditRecord(0, actor, each.permission, each.act, target, status, count))

    def _target(self, request: Request) -> str:
        """What it was done to, as the handler or else the address says."""
        person = getattr(request.state, "person", "")
        if person:
            return self._pseudonym(person)
        path = request.path_params
        message = path.get("message_id") or path.get("approval_id")
        if message and not self._of_campaign(message):
            return f"message {self._trail.of_message(message)}"
        named = path.values() or [getattr(request.state, "target", "")]
        told = "/".join(map(str, named))
        return told.encode("utf-8", "replace").decode()[:TARGET_MAX]

    def _of_campaign(self, approval_id: str) -> bool:
        """Whether it is the approval of a campaign, which is about nobody."""
        found = self._engine.moving.approvals.find(self._engine.tenant, approval_id)
        return found is not None and found.subject == "campaign"

    def _pseudonym(self, person: str) -> str:
        return f"person {self._trail.pseudonym(person)}" if person else ""

    def _refuse(self, each: Endpoint, error: GermaneError, caller: Caller | None = None) -> None:
        """Count a refusal; enter it, unless one like it was entered a moment ago."""
        self._engine.counters.callers_refused += 1
        status, now_ms = status_of(error), self._engine.world.now_ms()
        last_ms, missed = self._refused.get((each.act, status), (0, 0))
        if last_ms and now_ms - last_ms < REFUSALS_EVERY_MS:
            self._refused[each.act, status] = last_ms, missed + 1
            return
        self._refused[each.act, status] = now_ms, 0
        self._enter(each, caller, "", status, missed + 1)


def about(request: Request, *, person: str = "", target: str = "") -> None:
    """For handlers whose address does not name what they are about: whom (by their key) or what the audit log
    is to tell of."""
    request.state.person, request.state.target = person, target
