"""Accounts: what ``group`` calls told of them. One small entry each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from germane.app.entries import Entries
from germane.app.sheet import Sheet
from germane.domain.event import Event
from germane.domain.ledger import Entry
from germane.domain.profile import Profile, Trait
from germane.profile import bounds

_encode = msgspec.msgpack.Encoder().encode


class Account(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One account."""

    account: str
    traits: dict[str, Trait] = {}


_decode = msgspec.msgpack.Decoder(Account).decode


class Accounts:
    """Reads them, and folds what is told."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def heard(self, event: Event, sheet: Sheet) -> None:
        """A ``group`` call told something: newer declarations win, whenever they arrive."""
        if event.kind != "group" or not event.group_id or not event.traits:
            return
        found = sheet.get("account", event.group_id)
        known = _decode(found.body).traits if found is not None else {}
        newer = {
            name: Trait(value, event.at_ms)
            for name, value in event.traits.items()
            if (name not in known or known[name].at_ms <= event.at_ms) and bounds.small(value)
        }
        if newer:
            account = Account(event.group_id, bounds.traits({**known, **newer}))
            sheet.put(Entry("account", event.group_id, _encode(account)))

    def told(self, account: str, sheet: Sheet) -> Mapping[str, Any]:
        """Traits of an account, inside a step."""
        return _traits(sheet.get("account", account)) if account else {}

    def traits(self, tenant: str, account: str) -> Mapping[str, Any]:
        """Traits of an account."""
        return _traits(self._entries.get(tenant, "account", account)) if account else {}

    def profile(self, tenant: str, account: str) -> Profile | None:
        """An account as content is filled from it; ``None``: it has none, or nothing was told of it."""
        found = self._entries.get(tenant, "account", account) if account else None
        return Profile(account, traits=_decode(found.body).traits) if found is not None else None


def _traits(found: Entry | None) -> Mapping[str, Any]:
    if found is None:
        return {}
    return {name: each.value for name, each in _decode(found.body).traits.items()}
