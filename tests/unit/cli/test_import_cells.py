"""What cells and lines of an import mean: nothing is lost on the way without being told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.cli.test_import import germane, made, person, project, summary

__all__ = ["made", "project"]

HEAD = "customer,when,sku,qty,unit_price,invoice\n"
ORDER = "c1,2026-10-01T10:00:00Z,tent-1,1,129,A1\nc1,2026-10-01T10:00:00Z,mat-1,2,59.5,A1\n"
PURCHASE = ("--event", "purchase")


def item(project: Path, item_id: str) -> dict[str, Any]:
    """One item, as it is exported."""
    rows = map(json.loads, germane(project, "export", "items", "-").stdout.splitlines())
    found: dict[str, Any] = next(row for row in rows if row["itemId"] == item_id)
    return found


def counts(project: Path, who: str) -> dict[str, int]:
    """Own items and how often."""
    return {each["itemId"]: each["count"] for each in person(project, who)["ownItems"]}


def test_a_line_of_no_pieces(project: Path) -> None:
    """It is a reject; the order around it is whole, and counts."""
    lines = ORDER.replace("c1,2026-10-01T10:00:00Z,mat-1", "c1,2026-10-01T10:00:00Z,toy-1,0,5,A1\n"
                          "c1,2026-10-01T10:00:00Z,mat-1")  # fmt: skip
    (project / "o.csv").write_text(HEAD + lines)
    found = summary(project, "events", "o.csv", *PURCHASE)
    assert (found["accepted"], found["rejected"], found["ordersApart"]) == (1, 1, 0)
    assert found["reasons"] == {"quantity is 0 (the line counts for nothing)": 1}
    assert counts(project, "c1") == {"tent-1": 1, "mat-1": 1}
    view = "customer,when,sku,qty\nc1,2026-10-01,toy-1,0\n"  # of views there are no pieces
    (project / "v.csv").write_text(view)
    assert summary(project, "events", "v.csv", "--event", "view")["accepted"] == 1


def test_a_whole_order_is_taken_back(project: Path) -> None:
    """A refund without product, price and pieces is of the whole order, as over HTTP."""
    config = project / "germane.toml"
    config.write_text(config.read_text().replace("properties.order_id", "properties.invoice"))
    (project / "o.csv").write_text(HEAD + ORDER)
    (project / "r.csv").write_text(HEAD + "c1,2026-10-02T10:00:00Z,,,,A1\n")
    assert summary(project, "events", "o.csv", *PURCHASE)["accepted"] == 1
    back = summary(project, "events", "r.csv", "--event", "refund")
    assert (back["accepted"], back["deadLetters"]) == (1, 0)
    assert counts(project, "c1") == {}


def test_an_empty_cell_is_no_value(project: Path) -> None:
    """It means what a missing column means, in every column of a catalogue."""
    head = "item_id,type,title,category,categories,brand,price,currency,in_stock,url,image,"
    (project / "c.csv").write_text(
        f"{head}available_from,available_until,color\nx{',' * 13}\ny{', ' * 13}\nz{',' * 7},0,,,,,\n"
    )
    assert summary(project, "catalogue", "c.csv")["rejected"] == 0
    bare = item(project, "x")
    assert (bare["type"], bare["inStock"], item(project, "z")["inStock"]) == (
        "product",
        True,
        False,
    )
    (project / "b.csv").write_text("item_id\nbare\n")
    assert summary(project, "catalogue", "b.csv")["accepted"] == 1
    for each in ("x", "y"):
        others = {"itemId": "", "created": ""}
        assert {**item(project, each), **others} == {**item(project, "bare"), **others}
    nan = float("nan")
    pq.write_table(
        pa.table(
            {"item_id": ["n"], "title": [nan], "price": [nan], "in_stock": [nan], "hue": [nan]}
        ),
        project / "n.parquet",
    )
    assert summary(project, "catalogue", "n.parquet")["accepted"] == 1
    assert {**item(project, "n"), **others} == {**item(project, "bare"), **others}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("20261112", "2026-11-12"),
        ("20261112101500", "2026-11-12T10:15:00"),
        ("202611121015", "2026-11-12T10:15:00"),
        ("20261112.0", "2026-11-12"),
    ],
)
def test_a_date_in_digits_is_no_count_of_seconds(project: Path, said: str, meant: str) -> None:
    """It was taken for a day in August 1970."""
    (project / "o.csv").write_text(f"user_id,timestamp,item_id\nc1,{said},toy-1\n")
    found = summary(project, "events", "o.csv", "--event", "view")
    assert (found["accepted"], found["rejected"]) == (0, 1)
    (line,) = (project / "o.csv.rejects.jsonl").read_text().splitlines()
    assert f"write {meant}" in json.loads(line)["reason"]


def test_seconds_stay_seconds(project: Path) -> None:
    """Digits that are no date are what they were."""
    (project / "o.csv").write_text(
        "user_id,timestamp,item_id\nc1,20261312,toy-1\nc1,90000000,toy-1\n"
    )
    found = summary(project, "events", "o.csv", "--event", "view")
    assert (found["accepted"], found["first"]) == (2, "1970-08-23T12:08:32.000Z")


def test_lines_apart_are_told(project: Path) -> None:
    """Each part of an order is an event of its own: said, with what to do; of refunds, they are parts."""
    first, second = ORDER.splitlines(keepends=True)
    other = "c2,2026-10-01T10:00:00Z,tent-1,1,129,A2\n"
    (project / "o.csv").write_text(HEAD + first + other + second + other)
    found = summary(project, "events", "o.csv", *PURCHASE)
    assert (found["accepted"], found["ordersApart"]) == (4, 2)
    told = germane(project, "import", "events", "o.csv", *PURCHASE, "--dry-run").stdout
    assert "2 orders had lines apart from one another" in told
    assert "Sort the file by order." in told
    (project / "s.csv").write_text(HEAD + first + second + other)
    assert summary(project, "events", "s.csv", *PURCHASE)["ordersApart"] == 0
    assert summary(project, "events", "o.csv", "--event", "refund")["ordersApart"] == 0


def test_a_bad_line_further_down_is_told_with_its_order(project: Path) -> None:
    """What stands above it was taken, and that is said by the order's name; what follows is left out."""
    line, other = (
        "c1,2026-10-01T10:00:00Z,{},{},1,{}\n",
        "c2,2026-10-01T10:00:00Z,tent-1,1,129,B1\n",
    )
    above = line.format("tent-1", 1, "A1") + other + line.format("mat-1", "two", "A1")
    below = other + line.format("mat-1", "two", "A2") + other + line.format("tent-1", 1, "A2")
    (project / "o.csv").write_text(HEAD + above + below + line.format("lamp-1", 1, "A1"))
    told = germane(project, "import", "events", "o.csv", *PURCHASE, "--dry-run").stdout
    assert "1 order (A1) had a line that cannot be used below others" in " ".join(told.split())
    found = summary(project, "events", "o.csv", *PURCHASE)
    assert (found["ordersInPart"], found["rejected"]) == (1, 4)
    assert found["reasons"]["another line of the same order cannot be used"] == 2


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_order_with_a_line_of_no_time_is_left_out_as_a_whole(project: Path, place: int) -> None:
    """It does not say that it is of another moment, so it does not cut its order in two."""
    when = ["2026-10-01T10:00:00Z"] * 3
    when[place] = "2026-13-22"
    items = zip(when, ("tent-1", "mat-1", "toy-1"), strict=True)
    lines = "".join(f"c1,{at},{sku},1,5,A1\n" for at, sku in items)
    (project / "o.csv").write_text(HEAD + lines + "c2,2026-10-01T10:00:00Z,mat-1,1,5,A2\n")
    found = summary(project, "events", "o.csv", *PURCHASE)
    assert (found["accepted"], found["rejected"]) == (1, 3)
    assert (found["ordersInPart"], found["ordersApart"]) == (0, 0)
    assert counts(project, "c2") == {"mat-1": 1}
    assert germane(project, "person", "c1").returncode != 0


