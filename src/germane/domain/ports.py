"""What the core asks of the outside. Each port has one contract suite in ``germane.testing``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from germane.domain.decision import Actions, Ask, Candidate, Choice, Decision, SlateItem
from germane.domain.erasure import Erasure
from germane.domain.event import DeadLetter, Interaction
from germane.domain.forest import Trained
from germane.domain.item import Item
from germane.domain.ledger import Entry
from germane.domain.moment import ActiveHour, Week
from germane.domain.outcome import Observation, Reward, Trial
from germane.domain.profile import Profile
from germane.domain.record import Record, Txn
from germane.domain.retirement import Piece, Retirement
from germane.domain.settings import SurfaceSpec


class Store(Protocol):
    """Log, state, catalogue, ledger, identities, decisions and dead letters, in one transaction.

    ``commit`` may be called from another thread than the reads. Reads see the last commit.
    """

    def commit(self, txn: Txn) -> None:
        """Make all of it durable before returning.

        What ``txn.erasure`` names is in no row afterwards; ``scrub`` sees to its bytes. Its offsets stay holes
        in the log, and ``last_seq`` does not fall, because the transaction brings a record of its own.

        Raises:
            StorageFailed: the write or its fsync failed; nothing of ``txn`` may be acknowledged.
        """
        ...

    def stage(self, txn: Txn) -> None:
        """Write without an end: no read sees it until ``sync``. The first half of ``commit``.

        Raises:
            StorageFailed: nothing is staged.
        """
        ...

    def sync(self) -> None:
        """Make what is staged durable before returning; may be called from another thread.

        Raises:
            StorageFailed: nothing of it may be acknowledged.
        """
        ...

    def last_seq(self) -> int:
        """Highest log offset, 0 when the log is empty."""
        ...

    def seen(self, tenant: str, message_ids: Sequence[str]) -> set[str]:
        """Those of the message ids that are in the log already."""
        ...

    def profile(self, tenant: str, person: str) -> Profile | None:
        """A person's committed state."""
        ...

    def profiles(self, tenant: str, *, after: str = "", limit: int = 1000) -> list[Profile]:
        """A page of profiles in order of the person key."""
        ...

    def profiles_among(self, tenant: str, people: Sequence[str]) -> dict[str, Profile]:
        """Committed state by person key, of those of the people who have any."""
        ...

    def person_of(self, tenant: str, external: str) -> str | None:
        """The person that an external key (``u:...`` or ``a:...``) now belongs to."""
        ...

    def people_of(self, tenant: str, externals: Sequence[str]) -> dict[str, str]:
        """``person_of`` by external key, of those of the keys that belong to anybody."""
        ...

    def externals_of(self, tenant: str, people: Collection[str]) -> dict[str, str]:
        """Every external key that is linked to one of the people, and to whom. It looks at all keys."""
        ...

    def items(self, tenant: str) -> Iterator[Item]:
        """The catalogue."""
        ...

    def decision(self, tenant: str, decision_id: str) -> Decision | None:
        """A logged decision by id."""
        ...

    def entry(self, tenant: str, kind: str, key: str) -> Entry | None:
        """One entry of the ledger."""
        ...

    def entries_among(self, tenant: str, kind: str, keys: Sequence[str]) -> list[Entry]:
        """Those of the keys that are in the ledger, in no order."""
        ...

    def entries(
        self,
        tenant: str,
        kind: str,
        *,
        topic: str | None = None,
        status: str = "",
        after: str = "",
        limit: int = 1000,
        newest: bool = False,
    ) -> list[Entry]:
        """A page of entries in order of the key, of a topic (the empty one is one, too), of a status inside a
        topic, or all. With
        ``newest`` the highest key comes first, and ``after`` is the last key of the page before."""
        ...

    def entries_of(self, tenant: str, person: str, kind: str, *, limit: int = 1000) -> list[Entry]:
        """A person's entries, the highest key first."""
        ...

    def entries_of_each(
        self, tenant: str, people: Sequence[str], kind: str, *, limit: int
    ) -> list[Entry]:
        """The entries of several people, in no order; when there are more than ``limit``, any ``limit``
        of them."""
        ...

    def due(self, tenant: str, kind: str, until_ms: int, *, limit: int = 1000) -> list[Entry]:
        """Entries with ``0 < due_ms <= until_ms``, the longest waiting first."""
        ...

    def next_due(self, tenant: str, kind: str) -> int:
        """When the next one is due, in milliseconds since 1970; 0: none is."""
        ...

    def entry_counts(self, tenant: str, kind: str) -> dict[tuple[str, str], int]:
        """(topic, status) -> how many entries there are."""
        ...

    def record(self, seq: int) -> Record | None:
        """One log record by its offset, sealed or not."""
        ...

    def read(
        self, after: int, *, until: int | None = None, archived: bool = False
    ) -> Iterator[Record]:
        """Log records with ``after < seq <= until`` in order, sealed history included; with ``archived`` those
        of the archive as well, in the place of what they left behind. Any thread or process may read while
        another one writes: no record is passed over because it is being moved."""
        ...

    def letters(
        self, *, after: int = 0, limit: int = 100, pending_only: bool = True
    ) -> list[DeadLetter]:
        """Dead letters in order of their id; pending are those neither replayed nor dismissed."""
        ...

    def pending_letters(self) -> int:
        """How many dead letters wait. It takes no time."""
        ...

    def letter(self, letter_id: int) -> DeadLetter | None:
        """One dead letter."""
        ...

    def counts(self) -> dict[str, int]:
        """Rows by kind: ``records``, ``profiles``, ``items``, ``decisions``, ``letters``, ``entries``."""
        ...

    def meta(self, key: str) -> bytes | None:
        """A small named value that committed with a transaction."""
        ...

    def state_hash(self) -> str:
        """SHA-256 over profiles, identities, catalogue, ledger and slot offsets in canonical order:
        equal states have equal hashes on every binding (law 7)."""
        ...

    def replace_state(self, txns: Iterable[Txn]) -> None:
        """Swap all that is derived (profiles, identities, catalogue, ledger, decisions, ``derived`` bytes)
        for what these transactions hold, at once; the log stays, sealed or not, with the ``derived`` bytes
        that they bring. Used by a rebuild, which reads here, in the same thread, what came of the transactions
        that it has handed over so far."""
        ...

    def seal(self, before_ms: int, *, limit: int = 50_000) -> int:
        """Move records of events older than ``before_ms`` into history; how many were moved.
        Reading the log does not show where a record is."""
        ...

    def pieces(self, *, archived: bool = False) -> list[Piece]:
        """What lies apart in sealed history, or in the archive, in no order."""
        ...

    def piece(self, name: str) -> list[Record]:
        """The records of one piece, in order; none if there is no such piece any more."""
        ...

    def retire(self, what: Retirement) -> None:
        """Move records of a piece into the archive, or drop them, at once. Reading the log finds them no more,
        nor does ``decision``; the message ids of what is archived are remembered. The record with the highest
        offset stays where it is. Of a piece of the archive records are dropped or shortened; what they left in
        the log stays there.

        Raises:
            StorageFailed: nothing has changed.
        """
        ...

    def archive(self) -> dict[str, int]:
        """Month of the records -> how many of them are in the archive."""
        ...

    def expire(self, before: str) -> int:
        """Drop from the archive, with their message ids, what retired before a month (``2024-01``); how many
        records went. What cannot be read goes as well; its message ids stay."""
        ...

    def damaged(self, *, quick: bool = False) -> list[Piece]:
        """Pieces of history and of the archive that are missing or not what was written. It reads all of
        them; a ``quick`` look finds only what is missing or cut off."""
        ...

    def give_up(self, piece: str) -> None:
        """Drop a piece of the archive that is damaged. It cannot be had back."""
        ...

    def write_ahead(self, erasure: Erasure) -> None:
        """Before an erasure is committed, in any thread, beside who commits: do what of it may take long. No
        read shows it, and it is for nothing where the log is another one by then."""
        ...

    def scrub(self, *, large: bool = False) -> bool:
        """After erasures, in the thread that commits: leave no byte of them in any file. Whether none is left:
        a large file is written anew only if told, or by the next start, and a long read may hold it up."""
        ...

    def close(self) -> None:
        """Release files. Idempotent."""
        ...


