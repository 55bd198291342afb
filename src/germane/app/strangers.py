"""People of whom nothing is known but that a choice was made for them, and the end of their profiles; and of
everybody else's what is too old, also where they never come back.

A choice may be answered by whatever its person does next, so the person keeps it, known or not. Once nobody
may answer it any more, a stranger's profile says nothing: from then on every reader takes it for absent, by the
time at which a record arrived or a decision was made, so that a fold does not depend on when the profile is
really dropped.
"""

from __future__ import annotations

from msgspec.structs import replace

from germane.domain.ports import Store
from germane.domain.profile import Profile
from germane.domain.record import Txn
from germane.domain.settings import Settings
from germane.profile.chosen import kept_of
from germane.profile.fold import current


def known(profile: Profile | None, settings: Settings, now_ms: int) -> Profile | None:
    """The profile; ``None`` where there is none, or a stranger's that says nothing any more."""
    if profile is None or profile.last_seen_ms:
        return profile
    bare = replace(profile, seq=0, choices=(), muted=profile.muted.now(now_ms))
    nobody = Profile(person=profile.person, first_seen_ms=profile.first_seen_ms)
    if bare != nobody or kept_of(profile.choices, settings, now_ms):
        return profile
    return None


def drop(store: Store, tenant: str, settings: Settings, now_ms: int, after: str = "") -> str:
    """Drop those of one page of profiles that say nothing, and of the others what is too old; the last key of
    the page, empty at the end."""
    page = store.profiles(tenant, after=after)
    txn = Txn()
    for each in page:
        found = known(each, settings, now_ms)
        kept = None if found is None else current(found, settings, now_ms)
        if kept is not each:
            txn.profiles[tenant, each.person] = kept
    if not txn.empty:
        store.commit(txn)
    return page[-1].person if page else ""


def drop_all(store: Store, tenant: str, settings: Settings, now_ms: int) -> None:
    """Drop all of them."""
    after = ""
    while after := drop(store, tenant, settings, now_ms, after):
        pass
