"""What somebody agreed to, or opted out of, in words."""

from __future__ import annotations

from typing import Any

from germane.domain.purposes import PERSONALISATION, PURPOSES

LEFT_ALONE = "what they do is neither kept nor learned from."


def opted_out(states: dict[str, dict[str, Any]]) -> str:
    """Why there is no personalisation for somebody.

    Args:
        states: Purpose -> how their word to it stands (``consentStates``).
    """
    said = states.get(PERSONALISATION)
    if said is None:
        return f"Has not agreed to personalisation, and the law asks first: {LEFT_ALONE}"
    if said["state"] == "expired":
        return f"The yes to personalisation {state(said)}: {LEFT_ALONE}"
    of_all = all(each in states and states[each]["state"] == "withdrawn" for each in PURPOSES)
    what = "everything" if of_all else PERSONALISATION
    return f"Opted out of {what}{_on(said['at'])}: {LEFT_ALONE}"


def state(said: dict[str, Any]) -> str:
    """How somebody's word to a purpose stands."""
    if said["state"] == "expired":
        return f"expired{_on(said['expiresAt'])}"
    if said["state"] == "withdrawn":
        return f"no{_on(said['at'])}"
    until = f", until {said['expiresAt'][:10]}" if said["expiresAt"] else ""
    return f"yes{_on(said['at'])}{until}"


def _on(moment: str | None) -> str:
    return f" on {moment[:10]}" if moment else ""
