"""Rows of a CSV whose quotes do not fit: told with their line, and nothing is swallowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from germane.domain.errors import ImportFailed
from germane.ingest.bulk import Row, columns_of, rows_of

HEAD = "item_id,price,category,title\n"


def read(folder: Path, text: str) -> list[Row]:
    """Rows of a file of this text."""
    path = folder / "c.csv"
    path.write_text(text)
    assert columns_of(path).names == ("item_id", "price", "category", "title")
    return list(rows_of(path))


@pytest.mark.parametrize("bad", ['mat-4,19,Sleeping,"24 inch pan', 'mat-4,"19,Sleeping,pan'])
def test_a_quote_that_is_never_closed_stops(tmp_path: Path, bad: str) -> None:
    """With the line of its row and the last that it would take; what is above was read."""
    above = "".join(f"a-{n},1,x,y\n" for n in range(9))
    below = "".join(f"b-{n},1,x,y\n" for n in range(50))
    with pytest.raises(ImportFailed, match=r"begins in line 11 .* to line 61\.") as refused:
        read(tmp_path, f"{HEAD}{above}{bad}\n{below}")
    assert '"24"" pan"' in refused.value.hint


def test_so_does_one_in_a_large_file(tmp_path: Path) -> None:
    """Where a value would be too long, before the file is over."""
    below = "".join(f"b-{n},1,x,yyyyyyyyyyyyyyyyyyyy\n" for n in range(60_000))
    with pytest.raises(
        ImportFailed, match=r"line 2 a value has more than 1,000,000 .*not closed\?"
    ):
        read(tmp_path, f'{HEAD}mat-4,19,x,"24 inch pan\n{below}')


def test_one_that_another_row_closes_costs_these_rows(tmp_path: Path) -> None:
    """They are one reject that names its lines; the rows below are read."""
    found = read(tmp_path, f'{HEAD}a,1,x,"24 inch\nb,1,x,y\nc,1,x,"Pan, large"\nd,1,x,y\n')
    assert [each.number for each in found] == [2, 5]
    assert found[0].problem.startswith("a quote is not closed")
    assert found[0].problem.endswith("the row would be lines 2 to 4")
    assert found[0].values == {"line": 'a,1,x,"24 inch\n'}
    assert found[1] == Row(5, {"item_id": "d", "price": "1", "category": "x", "title": "y"})


def test_a_quote_inside_of_a_value_in_quotes(tmp_path: Path) -> None:
    """Costs its row; written twice it is one, and outside of quotes it is any sign."""
    found = read(tmp_path, f'{HEAD}a,1,x,"24" pan"\nb,1,x,"24"" pan"\nc,1,x,24" pan\n')
    assert ["write it twice" in each.problem for each in found] == [True, False, False]
    assert [each.values.get("title") for each in found[1:]] == ['24" pan', '24" pan']


def test_the_header(tmp_path: Path) -> None:
    """Is told, too."""
    path = tmp_path / "c.csv"
    path.write_text('item_id,"price\na,1\n')
    with pytest.raises(ImportFailed, match="line 1 a quote is opened and never closed"):
        columns_of(path)
    path.write_text('item_id,"the" price\na,1\n')
    with pytest.raises(ImportFailed, match="line 1: a quote is not closed"):
        columns_of(path)


def test_quotes_tell_what_separates(tmp_path: Path) -> None:
    """A comma between quotes does not, nor does what makes nonsense of them."""
    path = tmp_path / "c.csv"
    path.write_text('"item_id";title, short;"price"\n"a";"x, y";"1"\n')
    assert columns_of(path).names == ("item_id", "title, short", "price")
    assert next(rows_of(path)).values == {"item_id": "a", "title, short": "x, y", "price": "1"}


def test_blanks_after_a_quote_that_closes_say_nothing(tmp_path: Path) -> None:
    """In the header, in a row, and in one of several lines."""
    path = tmp_path / "padded.csv"
    path.write_text('a,"b" ,c\n1,"two, ""2""" ,3\n"x\ny"\t,"z" \n4,5,6\n')
    assert columns_of(path).names == ("a", "b", "c")
    first, second, third = rows_of(path)
    assert first.values == {"a": "1", "b": 'two, "2"', "c": "3"}
    assert (second.number, second.problem != "") == (3, True)  # of three columns it has two
    assert third.values == {"a": "4", "b": "5", "c": "6"}
