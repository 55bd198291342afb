"""The shared state as bytes, exactly: every float, every order."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from germane.domain.hours import SLOTS
from germane.domain.item import Item
from germane.predict.blender import Weights
from germane.predict.counters import DecayedCounts
from germane.predict.linear import WIDTH, Linear
from germane.predict.rows import Rows
from germane.predict.state import State
from germane.predict.toplists import TopLists

FORMAT = 9
_LISTS = ("trending", "rising", "tried", "bestsellers")


def write(state: State, seq: int) -> bytes:
    """MessagePack of everything."""
    return msgspec.msgpack.encode({"format": FORMAT, "seq": seq, **_body(state)})


def read(state: State, data: bytes) -> int:
    """Fill an empty state from a dump; the log offset it stands for.

    Raises:
        ValueError: damaged, or of another format.
    """
    try:
        whole = msgspec.msgpack.decode(data, strict=False)
    except msgspec.DecodeError as error:
        raise ValueError(f"the snapshot is damaged: {error}") from None
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise ValueError("the snapshot is of another format")
    _fill(state, whole)
    return int(whole["seq"])


def digest(state: State) -> str:
    """SHA-256 over the body."""
    return sha256(msgspec.msgpack.encode(_body(state))).hexdigest()


def _body(state: State) -> dict[str, Any]:
    size = len(state.ids)
    return {
        "ids": state.ids,
        "items": state.items,
        "kinds": {
            name: [
                each.names,
                each.of[:size].astype("<i4").tobytes(),
                each.leader[: len(each.names)].astype("<i4").tobytes(),
            ]
            for name, each in state.kinds.items()
        },
        "created": _array(state.created_ms[:size]),
        "price": _array(state.log_price[:size]),
        "bought": _array(state.bought[:size]),
        "again": _array(state.bought_again[:size]),
        "counts": {name: _counts(each, size) for name, each in state.counters().items()},
        "together": _rows(state.together),
        "linear": _linear(state.linear, size),
        "followed": _rows(state.followed),
        "related": _rows(state.related),
        "tops": {name: _rows(rows) for name, rows in state.tops.items()},
        "newest": state.newest,
        **{name: list(getattr(state.lists, name)) for name in _LISTS},
        "shown": state.shown,
        "folds": state.folds,
        "latest": state.latest_ms,
        "base": _weights(state.blender.base),
        "new": _weights(state.blender.new),
        "surfaces": {name: _weights(each) for name, each in state.blender.surfaces.items()},
        "moment": [
            _counts(state.moment.counts, SLOTS),
            _array(state.moment.evidence),
            state.moment.lessons,
        ],
        "choosers": state.choosers.pack(),
    }


def _fill(state: State, whole: dict[str, Any]) -> None:
    state.ids = list(whole["ids"])
    state.item_keys = state.item_keys[:0]
    state.index = {item_id: number for number, item_id in enumerate(state.ids)}
    state.items = [None if x is None else msgspec.convert(x, Item) for x in whole["items"]]
    state.grow(len(state.ids))
    for name, (names, of, leader) in whole["kinds"].items():
        kinds = state.kinds[name]
        kinds.names = list(names)
        kinds.numbers = {value: number for number, value in enumerate(names)}
        kinds.of[: len(state.ids)] = np.frombuffer(of, dtype="<i4")
        kinds.leader = np.full(max(1024, 2 * len(names)), -1, dtype=np.int32)
        kinds.leader[: len(names)] = np.frombuffer(leader, dtype="<i4")
    for name, target in (
        ("created", state.created_ms),
        ("price", state.log_price),
        ("bought", state.bought),
        ("again", state.bought_again),
    ):
        values = _floats(whole[name])
        target[: len(values)] = values
    for name, counts in state.counters().items():
        _fill_counts(counts, whole["counts"][name])
    _fill_rows(state.together, whole["together"])
    _fill_linear(state.linear, whole["linear"])
    _fill_rows(state.followed, whole["followed"])
    _fill_rows(state.related, whole["related"])
    for key, rows in whole["tops"].items():
        _fill_rows(state.tops[key], rows)
    state.newest = list(whole["newest"])
    state.lists = TopLists(**{name: tuple(whole[name]) for name in _LISTS})
    state.shown, state.folds = whole["shown"], whole["folds"]
    state.latest_ms = whole["latest"]
    _fill_weights(state.blender.base, whole["base"])
    _fill_weights(state.blender.new, whole["new"])
    for surface, weights in whole["surfaces"].items():
        _fill_weights(state.blender.own(surface), weights)
    moment, (counts, evidence, lessons) = state.moment, whole["moment"]
    _fill_counts(moment.counts, counts)
    moment.evidence, moment.lessons = _floats(evidence), lessons
    state.choosers.unpack(whole["choosers"])


def _array(values: npt.NDArray[np.float64]) -> bytes:
    return values.astype("<f8").tobytes()


def _floats(data: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(data, dtype="<f8").copy()


def _counts(counts: DecayedCounts, size: int) -> list[Any]:
    return [counts.clock.origin_ms, counts.total, _array(counts.sums[:size])]


def _fill_counts(counts: DecayedCounts, data: list[Any]) -> None:
    counts.clock.origin_ms, counts.total = data[0], data[1]
    values = _floats(data[2])
    counts.grow(len(values))
    counts.sums[: len(values)] = values


def _rows(rows: Rows[Any, Any]) -> list[Any]:
    """Keys as a list, since MessagePack maps with number keys do not survive every reader."""
    return [
        rows.clock.origin_ms,
        [[key, list(row), list(row.values())] for key, row in rows.rows.items()],
    ]


def _fill_rows(rows: Rows[Any, Any], data: list[Any]) -> None:
    rows.clock.origin_ms = data[0]
    rows.rows = {key: dict(zip(names, values, strict=True)) for key, names, values in data[1]}


def _linear(linear: Linear, size: int) -> list[Any]:
    """Of the items that were met."""
    met = np.flatnonzero(linear.seen[:size])
    return [
        _counts(linear.counts, size),
        met.astype("<i4").tobytes(),
        linear.seen[met].astype("<i8").tobytes(),
        linear.due[met].astype("<i8").tobytes(),
        linear.neighbours[met].astype("<i4").tobytes(),
        linear.weights[met].astype("<f4").tobytes(),
    ]


def _fill_linear(linear: Linear, data: list[Any]) -> None:
    _fill_counts(linear.counts, data[0])
    met = np.frombuffer(data[1], dtype="<i4")
    linear.seen[met] = np.frombuffer(data[2], dtype="<i8")
    linear.due[met] = np.frombuffer(data[3], dtype="<i8")
    linear.neighbours[met] = np.frombuffer(data[4], dtype="<i4").reshape(-1, WIDTH)
    linear.weights[met] = np.frombuffer(data[5], dtype="<f4").reshape(-1, WIDTH)


def _weights(weights: Weights) -> list[Any]:
    arrays = (weights.value, weights.mean, weights.squares)
    return [*map(_array, arrays), weights.steps]


def _fill_weights(weights: Weights, data: list[Any]) -> None:
    weights.value, weights.mean, weights.squares = map(_floats, data[:3])
    weights.steps = data[3]