class Version(msgspec.Struct, frozen=True):
    """A blob's manifest and standing."""

    version: str
    manifest: dict[str, Any]
    retired: bool


class Blobs(Protocol):
    """Snapshots and models: named, versioned, checksummed blobs with an atomic newest pointer."""

    def put(self, name: str, version: str, data: bytes, manifest: dict[str, object]) -> None:
        """Store durably, then make it the newest."""
        ...

    def newest(self, name: str) -> tuple[bytes, dict[str, object]] | None:
        """Newest intact blob and its manifest; a damaged one is passed over, never returned."""
        ...

    def get(self, name: str, version: str) -> bytes | None:
        """One version's bytes, retired or not; ``None`` when it is not there or damaged."""
        ...

    def versions(self, name: str) -> list[Version]:
        """Every intact manifest, newest first, retired ones included."""
        ...

    def retire(self, name: str, version: str, *, retired: bool = True) -> None:
        """Pass this version over from now on (or no longer): it is kept, and ``newest`` is the one before.

        Raises:
            NotFound: there is no such version.
        """
        ...

    def prune(self, name: str, keep: int) -> None:
        """Drop all but the newest ``keep``, retired ones not counted."""
        ...


class Ranked(msgspec.Struct, frozen=True, gc=False):
    """A slate as the policy made it, before it becomes a decision."""

    items: tuple[SlateItem, ...]
    candidates: tuple[Candidate, ...] = ()
    candidate_count: int = 0
    quota_short: int = 0
    """Slots that had to be diverse and could not be."""
    policy: str = ""
    """Version of what decided; empty: the model's own version, with nothing trained."""
    choice: Choice | None = None
    """Of a choice surface."""


