"""Which column is which field, where nobody says it."""

from __future__ import annotations

from germane.ingest.bulk import map_columns
from germane.ingest.bulk.columns import Kind


def recognised(kind: Kind, header: str, *said: str) -> dict[str, str]:
    """Field -> column, of a file with this header."""
    return map_columns(kind, tuple(header.split(",")), list(said), more=False).fields


def test_an_amount_is_money_or_pieces() -> None:
    """So it is nothing by itself, and what the operator says it is."""
    header = "student_id,product_id,amount,currency,purchased_at"
    who = "user_id=student_id"
    found = {"user_id": "student_id", "item_id": "product_id", "timestamp": "purchased_at"}
    assert recognised("events", header, who) == found
    assert recognised("events", header, who, "price=amount") == {**found, "price": "amount"}


def test_when_people_came_is_not_when_their_traits_were_true() -> None:
    """Unless the operator says so."""
    header = "customer_id,Created At,signed_up_at,favourite"
    assert "timestamp" not in recognised("people", header)
    assert recognised("people", f"{header},updated_at")["timestamp"] == "updated_at"
    assert recognised("people", header, "timestamp=Created At")["timestamp"] == "Created At"
