"""Every setting of a content file (``content/NAME.toml``)."""

from __future__ import annotations

from germane.config.fields import Field

CHANNELS = "email|inapp|webhook"
KINDS = "subject|preheader|heading|text|button|image|items|value"

CONTENT = (
    Field("title", "text", "What people call it.", ""),
    Field("author", "text", "Operator who wrote it: they may not approve it.", ""),
    Field("channel", CHANNELS, "What it is made for.", required=True),
    Field("default_locale", "text", "Language that every variant has, like en or de-AT.", "en"),
    Field("layout", "plain", "How an e-mail looks.", "plain"),
    Field(
        "form", "banner|tooltip|modal|checklist", "Of in-app content: how it is shown.", "banner"
    ),
    Field("anchor", "text", "Of in-app content: CSS selector of what it points at.", ""),
    Field(
        "needs_stock",
        "flag",
        "It is refused when an item that it speaks of is not to be had.",
        True,
    ),
)
SLOT = (
    Field("name", "text", "Name of the slot, once in the content.", required=True),
    Field("kind", KINDS, "What stands there.", required=True),
    Field("required", "flag", "Without it nothing is sent; else it is left out.", False),
    Field(
        "surface",
        "text",
        "For items: the grid surface that is asked; none: the item that the message is about.",
        "",
    ),
    Field("size", "whole", "For items of a surface: how many.", 0, low=1, high=24),
)
VARIANT = (
    Field("id", "text", "Id of the variant, as decisions and reports name it.", required=True),
    Field("when", "text", "CEL: for whom it is; empty: for everybody.", ""),
    Field("author", "person|writer", "Who wrote it.", "person"),
    Field("approved", "flag", "Whether it may be chosen; drafts of the writer wait.", True),
)
CONTENT_TABLES: dict[str, tuple[Field, ...]] = {
    "": CONTENT,
    "slots": SLOT,
    "slots.variants": VARIANT,
}
"""For the reference documentation: table -> its settings."""