@pytest.mark.parametrize("apart", [True, False])
def test_a_line_that_repeats_another_one_exactly(project: Path, apart: bool) -> None:
    """It counts once, adjacent or apart, and that is said; of lines that differ, each counts."""
    line = "c1,2026-10-01T10:00:00Z,tent-1,2,129,A1\n"
    other = "c2,2026-10-01T10:00:00Z,mat-1,1,9,B1\n"
    (project / "o.csv").write_text(HEAD + line + (other if apart else "") + line)
    found = summary(project, "events", "o.csv", *PURCHASE)
    assert found["linesDoubled"] == (not apart)
    person = json.loads(germane(project, "person", "c1", "--json").stdout)
    assert [each["pieces"] for each in person["ownItems"]] == [2]
    if not apart:
        told = germane(project, "import", "events", "o.csv", *PURCHASE, "--dry-run").stdout
        assert "1 line repeats another one of the same order exactly" in " ".join(told.split())


def test_dead_letters_are_told(project: Path) -> None:
    """Of what is accepted but means less than it says, too: how many, and where to read them."""
    (project / "o.csv").write_text(HEAD + "c1,2026-10-01T10:00:00Z,,2,5,A1\n")
    told = germane(project, "import", "events", "o.csv", *PURCHASE).stdout
    assert "1 dead letter:" in told
    assert "germane dead-letters list" in told
    assert "1 new event" in told
    (project / "p.csv").write_text(HEAD + "c1,2026-10-01T10:00:00Z,,2,5,A9\n")
    assert summary(project, "events", "p.csv", *PURCHASE)["deadLetters"] == 1


