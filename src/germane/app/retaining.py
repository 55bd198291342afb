"""Retention: what is too old leaves the log, a piece at a time, between two commits.

A piece is looked at until nothing of it has to go, once a month, and again when the declared retention changes.
Only sealed history is looked at: what is in the database is younger (``keeping.py`` seals in time).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import chain
from typing import Any

import msgspec
from msgspec.structs import replace

from germane.deliver import outbox
from germane.domain.erasure import Erasure
from germane.domain.event import Event
from germane.domain.ledger import Entry, EntryKind
from germane.domain.message import FINAL, Message
from germane.domain.months import month_label, month_of
from germane.domain.moves import AnyMove, Planned, Rewritten
from germane.domain.ports import Store
from germane.domain.profile import Profile
from germane.domain.record import Record, Txn
from germane.domain.retirement import Piece, Retirement
from germane.domain.settings import Settings
from germane.privacy.categories import NAMES
from germane.privacy.expiry import Expiry, Place
from germane.privacy.retention import Limits
from germane.storage.history import HistoryDamaged

RETIRED = "retired"
"""A named value: changes whenever something that was learned from retires."""
_log = logging.getLogger(__name__)
GIVEN_UP = "given_up"
"""A named value: files of history that were given up (``giving_up``)."""
LOOKED = "retention.looked"
"""A named value: piece -> when, and by which retention, nothing of it had to go."""
_BARS: tuple[EntryKind, ...] = ("suppression", "enrolment")
_OF_MESSAGE: tuple[EntryKind, ...] = ("message", "draft", "approval")
_decode_event = msgspec.msgpack.Decoder(Event).decode
_decode_move = msgspec.msgpack.Decoder(AnyMove).decode
_encode = msgspec.msgpack.encode


@dataclass(slots=True)
class Retained:
    """What has left the log since somebody looked."""

    archived: int = 0
    deleted: int = 0
    shortened: int = 0
    """Of these a part is left in the log, or a part has gone."""
    expired: int = 0
    """Records that the archive had for long enough, or is not to have at all."""

    damaged: list[str] = field(default_factory=list)
    """Pieces that cannot be read, and were left as they are."""
    letters: int = 0
    """Dead letters that were deleted."""
    learned: bool = False
    """Whether something was learned from what has left the log."""


@dataclass(slots=True)
class _Fates:
    """Of the records of one piece."""

    archived: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    left: dict[int, bytes] = field(default_factory=dict)

    def put(self, seq: int, place: Place) -> None:
        """Where a record goes."""
        if place != "log":
            (self.archived if place == "archive" else self.gone).add(seq)


class Retaining:
    """Applies the declared retention to a store, in the thread that commits."""

    def __init__(self, settings: Settings, store: Store, tenant: str) -> None:
        self._settings = settings
        self._store = store
        self._tenant = tenant
        self._done = Retained()

    def step(self, now_ms: int) -> bool:
        """See to one piece that is due; whether there was one."""
        stamp, looked = self._stamp(now_ms), self._looked()
        due = [each for each in self._old(now_ms) if looked.get(each.name) != stamp]
        if not due:
            self._expire(now_ms)
            self._letters(now_ms)
            return False
        piece = min(due, key=lambda each: (each.archived, each.month, each.name))
        if not self._seen_to(piece, now_ms):
            names = {each.name for each in self._pieces()}
            looked = {name: at for name, at in looked.items() if name in names}
            self._store.commit(Txn(meta={LOOKED: _encode(looked | {piece.name: stamp})}))
        return True

    def take(self) -> Retained:
        """What has left the log since this was asked."""
        done, self._done = self._done, Retained()
        return done

    def due(self, now_ms: int) -> int:
        """How many pieces are to be seen to."""
        stamp, looked = self._stamp(now_ms), self._looked()
        return sum(looked.get(each.name) != stamp for each in self._old(now_ms))

    # -- what is due -----------------------------------------------------------------------------

    def _old(self, now_ms: int) -> list[Piece]:
        """Pieces that may hold something too old."""
        newest = month_label(month_of(now_ms) - self._settings.privacy.shortest_months)
        return [each for each in self._pieces() if each.month <= newest]

    def _pieces(self) -> list[Piece]:
        """Of history; and of the archive, where a category is kept for less long than others."""
        short = bool(self._settings.privacy.retention)
        return self._store.pieces() + (self._store.pieces(archived=True) if short else [])

    def _stamp(self, now_ms: int) -> str:
        """The month, and what is declared that retention depends on."""
        spec, settings = self._settings.privacy, self._settings
        declared: list[Any] = [sorted(spec.retention.items()), bool(spec.archive_months)]
        declared.append(sorted((x.event, x.category) for x in settings.signals.values()))
        declared.append(sorted((name, x.category) for name, x in settings.traits.items()))
        digest = sha256(_encode(declared)).hexdigest()[:16]
        return f"{month_label(month_of(now_ms))} {digest}"

    def _looked(self) -> dict[str, str]:
        known = self._store.meta(LOOKED)
        return msgspec.msgpack.decode(known, type=dict[str, str]) if known else {}

    # -- one piece -------------------------------------------------------------------------------

    def _seen_to(self, piece: Piece, now_ms: int) -> bool:
        """Let go what is too old; whether anything was. What cannot be read is told, and left as it is."""
        try:
            return self._shortened(piece, now_ms) if piece.archived else self._retire(piece, now_ms)
        except HistoryDamaged as error:
            _log.warning("retention: %s", error)
            self._done.damaged.append(piece.name)
            return False

    def _shortened(self, piece: Piece, now_ms: int) -> bool:
        """Of the archive: let go what is not to have a copy."""
        records = self._store.piece(piece.name)
        fates, _ = self._fates(records, Expiry(self._settings, now_ms))
        gone = frozenset(fates.gone)
        moved = fates.gone | fates.archived
        left = {seq: body for seq, body in fates.left.items() if seq not in moved}
        if not (gone or left):
            return False
        month = month_label(month_of(now_ms))
        self._store.retire(Retirement(piece.name, month, gone=gone, left=left))
        self._done.expired += len(gone)
        self._done.shortened += len(left)
        return True

    def _retire(self, piece: Piece, now_ms: int) -> bool:
        """Let go what is too old; whether anything was."""
        records = self._store.piece(piece.name)
        fates, over = self._fates(records, Expiry(self._settings, now_ms))
        fates.archived.discard(self._store.last_seq())
        fates.gone.discard(self._store.last_seq())
        month = month_label(month_of(now_ms))
        archived, gone = frozenset(fates.archived), frozenset(fates.gone)
        what = Retirement(piece.name, month, archived, gone, fates.left)
        if not (what.archived or what.gone or what.left):
            return False
        taught = any(x.derived for x in records if x.seq in archived | gone)
        meta = {LOOKED: _encode(self._looked())} | self._mark(taught)
        self._store.commit(Txn(entries=dict.fromkeys(over), meta=meta))
        self._store.retire(what)
        self._done.learned = self._done.learned or taught
        self._done.archived += len(what.archived)
        self._done.deleted += len(what.gone)
        self._done.shortened += len(what.left)
        return True

    def _mark(self, taught: bool) -> dict[str, bytes]:
        """What was made of the log before does not fit it any more (``opening.left``)."""
        before = int(self._store.meta(RETIRED) or b"0")
        return {RETIRED: str(before + 1).encode()} if taught else {}

    def _fates(
        self, records: Sequence[Record], expiry: Expiry
    ) -> tuple[_Fates, list[tuple[str, EntryKind, str]]]:
        """What becomes of each record; and the entries of messages that go."""
        fates, moves = _Fates(), list[tuple[Record, str]]()
        for each in records:
            if each.kind == "event":
                _event(each, expiry, fates)
            elif each.kind == "move":
                message_id = _message_of(each)
                if message_id:
                    moves.append((each, message_id))
            elif each.kind in ("decision", "impression", "outcome"):
                fates.put(each.seq, expiry.decision(each.at_ms))
        places = self._messages({message_id for _, message_id in moves}, expiry)
        for each, message_id in moves:
            fates.put(each.seq, places.get(message_id) or expiry.message(each.at_ms))
        over = [message_id for message_id, place in places.items() if place != "log"]
        return fates, [(self._tenant, kind, key) for kind in _OF_MESSAGE for key in over]

    def _messages(self, ids: Collection[str], expiry: Expiry) -> dict[str, Place]:
        """Where messages go: not while anything may still happen with them. What nothing is known of is left
        out."""
        among, wanted = partial(self._store.entries_among, self._tenant), sorted(ids)
        places: dict[str, Place] = {
            each.key: "log" for kind in ("draft", "approval") for each in among(kind, wanted)
        }
        for message in map(outbox.read, among("message", wanted)):
            over = message.status in FINAL
            places[message.message_id] = expiry.message(_last_ms(message)) if over else "log"
        return places

    def _expire(self, now_ms: int) -> None:
        """What the archive has had for long enough."""
        oldest = month_of(now_ms) - self._settings.privacy.archive_months + 1
        self._done.expired += self._store.expire(month_label(max(oldest, 0)))

    def _letters(self, now_ms: int) -> None:
        """Dead letters, which nobody can say of what they are."""
        oldest, found = Limits(self._settings, now_ms).oldest, list[int]()
        while page := self._store.letters(after=found[-1] if found else 0, pending_only=False):
            old = [each.letter_id for each in page if each.received_ms < oldest]
            found += old
            if len(old) < len(page):
                break
        if found:
            self._store.commit(Txn(erasure=Erasure(self._tenant, (), letters=tuple(found))))
            self._done.letters += len(found)


def standing(settings: Settings, archive: dict[str, int]) -> dict[str, Any]:
    """After how many months data of each category are in no profile any more, and what the archive has."""
    spec = settings.privacy
    return {
        "months": {each: spec.kept_months(each) for each in NAMES},
        "deleted": sorted(spec.retention),
        "archiveMonths": spec.archive_months,
        "archive": archive,
    }


def has_retired(store: Store) -> bool:
    """Whether records may have left the log because of their age."""
    return bool(store.meta(LOOKED) or store.meta(RETIRED))


def carrying(store: Store, tenant: str, txns: Iterable[Txn]) -> Iterable[Txn]:
    """What replaces the state when the log is folded anew, and at its end, so in the same transaction, what the
    log cannot tell any more: what keeps somebody from being written to (again) stays, and since when they are
    known, though the event that it came from has retired, or was given up."""
    if not (has_retired(store) or store.meta(GIVEN_UP)):
        return txns
    seen = {each.person: each.first_seen_ms for each in _everybody(store, tenant)}
    return chain(txns, _carried(store, tenant, _standing(store, tenant), seen))


def _carried(
    store: Store,
    tenant: str,
    before: dict[tuple[str, str, str], Entry],
    seen: dict[str, int],
) -> Iterator[Txn]:
    """What of the state before is missing in the store now."""
    lost = {key: each for key, each in before.items() if store.entry(*key) is None}
    earlier = {
        (tenant, each.person): replace(each, first_seen_ms=seen[each.person])
        for each in _everybody(store, tenant)
        if 0 <= seen.get(each.person, -1) < each.first_seen_ms
    }
    if lost or earlier:
        yield Txn(entries={**lost}, profiles={**earlier})


def _everybody(store: Store, tenant: str) -> Iterator[Profile]:
    after = ""
    while page := store.profiles(tenant, after=after):
        yield from page
        after = page[-1].person


def _standing(store: Store, tenant: str) -> dict[tuple[str, str, str], Entry]:
    found: dict[tuple[str, str, str], Entry] = {}
    for kind in _BARS:
        after = ""
        while page := store.entries(tenant, kind, after=after):
            found |= {(tenant, kind, each.key): each for each in page}
            after = page[-1].key
    return found


def _event(record: Record, expiry: Expiry, fates: _Fates) -> None:
    event = _decode_event(record.body)
    fate = expiry.event(event, record.at_ms)
    fates.put(record.seq, fate.place)
    if fate.left is not None and fate.left != event:
        fates.left[record.seq] = _encode(fate.left)


def _message_of(record: Record) -> str:
    """Id of the message that a move is about; empty: of none."""
    move = _decode_move(record.body)
    if isinstance(move, Planned | Rewritten):
        return move.message.message_id
    return str(getattr(move, "message_id", "") or getattr(move, "approval_id", ""))


def _last_ms(message: Message) -> int:
    """When anything last happened with it."""
    why = message.whys[-1].at_ms if message.whys else 0
    times = (message.settled_ms, message.opened_ms, message.clicked_ms, message.closed_ms)
    return max(message.created_ms, why, *times)
