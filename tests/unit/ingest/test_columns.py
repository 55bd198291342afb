"""Which column is which field, where nobody says it."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    ("kind", "header", "field", "column"),
    [
        ("catalogue", "sku,description,label,name", "title", "name"),
        ("catalogue", "name,title,sku", "title", "title"),
        ("catalogue", "id,item,sku,name", "item_id", "sku"),
        ("events", "customer,customer_id,date,product,product_id", "item_id", "product_id"),
        ("events", "customer,Customer ID,date,sku", "user_id", "Customer ID"),
        ("events", "user,created_at,Event Time,sku", "timestamp", "Event Time"),
        ("people", "customer,id,customer_id", "user_id", "customer_id"),
        ("consents", "user,status,at,opt_in,purpose", "granted", "opt_in"),
    ],
)
def test_of_several_usual_names_the_better_one_is_taken(
    kind: Kind, header: str, field: str, column: str
) -> None:
    """Wherever it stands in the file."""
    for names in (header, ",".join(reversed(header.split(",")))):
        assert recognised(kind, names)[field] == column
