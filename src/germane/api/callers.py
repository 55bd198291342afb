"""Who asks, and what they may do: the one place where a key or a token is known again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request

from germane.api.auth import Keys, presented, same
from germane.api.heads import header
from germane.api.permissions import OF_SCOPE, Permission, of_roles, roles_with
from germane.app.engine import Engine
from germane.app.keys import ApiKeys
from germane.app.operators import Operators
from germane.domain.errors import Forbidden, NoOperator, Unauthorized, UnknownOperator
from germane.domain.key import Scope
from germane.domain.operator import TOKEN_PREFIX, Operator

HEADER = b"germane-operator"
"""With a server or admin key: in whose name."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    how: str
    """What with: ``API`` (an operator's token), ``server key``, ``key 1f0c...``, ``command line``."""
    allowed: frozenset[Permission]
    operator: Operator | None = None
    """``None``: whoever has the key, in nobody's name."""
    scope: Scope | None = None
    """Of the key; ``None``: it is an operator's token."""

    @property
    def by(self) -> str:
        """As the log names them."""
        return self.operator.name if self.operator is not None else self.how

    @property
    def name(self) -> str:
        """Of the operator; empty: nobody is named."""
        return self.operator.name if self.operator is not None else ""

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        if self.operator is None:
            return self.how
        told = f"operator {self.operator.name}"
        return told if self.scope is None else f"{told} by {self.how}"

    def required(self) -> Operator:
        """The operator.

        Raises:
            NoOperator: it is not said who.
        """
        if self.operator is None:
            raise NoOperator()
        return self.operator

    def need(self, permission: Permission) -> None:
        """Raises Forbidden where they may not do that."""
        if permission in self.allowed:
            return
        if self.operator is not None and permission not in of_roles(self.operator.roles):
            raise Forbidden(
                f"{self.operator.name} may not do that: it takes the permission {permission}.",
                hint=f"It takes the role {roles_with(permission)}.",
            )
        if self.scope == "server":
            raise Forbidden(
                "A server key may not do that: there is an admin key, and it takes that.",
                hint="Use the admin key; commands read it from GERMANE_ADMIN_KEY.",
            )
        raise Forbidden()


class Callers:
    """Knows keys and tokens again: those of the configuration, those that were made, and operators'."""

    def __init__(self, engine: Engine, keys: Keys) -> None:
        self._keys = keys
        self._made = ApiKeys(engine)
        self._operators = Operators(engine)

    @property
    def signing_key(self) -> str:
        """What person tokens are signed with."""
        return self._keys.server

    def whose(self, request: Request) -> Caller:
        """Who asks, by the Authorization header.

        Raises:
            Unauthorized: no key; or one that is unknown, expired or revoked, or the token of somebody who is
                disabled.
            NoOperator: the operator who is named does not exist, or is disabled.
        """
        return self._in_name(self._of(presented(request)), request)

    def _in_name(self, caller: Caller, request: Request) -> Caller:
        """The same, in the name of the operator whom the request names."""
        name = header(request, HEADER).strip()
        if not name or caller.scope not in ("server", "admin"):
            return caller
        operator = self._named(name)
        allowed = caller.allowed & of_roles(operator.roles)
        return Caller(caller.how, allowed, operator, caller.scope)

    def admitted(self, request: Request, permission: Permission) -> Caller:
        """Who asks, and may do that.

        Raises:
            As ``whose``; Forbidden: they may not.
        """
        caller = self.whose(request)
        caller.need(permission)
        return caller

    def served(self, request: Request, permission: Permission) -> bool:
        """Whether the header holds another key than a write key, which may do that; ``False``: a write key
        or none that is known, so that it has to be a browser that asks. Raises as ``admitted``."""
        given = presented(request)
        if given is None:
            return False
        if given.startswith(TOKEN_PREFIX):
            caller = self._of(given)
        else:
            found = self._known(given)
            if found is None or found[1] == "write":
                return False
            caller = _with_key(*found)
        self._in_name(caller, request).need(permission)
        return True

    def is_write(self, given: str | None) -> bool:
        """Whether it is a write key."""
        return self._scope(given) == "write"

    def tracks(self, request: Request, in_body: str | None) -> None:
        """Let whoever may send events pass, from wherever clients put the key.

        Raises:
            Unauthorized: no key, an unknown one, or two that differ.
            Forbidden: an operator who may not.
        """
        in_header = presented(request)
        asked = request.scope["query_string"]
        in_query = request.query_params.get("writeKey") if asked else None
        given = [each for each in (in_header, in_body, in_query) if each]
        if in_body and header(request, b"authorization").lower().startswith("bearer "):
            given = [in_body]  # an access token beside the key: the key is in the body
        if not given:
            raise Unauthorized("The write key is missing.")
        if any(each != given[0] for each in given):
            raise Unauthorized("The keys in the header and in the body differ.")
        self._of(given[0], "The write key is not known.").need("track")

    def _of(self, given: str | None, unknown: str = "") -> Caller:
        """Who has this key or token. Raises Unauthorized."""
        if given is not None and given.startswith(TOKEN_PREFIX):
            operator = self._operators.by_token(given)
            if operator is None:
                raise Unauthorized(
                    "The token is not known, or its operator is disabled.",
                    hint="`germane operator token NAME` makes a new one.",
                )
            return Caller("API", of_roles(operator.roles), operator)
        found = self._known(given)
        if found is None:
            raise Unauthorized(unknown)
        return _with_key(*found)

    def _scope(self, given: str | None) -> Scope | None:
        """What a key opens; ``None``: it is none that is known and valid."""
        found = self._known(given)
        return found[1] if found is not None else None

    def _known(self, given: str | None) -> tuple[str, Scope] | None:
        """How a key is called, and what it opens. Every key is compared whole, whichever it is."""
        if not given:
            return None
        is_server, is_write = same(given, self._keys.server), same(given, self._keys.write)
        made = self._made.known(given)
        if is_server and self._keys.local:
            return "command line", "admin"
        if is_server:
            return "server key", "server" if self._made.has_admin() else "admin"
        if is_write:
            return "write key", "write"
        return (f"key {made.key_id}", made.scope) if made is not None else None

    def _named(self, name: str) -> Operator:
        """In whose name a key is used. Raises NoOperator."""
        try:
            operator = self._operators.named(name)
        except UnknownOperator as error:
            raise NoOperator(error.message, hint=error.hint) from None
        if operator.disabled:
            raise NoOperator(f"{operator.name} is disabled.", hint="Act in another name.")
        return operator


@lru_cache(maxsize=1_000)
def _with_key(how: str, scope: Scope) -> Caller:
    """Whoever has a key that is called so."""
    return Caller(how, OF_SCOPE[scope], scope=scope)


def caller_of(request: Request) -> Caller:
    """Who asks, once ``guard.py`` has let them in."""
    found: Caller = request.state.caller
    return found
