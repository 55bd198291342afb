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
    ("header", "column"), [("sku,description,label,name", "name"), ("name,title,sku", "title")]
)
def test_of_several_usual_names_of_a_title_the_better_one_is_taken(
    header: str, column: str
) -> None:
    """Wherever it stands in the file."""
    for names in (header, ",".join(reversed(header.split(",")))):
        assert recognised("catalogue", names)["title"] == column


@pytest.mark.parametrize(
    ("kind", "header", "field", "column"),
    [
        ("catalogue", "ID,Type,SKU,Name", "item_id", "ID"),
        ("events", "customer,customer_id,date,item,sku", "user_id", "customer"),
        ("events", "customer,customer_id,date,item,sku", "item_id", "item"),
        ("events", "user,order,invoice_no,date,sku", "order_id", "order"),
    ],
)
def test_who_and_what_a_row_is_of_is_told_by_its_first_column(
    kind: Kind, header: str, field: str, column: str
) -> None:
    """As it always was: a file that is read otherwise than before would count twice."""
    assert recognised(kind, header)[field] == column


def kept(header: str, *said: str, declared: tuple[str, ...] = ()) -> dict[str, str]:
    """Trait -> column, of people in a file with this header; columns that keep their names are left out."""
    names = tuple(header.split(","))
    return map_columns("people", names, list(said), more=False, declared=declared).named


def test_how_people_are_called_and_reached_may_be_spelt_in_any_way() -> None:
    """They need no declaration; the operator may name their columns, too."""
    header = "Customer ID,Email,First Name,LAST_NAME,Full-Name,Created At,Shoe"
    assert kept(header) == {
        "email": "Email",
        "first_name": "First Name",
        "last_name": "LAST_NAME",
        "fullName": "Full-Name",
        "createdAt": "Created At",
    }
    assert kept("id,Mail,E-Mail") == {"email": "E-Mail"}
    assert kept("id,Mail,Vorname", "email=Mail", "firstName=Vorname") == {
        "email": "Mail",
        "firstName": "Vorname",
    }


def test_what_is_called_exactly_so_goes_before_other_spellings() -> None:
    """So does what the project declares."""
    assert kept("id,E-Mail,email") == {}
    assert kept("id,Email", declared=("Email",)) == {}
    assert kept("id,E-Mail", declared=("E-Mail",)) == {}


def test_people_may_have_them_late() -> None:
    """In JSON lines."""
    found = map_columns("people", ("id",), [], more=True)
    assert found.rest_of({"id": "c1", "Email": "c1@example.org"}) == {"email": "c1@example.org"}
