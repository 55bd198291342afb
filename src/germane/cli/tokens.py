"""``token``: a signed person token, as a shop's own server makes them."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path

from germane.cli import common
from germane.domain.errors import WrongUse
from germane.domain.person_token import MOST_S, sign

_DURATION = re.compile(r"(\d{1,9})([smhdw])")


def token(who: str, valid_for: str, surfaces: list[str], config: Path, *, as_json: bool) -> None:
    """Print a token. ``who``: a user id, or ``a:`` and an anonymous id."""
    loaded = common.load(config)
    unknown = [each for each in surfaces if each not in {*loaded.settings.surfaces, "inbox"}]
    if unknown:
        raise WrongUse(
            f"There is no surface named {unknown[0]!r}.",
            hint=f"Configured: {', '.join(sorted(loaded.settings.surfaces)) or 'none'}.",
        )
    if not loaded.runtime.server_key:
        raise WrongUse(
            "There is no server key to sign with.",
            hint="Set GERMANE_SERVER_KEY, in .env beside the configuration or in the environment.",
        )
    anonymous = who.startswith("a:")
    person = who[2:] if anonymous else who.removeprefix("u:")
    valid_s, now_s = seconds(valid_for, "A token", least=1, most=MOST_S), int(time.time())
    made = sign(
        loaded.runtime.server_key,
        now_s=now_s,
        valid_s=valid_s,
        surfaces=tuple(surfaces) or None,
        **{"anonymous_id" if anonymous else "user_id": person},
    )
    if as_json:
        until = datetime.fromtimestamp(now_s + valid_s, UTC).isoformat().replace("+00:00", "Z")
        common.print_json({"token": made, "expiresAt": until})
        return
    common.console().print(made, markup=False)


def seconds(text: str, what: str, *, least: int, most: int) -> int:
    """A duration such as 15m, 1h or 7d, in seconds. ``what`` is to be valid for it.

    Raises:
        WrongUse: it is none, or is too short or too long.
    """
    from germane.config.fields import UNITS_S, written

    found = _DURATION.fullmatch(text.strip())
    valid_s = int(found[1]) * UNITS_S[found[2]] if found else -1
    if not least <= valid_s <= most:
        raise WrongUse(
            f"{what} cannot be valid for {text!r}.",
            hint=f'Write a duration up to {written(most)}, like "15m", "1h" or "2d".',
        )
    return valid_s
