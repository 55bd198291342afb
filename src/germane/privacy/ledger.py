"""How a purpose stands after somebody said something to it: the rules of precedence, and what proves it.

* A no always stands, whenever it was said, and however it came.
* A yes stands if it is newer than the last no: one that comes late, or again, undoes nothing. Of the same
  millisecond, the no; but a yes that is said just now comes after all that was said before.
* A yes may have an end. After it, it is as if it had never been said: a no that stood before it stands again.
* Where two people turn out to be one, the stricter of both: a no of either, and a yes only where the one who
  stays has said it. Who says that two are one is no proof that one may answer for the other.
"""

from __future__ import annotations

from msgspec.structs import replace

from germane.domain.consent import Stand, Statement
from germane.domain.profile import Profile
from germane.domain.purposes import PERSONALISATION


def stated(
    person: Profile, said: Statement, *, just_now: bool = False
) -> tuple[Profile, Statement]:
    """The person after they said something, and the line of the ledger that proves it.

    Args:
        person: Before; not changed.
        said: What they said.
        just_now: It was said in this very moment, and not at a time that somebody names.
    """
    before = person.stands.get(said.purpose, Stand(0))
    if just_now and said.at_ms >= before.at_ms:
        pass
    elif said.state == "granted" and person.consent.get(said.purpose) is False:
        if before.at_ms >= said.at_ms:
            return person, replace(said, stands=False)
    elif said.state == "granted" and before.at_ms > said.at_ms:
        return person, replace(said, stands=False)
    granted = said.state == "granted"
    until_ms = said.until_ms if granted else 0
    no_before = person.consent.get(said.purpose) is False or before.refused
    refused = until_ms > 0 and no_before
    kept_ms = before.refused_ms if no_before and (refused or not granted) else 0
    no_ms = kept_ms if granted else max(kept_ms, said.at_ms)
    stand = Stand(max(before.at_ms, said.at_ms), until_ms, said.received_ms, refused, no_ms)
    after = replace(
        person,
        consent={**person.consent, said.purpose: granted},
        stands={**person.stands, said.purpose: stand},
    )
    return after, replace(said, stands=True)


def says(person: Profile, purpose: str, now_ms: int) -> bool | None:
    """What somebody's word to a purpose is by now: yes, no, or ``None``: nothing that counts."""
    word, stand = person.consent.get(purpose), person.stands.get(purpose)
    if word and stand is not None and stand.over(now_ms):
        return False if stand.refused else None
    return word


def yes_ms(person: Profile, purpose: str) -> int:
    """Since when somebody agrees to a purpose; 0: they did not say so."""
    stand = person.stands.get(purpose)
    return stand.at_ms if stand is not None and person.consent.get(purpose) else 0


def takes_back(person: Profile, purpose: str, at_ms: int, now_ms: int) -> bool:
    """Whether a no of that time, said now, would undo a yes that is newer."""
    stand = person.stands.get(purpose)
    return bool(says(person, purpose, now_ms)) and stand is not None and stand.at_ms > at_ms


def strictest(survivor: Profile, other: Profile) -> tuple[dict[str, bool], dict[str, Stand]]:
    """Consent of two people who turn out to be one."""
    consent: dict[str, bool] = {}
    stands: dict[str, Stand] = {}
    for purpose in sorted({*survivor.consent, *other.consent}):
        said = [each for each in (survivor, other) if purpose in each.consent]
        granted = all(each.consent[purpose] for each in said)
        if granted and purpose not in survivor.consent:
            if purpose in other.stands and other.stands[purpose].refused:  # a no is under their yes
                consent[purpose] = False
                stands[purpose] = replace(other.stands[purpose], until_ms=0, refused=False)
            continue
        consent[purpose] = granted
        counting = [x for x in said if x.consent[purpose] == granted]
        known = [x.stands[purpose] for x in counting if purpose in x.stands]
        if known:
            ends = [each.until_ms for each in known if each.until_ms]
            latest = max(known, key=lambda each: (each.at_ms, each.heard_ms))
            noes = [x.refused_ms for x in known if x.refused or not granted]
            stands[purpose] = replace(
                latest,
                until_ms=min(ends, default=0),
                refused=bool(ends and granted and noes),
                no_ms=max(noes, default=0),
            )
    return consent, stands


def refuses_all(person: Profile, said: Statement, *, keep: bool) -> bool:
    """Whether what is known of somebody is dropped with what they said: they opted out, and nothing is kept
    for later."""
    out = said.purpose == PERSONALISATION and said.state == "withdrawn"
    return out and not keep


def fresh(person: Profile) -> Profile:
    """Somebody as at the beginning: who they are, how they are reached, what they said, and no more."""
    contact = {name: each for name, each in person.traits.items() if name in ("email", "phone")}
    return Profile(
        person.person,
        seq=person.seq,
        first_seen_ms=person.first_seen_ms,
        user_id=person.user_id,
        anonymous_ids=person.anonymous_ids,
        timezone=person.timezone,
        locale=person.locale,
        traits=contact,
        consent=person.consent,
        stands=person.stands,
    )
