"""`serve --project`: what is wrong is said with its remedy, before anything listens."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from germane.app.engine import Engine
from germane.cli import projects
from germane.cli.chores import Chores
from germane.cli.errors import BAD_CONFIG, FAILED, WRONG_USE
from germane.cli.projects import place, sources, strangers
from germane.cli.served import Served, opened
from germane.domain.errors import ConfigInvalid, GermaneError, StorageFailed, WrongUse
from germane.domain.settings import TrainingSpec
from tests.unit.cli.test_import import germane

RECIPE = files("germane.recipes").joinpath("shop/germane.toml").read_text("utf-8")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes from the environment."""
    for name in ("GERMANE_WRITE_KEY", "GERMANE_SERVER_KEY", "GERMANE_CONFIG", "GERMANE_DATA"):
        monkeypatch.delenv(name, raising=False)


def a_project(base: Path, name: str, *, more: str = "", keys: str = "", **changed: str) -> str:
    """A project folder, and what is said of it on the command line."""
    folder = base / name
    folder.mkdir()
    text = RECIPE
    for setting, value in changed.items():
        text = text.replace(f"\n{setting} = ", f"\n{setting} = {value} # ")
    (folder / "germane.toml").write_text(text + more)
    keys = keys or f"GERMANE_WRITE_KEY=gw_{name}\nGERMANE_SERVER_KEY=gs_{name}\n"
    (folder / ".env").write_text(keys)
    return f"{name}={folder}/germane.toml"


@pytest.mark.parametrize(
    ("given", "why", "hint"),
    [
        (["shop"], "names no configuration", "NAME=FILE"),
        (["shop="], "names no configuration", "NAME=FILE"),
        (["Shop=x"], "'Shop' cannot be the name", "small letters"),
        (["-a=x"], "'-a' cannot be the name", "small letters"),
        (["=x"], "'' cannot be the name", "small letters"),
        ([f"{'x' * 64}=x"], "cannot be the name", "1 to 63"),
    ],
)
def test_names(given: list[str], why: str, hint: str) -> None:
    with pytest.raises(WrongUse) as caught:
        sources(given)
    assert why in caught.value.message
    assert hint in caught.value.hint


def test_a_name_that_comes_twice(tmp_path: Path) -> None:
    one = a_project(tmp_path, "shop")
    with pytest.raises(WrongUse, match="Two projects are called shop"):
        sources([one, one])


def test_no_keys_of_which_project(tmp_path: Path) -> None:
    shut = a_project(tmp_path, "blog", keys="# none\n")
    with pytest.raises(ConfigInvalid, match="The project blog: There are no keys"):
        sources([a_project(tmp_path, "shop"), shut])


def test_one_data_folder_for_two(tmp_path: Path) -> None:
    """By whatever path it is named."""
    shop = a_project(tmp_path, "shop")
    other = a_project(tmp_path, "blog", data='"link"')
    (tmp_path / "shop" / "germane-data").mkdir()
    (tmp_path / "blog" / "link").symlink_to(tmp_path / "shop" / "germane-data")
    with pytest.raises(ConfigInvalid, match="shop and blog have the same data folder") as caught:
        sources([shop, other])
    assert "Set data under [server] of" in caught.value.hint


LINKS = '\n[links]\nbase_url = "https://go.example/p/x"\n'


