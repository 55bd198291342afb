"""The fold of keys and of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from germane.app.entries import Entries
from germane.domain.audit import AuditHead, AuditLink
from germane.domain.errors import WrongMove
from germane.domain.key import ApiKey
from germane.domain.ledger import Entry
from germane.domain.moves import Audited, KeyPut, KeyUsed, SecurityMove
from germane.domain.record import Txn
from germane.privacy import chain

MOST_KEYS = 10_000
PAGE = 1_000
HEAD = "audit"
"""Key of the entry that tells where the chain ends."""
NO_LINK = AuditHead(0, chain.START)
_encode = msgspec.msgpack.Encoder().encode
_key = msgspec.msgpack.Decoder(ApiKey).decode
_link = msgspec.msgpack.Decoder(AuditLink).decode
_head = msgspec.msgpack.Decoder(AuditHead).decode


class Ring(NamedTuple):
    """The keys that were made."""

    keys: dict[str, ApiKey]
    """By their digest; those that open nothing any more included."""
    has_admin: bool
    """Whether an admin key was made and not revoked. One that has expired counts: else whoever has the server
    key would only have to wait."""


class Security:
    """Keys and the audit log as the ledger has them."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._rings: dict[str, Ring] = {}
        """By tenant, until a key changes: every request asks for one."""

    # -- keys --------------------------------------------------------------------------------------

    def key(self, tenant: str, key_id: str) -> ApiKey | None:
        """A key by its public id."""
        found = self._entries.get(tenant, "key", key_id)
        return _key(found.body) if found is not None else None

    def ring(self, tenant: str) -> Ring:
        """All keys."""
        found = self._rings.get(tenant)
        if found is None:
            page = self._entries.page(tenant, "key", limit=MOST_KEYS)
            keys = {each.digest: each for each in (_key(entry.body) for entry in page)}
            admin = any(x.scope == "admin" and not x.revoked_ms for x in keys.values())
            found = self._rings[tenant] = Ring(keys, admin)
        return found

    # -- audit -------------------------------------------------------------------------------------

    def head(self, tenant: str) -> AuditHead:
        """Where the chain ends."""
        found = self._entries.get(tenant, "audit head", HEAD)
        return _head(found.body) if found is not None else NO_LINK

    def newest(self, tenant: str, *, before: int = 0, limit: int = PAGE) -> list[AuditLink]:
        """A page of the chain, the newest first; ``before``: those before this place."""
        after = _place(before) if before else ""
        page = self._entries.page(tenant, "audit", after=after, limit=limit, newest=True)
        return [_link(each.body) for each in page]

    def pages(self, tenant: str, place: int) -> Iterator[list[AuditLink | None]]:
        """The chain in its order from after a place on, page by page; ``None``: an entry that no fold has
        written."""
        after = _place(place) if place else ""
        while page := self._entries.page(tenant, "audit", after=after, limit=PAGE):
            yield [_as_folded(each) for each in page]
            after = page[-1].key

    # -- the fold ----------------------------------------------------------------------------------

    def fold(self, tenant: str, move: SecurityMove, txn: Txn, *, at_ms: int) -> None:
        """Fold a move into ``txn``.

        Raises:
            WrongMove: it is of a key that there is not.
        """
        if isinstance(move, Audited):
            link = move.link
            head = AuditHead(link.place, link.digest)
            _put(txn, tenant, _entry(link))
            _put(txn, tenant, Entry("audit head", HEAD, _encode(head)))
            return
        _put(txn, tenant, _entry_of(self._after(tenant, move, at_ms)))
        self._rings.pop(tenant, None)

    def _after(self, tenant: str, move: KeyPut | KeyUsed, at_ms: int) -> ApiKey:
        """A key after a move."""
        if isinstance(move, KeyUsed):
            known = self.key(tenant, move.key_id)
            if known is None:
                raise WrongMove(f"There is no key {move.key_id!r}.")
            return replace(known, used_day=move.day)
        known = self.key(tenant, move.key.key_id)
        if known is None:
            return replace(move.key, made_ms=at_ms, by=move.by)
        return replace(move.key, made_ms=known.made_ms, by=known.by, used_day=known.used_day)


def _entry_of(key: ApiKey) -> Entry:
    return Entry("key", key.key_id, _encode(key), topic=key.scope)


def _entry(link: AuditLink) -> Entry:
    return Entry("audit", _place(link.place), _encode(link))


def _place(place: int) -> str:
    return f"{place:012}"


def _as_folded(entry: Entry) -> AuditLink | None:
    try:
        link = _link(entry.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return link if _entry(link) == entry else None


def _put(txn: Txn, tenant: str, entry: Entry) -> None:
    txn.entries[tenant, entry.kind, entry.key] = entry
