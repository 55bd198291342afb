"""``content check``, ``preview`` and ``content draft`` on a project of the shop recipe."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app import open_engine
from germane.config import load
from germane.config.contents import load_content
from germane.testing import an_event
from tests.unit.cli.test_import import germane
from tests.unit.generate.writer import endpoint as server

RECIPE = Path(str(files("germane.recipes").joinpath("shop")))
SECRETS = ("ann-4711", "Annegret", "annegret@private.example", "rare-illness")
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with catalogue, content and one person, with what is nobody else's business."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("germane.toml", "catalogue.csv"):
        shutil.copy(RECIPE / name, folder)
    shutil.copytree(RECIPE / "content", folder / "content")
    assert germane(folder, "import", "catalogue", "catalogue.csv").returncode == 0
    settings = load(folder / "germane.toml", {}).settings
    engine = open_engine(settings, folder / "germane-data")
    now_ms = engine.world.now_ms()
    viewed = ["tent-1", "tent-2", "tent-3", "tent-4", "boots-1", "tent-2"]
    events = [
        an_event(item=item, user=SECRETS[0], at_ms=now_ms - HOUR_MS + number)
        for number, item in enumerate(viewed)
    ]
    traits = {"firstName": SECRETS[1], "email": SECRETS[2], "diagnosis": SECRETS[3]}
    told = replace(an_event(user=SECRETS[0], at_ms=now_ms), kind="identify", name="", traits=traits)
    with engine.importer() as importer:
        importer.add([*events, told])
    engine.store.close()
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "shop"))


def said(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_recipe_is_good(project: Path) -> None:
    found = said(germane(project, "content", "check", "--json"))
    assert (found["errors"], found["warnings"]) == (0, 0), found


def test_a_slip_is_an_error(project: Path) -> None:
    path = project / "content" / "cart-banner.toml"
    path.write_text(path.read_text().replace("item.price", "item.prize"))
    done = germane(project, "content", "check")
    assert done.returncode == 1
    assert "Items have no 'prize'" in done.stdout
    assert "Did you mean 'price'?" in done.stdout


def test_germane_check_looks_at_content_too(project: Path) -> None:
    assert germane(project, "check").returncode == 0
    (project / "content" / "broken.toml").write_text('channel = "emial"')
    done = germane(project, "check")
    assert done.returncode == 1
    assert "broken.toml: channel" in done.stdout


def test_no_content(tmp_path: Path) -> None:
    shutil.copy(RECIPE / "germane.toml", tmp_path)
    done = germane(tmp_path, "content", "check")
    assert done.returncode == 1
    assert "content/NAME.toml" in done.stderr


class Page(BaseHTTPRequestHandler):
    """There is a page at /cart alone, and it may only be read whole."""

    def do_HEAD(self) -> None:
        self.send_error(405)

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/cart" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@contextmanager
def pages() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as there:
        thread = threading.Thread(target=there.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{there.server_port}"
        there.shutdown()
        thread.join()


def test_links_are_asked(project: Path) -> None:
    with pages() as url:
        config = project / "germane.toml"
        config.write_text(
            config.read_text().replace(
                'link_hosts = ["shop.example"]',
                'link_hosts = ["127.0.0.1"]\nlink_schemes = ["http"]',
            )
        )
        for path in (project / "content").glob("*.toml"):
            if path.stem != "cart-banner":
                path.unlink()
        banner = project / "content" / "cart-banner.toml"
        text = banner.read_text()
        banner.write_text(text.replace("https://shop.example/cart", f"{url}/cart"))
        done = germane(project, "content", "check", "--links", "--json")
        assert [x["level"] for x in said(done)["findings"] if x["check"] == "links"] == ["good"]
        banner.write_text(text.replace("https://shop.example/cart", f"{url}/missing"))
        done = germane(project, "content", "check", "--links", "--json")
    assert done.returncode == 1
    found = [x for x in json.loads(done.stdout)["findings"] if x["check"] == "links"]
    assert "status 404" in found[0]["text"]


def test_preview_of_a_made_up_person(project: Path) -> None:
    done = germane(
        project, "preview", "back-in-stock", "--made-up", "first_name=Bo,age=31", "--item", "tent-1",
        "--locale", "de-AT", "--variant", "subject=name", "--json",
    )  # fmt: skip
    found = said(done)
    assert (found["locale"], found["subject"]) == ("de", "Bo, Trail tent, 1 person ist wieder da")
    assert "129,00 €" in found["text"].replace("\u00a0", " ")
    assert {"itemId": "tent-1", "field": "in_stock", "value": True, "shown": ""} in found["claims"]
    used = {each["sentence"]: each["names"] for each in found["used"]}
    assert used["Hallo Bo,"] == ["person.first_name"]


def test_preview_of_a_stranger(project: Path) -> None:
    done = germane(project, "preview", "back-in-stock", "--variant", "subject=name")
    assert done.returncode == 0, done.stderr
    assert "Hi there," in done.stdout
    assert "Hi ," not in done.stdout


def test_preview_without_an_item_takes_one_that_is_to_be_had(project: Path) -> None:
    """And its foot has what a mail has that is sent; a trait that nobody declared is told."""
    rows = "item_id,title,category,price,in_stock\nbag-1,A bag,Bags,129,false\n"
    (project / "catalogue.csv").write_text(rows)
    assert germane(project, "import", "catalogue", "catalogue.csv", "--force").returncode == 0
    done = germane(project, "preview", "back-in-stock", "--made-up", "fist_name=A,age=31")
    assert done.returncode == 0, done.stderr
    assert "any item; --item names" in done.stdout
    assert "About bag-1" not in done.stdout
    assert "Did you mean 'first_name'?" in done.stdout
    found = said(germane(project, "preview", "back-in-stock", "--made-up", "zz qx=A", "--json"))
    assert found["warnings"] == ["No trait 'zz qx' is declared. Declare it: [traits.\"zz qx\"]."]
    assert "example.invalid/unsubscribe" in found["html"]
    assert "example.invalid/why" in found["html"]


def test_preview_of_a_real_person(project: Path) -> None:
    """Their own list, their own interest, with the signals behind it; and nothing is stored."""
    before = (project / "germane-data" / "germane.db").read_bytes()
    done = germane(
        project, "preview", "weekly-picks", "--person", SECRETS[0], "--variant", "subject=interest",
        "--html", "out.html", "--json",
    )  # fmt: skip
    found = said(done)
    assert found["subject"] == "New in Tents, and three more"
    assert next(x for x in found["used"] if x["slot"] == "subject")["signals"] == ["view"]
    assert "Annegret" in found["text"]
    assert "tent" in found["text"].lower()
    assert (project / "out.html").read_text() == found["html"]
    assert (project / "germane-data" / "germane.db").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("preview", "back-in-stok"), 1, "Did you mean 'back-in-stock'?"),
        (("preview", "back-in-stock", "--person", "nobody"), 1, "Nothing is known"),
        (("preview", "back-in-stock", "--item", "nothing"), 1, "no item 'nothing'"),
        (("preview", "back-in-stock", "--variant", "sbject=a"), 2, "Did you mean 'subject'?"),
        (("preview", "back-in-stock", "--variant", "subject=a"), 1, "Known: plain, name."),
        (("preview", "back-in-stock", "--variant", "subject"), 2, "SLOT=ID"),
        (("preview", "back-in-stock", "--made-up", "Ann"), 2, "first_name=Ann"),
        (("preview", "cart-banner", "--html", "x.html"), 2, "no e-mail"),
        (("content", "draft", "back-in-stock", "--brief", "x"), 2, "[writer]"),
    ],
)
def test_wrong_use(project: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = germane(project, *arguments)
    assert done.returncode == code
    assert words in done.stderr


def writer(project: Path, url: str, timeout: str = "10s") -> None:
    with (project / "germane.toml").open("a") as file:
        file.write(f'\n[writer]\nurl = "{url}"\nmodel = "small"\ntimeout = "{timeout}"\n')


DRAFT = ("content", "draft", "back-in-stock", "--brief", "It is there again. Be calm.")


def test_drafts(project: Path) -> None:
    """They come into the file, unapproved, and the rest of it stays letter by letter."""
    path = project / "content" / "back-in-stock.toml"
    before = path.read_text()
    with server.endpoint(server.drafts("Good news", "Only 59 € today", "It returned")) as there:
        writer(project, there.url)
        done = germane(project, *DRAFT, "--n", "2", "--json")
        found = said(done)
        again = said(germane(project, *DRAFT, "--n", "2", "--json"))
        asked = len(there.asked)
    assert [each["texts"]["en"]["text"] for each in found["variants"]] == [
        "Good news",
        "It returned",
    ]
    assert found["refused"][0]["text"] == "Only 59 € today"
    assert (again["cached"], asked) == (True, 1)
    slot = load_content(path).slot("subject")
    assert slot is not None
    assert [(x.author, x.approved) for x in slot.variants] == [
        ("person", True), ("person", True), ("writer", False), ("writer", False),
    ]  # fmt: skip
    kept = path.read_text().splitlines()
    assert [line for line in before.splitlines() if line not in kept] == []
    assert germane(project, "content", "check").returncode == 0
    variant = found["variants"][0]["id"]
    shown = germane(
        project, "preview", "back-in-stock", "--variant", f"subject={variant}", "--json"
    )
    assert said(shown)["subject"] == "Good news"


@pytest.mark.parametrize("slot", ["opening", "go"])
def test_drafts_of_other_slots(project: Path, slot: str) -> None:
    with server.endpoint(server.drafts("Take a look")) as there:
        writer(project, there.url)
        assert germane(project, *DRAFT, "--slot", slot, "--n", "1").returncode == 0
    found = load_content(project / "content" / "back-in-stock.toml").slot(slot)
    assert found is not None
    assert found.variants[-1].author == "writer"


def test_a_dry_run_writes_nothing(project: Path) -> None:
    path = project / "content" / "back-in-stock.toml"
    before = path.read_bytes()
    with server.endpoint(server.drafts("Good news")) as there:
        writer(project, there.url)
        assert germane(project, *DRAFT, "--n", "1", "--dry-run").returncode == 0
    assert path.read_bytes() == before


def test_nothing_of_a_person_leaves(project: Path) -> None:
    """The whole request, letter by letter: no id, no trait, no behaviour of anybody."""
    with server.endpoint(server.drafts("Good news")) as there:
        writer(project, there.url)
        germane(project, *DRAFT, "--n", "1")
        request = there.asked[0]
    whole = request["raw"].decode() + json.dumps(request["headers"]) + request["path"]
    assert "Tents" in whole  # of the catalogue
    for secret in SECRETS:
        assert secret not in whole
        assert secret.lower() not in whole.lower()


@pytest.mark.parametrize(
    "behaviour",
    [
        server.fails(500, Retry_After="0"),
        server.stalls,
        server.raw(b"not json"),
        server.drafts("Only 59 € today", "Now 20% off"),
        server.drafts("<b>It is back</b>", "[Here](https://evil.example)"),
        server.drafts("The Zephyr 3000 is back"),
    ],
)
def test_whatever_it_does_the_template_stays(project: Path, behaviour: server.Behaviour) -> None:
    """An error with a remedy, and the texts that are there stay, letter by letter."""
    path = project / "content" / "back-in-stock.toml"
    before = path.read_bytes()
    with server.endpoint(behaviour) as there:
        writer(project, there.url, timeout="1s")
        done = germane(project, *DRAFT)
    assert done.returncode == 1
    assert "→" in done.stderr
    assert path.read_bytes() == before
