"""Keys: made, rotated and revoked while serving, and known again."""

from __future__ import annotations

import hmac
import secrets

from msgspec.structs import replace

from germane.app.engine import Engine
from germane.domain.errors import BadKey, UnknownKey
from germane.domain.key import DAY_MS, NAME_MAX, PREFIX, SECRET_BYTES, ApiKey, Scope, key_hash
from germane.domain.moves import KeyPut, KeyUsed

MOST_S = 10 * 366 * 86_400
"""A key is valid for no longer than this, and an overlap lasts no longer, in seconds."""
_ID_BYTES = 5


class ApiKeys:
    """The keys of an engine, beside those of its configuration. Each is shown once and kept nowhere."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._security = engine.moving.security

    def all(self) -> list[ApiKey]:
        """The newest first, with those that open nothing any more."""
        found = self._security.ring(self._engine.tenant).keys.values()
        return sorted(found, key=lambda each: (-each.made_ms, each.key_id))

    def has_admin(self) -> bool:
        """Whether an admin key was made and not revoked; one that has expired counts."""
        return self._security.ring(self._engine.tenant).has_admin

    def named(self, key_id: str) -> ApiKey:
        """One by its id.

        Raises:
            UnknownKey: there is none.
        """
        found = self._security.key(self._engine.tenant, key_id)
        if found is None:
            raise UnknownKey(f"There is no key {key_id[:NAME_MAX]!r}.")
        return found

    def known(self, given: str) -> ApiKey | None:
        """The key that was presented; ``None``: it is unknown, expired or revoked.

        It is looked up by its hash, of which nobody who does not have the key can choose a part: the time that
        it takes says nothing about any key.
        """
        digest, now_ms = key_hash(given), self._engine.world.now_ms()
        found = self._security.ring(self._engine.tenant).keys.get(digest)
        if (
            found is None
            or not hmac.compare_digest(found.digest, digest)
            or not found.opens(now_ms)
        ):
            return None
        self._used(found, now_ms // DAY_MS)
        return found

    async def make(
        self, scope: Scope, *, name: str = "", valid_s: int | None = None, by: str
    ) -> tuple[ApiKey, str]:
        """A new key, and what opens with it.

        Args:
            scope: What it opens.
            name: What it is for, for people.
            valid_s: For how long; ``None``: until it is revoked.
            by: Who makes it.

        Raises:
            BadKey: the name is too long, or the time is none.
        """
        if len(name) > NAME_MAX or not (name.isprintable() or not name):
            raise BadKey(
                "That cannot be the name of a key.", hint=f"Use at most {NAME_MAX} letters."
            )
        checked(valid_s, least=1)
        now_ms = self._engine.world.now_ms()
        key_id = secrets.token_hex(_ID_BYTES)
        text = f"{PREFIX[scope]}{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
        until_ms = now_ms + valid_s * 1_000 if valid_s is not None else 0
        made = ApiKey(key_id, scope, key_hash(text), name, by, now_ms, until_ms)
        await self._engine.move([KeyPut(made, by)])
        return self.named(key_id), text

    async def rotate(self, key_id: str, *, overlap_s: int, by: str) -> tuple[ApiKey, str]:
        """Another key of the same scope and name, valid for as long as the first one was; that one ends after
        the overlap.

        Raises:
            UnknownKey: there is none of that id.
            BadKey: it opens nothing any more, another one was made in its place already, or the overlap is no
                time.
        """
        checked(overlap_s, least=0)
        old, now_ms = self.named(key_id), self._engine.world.now_ms()
        if not old.opens(now_ms):
            raise BadKey(
                f"The key {key_id} is {state_of(old, now_ms)}: there is nothing to go on with.",
                hint="Make a new one.",
            )
        heir = self._heir(old)
        if heir is not old and heir.opens(now_ms):
            raise BadKey(
                f"The key {key_id} was rotated already: {heir.key_id} is in its place.",
                hint=f"Rotate that one: germane keys rotate {heir.key_id}.",
            )
        whole_ms = old.whole_ms if old.successor else old.expires_ms
        valid_s = max(1, (whole_ms - old.made_ms) // 1_000) if whole_ms else None
        made = await self.make(old.scope, name=old.name, valid_s=valid_s, by=by)
        ends_ms = now_ms + overlap_s * 1_000
        ends_ms = min(ends_ms, old.expires_ms) if old.expires_ms else ends_ms
        ended = replace(old, expires_ms=ends_ms) if overlap_s else replace(old, revoked_ms=now_ms)
        ended = replace(ended, successor=made[0].key_id, whole_ms=whole_ms)
        await self._engine.move([KeyPut(ended, by)])
        return made

    def _heir(self, key: ApiKey) -> ApiKey:
        """The last one that was made in the place of a key; itself if none was."""
        while key.successor:
            key = self.named(key.successor)
        return key

    async def revoke(self, key_id: str, *, by: str) -> ApiKey:
        """It opens nothing from now on.

        Raises:
            UnknownKey: there is none of that id.
        """
        found = self.named(key_id)
        if not found.revoked_ms:
            found = replace(found, revoked_ms=self._engine.world.now_ms())
            await self._engine.move([KeyPut(found, by)])
        return self.named(key_id)

    def _used(self, key: ApiKey, day: int) -> None:
        """Once a day it is noted that a key is in use; nobody waits for that."""
        if key.used_day < day:
            self._engine.put_moves([KeyUsed(key.key_id, day)])


def checked(seconds: int | None, *, least: int) -> None:
    """Raises BadKey for a time that a key cannot be valid for."""
    if seconds is not None and not least <= seconds <= MOST_S:
        raise BadKey(
            "That is no time for a key.",
            hint=f"Use {least} seconds or more, at most {MOST_S // 86_400} days.",
        )


def state_of(key: ApiKey, now_ms: int) -> str:
    """In one word."""
    if key.revoked_ms:
        return "revoked"
    return "active" if key.opens(now_ms) else "expired"
