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
    remedy: str


@dataclass(frozen=True, slots=True)
class Purposes:
    """What people can be asked about here: the purposes that there always are, and a project's own."""

    own: frozenset[str]
    """Of campaigns, and those with a title under ``[links.purposes]``."""
    asked: frozenset[str]
    """These, and the ones that there always are."""
    known: frozenset[str]
    """All that anything names: what a banner or the browser's signal speaks of, too."""

    @classmethod
    def of(cls, spec: PrivacySpec, own: Iterable[str]) -> Purposes:
        """
        Args:
            spec: With its banner's categories, and what the browser's signal means.
            own: Of campaigns, and those with a title.
        """
        named = frozenset(own) - {TRANSACTIONAL}
        of_banners = {x for each in spec.categories.values() for x in each}
        asked = named | {*PURPOSES}
        return cls(named, asked, asked | of_banners | {*spec.gpc})

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
        meant = near(name, self.asked)
        return self._unknown(name, meant) if meant is not None else None

    def undeclared(self, name: str) -> Fault | None:
        """As ``fault``, and where nothing declares it, whatever it is like."""
        found = self.fault(name)
        return found if found is not None or name in self.known else self._unknown(name, None)

    def hint(self, name: str, meant: str | None) -> str:
        """What to do about one that nothing has.

        Args:
            name: As it was written.
            meant: Which one was most likely meant; ``None``: none is like it.
        """
        begins = f"Did you mean {meant!r}? If not: g" if meant is not None else "G"
        return f'{begins}ive it a title under [links.purposes]: {name} = "What people get". {self.told}'

    @property
    def told(self) -> str:
        """Those that there are."""
        return f"Declared: {', '.join(sorted(self.asked))}."

    def _unknown(self, name: str, meant: str | None) -> Fault:
        return Fault(f"Nothing has the purpose {name!r} so far.", self.hint(name, meant))
