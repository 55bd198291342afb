"""What was trained, in the registry: the newest that is not retired ranks."""

from __future__ import annotations

import msgspec

from germane.domain.forest import Trained
from germane.domain.ports import Blobs, Model
from germane.predict.features import LAYOUT

TREES = "trees"
"""Name of the blobs that hold it."""


def newest(blobs: Blobs) -> Trained | None:
    """What ranks now, if it fits this code's features."""
    found = blobs.newest(TREES)
    return decode(found[0]) if found is not None else None


def trained(blobs: Blobs, policy: str) -> Trained | None:
    """What was trained for a decision's policy (``blend-X+trees-N``); ``None``: the blend alone, or gone."""
    _, _, name = policy.partition("+")
    seq = name.removeprefix(f"{TREES}-")
    if not name or not seq.isdigit():
        return None
    data = blobs.get(TREES, f"{int(seq):016d}")
    return decode(data) if data is not None else None


def attach(model: Model, blobs: Blobs) -> str:
    """Let a model rank with the newest that was trained; what it ranks with from now on."""
    found = newest(blobs)
    if (found.version if found is not None else "") != model.policy.partition("+")[2]:
        model.use(found)
    return model.policy


def encode(what: Trained) -> bytes:
    """As bytes."""
    return msgspec.msgpack.encode(what)


def decode(data: bytes) -> Trained | None:
    """From bytes; ``None`` when it was made by another version, or for another set of features."""
    try:
        found = msgspec.msgpack.decode(data, type=Trained)
    except msgspec.DecodeError:  # whole by its checksum, but of another form
        return None
    same = all(each.layout == LAYOUT for each in found.forests.values())
    return found if same else None
