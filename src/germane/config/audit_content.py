"""The audit of content: the files beside the configuration, read and held against the guardrails."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from germane.config.contents import load_folder
from germane.config.finding import Finding
from germane.config.load import Loaded
from germane.domain.content import Content
from germane.domain.item import Item
from germane.generate.check import check_content

HERE = ("localhost", "127.0.0.1", "::1")
"""This machine."""


def audit_content(loaded: Loaded, folder: Path, items: Collection[Item] = ()) -> list[Finding]:
    """Findings about all content of a folder; none where there is no such folder.

    Args:
        loaded: The configuration.
        folder: Where the content files are.
        items: The catalogue.
    """
    if not folder.is_dir() or not any(folder.glob("*.toml")):
        return []
    contents, problems = load_folder(folder)
    found = [
        Finding(
            "", "content", "error", f"{each.key}: {each.problem}{_shown(each.value)}", each.remedy
        )
        for each in problems
    ]
    for content in contents:
        found += audit_one(content, loaded, items)
    return found


def audit_one(content: Content, loaded: Loaded, items: Collection[Item] = ()) -> list[Finding]:
    """Findings about one content item."""
    name = f"content {content.content_id}"
    remarks = check_content(content, loaded.settings, loaded.runtime.content, items)
    found = [
        Finding(
            name,
            "content",
            each.level,
            f"{each.key}: {each.text}" if each.key else each.text,
            each.remedy,
        )
        for each in remarks
    ]
    if not any(each.level == "error" for each in found):
        slots = len(content.slots)
        choices = sum(len(each.open) > 1 for each in content.slots)
        tags = sorted({tag for s in content.slots for v in s.variants for tag in v.texts})
        text = (
            f"{content.channel}, {slots} slots, {choices} of them choices, in {', '.join(tags)}; "
            f"version {content.version}."
        )
        found.insert(0, Finding(name, "content", "good", text))
    return found


def _shown(value: object) -> str:
    return "" if value is None else f" ({value!r})"


def audit_writer(loaded: Loaded) -> list[Finding]:
    """Whether a key would travel in the clear; nothing where there is no writer."""
    spec = loaded.runtime.writer
    host = urlsplit(spec.url).hostname or ""
    if not spec.url:
        return []
    if spec.key and spec.url.startswith("http://") and host not in HERE:
        return [
            Finding(
                "",
                "writer",
                "warning",
                f"The writer's key would be sent to {host} without encryption.",
                "Write https:// under [writer] url.",
            )
        ]
    return [Finding("", "writer", "good", f"{spec.model} at {host} drafts; a person approves.")]
