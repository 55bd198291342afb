"""The data sets, each as a frame. The folder is ``GERMANE_DATASETS`` (default ``../shared/data``)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from benchmarks.quality.frame import Frame

FOLDER = "GERMANE_DATASETS"
RETAIL_LINES = 150_000
JOURNEY_SHARE = 4
"""One household of so many is predicted, chosen by a hash of its id."""
DAY_MS = 86_400_000
FRONT_PAGE = "Course: 3621691 : Learning Analytics"
NOT_GOODS = {"POST", "DOT", "M", "D", "S", "BANK CHARGES", "C2", "CRUK", "PADS", "AMAZONFEE", "B"}


class MissingData(Exception):
    """A data set is not there; the message says what to do."""


def folder() -> Path:
    """Where the data sets are."""
    return Path(os.environ.get(FOLDER, "../shared/data"))


def load(name: str) -> Frame:
    """A data set by its name.

    Raises:
        MissingData: it is not there.
    """
    return LOADERS[name]()


def table(name: str, part: str) -> dict[str, list[Any]]:
    """A table of a data set as columns.

    Raises:
        MissingData: it is not there.
    """
    import pyarrow.parquet as pq

    path = folder() / name / f"{part}.parquet"
    if not path.exists():
        raise MissingData(f"{name}: {path} is not there. Set {FOLDER} to the folder of data sets.")
    found: dict[str, list[Any]] = pq.read_table(path).to_pydict()
    return found


def _ms(times: Iterable[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([round(each.timestamp() * 1000) for each in times], dtype=np.int64)


def _numbered(ids: Iterable[str]) -> tuple[tuple[str, ...], Any]:
    names: dict[str, int] = {}
    numbers = [names.setdefault(each, len(names)) for each in ids]
    return tuple(names), np.array(numbers, dtype=np.int64)


def _frame(
    name: str,
    user_ids: list[str],
    item_ids: list[str],
    at_ms: Any,
    *,
    repeats: bool,
    catalogue: dict[str, dict[str, Any]],
    **more: Any,
) -> Frame:
    order = np.argsort(at_ms, kind="stable")
    users, user = _numbered(user_ids[n] for n in order.tolist())
    items, item = _numbered(item_ids[n] for n in order.tolist())
    more = {key: None if value is None else value[order] for key, value in more.items()}
    return Frame(
        name, users, items, user, item, at_ms[order], repeats=repeats, catalogue=catalogue, **more
    )


def movielens() -> Frame:
    """Ratings of long-lived people; seen films are not shown again."""
    events, items = table("ml-latest-small", "events"), table("ml-latest-small", "items")
    catalogue = {
        each: {
            "title": title,
            "categories": tuple(genres),
            "attributes": {"genres": list(genres), "decade": f"{year // 10 * 10}s" if year else ""},
        }
        for each, title, year, genres in zip(
            items["item_id"], items["title"], items["release_year"], items["genres"], strict=True
        )
    }
    return _frame(
        "ml-latest-small",
        events["user_id"],
        events["item_id"],
        _ms(events["timestamp"]),
        repeats=False,
        catalogue=catalogue,
    )


def yoochoose() -> Frame:
    """Clicks of anonymous sessions: a session is a person that nobody knows."""
    events = table("yoochoose-100k", "events")
    return _frame(
        "yoochoose-100k",
        events["session_id"],
        events["item_id"],
        _ms(events["timestamp"]),
        repeats=True,
        catalogue={},
    )


def retail() -> Frame:
    """The last lines of a gift shop that have a customer; the lines of an invoice are one order."""
    events, items = table("online-retail", "events"), table("online-retail", "items")
    rows, had = [], set()
    for row, (event, user, item, invoice) in enumerate(
        zip(
            events["event"], events["user_id"], events["item_id"], events["session_id"], strict=True
        )
    ):
        line = (invoice, item)
        if event == "purchase" and user and item not in NOT_GOODS and line not in had:
            had.add(line)
            rows.append(row)
    rows = rows[-RETAIL_LINES:]
    _, order = _numbered(events["session_id"][row] for row in rows)
    catalogue = {
        each: {"title": title or "", "category": _last_word(title or "")}
        for each, title in zip(items["item_id"], items["title"], strict=True)
    }
    return _frame(
        "online-retail",
        [events["user_id"][row] for row in rows],
        [events["item_id"][row] for row in rows],
        _ms(events["timestamp"][row] for row in rows),
        repeats=True,
        catalogue=catalogue,
        price=np.array([events["unit_price"][row] for row in rows], dtype=float),
        order=order,
    )


def _last_word(title: str) -> str:
    words = re.findall(r"[A-Za-z]{3,}", title)
    return words[-1].lower() if words else ""


def moodle() -> Frame:
    """Visits to the parts of a course, without its front page; what a person does on one part in a row
    is one visit."""
    events, items = table("moodle-course", "events"), table("moodle-course", "items")
    last: dict[str, str] = {}
    rows = []
    for row, (user, item) in enumerate(zip(events["user_id"], events["item_id"], strict=True)):
        if item != FRONT_PAGE and last.get(user) != item:
            rows.append(row)
            last[user] = item
    catalogue = {
        each: {"title": title, "category": kind}
        for each, title, kind in zip(
            items["item_id"], items["title"], items["item_type"], strict=True
        )
    }
    return _frame(
        "moodle-course",
        [events["user_id"][row] for row in rows],
        [events["item_id"][row] for row in rows],
        _ms(events["timestamp"][row] for row in rows),
        repeats=True,
        catalogue=catalogue,
    )


def grocery() -> Frame:
    """Reviews of groceries; days only. What was reviewed is not shown again."""
    events, items = table("grocery", "events"), table("grocery", "items")
    catalogue = {
        each: {"category": f"category {kind}"}
        for each, kind in zip(items["item_id"], items["category"], strict=True)
    }
    return _frame(
        "grocery",
        events["user_id"],
        events["item_id"],
        _ms(events["timestamp"]),
        repeats=False,
        catalogue=catalogue,
    )


def beauty() -> Frame:
    """Reviews of which only each person's order is known. Times are made up so that everyone's last
    row is of the same day and one step is one day."""
    events, items = table("amazon-beauty", "events"), table("amazon-beauty", "items")
    how_often: dict[int, int] = {}
    for codes in items["attribute_ids"]:
        for code in codes:
            how_often[code] = how_often.get(code, 0) + 1
    catalogue = {}
    for each, codes in zip(items["item_id"], items["attribute_ids"], strict=True):
        common = sorted(codes, key=lambda code: (-how_often[code], code))
        catalogue[each] = {
            "category": str(common[min(1, len(common) - 1)]) if common else "",
            "attributes": {
                "codes": [str(code) for code in common],
                "rarest": str(common[-1]) if common else "",
            },
        }
    users, order = events["user_id"], np.array(events["order"])
    lengths: dict[str, int] = {}
    for user in users:
        lengths[user] = lengths.get(user, 0) + 1
    back = np.array([lengths[user] for user in users]) - order
    at_ms = 1_400_000_000_000 - back * DAY_MS
    found = _frame(
        "amazon-beauty", users, events["item_id"], at_ms, repeats=False, catalogue=catalogue
    )
    return replace(found, last_out=True)


def journey() -> Frame:
    """A year of groceries of 2,469 households; a basket is one order."""
    from germane.cli.demo.journey import Journey
    from germane.cli.demo.journey import MissingData as NoPackage

    source = Journey()
    try:
        catalogue = {
            each.item_id: {
                "title": each.title,
                "category": each.category,
                "brand": each.brand,
                "price": each.price,
                "attributes": dict(each.attributes),
            }
            for each in source.items()
        }
    except NoPackage as error:
        raise MissingData(f"completejourney: {error}") from None
    users, items, at_ms, price, order = [], [], [], [], []
    for number, basket in enumerate(source.baskets()):
        for product, _, each in basket.products:
            users.append(basket.household)
            items.append(product)
            at_ms.append(basket.at_ms)
            price.append(each)
            order.append(number)
    found = _frame(
        "completejourney",
        users,
        items,
        np.array(at_ms, dtype=np.int64),
        repeats=True,
        catalogue=catalogue,
        price=np.array(price),
        order=np.array(order),
    )
    asked = np.array([crc32(each.encode()) % JOURNEY_SHARE == 0 for each in found.users])
    return replace(found, asked=asked)


LOADERS: dict[str, Callable[[], Frame]] = {
    "moodle-course": moodle,
    "yoochoose-100k": yoochoose,
    "online-retail": retail,
    "ml-latest-small": movielens,
    "grocery": grocery,
    "amazon-beauty": beauty,
    "completejourney": journey,
}
"""By name, the quick ones first."""
