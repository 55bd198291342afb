"""The purposes of a project, and what to say of a name that is none of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from germane.domain.near import near
from germane.domain.purposes import PURPOSES, TRANSACTIONAL, is_purpose, remedy
from germane.domain.settings import PrivacySpec


class Fault(NamedTuple):
    """What is wrong with the name of a purpose."""

    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class Purposes:
    """What people can be asked about here: the purposes that there always are, and a project's own."""

    own: frozenset[str]
    """Of campaigns, and those with a title under ``[links.purposes]``."""
    known: frozenset[str]
    """All that anything asks for."""

    @classmethod
    def of(cls, spec: PrivacySpec, own: Iterable[str]) -> Purposes:
        """
        Args:
            spec: Its banner's categories and what the browser's signal means are purposes in use, too.
            own: Of campaigns, and those with a title.
        """
        named = frozenset(own) - {TRANSACTIONAL}
        of_banners = {x for each in spec.categories.values() for x in each}
        return cls(named, frozenset({*PURPOSES, *of_banners, *spec.gpc, *named}))

    def fault(self, name: str) -> Fault | None:
        """Why nobody can have said anything to it: it is no purpose, or another one was most likely meant;
        ``None``: they can, if only to one that nothing asks for so far."""
        if name == TRANSACTIONAL:
            return Fault(
                "What people must have needs no consent, and cannot be refused.",
                f"Purposes are {', '.join(PURPOSES)}, and those of your campaigns.",
            )
        if not is_purpose(name):
            return Fault(f"{name!r} is no name of a purpose.", remedy(self.own))
        if name in self.known:
            return None
        meant = near(name, self.known)
        return (
            self._fault(name, f"Did you mean {meant!r}? If not: g") if meant is not None else None
        )

    def undeclared(self, name: str) -> Fault | None:
        """As ``fault``, and where nothing declares it, whatever it is like."""
        found = self.fault(name)
        return found if found is not None or name in self.known else self._fault(name, "G")

    @property
    def told(self) -> str:
        """Those that there are."""
        return f"Declared: {', '.join(sorted(self.known))}."

    def _fault(self, name: str, begins: str) -> Fault:
        remedy = f'ive it a title under [links.purposes]: {name} = "What people get".'
        return Fault(f"Nothing has the purpose {name!r}.", f"{begins}{remedy} {self.told}")
