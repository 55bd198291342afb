"""The browser's way in: the public write key, and a signed token that says who it is.

Key and token stand in basic auth (user name and password), or in the body as ``writeKey`` and ``token``,
where `navigator.sendBeacon` can send them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from starlette.requests import Request

from germane.api.auth import credentials, presented
from germane.api.body import decode, read
from germane.api.callers import Callers
from germane.api.gpc import hear
from germane.api.wire import PersonRef
from germane.app.engine import Engine
from germane.domain import person_token
from germane.domain.errors import (
    BadRequest,
    SurfaceNotAllowed,
    TokenNeeded,
    Unauthorized,
    WrongPerson,
)
from germane.domain.profile import Profile

T = TypeVar("T")

LIMIT = 64_000
"""Bytes of a body from a browser."""
_OWN = ("writeKey", "token", "person")


class Envelope(msgspec.Struct, rename="camel"):
    """What any request from a browser may carry beside its question."""

    write_key: str | None = None
    token: str | None = None
    person: PersonRef | None = None
    opt_out: bool = False
    """The question is of nobody: then there need be no id."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks from a browser."""

    user_id: str
    anonymous_id: str
    vouched: bool
    """A token says so; else it is only said by the browser."""
    surfaces: tuple[str, ...] | None
    """The surfaces that are open to them; ``None``: all."""
    body: bytes
    """The question, without key, token and person."""

    def question(self, kind: type[T]) -> T:
        """The question as a typed value; raises like ``body.decode``."""
        return decode(self.body, kind)

    def may_ask(self, surfaces: Sequence[str]) -> None:
        """Raises SurfaceNotAllowed where the token does not open one of these."""
        shut = [
            each for each in surfaces if self.surfaces is not None and each not in self.surfaces
        ]
        if shut:
            raise SurfaceNotAllowed(f"The person token does not open the surface {shut[0]!r}.")


class Browsers:
    """Tells who asks. The server key opens the same routes, for anybody: then there is no visitor."""

    def __init__(
        self,
        engine: Engine,
        callers: Callers,
        *,
        anonymous: bool,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """``anonymous``: visitors without a token may ask for their own anonymousId."""
        self._engine = engine
        self._callers = callers
        self._anonymous = anonymous
        self._now_s = now_s

    async def visitor(self, request: Request) -> Visitor | None:
        """Who asks, or None if it is a server with the server key. What the browser says no to is heard.

        Raises:
            Unauthorized: no key, or one that is not known.
            InvalidToken: the token is not one of ours. TokenExpired: it was.
            TokenNeeded: there is none, and there has to be one.
            WrongPerson: the body speaks of somebody else.
        """
        if self._callers.served(request, "decide"):
            return None
        user, password = credentials(request)
        if user is not None and not self._callers.is_write(user):
            raise Unauthorized()
        body = await read(request, LIMIT)
        said = decode(body, Envelope)
        key = user or said.write_key
        if not self._callers.is_write(key):
            raise Unauthorized()
        rest = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        question = {name: value for name, value in rest.items() if name not in _OWN}
        encoded, token = msgspec.json.encode(question), password or said.token
        if said.opt_out and self._anonymous and not token:
            return Visitor("", "", False, None, encoded)
        visitor = self._known(said.person or PersonRef(), token, encoded)
        hear(request, self._engine, self._whose(visitor))
        return visitor

    def watcher(self, request: Request) -> str:
        """Key of the person whose messages are streamed. A browser's event source sends no headers: its
        write key and token stand in the query.

        Raises:
            As ``visitor`` and ``may_read``; BadRequest: a server says of nobody.
        """
        ask = request.query_params
        if self._callers.served(request, "decide"):
            user, device = ask.get("userId", ""), ask.get("anonymousId", "")
            if not user and not device:
                raise BadRequest("userId or anonymousId is needed.")
            person = self._engine.whose(user, device)
            hear(request, self._engine, person)
            return person.person
        if not self._callers.is_write(presented(request) or ask.get("writeKey")):
            raise Unauthorized()
        said = PersonRef(ask.get("userId"), ask.get("anonymousId"))
        visitor = self._known(said, ask.get("token"), b"{}")
        self.may_read(visitor)
        hear(request, self._engine, self._whose(visitor))
        return self._whose(visitor).person

    def own(self, visitor: Visitor | None, decision_id: str) -> None:
        """Whether a visitor may report about a decision. A server may about any.

        Raises:
            UnknownDecision: there is none, and the id is not signed by us.
            WrongPerson: it was made for somebody else.
        """
        if visitor is None:
            return
        owner = self._engine.decided_for(decision_id)
        person = self._whose(visitor).person
        if owner and owner != person:
            raise WrongPerson("The decision was made for somebody else than this visitor.")

    def may_read(self, visitor: Visitor) -> None:
        """Whether answers may be about this person: a browser alone cannot say that it is somebody known.

        Raises:
            TokenNeeded: the anonymousId belongs to a person with a userId, and no token vouches for it.
        """
        person = self._whose(visitor).person
        if not visitor.vouched and person.startswith("u:"):
            raise TokenNeeded(
                "This anonymousId belongs to a person who is known by name: only a person token opens that.",
                hint="Send a person token; or, after a logout, begin with a new anonymousId "
                "(germane.reset() in the snippet).",
            )

    def _whose(self, visitor: Visitor) -> Profile:
        return self._engine.whose(visitor.user_id, visitor.anonymous_id)

    def _known(self, said: PersonRef, token: str | None, question: bytes) -> Visitor:
        user_id, anonymous_id = said.ids()
        if token:
            claims = person_token.verify(token, self._callers.signing_key, now_s=self._now_s())
            signed_user, signed_visitor = str(claims.user_id), str(claims.anonymous_id)
            _agree("userId", user_id, signed_user)
            _agree("anonymousId", anonymous_id, signed_visitor)
            return Visitor(signed_user, signed_visitor, True, claims.surfaces, question)
        if self._anonymous and user_id:
            raise TokenNeeded(
                "Without a person token nobody is taken for a userId.",
                hint="Leave userId out and send the anonymousId of this browser alone; or send a person "
                "token with it.",
            )
        if not self._anonymous:
            raise TokenNeeded()
        if not anonymous_id:
            raise BadRequest("Without a token, person needs the anonymousId of this browser.")
        return Visitor("", anonymous_id, False, None, question)


def _agree(name: str, said: str, signed: str) -> None:
    if said and said != signed:
        raise WrongPerson(f"The person token is not for that {name}.")