@pytest.mark.parametrize(
    ("shop", "blog", "what"),
    [
        ("WRITE_KEY=a\nGERMANE_SERVER_KEY=b", "WRITE_KEY=a\nGERMANE_SERVER_KEY=c", "The write key"),
        (
            "WRITE_KEY=a\nGERMANE_SERVER_KEY=b",
            "WRITE_KEY=c\nGERMANE_SERVER_KEY=b",
            "The server key",
        ),
        (
            "WRITE_KEY=a\nGERMANE_SERVER_KEY=b",
            "WRITE_KEY=b\nGERMANE_SERVER_KEY=c",
            "The server key of the project shop is the write key of the project blog",
        ),
        (
            "WRITE_KEY=a\nGERMANE_SERVER_KEY=b\nGERMANE_LINKS__KEY=a-key-of-links-1234",
            "WRITE_KEY=c\nGERMANE_SERVER_KEY=d\nGERMANE_LINKS__FORMER_KEYS=a-key-of-links-1234",
            "A key of links",
        ),
        (
            "WRITE_KEY=a\nGERMANE_SERVER_KEY=b\nGERMANE_PROVIDERS__POSTMARK__SECRET=s",
            "WRITE_KEY=c\nGERMANE_SERVER_KEY=d\nGERMANE_PROVIDERS__POSTMARK__SECRET=s",
            "The secret of Postmark",
        ),
    ],
)
def test_a_secret_that_opens_both(tmp_path: Path, shop: str, blog: str, what: str) -> None:
    """It is said of which, never what it is."""
    given = [
        a_project(tmp_path, name, keys=f"GERMANE_{keys}\n", more=LINKS)
        for name, keys in (("shop", shop), ("blog", blog))
    ]
    with pytest.raises(ConfigInvalid, match=what) as caught:
        sources(given)
    assert "it would open both" in caught.value.message
    assert "the environment" in caught.value.hint


def test_keys_of_the_environment_are_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [a_project(tmp_path, name) for name in ("shop", "blog")]
    monkeypatch.setenv("GERMANE_WRITE_KEY", "gw_of_the_environment")
    with pytest.raises(ConfigInvalid, match="The write key") as caught:
        sources(given)
    assert "unset it there" in caught.value.hint
    assert "gw_of_the_environment" not in caught.value.message + caught.value.hint


def test_where_it_listens(tmp_path: Path) -> None:
    """As the options say, else as the first project does; what does not count is told."""
    found = sources(
        [
            a_project(tmp_path, "shop", port="8001"),
            a_project(tmp_path, "blog", port="8002", host='"0.0.0.0"'),
            a_project(tmp_path, "club", port="8001"),
        ]
    )
    host, port, notes = place(found, None, None)
    assert (host, port) == ("127.0.0.1", 8001)
    assert [each.partition(" says ")[2] for each in notes] == [
        f"{name}: there is one server, and what counts is {taken} of {found[0].config}."
        for name, taken in (
            ("host = 0.0.0.0", "host = 127.0.0.1"),
            ("port = 8002", "port = 8001"),
        )
    ]
    assert place(found, "::1", 0) == ("::1", 0, [])


def test_links_that_lead_past_the_project(tmp_path: Path) -> None:
    """A proxy may lead them on: it is told, and no error."""
    right = LINKS.replace("/p/x", "/p/shop")
    found = sources(
        [a_project(tmp_path, "shop", more=right), a_project(tmp_path, "blog", more=LINKS)]
    )
    (note,) = place(found, None, None)[2]
    assert note.startswith(f"{found[1].config} has links lead to https://go.example/p/x")
    assert "on to /p/blog" in note


def test_a_copied_data_folder(tmp_path: Path) -> None:
    """It has the keys, operators and seals of the first."""
    shop, blog = sources([a_project(tmp_path, name) for name in ("shop", "blog")])
    with opened(shop):
        pass
    shutil.copytree(shop.folder, blog.folder)
    with opened(shop) as one, opened(blog) as two:
        strangers([one])
        with pytest.raises(ConfigInvalid, match="of the project blog is a copy of that of shop"):
            strangers([one, two])


def test_a_made_key_in_another_configuration(tmp_path: Path) -> None:
    import asyncio

    from germane.app.keys import ApiKeys

    (shop,) = sources([a_project(tmp_path, "shop")])
    with opened(shop) as one:
        _, key = asyncio.run(ApiKeys(one.engine).make("write", by="test"))
        keys = f"GERMANE_WRITE_KEY={key}\nGERMANE_SERVER_KEY=gs_blog\n"
        (blog,) = sources([a_project(tmp_path, "blog", keys=keys)])
        with (
            opened(blog) as two,
            pytest.raises(ConfigInvalid, match="was made for the project shop"),
        ):
            strangers([one, two])


