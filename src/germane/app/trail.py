"""The audit log: written as things happen, read, and proven to be whole."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from dataclasses import replace as replaced

import msgspec
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.reading import beside
from germane.app.records import keys_of, merges
from germane.domain.audit import AuditHead, AuditLink, AuditRecord
from germane.domain.errors import StorageDamaged
from germane.domain.ids import known_person
from germane.domain.moves import Audited
from germane.privacy import chain

PAGE = 500
_SALT_BYTES = 16
_PSEUDONYM_BYTES = 16
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Proof:
    """What a look over the whole chain found."""

    entries: int
    head: bytes
    """The digest of the chain: whoever has written it down can ask for it later."""
    broken: int | None
    """Place of the first entry that is not what it was; ``None``: all of them are."""
    known: bool | None
    """Whether the digest that was asked for is one of this chain; ``None``: none was."""

    @property
    def whole(self) -> bool:
        """Nothing was changed, and the chain goes on from where it was known to be."""
        return self.broken is None and self.known is not False


class Trail:
    """The audit log of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._security = engine.moving.security

    def pseudonym(self, person: str) -> str:
        """Stands for a person, by their key or by an id that leads to them: HMAC with the data folder's own
        key. Who has an id can look for it; who reads the log cannot tell anybody's."""
        return self._sealed(b"audit", self._key(person))

    async def targets(self, person: str) -> frozenset[str]:
        """How entries name somebody: by the key that they have, and by every key that led to them, such as the
        anonymous id that they had before a name. It reads the log, beside what is served."""
        engine, key = self._engine, self._key(person)
        await engine.durable()
        log = beside(engine)
        earlier = await asyncio.to_thread(lambda: keys_of(merges(log.read(0)), key))
        keys = {key, *earlier}
        return frozenset(f"person {self._sealed(b'audit', each)}" for each in keys)

    def _key(self, person: str) -> str:
        named = person if person.startswith(("u:", "a:")) else known_person(person)
        return self._engine.person_key(person) or named

    def of_message(self, message_id: str) -> str:
        """Stands for a message and its approval, whose id whoever knows the person could find by trying."""
        return self._sealed(b"audit message", message_id)

    def _sealed(self, what: bytes, name: str) -> str:
        said = what + b"\0" + name.encode("utf-8", "surrogatepass")
        return hmac.digest(self._engine.key, said, "sha256")[:_PSEUDONYM_BYTES].hex()

    def enter(self, record: AuditRecord) -> None:
        """Append a record; it is durable with the next commit (``Engine.durable`` waits for it)."""
        head = self._security.head(self._engine.tenant)
        stamped = replace(record, at_ms=self._engine.world.now_ms())
        self._engine.put_moves(
            [Audited(linked(head, _encode(stamped), secrets.token_hex(_SALT_BYTES)))]
        )

    def newest(
        self,
        *,
        before: int = 0,
        since_ms: int = 0,
        targets: Collection[str] = (),
        limit: int = PAGE,
    ) -> tuple[list[AuditLink], int | None]:
        """Entries, the newest first, and the place to go on before; ``None``: there are no more. Raises
        StorageDamaged where one cannot be read.

        Args:
            before: Those before this place; 0: from the newest on.
            since_ms: Not the earlier ones.
            targets: Those about one of these (``targets``); empty: all.
            limit: So many at most.
        """
        found: list[AuditLink] = []
        while page := self._security.newest(self._engine.tenant, before=before, limit=PAGE):
            for each in page:
                before, record = each.place, _read(each)
                if record.at_ms < since_ms:
                    return found, None
                if not targets or record.target in targets:
                    found.append(each)
                    if len(found) == limit:
                        return found, before if before > 1 else None
        return found, None

    async def proven(self, wanted: bytes | None = None) -> Proof:
        """Look over the whole chain, while others are served; ``wanted``: a digest that it had at some time."""
        steps = self._steps(wanted)
        proof = next(steps)
        for each in steps:
            proof = each
            await asyncio.sleep(0)
        return proof

    def _steps(self, wanted: bytes | None) -> Iterator[Proof]:
        """What is found so far, a page at a time; the last one is of all of it. Another process may append
        meanwhile: what the head counts and was not there yet is read, too."""
        tenant = self._engine.tenant
        proof, more = Proof(0, chain.START, None, None if wanted is None else False), True
        while more:
            more = False
            for page in self._security.pages(tenant, proof.entries):
                more, proof = True, _further(proof, page, wanted)
                yield proof
                if proof.broken is not None:
                    return
            head = self._security.head(tenant)
            if head == AuditHead(proof.entries, proof.head):
                yield proof
                return
            more = more and head.count > proof.entries
        yield replaced(proof, broken=proof.entries + 1)


def _further(before: Proof, page: list[AuditLink | None], wanted: bytes | None) -> Proof:
    """With one more page."""
    bad = _bad(page, before.entries, before.head)
    if bad is not None:
        return replaced(before, broken=bad)
    links = [each for each in page if each is not None]
    known = before.known or (
        None if wanted is None else any(each.digest == wanted for each in links)
    )
    return Proof(before.entries + len(links), links[-1].digest, None, known)


def _bad(page: list[AuditLink | None], before: int, digest: bytes) -> int | None:
    """Place of the first entry that is not what it was."""
    for number, each in enumerate(page):
        if each is None or each.place != before + number + 1:
            return before + number + 1
    links = [each for each in page if each is not None]
    joints = (chain.Joint(each.seal, each.digest, each.salt, each.body) for each in links)
    found = chain.broken(joints, links[-1].digest, digest)
    return None if found is None else before + found + 1


def _read(link: AuditLink) -> AuditRecord:
    try:
        return link.record()
    except msgspec.DecodeError:
        raise StorageDamaged(
            f"Entry {link.place} of the audit log cannot be read.",
            hint="`germane audit --verify` tells from where on it was tampered with.",
        ) from None


def linked(head: AuditHead, body: bytes, salt: str) -> AuditLink:
    """A record as the next link of a chain."""
    sealed = chain.seal(salt, body)
    return AuditLink(head.count + 1, salt, sealed, chain.joined(head.digest, sealed), body)
