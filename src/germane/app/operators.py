"""Operators: appointing them, and knowing them again by their token."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from hashlib import sha256

from msgspec.structs import replace

from germane.app.engine import Engine
from germane.domain.errors import BadOperator, UnknownOperator
from germane.domain.moves import Appointed
from germane.domain.operator import NAME_MAX, ROLES, TOKEN_PREFIX, Operator, Role

_NAME = re.compile(r"[\w.@+-]+")


class Operators:
    """The people who run this Germane. The token of each is shown once and kept nowhere."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._approvals = engine.moving.approvals

    def all(self) -> list[Operator]:
        """By name, disabled ones included."""
        return self._approvals.operators(self._engine.tenant)

    def named(self, name: str) -> Operator:
        """One by name.

        Raises:
            UnknownOperator: there is none.
        """
        found = self._approvals.operator(self._engine.tenant, name)
        if found is None:
            raise UnknownOperator(f"There is no operator {name[:NAME_MAX]!r}.")
        return found

    def by_token(self, token: str) -> Operator | None:
        """Whose token it is; ``None``: nobody's, or of somebody who is disabled. It takes as long for a
        token that is nearly right as for any other."""
        given, found = token_hash(token), None
        for each in self.all():
            if each.token and hmac.compare_digest(each.token, given) and not each.disabled:
                found = each
        return found

    async def add(
        self, name: str, roles: Sequence[str], *, limit: float | None = None, by: str
    ) -> tuple[Operator, str]:
        """Somebody new, or somebody known with other roles and another token; and the token.

        Args:
            name: Letters, digits and ``. _ @ + -``, at most 64.
            roles: At least one.
            limit: What they may approve goes no higher than this amount; ``None``: no limit of their own.
            by: Who appoints them.

        Raises:
            BadOperator: name, roles or limit cannot be.
        """
        check_name(name)
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        operator = Operator(name, known_roles(roles), checked_limit(limit), token_hash(token))
        await self._engine.move([Appointed(operator, by)])
        return self.named(name), token

    async def renew(self, name: str, *, by: str) -> tuple[Operator, str]:
        """A new token; the old one is worth nothing from now on.

        Raises:
            UnknownOperator: there is none of that name.
        """
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        operator = replace(self.named(name), token=token_hash(token))
        await self._engine.move([Appointed(operator, by)])
        return operator, token

    async def disable(self, name: str, *, by: str, disabled: bool = True) -> Operator:
        """They can do nothing any more (or again can), and what they approved and has not gone out counts
        no longer.

        Raises:
            UnknownOperator: there is none of that name.
        """
        operator = replace(self.named(name), disabled=disabled)
        await self._engine.move([Appointed(operator, by)])
        return operator


def token_hash(token: str) -> str:
    """SHA-256, in hexadecimal: tokens are random and long, so that a slow hash would add nothing."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def check_name(name: str) -> None:
    """Raises BadOperator for a name that policies and logs could not tell."""
    if len(name) > NAME_MAX or not _NAME.fullmatch(name):
        raise BadOperator(
            f"{name[:NAME_MAX]!r} cannot be the name of an operator.",
            hint=f"Use letters, digits and . _ @ + -, at most {NAME_MAX}.",
        )
    if name == "germane":
        raise BadOperator("The engine itself is called germane.", hint="Choose another name.")


def known_roles(roles: Sequence[str]) -> tuple[Role, ...]:
    """Roles by name, each once.

    Raises:
        BadOperator: there is no such role, or none is given.
    """
    wanted = [re.sub("[-_]", " ", each).strip() for each in roles]
    unknown = next((each for each in wanted if each not in ROLES), None)
    if unknown is not None or not wanted:
        raise BadOperator(
            f"There is no role {unknown!r}."
            if unknown is not None
            else "An operator needs a role.",
            hint=f"Roles: {', '.join(ROLES)}.",
        )
    return tuple(each for each in ROLES if each in wanted)


def checked_limit(limit: float | None) -> float | None:
    """Raises BadOperator for a limit that is no amount."""
    if limit is not None and not 0 <= limit < 1e15:
        raise BadOperator("A limit is an amount from 0 up.", hint="Leave it out for none.")
    return limit