def test_reasons_come_with_their_remedy(project: Path) -> None:
    """And with the first row that they are the reason of."""
    (project / "o.csv").write_text(
        'user_id,timestamp,item_id,price\nc1,soon,x,1\nc1,later,x,1\nc1,2026-10-01,x,"1,5"\n'
    )
    told = germane(project, "import", "events", "o.csv", "--event", "view").stdout
    assert "2 × timestamp is no time (use ISO 8601, like 2026-11-12T10:15:00Z" in told
    assert "the first: o.csv, line 2" in told
    assert "1 × price is no number (write decimals with a point); the first: o.csv, line 4" in told


def test_an_item_that_stands_twice(project: Path) -> None:
    """Counts once, and is told; the last row is what it is."""
    (project / "c.csv").write_text("item_id,title\na,One\nb,Two\na,Three\na,Four\n")
    found = summary(project, "catalogue", "c.csv")
    assert (found["accepted"], found["duplicates"], found["repeated"]) == (2, 0, 2)
    assert item(project, "a")["title"] == "Four"
    told = germane(project, "import", "catalogue", "c.csv", "--dry-run").stdout
    assert "2 items" in told
    assert "1 item stands in more than one row (a): the last row counts." in told


def test_declared_names_in_other_capitals(project: Path) -> None:
    """Are meant where one fits; where two do, both stay what they are called."""
    with (project / "germane.toml").open("a") as file:
        file.write("[catalogue.attributes.roast]\n[traits.Vegan]\nattribute = 'department'\n")
    (project / "c.csv").write_text("Item_ID,Roast,Other\nx,dark,1\n")
    found = summary(project, "catalogue", "c.csv", "--map", "TITLE=other")
    assert found["accepted"] == 1
    assert item(project, "x")["attributes"] == {"roast": "dark"}
    assert item(project, "x")["title"] == "1"
    (project / "d.csv").write_text("item_id,Roast,ROAST\ny,dark,light\n")
    assert summary(project, "catalogue", "d.csv")["accepted"] == 1
    assert item(project, "y")["attributes"] == {"Roast": "dark", "ROAST": "light"}
    (project / "e.csv").write_text("item_id,Roast,roast\nz,dark,light\n")
    assert summary(project, "catalogue", "e.csv")["accepted"] == 1
    assert item(project, "z")["attributes"] == {"Roast": "dark", "roast": "light"}
    rows = [{"item_id": f"j{n}"} for n in range(120)] + [{"item_id": "late", "ROAST": "dark"}]
    (project / "f.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert summary(project, "catalogue", "f.jsonl")["accepted"] == 121
    assert item(project, "late")["attributes"] == {"roast": "dark"}
    (project / "p.csv").write_text("user_id,vegan\nc1,Outdoor\n")
    assert summary(project, "people", "p.csv")["accepted"] == 1
    assert person(project, "c1")["traits"]["Vegan"]["value"] == "Outdoor"


def test_the_time_zone_of_people(project: Path) -> None:
    """It sets their clock; one that there is not is told, and its row is kept."""
    (project / "p.csv").write_text(
        "user_id,Timezone,locale\nc1,Asia/Tokyo,ja\nc2,Nowhere/Land,de\nc3,,\n"
    )
    found = summary(project, "people", "p.csv")
    assert (found["accepted"], found["unknownZones"]) == (3, {"Nowhere/Land": 1})
    first, second = person(project, "c1"), person(project, "c2")
    assert (first["timezone"], first["locale"]) == ("Asia/Tokyo", "ja")
    assert (second["timezone"], second["locale"]) == (None, "de")
    again = germane(project, "import", "people", "p.csv").stdout
    assert "'Nowhere/Land'" in again
    assert "Europe/Berlin" in again


def test_traits_and_attributes_can_be_mapped(project: Path) -> None:
    """On the command line and by name; what is declared nowhere is still an error."""
    with (project / "germane.toml").open("a") as file:
        file.write(
            '[imports.crm]\nkind = "people"\n[imports.crm.columns]\nfavorite_category = "fav"\n'
            '[imports.shop]\nkind = "catalogue"\n[imports.shop.columns]\ndepartment = "dep"\n'
        )
    assert germane(project, "check").returncode == 0
    (project / "p.csv").write_text("user_id,fav\nc1,Tents\n")
    (project / "c.csv").write_text("item_id,dep\nx,Outdoor\n")
    for arguments in (("--map", "favorite_category=fav"), ("--as", "crm")):
        found = summary(project, "people", "p.csv", *arguments)
        assert found["accepted"] + found["duplicates"] == 1
    assert person(project, "c1")["traits"]["favorite_category"]["value"] == "Tents"
    assert summary(project, "catalogue", "c.csv", "--as", "shop")["accepted"] == 1
    assert item(project, "x")["attributes"] == {"department": "Outdoor"}
    wrong = germane(project, "import", "people", "p.csv", "--map", "nope=fav")
    assert (wrong.returncode, "no field 'nope'" in wrong.stderr) == (2, True)
    assert "favorite_category" in wrong.stderr


def test_a_mapping_that_is_left_out_stops_a_catalogue(project: Path) -> None:
    """Before anything is lost, with what to add; --force and another column that is named go on."""
    (project / "c.csv").write_text("item_id,Bezeichnung,Kurz Text\nx,Long,Short\n")
    titled = ("catalogue", "c.csv", "--map", "title=Bezeichnung")
    assert summary(project, *titled)["accepted"] == 1
    for more in ((), ("--dry-run",)):
        done = germane(project, "import", "catalogue", "c.csv", *more)
        assert done.returncode == 1
        assert "imported with title ← Bezeichnung" in done.stderr
        assert "--map title=Bezeichnung" in done.stderr
        assert "--force" in done.stderr
    assert item(project, "x")["title"] == "Long"
    assert summary(project, "catalogue", "c.csv", "--map", "title=Kurz Text")["accepted"] == 1
    done = germane(project, "import", "catalogue", "c.csv")
    assert "--map 'title=Kurz Text'" in done.stderr
    forced = summary(project, "catalogue", "c.csv", "--force")
    assert (forced["accepted"], item(project, "x")["title"]) == (1, "")
    assert summary(project, "catalogue", "c.csv")["duplicates"] == 1


def test_a_dry_run_only_reads(project: Path) -> None:
    """No data folder, no file of rejects; a file that is named is written."""
    (project / "o.csv").write_text(
        "user_id,timestamp,item_id\nc1,soon,toy-1\nc1,2026-10-01,toy-1\n"
    )
    before = sorted(each.name for each in project.iterdir())
    found = summary(project, "events", "o.csv", "--event", "view", "--dry-run")
    assert (found["accepted"], found["rejected"], found["rows"]) == (1, 1, 2)
    assert sorted(each.name for each in project.iterdir()) == before
    summary(project, "events", "o.csv", "--event", "view", "--dry-run", "--rejects", "r.jsonl")
    assert len((project / "r.jsonl").read_text().splitlines()) == 1


def test_a_dry_run_beside_a_server(project: Path) -> None:
    """Another process that writes does not stop it."""
    from germane.storage.sqlite import SqliteStore

    assert summary(project, "catalogue", "catalogue.csv")["accepted"] == 64
    held = SqliteStore.open(project / "germane-data")
    try:
        assert germane(project, "import", "catalogue", "catalogue.csv").returncode == 1
        done = germane(project, "import", "catalogue", "catalogue.csv", "--dry-run")
        assert (done.returncode, "64 items" in done.stdout) == (0, True)
    finally:
        held.close()


KINDS = """
[catalogue.attributes.level]
kind = "number"
[catalogue.attributes.organic]
kind = "flag"
[catalogue.attributes.uses]
kind = "list"
[traits.seats]
[traits.trial]
[traits.plan]
"""


def test_cells_are_of_the_declared_kind(project: Path) -> None:
    """What cannot be costs itself alone, and is told; a rule on a number holds."""
    config = project / "germane.toml"
    config.write_text(config.read_text() + KINDS)
    (project / "c.csv").write_text(
        "item_id,level,organic,uses,code\n"
        'a,2,true,tea | gift,007\nb,2.5,no,tea,1\nc,high,maybe,|,2\nd,,,"tea, gift",\n'
    )
    done = germane(project, "import", "catalogue", "c.csv")
    assert done.returncode == 4
    said = " ".join(done.stdout.split())
    assert "level is no number (write digits alone), left out; the first: c.csv, line 4" in said
    assert "2 cells are left out" in said
    found = {each: item(project, each)["attributes"] for each in "abcd"}
    assert found == {
        "a": {"level": 2, "organic": True, "uses": ["tea", "gift"], "code": "007"},
        "b": {"level": 2.5, "organic": False, "uses": ["tea"], "code": "1"},
        "c": {"code": "2"},
        "d": {"uses": ["tea, gift"]},
    }
    again = summary(project, "catalogue", "c.csv")
    assert (again["duplicates"], again["rejected"]) == (4, 0)
    assert again["cellsLeftOut"] == {
        "level is no number (write digits alone)": 1,
        "organic is neither true nor false (write true or false)": 1,
    }
    assert any("'tea, gift' is one value" in each for each in again["remarks"])


def test_traits_that_look_like_numbers_are_told(project: Path) -> None:
    """They stay texts: nobody said that they are something else."""
    config = project / "germane.toml"
    config.write_text(config.read_text() + KINDS)
    (project / "p.csv").write_text("user_id,seats,trial,plan\nx,25,true,2\ny,3,,pro\n")
    for extra in (["--dry-run"], []):
        (said,) = (
            x for x in summary(project, "people", "p.csv", *extra)["remarks"] if "texts" in x
        )
        assert "seats ('25'), trial ('true')." in said
        assert "plan" not in said
    assert person(project, "x")["traits"]["seats"]["value"] == "25"
    (project / "q.csv").write_text("user_id,seats\nz,0025\n")
    assert not summary(project, "people", "q.csv")["remarks"]
