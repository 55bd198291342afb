"""``[content]`` and ``[writer]``."""

from __future__ import annotations

import pytest

from germane.config import load_text
from germane.config.audit_content import audit_writer
from germane.domain.errors import ConfigInvalid


def test_good() -> None:
    runtime = load_text(
        '[content]\nlink_hosts = ["shop.example", "*.cdn.example"]\nlink_schemes = ["myapp"]\n'
        'logo = "https://a.cdn.example/l.png"\n'
        '[writer]\nurl = "http://127.0.0.1:11434/v1"\nmodel = "small"\ntimeout = "5s"',
        {"GERMANE_WRITER_KEY": "k"},
    ).runtime
    assert runtime.content.link_hosts == ("shop.example", "*.cdn.example")
    assert (runtime.writer.timeout_s, runtime.writer.key) == (5, "k")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[content]\nlink_hosts = ["https://shop.example"]', "content.link_hosts"),
        ('[content]\nlink_hosts = ["shop.example/a"]', "content.link_hosts"),
        ('[content]\nlink_hosts = ["*.*.example"]', "content.link_hosts"),
        ('[content]\nlink_hosts = "shop.example"', "content.link_hosts"),
        ('[content]\nlink_schemes = ["javascript"]', "content.link_schemes"),
        ('[content]\nlink_schemes = ["my app"]', "content.link_schemes"),
        ('[content]\ncolor = "blue"', "content.color"),
        ('[content]\nlogo = "https://elsewhere.example/x.png"', "content.logo"),
        ('[content]\nsender = "x"', "content.sender"),
        ('[writer]\nurl = "localhost:11434"\nmodel = "m"', "writer.url"),
        ('[writer]\nurl = "http://u:p@h/v1"\nmodel = "m"', "writer.url"),
        ('[writer]\nurl = "http://h/v1"', "writer.model"),
        ("[writer]\ntimeout = 30", "writer.timeout"),
        ('[keys]\nwriter = "a b"', "keys.writer"),
    ],
)
def test_bad(text: str, key: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        load_text(text, {})
    assert key in [each["key"] for each in refused.value.details["errors"]]


@pytest.mark.parametrize(
    ("url", "key", "level"),
    [
        ("http://127.0.0.1:11434/v1", "k", "good"),
        ("http://models.example/v1", "", "good"),
        ("https://models.example/v1", "k", "good"),
        ("http://models.example/v1", "k", "warning"),
    ],
)
def test_a_key_does_not_travel_in_the_clear(url: str, key: str, level: str) -> None:
    loaded = load_text(f'[writer]\nurl = "{url}"\nmodel = "m"', {"GERMANE_WRITER_KEY": key})
    assert [each.level for each in audit_writer(loaded)] == [level]
    assert audit_writer(load_text("", {"GERMANE_WRITER_KEY": key})) == []


def test_the_writers_key_is_never_shown() -> None:
    with pytest.raises(ConfigInvalid) as refused:
        load_text('[keys]\nwriter = "hush hush"', {})
    assert "hush" not in refused.value.message
