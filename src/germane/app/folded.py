"""By which rules the stored state was folded: so that a rebuild that finds another one can say why."""

from __future__ import annotations

from hashlib import sha256

import msgspec
from msgspec.structs import replace

from germane.domain.ids import DEFAULT_TENANT
from germane.domain.ports import Store
from germane.domain.record import Txn
from germane.domain.settings import Settings
from germane.predict.features import LAYOUT

RULES = f"7-{LAYOUT}"
"""Of the fold. The number is another one where an older log folds to another state: 2, the ledger of consent,
idle profiles without what is too old, and undeclared data refused; 3, items that were had longer ago are known,
and enrolments note where consent was lacking; 4, a no stands again after a yes with an end; 5, of a no it is
known when it was said, and conditions know that a yes is over; 6, what is said of items that the catalogue does
not have is kept until it has; 7, what comes late is not taught by what came after it, and an order counts for
one slate only. Behind it, the features that lessons have: those of another set teach nothing until they are
made anew."""
STORED = "folded_by"
READ_AS = "folded_read_as"
"""What signals and attributes said when the stored state was folded (``meaning``)."""
_CHANGED = "several"


def meaning(settings: Settings) -> str:
    """SHA-256 of what says how events are read: signals, and the attributes that keep interests. What is stored
    was read as they were."""
    signals = [replace(each, speakable=True) for each in settings.signals.values()]
    kept = [(each.name, each.diversity) for each in settings.attributes.values() if each.interest]
    told = [sorted(signals, key=lambda each: each.name), sorted(kept)]
    return sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def read_otherwise(store: Store, settings: Settings) -> bool:
    """Whether stored events were read, or some of them, by other signals or attributes than these."""
    known = store.meta(READ_AS)
    return known is not None and known.decode() != meaning(settings) and _anybody(store)


def _anybody(store: Store) -> bool:
    return bool(store.profiles(DEFAULT_TENANT, limit=1))


def note(store: Store, digest: str, settings: Settings) -> None:
    """A folder is opened to write: a new one is folded by today's rules from the start, and what is added under
    another configuration makes the state one of several.

    Args:
        store: Of the folder.
        digest: Of the configuration (``opening.settings_digest``).
        settings: The configuration itself.
    """
    stored = store.meta(STORED)
    if read_otherwise(store, settings):
        _read_as(store, _CHANGED)
    elif store.meta(READ_AS) != meaning(settings).encode():
        _read_as(store, meaning(settings))
    if stored is None and not store.last_seq():
        settle(store, digest, settings)
    elif stored is not None and _declared(stored) not in (digest, _CHANGED):
        _put(store, stored.decode().partition(" ")[0], _CHANGED)


def settle(store: Store, digest: str, settings: Settings) -> None:
    """All of the state was folded now."""
    _put(store, RULES, digest)
    _read_as(store, meaning(settings))


def why_other(store: Store, digest: str) -> str:
    """Why a rebuild may find another state than the stored one, as a sentence; empty: it may not."""
    stored = store.meta(STORED)
    if stored is None or stored.decode().partition(" ")[0] != RULES:
        return (
            "an earlier version of Germane made it, and today's reads some of the log otherwise (consent is a "
            "ledger, what is too old goes, undeclared data is refused, campaigns note where consent was "
            "lacking, predictions rest on more, a no stands again after a yes with an end, with its own "
            "date, conditions know that a yes is over, what is said of items that the catalogue does not "
            "have yet is kept until it has, what came late is learned by what came before it alone, and an "
            "order counts for one slate). It is so this once: the next rebuild finds the same"
        )
    if _declared(stored) != digest:
        return "the configuration has changed since it was made. The next rebuild finds the same"
    return ""


def _declared(stored: bytes) -> str:
    return stored.decode().partition(" ")[2]


def _read_as(store: Store, told: str) -> None:
    store.commit(Txn(meta={READ_AS: told.encode()}))


def _put(store: Store, rules: str, digest: str) -> None:
    store.commit(Txn(meta={STORED: f"{rules} {digest}".encode()}))
