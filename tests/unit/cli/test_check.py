"""``germane check``: what is wrong with a surface is said with its remedy, and fails."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.test_import import germane


def test_a_surface_without_a_default(tmp_path: Path) -> None:
    """An error in plain words, and exit code 1; the recipe itself has none."""
    assert germane(tmp_path, "init", "shop").returncode == 0
    project = tmp_path / "shop"
    done = germane(project, "check")
    assert (done.returncode, "NO DEFAULT" in done.stdout) == (0, False), done.stdout
    with (project / "germane.toml").open("a") as file:
        file.write('[surfaces.bare]\ndefault_source = "curated"\n')
    done = germane(project, "check")
    assert done.returncode == 1
    assert "NO DEFAULT" in done.stdout
    assert "Under [surfaces.bare] set default" in done.stdout


def test_errors_as_json(tmp_path: Path) -> None:
    """One JSON object on standard output, in the shape of the API's errors, and exit code 1."""
    assert germane(tmp_path, "init", "shop").returncode == 0
    config = tmp_path / "shop" / "germane.toml"
    config.write_text(
        config.read_text().replace("size = 12", "size = 0").replace("weight = 3.0", 'weight = "3"')
    )
    done = germane(tmp_path / "shop", "check", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    said = json.loads(done.stdout)
    assert set(said) == {"success", "code", "message", "hint", "details", "requestId"}
    assert (said["success"], said["code"]) == (False, "config.invalid")
    assert {(each["key"], each["value"]) for each in said["details"]["errors"]} == {
        ("surfaces.home-grid.size", 0),
        ("signals.add.weight", "3"),
    }
    assert all(each["problem"] and each["remedy"] for each in said["details"]["errors"])


def test_exit_codes(tmp_path: Path) -> None:
    """0 good, 1 errors (no file is one), 2 wrong use."""
    assert germane(tmp_path, "init", "shop").returncode == 0
    assert germane(tmp_path / "shop", "check", "--json").returncode == 0
    missing = germane(tmp_path, "check", "--json")
    assert missing.returncode == 1
    assert "germane init" in json.loads(missing.stdout)["hint"]
    assert germane(tmp_path / "shop", "check", "--jsn").returncode == 2


def test_rules_and_keys_are_looked_at(tmp_path: Path) -> None:
    """Over the real catalogue: a rule that leaves nothing is an error, no keys are a warning."""
    project = tmp_path / "shop"
    assert germane(tmp_path, "init", "shop").returncode == 0
    assert germane(project, "import", "catalogue", "catalogue.csv").returncode == 0
    done = germane(project, "check")
    assert (done.returncode, "GERMANE_SERVER_KEY" in done.stdout) == (0, False), done.stdout
    with (project / "germane.toml").open("a") as file:
        file.write('[[surfaces.home-grid.rules]]\nkind = "include"\nwhen = "item.price < 0.0"\n')
    (project / ".env").unlink()
    done = germane(project, "check", "--json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["errors"] == 1
    errors = [each for each in said["findings"] if each["level"] == "error"]
    assert "0 left by its rules" in errors[0]["text"]
    assert {x["check"] for x in said["findings"] if x["level"] == "warning"} >= {
        "rules",
        "keys",
        "default",
    }


def test_the_data_option_is_a_file(tmp_path: Path) -> None:
    """Named, with what to do."""
    assert germane(tmp_path, "init", "shop").returncode == 0
    done = germane(tmp_path / "shop", "check", "--data", "catalogue.csv")
    assert done.returncode == 1
    assert "catalogue.csv is a file" in done.stderr


def test_campaigns_are_looked_at(tmp_path: Path) -> None:
    """Beside the configuration: what is wrong with one is an error with its file; what is odd is a warning."""
    project = tmp_path / "shop"
    assert germane(tmp_path, "init", "shop").returncode == 0
    file = project / "campaigns" / "cart.toml"
    file.write_text(
        'content = "cart"\n[enter]\nevent = "Product Added"\nwhen = "profile.counts.ad.d1 > 1"\n'
    )
    done = germane(project, "check", "--json")
    assert done.returncode == 1
    (error,) = [each for each in json.loads(done.stdout)["findings"] if each["level"] == "error"]
    assert "campaigns/cart.toml: enter.when" in error["text"]
    assert "Did you mean add?" in error["remedy"]
    file.write_text('content = "cart"\n[enter]\nevent = "Product Added"\n')
    done = germane(project, "check")
    assert done.returncode == 1
    assert "campaigns/cart: there is no content 'cart'" in done.stdout
    file.write_text('content = "cart-banner"\n[enter]\nevent = "Product Added"\n')
    assert "is written for inapp, not for email" in germane(project, "check").stdout
    file.write_text(
        'channel = "inapp"\ncontent = "cart-banner"\n[enter]\nevent = "Product Added"\n'
    )
    done = germane(project, "check")
    assert done.returncode == 0, done.stdout
    assert "4 campaigns" in done.stdout
    assert "campaigns/cart: an event lets people in; 1 message by inapp" in done.stdout
    assert "has no goal" in done.stdout


def test_an_approval_that_nobody_could_give(tmp_path: Path) -> None:
    """By the operators of the data folder; a campaign that demands it does not go live."""
    project = tmp_path / "shop"
    assert germane(tmp_path, "init", "shop").returncode == 0
    with (project / "campaigns" / "cart-left.toml").open("a") as file:
        file.write('\n[approval]\napprovers = ["dave"]\n')
    for each in ("content", "campaign"):
        assert germane(project, each, "push").returncode == 0
    done = germane(project, "check")
    assert done.returncode == 0
    assert "campaigns/cart-left: It needs approval by dave, and nobody could" in done.stdout
    refused = germane(project, "campaign", "live", "cart-left", "--yes")
    assert (refused.returncode, "germane operator add dave" in refused.stderr) == (1, True)
    assert germane(project, "operator", "add", "dave", "--role", "approver").returncode == 0
    assert "nobody could" not in germane(project, "check").stdout
    assert germane(project, "campaign", "live", "cart-left", "--yes").returncode == 0
