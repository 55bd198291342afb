"""The consent ledger in the fold: what was said, kept in order, each line bound to all before it."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from germane.app.arrival import Arrival
from germane.app.entries import Entries
from germane.app.sheet import Sheet
from germane.domain.consent import Statement
from germane.domain.event import Event
from germane.domain.ledger import Entry, EntryKind
from germane.domain.moves import Stated
from germane.domain.ports import Store
from germane.domain.profile import Profile
from germane.domain.record import Txn
from germane.domain.settings import PrivacySpec
from germane.privacy import chain, ledger, refusals

KIND: EntryKind = "consent"
HEAD: EntryKind = "consent_head"
PAGE = 500
"""Lines that are proven at once, while others are served."""
_encode = msgspec.msgpack.encode


class Line(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How the ledger keeps a statement."""

    seal: bytes
    digest: bytes
    salt: str
    body: bytes | None
    """The ``Statement``, MessagePack; ``None``: erased."""


class Head(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where the chain ends."""

    digest: bytes = chain.START
    count: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """Somebody after what they said, and the lines that prove it."""

    person: Profile
    said: tuple[Statement, ...] = ()

    @property
    def refused(self) -> tuple[str, ...]:
        """Purposes that they said no to."""
        return tuple(each.purpose for each in self.said if each.state == "withdrawn")


class Consents:
    """Reads what is said, by the rules of ``privacy.ledger``, and writes it down."""

    def __init__(self, spec: PrivacySpec, key: bytes) -> None:
        """``key``: the data folder's own."""
        self._spec = spec
        self._key = key

    def salt(self, message_id: str) -> str:
        """Of what an event says: it is the same whenever the event is folded, and whoever sent that, and knows
        its id, cannot find out by trying what an erased line was."""
        named = b"consent salt\0" + message_id.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, named, "sha256").hex()

    def heard(self, event: Event, person: Profile, at: Arrival) -> Heard:
        """What an event says no to; what was refused already is not said again."""
        found = refusals.said(event, person.consent, self._spec)
        said = [
            Statement(
                person.person,
                purpose,
                "withdrawn",
                min(event.at_ms, at.received_ms),
                at.received_ms,
                method,
            )
            for purpose, method in found.items()
            if person.consent.get(purpose) is not False
        ]
        return self._after(person, said)

    def told(self, move: Stated, person: Profile, at: Arrival) -> Heard:
        """What was put into words by a server, a page or a person at a desk."""
        notice = self._spec.notices.get(move.notice_name)
        of_that = notice is not None and notice.version == move.notice
        said = Statement(
            person.person,
            move.purpose,
            "granted" if move.granted else "withdrawn",
            min(move.at_ms or at.received_ms, at.received_ms),
            at.received_ms,
            move.method,
            notice=move.notice_name,
            version=move.notice,
            text_sha256=move.text_sha256 or (notice.text_sha256 if notice and of_that else ""),
            source=move.source,
            until_ms=move.until_ms,
        )
        heard = self._after(person, [said], just_now=not move.at_ms)
        stands = heard.said[0].stands
        if move.fresh and move.granted and stands:
            return Heard(ledger.fresh(heard.person), heard.said)
        return heard

    def _after(self, person: Profile, said: list[Statement], *, just_now: bool = False) -> Heard:
        lines = []
        for each in said:
            person, line = ledger.stated(person, each, just_now=just_now)
            lines.append(line)
            if ledger.refuses_all(person, line, keep=self._spec.keep_profile):
                person = ledger.fresh(person)
        return Heard(person, tuple(lines))


def keep(heard: Heard, salt: str, sheet: Sheet, seq: int) -> None:
    """Write down what was said.

    Args:
        heard: By whom, and what.
        salt: Known to nobody outside: of whoever made the record, or ``Consents.salt``. It is erased with
            the line.
        sheet: Of the step.
        seq: Log offset of the record.
    """
    if not heard.said:
        return
    for number, each in enumerate(heard.said):
        body, own = _encode(each), f"{salt}/{number}"
        line = Line(chain.seal(own, body), b"", own, body)
        key = f"{seq:016d}.{number:06d}"
        _join(Entry(KIND, key, b"", each.person, each.purpose, each.state), line, sheet)


def _join(entry: Entry, line: Line, sheet: Sheet) -> None:
    """Put a line at the end of the chain."""
    head = _head(sheet.get(HEAD, HEAD))
    head = Head(chain.joined(head.digest, line.seal), head.count + 1)
    sheet.put(replace(entry, body=_encode(replace(line, digest=head.digest))))
    sheet.put(Entry(HEAD, HEAD, _encode(head)))