def test_one_that_cannot_be_opened_lets_the_others_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is served, it is said which, and no folder stays taken."""
    given = [a_project(tmp_path, name, port="0") for name in ("shop", "blog")]
    shop, blog = sources(given)
    monkeypatch.setattr("germane.cli.logs.set_up_logging", lambda _: None)
    with opened(blog), pytest.raises(GermaneError) as caught:
        projects.serve_all(given, None, 0)
    assert caught.value.message.startswith("The project blog cannot be opened. Another process")
    with opened(shop), opened(blog):
        pass


def test_all_are_kept_whatever_becomes_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the stop: the snapshot of one cannot be written, and that of the other is."""
    given = [a_project(tmp_path, name, port="0") for name in ("shop", "blog")]
    keep, kept = Served.keep, []

    def refused(served: Served) -> None:
        kept.append(served.name)
        if served.name == "blog":
            raise OSError(28, "No space left on device")
        keep(served)

    monkeypatch.setattr(Served, "keep", refused)
    monkeypatch.setattr("germane.cli.logs.set_up_logging", lambda _: None)
    monkeypatch.setattr("germane.cli.serving.run_server", lambda *_: None)
    with pytest.raises(OSError, match="No space left"):
        projects.serve_all(given, None, 0)
    assert sorted(kept) == ["blog", "shop"]
    assert list((tmp_path / "shop" / "germane-data" / "models").rglob("*")), "the snapshot"
    for each in sources(given):
        with opened(each):
            pass


def test_one_that_cannot_start_is_no_good_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends, with an error and not as if somebody had stopped it; no folder stays taken."""
    start = Engine.start

    async def no(engine: Engine) -> None:
        if engine.folder is not None and engine.folder.parent.name == "blog":
            raise StorageFailed("it cannot start")
        await start(engine)

    given = [a_project(tmp_path, name, port="0") for name in ("shop", "blog")]
    monkeypatch.setattr(Engine, "start", no)
    monkeypatch.setattr("germane.cli.logs.set_up_logging", lambda _: None)
    monkeypatch.setattr("germane.cli.serving.tune", lambda: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(GermaneError, match="The server could not start"):
        projects.serve_all(given, None, 0)
    for each in sources(given):
        assert not (each.folder / "germane.address").exists()
        with opened(each):
            pass


def test_chores_name_their_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread beside the server logs can be told apart, too."""
    from structlog.contextvars import get_contextvars

    seen = []
    monkeypatch.setattr("germane.cli.chores.LOOK_S", 0.01)
    with opened(sources([a_project(tmp_path, "shop")])[0]) as served:
        source = served.source
        chores = Chores(served.engine, source.config, source.folder, TrainingSpec(), "shop")
        monkeypatch.setattr(chores, "_attach", lambda: seen.append(get_contextvars()))
        chores.start()
        while not seen:
            pass
        chores.close()
    assert seen[0] == {"project": "shop"}


def test_the_command_says_it(tmp_path: Path) -> None:
    """With the exit code of its kind."""
    shop, blog = a_project(tmp_path, "shop"), a_project(tmp_path, "blog")
    both = ("serve", "--project", shop, "--project", blog)
    done = germane(tmp_path, *both, "--data", "x")
    assert (done.returncode, "do not go with it" in done.stderr) == (WRONG_USE, True)
    done = germane(tmp_path, *both, "--config", "germane.toml")
    assert done.returncode == WRONG_USE
    done = germane(tmp_path, "serve", "--project", f"x={tmp_path}/nosuch.toml")
    assert (done.returncode, "There is no" in done.stderr) == (BAD_CONFIG, True)
    with opened(sources([blog])[0]):
        done = germane(tmp_path, *both, "--port", "0")
    assert (done.returncode, "The project blog cannot be opened" in done.stderr) == (FAILED, True)