class Learner(Protocol):
    """What records are folded into beside people."""

    @property
    def lessons(self) -> int:
        """Lessons that were folded so far: what a trainer can learn from grows with them."""
        ...

    @property
    def latest_ms(self) -> int:
        """Time of the newest interaction that was counted, in milliseconds since 1970; 0: none was."""
        ...

    def observe(
        self,
        profile: Profile,
        interactions: Sequence[Interaction],
        *,
        at_ms: int,
        lesson: bool,
        ahead: bool = False,
        rewards: Sequence[tuple[Reward, Decision | None]] = (),
        shown: Sequence[str] = (),
        active: ActiveHour | None = None,
        trials: Sequence[Trial] = (),
    ) -> Observation:
        """What shared state may learn from this record. Changes nothing.

        Args:
            profile: The person before these interactions (all of one event at once, so nothing of
                an order leaks into the prediction of its other lines).
            interactions: What the event meant, in order.
            at_ms: Time of the event.
            lesson: Whether to make a next-item example of it (costs a ranking).
            ahead: Whether to make an example for lists that are made ahead, where there are any and the person
                had come back.
            rewards: Credited rewards with the decision each belongs to, where it is still known.
            shown: Items of an impression.
            active: The hour in which this event shows the person to be there, if that is new.
            trials: Choices that were made, and their rewards.
        """
        ...

    def fold(self, seq: int, observation: Observation) -> None:
        """Learn one observation, in log order."""
        ...

    def put_item(self, seq: int, item: Item) -> None:
        """Add or change a catalogue entry."""
        ...

    def remove_item(self, seq: int, item_id: str) -> None:
        """Take an item out of every future slate."""
        ...

    def put_surfaces(self, seq: int, prefix: str, surfaces: Sequence[SurfaceSpec]) -> None:
        """The choice surfaces that a content item brings, in place of all whose names begin with
        ``prefix``: what was learned of an action stays as long as its surface does."""
        ...


class Model(Learner, Protocol):
    """Shared state: item statistics, sequences, popularity, blender weights. Folded from the
    observations in the log, in log order, and from nothing else."""

    version: str
    """Name of the code and feature layout; a snapshot of another version is not loaded."""
    seq: int
    """Offset of the last record that was folded."""

    @property
    def policy(self) -> str:
        """What decides now: ``version``, and the version of what was trained, if anything was."""
        ...

    def use(self, trained: Trained | None) -> None:
        """Rank with what was trained, from the next question on; ``None``: with the blend alone.
        It is no part of the state: nothing that is folded depends on it.

        Raises:
            ValueError: it was trained for another version.
        """
        ...

    def take(self, other: Model) -> None:
        """Have what another one has learned in the place of one's own, from the next question on; what was
        trained stays. The other one is not used any more."""
        ...

    def blend(self, head: str) -> Sequence[float]:
        """Weights of the linear blend of a head, one a feature; a trainer begins with them."""
        ...

    def rank(
        self,
        profile: Profile,
        surface: SurfaceSpec,
        ask: Ask,
        *,
        at_ms: int,
        seed: int,
        readiness: float,
    ) -> Ranked:
        """The personal slate. Deterministic in its arguments and the state folded so far.

        Raises:
            BadFilter: the ask's filter is not a valid expression.
        """
        ...

    def eligible(
        self, profile: Profile, surface: SurfaceSpec, ask: Ask, *, at_ms: int
    ) -> Callable[[Item], bool]:
        """A test whether an item may be shown on a surface, now, to this person.

        Raises:
            BadFilter: the ask's filter is not a valid expression.
        """
        ...

    def week(self, hours: Sequence[int], *, at_ms: int) -> Week:
        """How likely each hour of the week is to find a person there, as of ``at_ms``.

        Args:
            hours: Their active hours (``Profile.rhythm``), local since 1970; none: everyone's week.
            at_ms: The moment as of which it is asked.
        """
        ...

    def standing(self, surface: SurfaceSpec, *, at_ms: int) -> Actions:
        """How the actions of a choice surface stand for everyone, with what would be done for
        somebody of whom nothing is known to matter."""
        ...

    def check_filter(self, source: str, surface: SurfaceSpec) -> None:
        """Whether a request's filter can be used on a surface; empty is fine.

        Raises:
            BadFilter: it is not a valid expression, or no action of a choice has what it speaks of.
        """
        ...

    def default(
        self, surface: SurfaceSpec, ask: Ask, *, at_ms: int, person: Profile | None = None
    ) -> Ranked:
        """The slate that depends on nobody: curated list first, then the default source. For a ``person``
        it leaves out what the surface's rules keep from them."""
        ...

    def dump(self) -> bytes:
        """All of the state; ``load`` of it gives an equal model."""
        ...

    def load(self, data: bytes) -> None:
        """Replace the state by a dump.

        Raises:
            ValueError: the dump is of another version or damaged.
        """
        ...

    def digest(self) -> str:
        """SHA-256 of the state: equal for equal states."""
        ...
