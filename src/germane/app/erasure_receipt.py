"""The receipt of an erasure: what was done, in words, signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from germane.privacy.erasure import mark, signed
from germane.profile.words import rfc3339

if TYPE_CHECKING:
    from germane.app.engine import Engine
    from germane.app.erasing import Found, Step


def receipt(
    engine: Engine, step: Step, found: Found, models: int, *, clean: bool, at_once: bool
) -> dict[str, Any]:
    """What was done, signed with the data folder's key."""
    told = {
        "receipt": step.line.receipt,
        "at": rfc3339(step.line.at_ms),
        "germane": engine.version,
        "people": sorted(mark(engine.key, engine.tenant, each) for each in found.people),
        "removed": found.counts | {"models": models},
        "kept": [
            {
                "what": "suppressed address hashes",
                "count": len(step.kept),
                "why": "Nobody writes to these addresses again. A hash names nobody.",
            },
            {
                "what": "marks of their keys",
                "count": len(step.line.people),
                "why": "A backup that is put back forgets them again. Without the secret of this data "
                "folder a mark names nobody.",
            },
        ],
        "bytes": {
            "overwritten": "now" if clean else "at the next start",
            "text": "The files hold nothing that is left over of deleted rows."
            if clean
            else "No row is left. The database is so large, or was being read, that it is written anew "
            "as Germane starts.",
        },
        "sharedModel": {
            "rebuilt": "now" if at_once else "in the background",
            "text": "It is what the log without them makes of it."
            if at_once
            else "It is learned anew from the log without them, and once more by the next start. Until then "
            "the one in memory still counts what they did, without their name; it is not kept, and nothing "
            "is trained.",
        },
    }
    return signed(engine.key, told)
