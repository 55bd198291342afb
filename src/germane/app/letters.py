"""Dead letters: nothing that cannot be used is thrown away."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from germane.domain.errors import UnknownOrder
from germane.domain.event import DeadLetter, Event, Rejection
from germane.domain.ids import external_id
from germane.domain.ports import Store
from germane.domain.record import Txn
from germane.ingest.segment import parse_kept
from germane.ingest.signals import Extractor
from germane.ingest.surrogates import without_halves

Settle = Literal["replay", "dismiss"]
"""What is done with a dead letter: it is tried again, or nothing is to be done about it."""
_PAGE = 100
"""Letters read at once: each may be as large as a batch."""
_log = logging.getLogger(__name__)


class Letters:
    """Makes dead letters, each with its reason."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, rejected: Sequence[Rejection], source: str, now_ms: int) -> Txn:
        """Items of a batch that could not be accepted."""
        letters = [
            DeadLetter(0, now_ms, source, each.code, each.message, each.body) for each in rejected
        ]
        return Txn(letters=letters)

    def event(self, letter: DeadLetter) -> Event | str:
        """The event in a dead letter, or why there is still none."""
        if letter.code.startswith("event.fold") or letter.source == "fold":
            try:
                return msgspec.json.decode(without_halves(letter.body), type=Event)
            except msgspec.DecodeError as error:
                return str(error)
        known_by = (
            f"letter:{letter.letter_id}:{letter.received_ms}"  # tried again, it is the same event
        )
        return parse_kept(letter.body, letter.received_ms, known_by)

    def replayed(
        self,
        letter_id: int,
        extractor: Extractor,
        fold: Callable[[Sequence[Event]], tuple[Txn, int, int]],
        now_ms: int,
    ) -> Txn | str:
        """A dead letter tried again: what it changes, not yet committed, or why it cannot be used."""
        letter = self._store.letter(letter_id)
        if letter is None:
            return "there is no such dead letter"
        if letter.replayed_ms is not None:
            return "it was replayed already"
        if loses_a_signal(letter):
            return self.lost(letter, extractor)
        event = self.event(letter)
        if isinstance(event, str):
            return event
        txn, _, duplicates = fold([event])
        if txn.letters and not (txn.records or duplicates):
            return txn.letters[0].message
        txn.replayed_letters.append((letter_id, now_ms))
        return txn

    def dismissed(self, letter_id: int, now_ms: int) -> Txn | str:
        """A dead letter about which nothing is to be done: what that changes, or why it cannot be."""
        letter = self._store.letter(letter_id)
        if letter is None:
            return "there is no such dead letter"
        if letter.replayed_ms is not None:
            return "it was replayed already"
        if letter.dismissed_ms is not None:
            return "it was dismissed already"
        return Txn(dismissed_letters=[(letter_id, now_ms)])

    def lost(self, letter: DeadLetter, extractor: Extractor) -> str:
        """Why what a logged event lost cannot be added by sending the event again; never empty.

        The event is in the log. Under a mended declaration a rebuild takes all of it from there;
        folded a second time, it would count twice in every rebuild from then on.
        """
        problems = problems_of(letter, extractor)
        if letter.message in problems:  # an event may have a letter for each thing wrong with it
            return f"the event is in the log, and this is still wrong with it: {letter.message}"
        if problems:
            return (
                "the event is in the log, and this is mended, but not all that is wrong with the event: "
                f"{problems[0]}"
            )
        return (
            "the event is in the log, and nothing is wrong with it under this configuration: "
            "`germane rebuild` counts what it lost and settles this dead letter"
        )

    def counted(self, extractor: Extractor, now_ms: int) -> Txn:
        """After a rebuild: letters of logged events that were folded whole by it are settled."""
        whole = [
            each.letter_id
            for each in self._pending()
            if loses_a_signal(each) and not problems_of(each, extractor)
        ]
        return Txn(replayed_letters=[(number, now_ms) for number in whole])

    def _pending(self) -> Iterator[DeadLetter]:
        after = 0
        while page := self._store.letters(after=after, limit=_PAGE):
            yield from page
            after = page[-1].letter_id

    def poisoned(self, event: Event, error: Exception, now_ms: int) -> Txn:
        """An event that a step could not fold. It changed nothing; it can be replayed after the fix."""
        if isinstance(error, UnknownOrder):
            said = f"{error.message} {error.hint}"
            return Txn(letters=[DeadLetter(0, now_ms, "fold", error.code, said, _json(event))])
        _log.error("an event could not be folded", exc_info=error)
        message = f"{type(error).__name__}: {error}".encode("utf-8", "replace").decode()
        body = _json(event)
        return Txn(letters=[DeadLetter(0, now_ms, "fold", "event.fold_failed", message, body)])


class Waiting:
    """Dead letters of whole events that wait already: what is imported again makes none a second time. (Of one
    whose other parts are in the log none comes again, and several of its parts may have one each.)"""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: set[bytes] | None = None
        """Of each that waits, a mark of what it is of and why; read when there is something to compare."""

    def new(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Those that do not wait yet; from now on they do."""
        return [each for each in letters if loses_a_signal(each) or self._first(_mark(each))]

    def _first(self, mark: bytes) -> bool:
        if self._known is None:
            self._known = {_mark(each) for each in self._all()}
        first = mark not in self._known
        self._known.add(mark)
        return first

    def _all(self) -> Iterator[DeadLetter]:
        after = 0
        while page := self._store.letters(after=after, limit=_PAGE):
            yield from page
            after = page[-1].letter_id


def _mark(letter: DeadLetter) -> bytes:
    said = f"{letter.code}\0{letter.message}\0".encode("utf-8", "surrogatepass")
    return blake2b(said + letter.body, digest_size=16).digest()


def _json(event: Event) -> bytes:
    """An event as JSON, whatever is in it: half characters stay escapes."""
    try:
        return msgspec.json.encode(event)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError):
        return json.dumps(msgspec.structs.asdict(event), default=repr).encode()


def loses_a_signal(letter: DeadLetter) -> bool:
    """Whether its event was logged, and only a part of what it means could not be used."""
    return letter.source == "fold" and letter.code == "event.bad_property"


def problems_of(letter: DeadLetter, extractor: Extractor) -> list[str]:
    """What is wrong now with the event in a letter of the fold."""
    try:
        event = msgspec.json.decode(letter.body, type=Event)
    except msgspec.DecodeError as error:
        return [f"it cannot be read: {error}"]
    return extractor.extract(event)[1]


def ids_in(body: bytes) -> tuple[str, str]:
    """User id and anonymous id of a message that could not be used, as far as they can be read."""
    try:
        said = msgspec.json.decode(body, type=_Ids)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return "", ""
    user, device = (
        external_id(x) if isinstance(x, str | int | float) and not isinstance(x, bool) else ""
        for x in (said.userId, said.anonymousId)
    )
    return user, device


class _Ids(msgspec.Struct):
    userId: Any = None  # noqa: N815 - the wire's name
    anonymousId: Any = None  # noqa: N815
