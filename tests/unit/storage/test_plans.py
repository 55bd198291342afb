"""How SQLite finds what it is asked for: by an index, however much there is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from germane.storage.sqlite.connection import open_writer
from germane.storage.sqlite.sql import queries

WHOLE = {"last_seq", "sealed", "archived", "sealable"}
"""Those that are to read a table from its beginning, or a constant."""
READS = [
    name
    for name, sql in queries().items()
    if sql.startswith("SELECT") and not name.startswith("hash_") and name not in WHOLE
]
BY = {
    "entries_among": "INDEX sqlite_autoindex_entry_1 (tenant=? AND kind=? AND key=?)",
    "entries_of_each": "INDEX entry_person (tenant=? AND person=? AND kind=?)",
    "entries_of": "INDEX entry_person (tenant=? AND person=? AND kind=?)",
    "entries_by_status": "INDEX entry_topic (tenant=? AND kind=? AND topic=? AND status=? AND key>?)",
    "newest_by_status": "INDEX entry_topic (tenant=? AND kind=? AND topic=? AND status=? AND key<?)",
    "due": "INDEX entry_due (tenant=? AND kind=? AND due_ms>? AND due_ms<?)",
    "next_due": "INDEX entry_due (tenant=? AND kind=? AND due_ms>?)",
}


def plan(folder: Path, name: str) -> str:
    """What SQLite would do in a file without statistics, as most are."""
    sql = queries()[name]
    sql += " (?,?) LIMIT ?" if sql.endswith(" IN") else ""
    with closing(open_writer(folder / "germane.db")) as connection:
        asked = connection.execute(f"EXPLAIN QUERY PLAN {sql}", ["x"] * sql.count("?"))
        return " | ".join(row[3] for row in asked)


@pytest.mark.parametrize("name", READS)
def test_no_read_walks_over_a_table(tmp_path: Path, name: str) -> None:
    found = plan(tmp_path, name)
    assert "SCAN" not in found
    assert "TEMP B-TREE" not in found


@pytest.mark.parametrize("name", sorted(BY))
def test_the_ledger_is_read_by_the_index_made_for_it(tmp_path: Path, name: str) -> None:
    assert BY[name] in plan(tmp_path, name)


def test_letters_that_wait_are_counted_without_a_look_at_them(tmp_path: Path) -> None:
    """Each may be as large as a batch. A file of before gets the index as it is opened to write."""
    assert "COVERING INDEX dead_letter_pending" in plan(tmp_path, "pending_letters")
    with closing(open_writer(tmp_path / "germane.db")) as connection:
        connection.execute("DROP INDEX dead_letter_pending")
    assert "COVERING INDEX dead_letter_pending" in plan(tmp_path, "pending_letters")