class Blank(NamedTuple):
    """What is left of a line whose person was erased: its place, and its seal."""

    key: str
    seal: bytes

    @property
    def seq(self) -> int:
        """Log offset of the record that it was of."""
        return int(self.key.partition(".")[0])


def blanked(entry: Entry) -> Entry:
    """A line as it is kept of somebody who was erased: the chain goes on over it."""
    line = _line(entry)
    return Entry(KIND, entry.key, _encode(replace(line, salt="", body=None)))


def blanks(store: Store, tenant: str) -> list[Blank]:
    """The blank lines, in their order."""
    found, after = [], ""
    while page := store.entries(tenant, KIND, after=after):
        after = page[-1].key
        lines = ((each.key, _line(each)) for each in page)
        found += [Blank(key, line.seal) for key, line in lines if line.body is None]
    return found


def keep_blank(blank: Blank, sheet: Sheet) -> None:
    """Put a blank line where it was, when the log is folded anew without its record."""
    _join(Entry(KIND, blank.key, b""), Line(blank.seal, b"", "", None), sheet)


def merged(gone: str, person: str, sheet: Sheet) -> None:
    """What somebody said who turned out to be somebody else is theirs from now on. The lines stay as they
    were."""
    for each in sheet.of(gone, KIND):
        sheet.put(replace(each, person=person))


def said_by(entries: Entries, tenant: str, person: str) -> list[Statement]:
    """All that somebody ever said, the latest first."""
    found = (_line(each).body for each in entries.of(tenant, person, KIND))
    return [msgspec.msgpack.decode(body, type=Statement) for body in found if body is not None]


def is_known(said: Iterable[Statement], move: Stated) -> bool:
    """Whether somebody's lines have a statement already: the same answer to the same purpose, of the same time
    and with the same end. How it came, and where it was said, make no other statement of it."""
    state = "granted" if move.granted else "withdrawn"
    wanted = (move.purpose, state, move.at_ms, move.until_ms)
    return any((x.purpose, x.state, x.at_ms, x.until_ms) == wanted for x in said)


def said_in(txn: Txn) -> list[Statement]:
    """The lines that a step writes."""
    written = (x for x in txn.entries.values() if x is not None and x.kind == KIND)
    bodies = (_line(each).body for each in written)
    return [msgspec.msgpack.decode(body, type=Statement) for body in bodies if body is not None]


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the ledger is as it was written."""

    lines: int
    broken: str
    """Key of the first line that was changed, or before which one is missing; empty: none."""
    digest: str
    """Of the whole, in hexadecimal: to be kept elsewhere."""
    passed: bool = False
    """Whether the chain passed the digest that was asked about: all that stood before it still does."""


NOTHING = Proof(0, "", chain.START.hex())
"""Of a ledger without a line."""


def proven(entries: Entries, tenant: str, digest: str = "") -> Proof:
    """Look over the whole chain; ``digest``: one that it had earlier, in hexadecimal."""
    proof = NOTHING
    for each in proving(entries, tenant, digest):
        proof = each
    return proof


def proving(entries: Entries, tenant: str, digest: str = "") -> Iterator[Proof]:
    """What is found so far, a page at a time; the last one is of all of it. What is said meanwhile is read,
    too: the head is looked at after the last page, and once more where it was ahead of it."""
    proof, after, more = replaced(NOTHING, passed=digest == NOTHING.digest), "", True
    while True:
        if page := entries.page(tenant, KIND, after=after, limit=PAGE):
            proof, after, more = _further(proof, page, digest), page[-1].key, True
            yield proof
            if proof.broken:
                return
            continue
        head = _head(entries.get(tenant, HEAD, HEAD))
        if not more or head.count <= proof.lines:
            break
        more = False
    whole = head.digest.hex() == proof.digest
    yield proof if whole else replaced(proof, broken="the end")


def _further(before: Proof, page: list[Entry], digest: str) -> Proof:
    """With one more page."""
    lines = [_line(each) for each in page]
    joints = (chain.Joint(each.seal, each.digest, each.salt, each.body) for each in lines)
    place = chain.broken(joints, lines[-1].digest, bytes.fromhex(before.digest))
    if place is not None:
        return replaced(before, lines=before.lines + place + 1, broken=page[place].key)
    passed = before.passed or any(each.digest.hex() == digest for each in lines)
    return Proof(before.lines + len(lines), "", lines[-1].digest.hex(), passed)


def _head(found: Entry | None) -> Head:
    return msgspec.msgpack.decode(found.body, type=Head) if found is not None else Head()


def _line(entry: Entry) -> Line:
    return msgspec.msgpack.decode(entry.body, type=Line)
