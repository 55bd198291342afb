"""`import consents`: who agreed to what, from elsewhere, goes into the same ledger by the same rules."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from germane.app.opening import open_engine
from germane.config import load
from germane.domain.campaign import Campaign, Enter
from germane.domain.errors import ImportFailed, StorageBusy, WrongUse
from germane.domain.moves import CampaignPut
from germane.domain.profile import Profile
from germane.storage.sqlite import SqliteStore
from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
HEADER = "person,purpose,granted,at,until,page\n"


def brought(place: Path, text: str, *more: str, name: str = "c.csv", code: int = 0) -> Any:
    """What an import of such a file says."""
    (place / name).write_text(text)
    return json.loads(
        typed(place, "import", "consents", str(place / name), *more, "--json", code=code)
    )


def rejects(place: Path) -> dict[int, str]:
    """Line -> why it could not be used."""
    lines = (place / "c.csv.rejects.jsonl").read_text().splitlines()
    return {each["line"]: each["reason"] for each in map(json.loads, lines)}


def profile(place: Path, person: str) -> Profile:
    """What is known of somebody."""
    engine = open_engine(load(place / "germane.toml", {}).settings, place / "data", mode="read")
    try:
        return engine.profile_of(person)
    finally:
        engine.store.close()


def lines_of(place: Path, who: str) -> list[dict[str, Any]]:
    """Their lines of the ledger, the latest first."""
    found: list[dict[str, Any]] = json.loads(typed(place, "consent", who, "--json"))["history"]
    return found


def test_what_people_said_is_in_the_ledger_with_its_proof(place: Path) -> None:
    """Who, which purpose, when, where and until when; how, where the file does not tell: by an import."""
    found = brought(
        place,
        HEADER + "ann,email_marketing,yes,2024-03-01T10:00:00Z,2999-01-01,/signup\n"
        "bob,personalisation,opted-out,2024-05-01,,\n",
    )
    assert (found["rows"], found["accepted"], found["rejected"], found["people"]) == (2, 2, 0, 2)
    (line,) = lines_of(place, "ann")
    assert (line["state"], line["at"], line["expiresAt"]) == (
        "granted",
        "2024-03-01T10:00:00.000Z",
        "2999-01-01T00:00:00.000Z",
    )
    assert (line["method"], line["source"], line["stands"]) == ("import", "/signup", True)
    (line,) = lines_of(place, "bob")
    assert (line["state"], line["source"]) == ("withdrawn", "c.csv")
    assert "none was changed" in typed(place, "privacy")


def test_a_visitor_and_the_proof_of_each_row(place: Path) -> None:
    """Visitors have an anonymous id; the way and the notice may stand in columns."""
    brought(
        place,
        "visitor,purpose,state,time,method,notice,notice_version\n"
        "v1,cross_site_tracking,granted,1700000000,banner,cookies,7\n",
    )
    (line,) = lines_of(place, "a:v1")
    assert [line[x] for x in ("method", "notice", "noticeVersion")] == ["banner", "cookies", "7"]


def test_the_same_file_twice_changes_nothing(place: Path) -> None:
    """Nor does a part of it, nor the same with its columns in another order, or with other evidence."""
    rows = "ann,email_marketing,no,2023-01-01,,\nann,email_marketing,yes,2024-01-01,,/form\n"
    assert brought(place, HEADER + rows + rows)["accepted"] == 2
    before = profile(place, "u:ann")
    digest = typed(place, "privacy").rpartition("Digest ")[2]
    again = brought(place, HEADER + rows)
    assert (again["accepted"], again["duplicates"], again["takenBack"]) == (0, 2, 0)
    other = "granted,at,purpose,person\n0,2023-01-01,email_marketing,ann\n"
    assert brought(place, other, name="other.csv")["duplicates"] == 1
    assert profile(place, "u:ann") == before
    assert typed(place, "privacy").rpartition("Digest ")[2] == digest


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_and_files_means_nothing(place: Path, seed: int) -> None:
    """What was said last stands, wherever it is written down; also over several files of one import."""
    rows = [
        "ann,email_marketing,no,2022-01-01,,",
        "ann,email_marketing,yes,2023-01-01,,",
        "bob,email_marketing,yes,2023-06-01,,",
        "bob,email_marketing,no,2024-01-01,,",
        "ann,email_marketing,no,2021-01-01,,",
    ]
    random.Random(seed).shuffle(rows)
    (place / "one.csv").write_text(HEADER + "\n".join(rows[:2]) + "\n")
    (place / "two.csv").write_text(HEADER + "\n".join(rows[2:]) + "\n")
    typed(place, "import", "consents", str(place / "one.csv"), str(place / "two.csv"))
    assert profile(place, "u:ann").consent == {"email_marketing": True}
    assert profile(place, "u:bob").consent == {"email_marketing": False}
    assert len(lines_of(place, "ann")) == 3


def test_an_older_yes_undoes_nothing_and_an_older_no_always_stands(place: Path) -> None:
    """By the rules of the ledger: both are told."""
    typed(place, "consent", "ann", "email_marketing", "withdraw")
    typed(place, "consent", "bob", "email_marketing", "grant")
    told = brought(
        place,
        HEADER + "ann,email_marketing,yes,2024-01-01,,\nbob,email_marketing,no,2024-01-01,,\n",
    )
    assert (told["accepted"], told["outdated"], told["takenBack"]) == (2, 1, 1)
    assert profile(place, "u:ann").consent == {"email_marketing": False}
    assert profile(place, "u:bob").consent == {"email_marketing": False}


def test_a_dry_run_tells_which_noes_would_undo_a_newer_yes(place: Path) -> None:
    """How many, and whose, before it happens: as the import tells it then; the second time nothing is left."""
    people = [*(f"p{n}" for n in range(7)), "eve", "a:phone"]
    answers = "".join(f"{each},email_marketing,yes,2024-06-01,,\n" for each in people[:8])
    answers += "eve,offline_linking,no,2024-06-01,,\n"
    brought(place, HEADER + answers, name="here.csv")
    typed(place, "consent", "a:phone", "email_marketing", "grant")
    old = "".join(f"{each},email_marketing,no,2024-01-01,,\n" for each in people[:7])
    old += (
        "p0,email_marketing,no,2024-02-01,,\n"  # p0's yes is undone already
        "eve,email_marketing,no,2024-07-01,,\n"  # newer than the yes
        "eve,offline_linking,no,2024-01-01,,\n"  # there is no yes
    )
    device = "anonymous_id,purpose,granted,at\nphone,email_marketing,no,2024-01-01\n"
    (place / "device.csv").write_text(device)
    also = str(place / "device.csv")
    dry, real, again = (
        brought(place, HEADER + old, also, *more) for more in (("--dry-run",), (), ("--dry-run",))
    )
    for found in (dry, real):
        assert (found["takenBack"], found["takenBackExamples"]) == (8, people[:5])
    assert (again["takenBack"], again["takenBackExamples"]) == (0, [])


def test_what_is_told_of_noes_that_come_late(place: Path) -> None:
    """In words: before, what may still be done; afterwards, what is left to do."""
    typed(place, "consent", "bob", "email_marketing", "grant")
    (place / "c.csv").write_text(HEADER + "bob,email_marketing,no,2024-01-01,,\n")
    command = ("import", "consents", str(place / "c.csv"))
    dry, real = typed(place, *command, "--dry-run"), typed(place, *command)
    assert "1 no would undo a yes that is newer, of bob: a no always stands" in dry
    assert "say so again; or take these rows out." in dry
    assert "1 no undid a yes that is newer, of bob: a no always stands" in real
    assert real.rstrip().endswith("say so again.")


def test_who_opted_out_is_left_alone_at_once(place: Path) -> None:
    """A no that was imported is a no: what they do from then on is not kept."""
    brought(place, HEADER + "ann,personalisation,no,2024-01-01,,\n")
    events = place / "e.csv"
    events.write_text("user_id,timestamp,item_id\nann,2024-02-01,toy-1\nbob,2024-02-01,toy-1\n")
    told = json.loads(typed(place, "import", "events", str(events), "--event", "view", "--json"))
    assert (told["accepted"], told["notKept"]) == (1, 1)


def test_what_cannot_be_meant_is_a_reject_with_its_reason(place: Path) -> None:
    """Nothing is taken for a yes that is none; the rest is imported."""
    found = brought(
        place,
        HEADER + "eve,email_marketng,yes,2024-01-01,,\n"
        "eve,weekly,yes,2024-01-01,,\n"
        "eve,transactional,no,2024-01-01,,\n"
        "eve,,yes,2024-01-01,,\n"
        "eve,email_marketing,,2024-01-01,,\n"
        "eve,email_marketing,pending,2024-01-01,,\n"
        "eve,email_marketing,2,2024-01-01,,\n"
        "eve,email_marketing,yes,,,\n"
        "eve,email_marketing,yes,2999-01-01,,\n"
        "eve,email_marketing,yes,0,,\n"
        ",email_marketing,yes,2024-01-01,,\n"
        "eve,email_marketing,no,2024-01-01,2025-01-01,\n"
        "eve,email_marketing,yes,2024-01-01,2023-01-01,\n"
        f"eve,email_marketing,yes,2024-01-01,,{'x' * 201}\n"
        "eve,email_marketing\n"
        "bob,email_marketing,yes,2024-01-01,,\n",
        code=4,
    )
    assert (found["accepted"], found["rejected"]) == (1, 15)
    reasons = rejects(place)
    says = {
        2: "Nothing has the purpose 'email_marketng' so far (Did you mean 'email_marketing'?",
        3: "Nothing has the purpose 'weekly' so far (Give it a title under [links.purposes]",
        4: "cannot be refused",
        5: "no purpose (Declared: cross_channel_advertising",
        6: "granted is empty",
        7: "granted is neither yes nor no: 'pending'",
        8: "granted is neither yes nor no: '2'",
        9: "no timestamp",
        10: "in the future",
        11: "before 1970",
        12: "no user id and no anonymous id",
        13: "a no does not expire",
        14: "over before it was said",
        15: "source is longer than 200 characters",
        16: "2 values for 6 columns",
    }
    assert [line for line, text in says.items() if text not in reasons[line]] == []
    assert brought(place, HEADER + "eve,weekly,yes,2024-01-01,,\n", code=1)["rejected"] == 1


def test_a_notice_that_is_not_declared(place: Path) -> None:
    """Where notices are declared, another name is a slip."""
    settings = place / "germane.toml"
    settings.write_text(
        settings.read_text() + '\n[privacy.notices.banner]\nversion = "3"\ntext = "May we?"\n'
    )
    found = brought(
        place,
        "person,purpose,granted,at,notice,notice_version\n"
        "ann,email_marketing,yes,2024-01-01,banner,3\n"
        "bob,email_marketing,yes,2024-01-01,baner,3\n",
        code=4,
    )
    assert (found["accepted"], found["rejected"]) == (1, 1)
    assert "there is no notice: 'baner' (Declared are banner)" in rejects(place)[3]
    assert len(lines_of(place, "ann")[0]["noticeSha256"]) == 64


def test_a_purpose_with_a_title_is_declared(place: Path) -> None:
    settings = place / "germane.toml"
    settings.write_text(settings.read_text() + '\n[links.purposes]\nweekly = "Our letter"\n')
    assert brought(place, HEADER + "ann,weekly,yes,2024-01-01,,\n")["accepted"] == 1


def test_a_purpose_of_a_campaign_is_declared(place: Path) -> None:
    """For a dry run, too."""
    engine = open_engine(load(place / "germane.toml", {}).settings, place / "data")
    engine.put_moves([CampaignPut(Campaign("spring", purpose="weekly", enter=Enter(event="x")))])
    engine.store.close()
    row = HEADER + "ann,weekly,yes,2024-01-01,,\n"
    assert brought(place, row, "--dry-run")["rejected"] == 0
    assert brought(place, row)["accepted"] == 1


def test_a_yes_that_is_over(place: Path) -> None:
    """It is recorded, and allows nothing."""
    found = brought(place, HEADER + "ann,email_marketing,yes,2022-01-01,2023-01-01,\n")
    assert (found["accepted"], found["over"]) == (1, 1)
    told = json.loads(typed(place, "consent", "ann", "--json"))
    assert told["allowed"]["email_marketing"] is False


def test_a_dry_run_only_reads(place: Path) -> None:
    """Also while another process writes, which an import cannot."""
    text = HEADER + "ann,email_marketing,yes,2024-01-01,,\nann,email,yes,2024-01-01,,\n"
    held = SqliteStore.open(place / "data")
    try:
        found = brought(place, text, "--dry-run", code=4)
        with pytest.raises(StorageBusy):
            brought(place, text)
    finally:
        held.close()
    assert (found["accepted"], found["rejected"], found["rows"]) == (0, 1, 2)
    assert profile(place, "u:ann").consent == {}
    assert not (place / "c.csv.rejects.jsonl").exists()


def test_other_formats_and_a_named_mapping(place: Path) -> None:
    """JSON lines, gzipped; Parquet with typed columns; columns that are called otherwise, by name."""
    row = {"wer": "ann", "zweck": "email_marketing", "ja": True, "wann": "2024-01-01"}
    with gzip.open(place / "c.jsonl.gz", "wt") as file:
        file.write(json.dumps(row) + "\n")
    settings = place / "germane.toml"
    settings.write_text(
        settings.read_text() + '\n[imports.old]\nkind = "consents"\n[imports.old.columns]\n'
        'user_id = "wer"\npurpose = "zweck"\ngranted = "ja"\ntimestamp = "wann"\n'
    )
    with pytest.raises(ImportFailed, match="holds user_id or anonymous_id"):
        typed(place, "import", "consents", str(place / "c.jsonl.gz"))
    typed(place, "import", "consents", str(place / "c.jsonl.gz"), "--as", "old")
    at = pa.array([1_704_067_200_000, 1_710_000_000_000], pa.timestamp("ms"))
    table = {"user_id": ["ann", "bob"], "purpose": ["email_marketing"] * 2, "at": at}
    pq.write_table(pa.table({**table, "granted": [True, False]}), place / "c.parquet")
    told = typed(place, "import", "consents", str(place / "c.parquet"))
    assert "1 new statement, 1 known already, 0 rows rejected" in told
    assert profile(place, "u:bob").consent == {"email_marketing": False}


def test_columns_that_mean_something_else_now_are_told(place: Path) -> None:
    """As with other imports: the ledger keeps what was recorded by other columns."""
    text = "person,purpose,granted,at,seen\nann,email_marketing,yes,2024-01-01,2024-02-01\n"
    brought(place, text)
    told = brought(place, text, "--map", "timestamp=seen")
    assert told["accepted"] == 1
    assert "no line is ever taken out" in told["remarks"][0]


def test_reasons_that_are_not_shown_are_counted(place: Path) -> None:
    """Ten are; that there are others is said, and where they are to be seen."""
    odd = "".join(f"p{n},mail-{n}-of-none,yes,2024-03-01,,\n" for n in range(13))
    (place / "c.csv").write_text(HEADER + odd + "ann,email_marketing,yes,2024-03-01,,\n")
    told = typed(place, "import", "consents", str(place / "c.csv"), "--dry-run", code=4)
    assert "and 3 other reasons: --rejects FILE has all of them" in told
    with pytest.raises(WrongUse, match="names the event"):
        typed(place, "import", "consents", str(place / "c.csv"), "--event", "x")
