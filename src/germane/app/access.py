"""Everything that is stored about one person, as they may read it, or take it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import msgspec

from germane.app.consents import Line
from germane.app.engine import Engine
from germane.app.erasing import find, resolved
from germane.app.footprint import Theirs, Trail, of_person
from germane.app.ledgers import message_view
from germane.deliver import outbox
from germane.domain.approval import Approval
from germane.domain.consent import Statement
from germane.domain.decision import Decision
from germane.domain.enrolment import Enrolment
from germane.domain.event import DeadLetter, Event
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.ledger import Entry, EntryKind
from germane.domain.moves import AnyMove, Planned, Rewritten, Stated
from germane.domain.outcome import Impression, Observation, Outcome
from germane.domain.ports import Store
from germane.domain.record import Record
from germane.domain.settings import NoticeSpec
from germane.profile.words import rfc3339

FORM = "germane.person/1"
"""Name and version of the form."""
_OF_KIND: dict[str, tuple[str, type]] = {
    "event": ("events", Event),
    "decision": ("decisions", Decision),
    "impression": ("impressions", Impression),
    "outcome": ("outcomes", Outcome),
}
_BODY: dict[str, Any] = {"enrolment": Enrolment, "approval": Approval, "consent": Line}


def everything(engine: Engine, person_id: str) -> dict[str, Any]:
    """All that is stored of one person, in plain values.

    It only reads, and holds what it reads in memory.

    Raises:
        UnknownPerson: nothing is stored of anybody of that name.
    """
    store, tenant = engine.store, engine.tenant
    person = resolved(store, tenant, person_id, engine.person_key(person_id))
    notices = engine.settings.privacy.notices
    return stored(store, person, tenant, notices) | known(engine, person)


def known(engine: Engine, person: str) -> dict[str, Any]:
    """What the engine makes of it now."""
    readable = engine.person(person)
    return {
        "profile": readable,
        "state": plain(engine.profile_of(person)) if readable is not None else None,
        "exported": rfc3339(engine.world.now_ms()),
        "germane": engine.version,
    }


def stored(
    store: Store,
    person: str,
    tenant: str = DEFAULT_TENANT,
    notices: Mapping[str, NoticeSpec] | None = None,
) -> dict[str, Any]:
    """What the store has, by a person's key: it may be asked in any thread. ``notices``: the declared ones."""
    found = find(store, tenant, person)
    until = found.upto
    log = _log(store, tenant, of_person(store, person, until), person, until)
    ledger = _ledger(store, tenant, sorted(found.people))
    log["consent"] = _consent(log["consent"], ledger.get("consent", []), notices or {})
    return {
        "form": FORM,
        "personId": person,
        "keys": sorted({*found.people, *found.trail.externals}),
        **log,
        "ledger": ledger,
        "deadLetters": [_letter(each) for each in _letters(store, found.letters)],
    }


def _log(
    store: Store, tenant: str, theirs: Theirs, person: str, until: int
) -> dict[str, list[dict[str, Any]]]:
    """Records by kind; what was done with messages apart, and consent apart."""
    names = ("events", "decisions", "impressions", "outcomes", "consent", "messages", "moves")
    log: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for record in Trail(tenant, {person: 0}).walk(store, theirs, until):
        name, told = _told(record)
        log[name].append({"offset": record.seq, "recorded": rfc3339(record.received_ms), **told})
    return log


def _told(record: Record) -> tuple[str, dict[str, Any]]:
    """Under what a record is told, and how."""
    if record.kind != "move":
        name, kind = _OF_KIND[record.kind]
        return name, plain(msgspec.msgpack.decode(record.body, type=kind)) | _credited(record)
    move = msgspec.msgpack.decode(record.body, type=AnyMove)
    what = {"what": type(move).__name__.lower()}
    if isinstance(move, Stated):
        return "consent", plain(move)
    if isinstance(move, Planned | Rewritten):
        text = plain(outbox.unpacked(move.rendered))
        return "messages", what | {"message": plain(move.message), "rendered": text}
    return "moves", what | plain(move)


def _consent(
    told: list[dict[str, Any]], lines: list[dict[str, Any]], notices: Mapping[str, NoticeSpec]
) -> list[dict[str, Any]]:
    """What was said to each purpose, as the ledger proves it; what it has no line of, as it was told."""
    moves = {each["offset"]: each for each in told}
    proven: dict[int, list[dict[str, Any]]] = {}
    for each in lines:
        offset = int(each["key"].partition(".")[0])
        proven.setdefault(offset, []).append(_proven(each["about"], moves.get(offset), notices))
    return [
        {"offset": offset, **each}
        for offset in sorted({*moves, *proven})
        for each in proven.get(offset) or [moves[offset]]
    ]


def _proven(
    line: dict[str, Any], move: dict[str, Any] | None, notices: Mapping[str, NoticeSpec]
) -> dict[str, Any]:
    said = {name: each for name, each in line.items() if name not in ("seal", "digest", "salt")}
    seen = (said["notice"], said["version"])
    for each in notices.values():
        if (each.name, each.version) == seen or each.text_sha256 == said["text_sha256"]:
            said["declared"] = plain(each)
            break
    return {"recorded": said["received"], **said, "fresh": move is not None and move["fresh"]}


def _credited(record: Record) -> dict[str, Any]:
    """What decisions were credited with by it."""
    if not record.derived:
        return {}
    rewards = msgspec.msgpack.decode(record.derived, type=Observation).rewards
    return {"credited": plain(rewards)} if rewards else {}


def _ledger(store: Store, tenant: str, people: list[str]) -> dict[str, list[dict[str, Any]]]:
    """How everything of theirs stands now, by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in get_args(EntryKind):
        for person in people:
            for each in store.entries_of(tenant, person, kind, limit=1_000_000):
                found.setdefault(kind, []).append(_entry(each))
    return found


def _entry(entry: Entry) -> dict[str, Any]:
    standing = {"key": entry.key, "status": entry.status, "topic": entry.topic}
    if entry.kind in ("message", "draft"):
        message = outbox.read(entry)
        return standing | _fields(message) | message_view(message)
    body = msgspec.msgpack.decode(entry.body, type=_BODY.get(entry.kind, Any))
    return standing | {"about": _line(body) if isinstance(body, Line) else plain(body)}


def _line(line: Line) -> dict[str, Any]:
    """A line of the ledger of consent, with what binds it to the others."""
    bound = {"seal": line.seal.hex(), "digest": line.digest.hex(), "salt": line.salt}
    if line.body is None:
        return bound
    said = _fields(msgspec.msgpack.decode(line.body, type=Statement))
    times = {name: rfc3339(said.pop(f"{name}_ms")) for name in ("at", "received", "until")}
    return said | times | bound


def _letters(store: Store, numbers: list[int]) -> Iterator[DeadLetter]:
    for number in numbers:
        found = store.letter(number)
        if found is not None:
            yield found


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "letterId": letter.letter_id,
        "received": rfc3339(letter.received_ms),
        "source": letter.source,
        "code": letter.code,
        "message": letter.message,
        "body": letter.body.decode("utf-8", "replace"),
    }


def plain(value: Any) -> Any:
    """As JSON has it, names as they are here, bytes in hexadecimal; without the bytes of features: the
    sources say the same."""
    if isinstance(value, msgspec.Struct):
        return _fields(value)
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value.hex() if isinstance(value, bytes | bytearray) else value


def _fields(value: msgspec.Struct) -> dict[str, Any]:
    found = {name: getattr(value, name) for name in value.__struct_fields__}
    return {name: plain(each) for name, each in found.items() if not isinstance(each, bytes)}
