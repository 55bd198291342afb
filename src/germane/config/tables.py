"""Every setting there is."""

from __future__ import annotations

from germane.config import channel_tables
from germane.config.approval_tables import APPROVAL
from germane.config.campaign_tables import CAP, DELIVERY
from germane.config.fields import Field
from germane.privacy import categories

CATEGORIES = "|".join(categories.NAMES)
DAY_S = 86_400
TOP = (
    "project",
    "catalogue",
    "signals",
    "traits",
    "surfaces",
    "profile",
    "delivery",
    "training",
    "content",
    "writer",
    "server",
    "keys",
    "imports",
    "channels",
    "links",
    "providers",
    "privacy",
)

PROJECT = (
    Field("name", "text", "Name of the project, shown in reports.", "germane"),
    Field("currency", "text", "ISO 4217 code of the prices, for example EUR.", ""),
    Field("timezone", "text", "Time zone of people who do not tell theirs (tzdata name).", "UTC"),
)
ATTRIBUTE = (
    Field("kind", "text|number|flag|list", "Type of its values.", "text"),
    Field("interest", "flag", "Keep a decaying interest per value in every profile.", False),
    Field(
        "diversity",
        "flag",
        "Its values are the categories of the diversity quota; exactly one attribute has it.",
        False,
    ),
    Field("speakable", "flag", "Reasons may name its values.", True),
)
SIGNAL = (
    Field("event", "text", "Name of the track event, or page:NAME or screen:NAME.", required=True),
    Field(
        "item",
        "text",
        "Path of the item id: properties.product_id or properties.products[].product_id.",
        required=True,
    ),
    Field(
        "weight",
        "number",
        "Above 0: interest. Below 0: the opposite. Not 0.",
        1.0,
        low=-100,
        high=100,
    ),
    Field(
        "half_life_days", "number", "After how many days it counts half.", 90.0, low=1, high=3650
    ),
    Field(
        "category", CATEGORIES, "Category of data: what it may be kept and used for.", "behaviour"
    ),
    Field("speakable", "flag", "Reasons may rest on it, in words.", True),
    Field(
        "repeat",
        "flag",
        "Its item counts as had (bought, finished, read): for already_bought and buy-it-again.",
        False,
    ),
    Field("quantity", "text", "Path of the quantity (inside the product for list paths).", ""),
    Field("price", "text", "Path of the unit price, likewise: what came in, after discounts.", ""),
    Field(
        "order",
        "text",
        "Path of an order id: an order counts once, a refund takes from its order.",
        "",
    ),
    Field("cancels", "text", "Signal that this one takes back (a refund, a removal).", ""),
)
TRAIT = (
    Field("attribute", "text", "Catalogue attribute that its values speak about.", ""),
    Field(
        "half_life_days", "number", "After how many days it counts half.", 180.0, low=1, high=3650
    ),
    Field(
        "category", CATEGORIES, "Category of data: what it may be kept and used for.", "declared"
    ),
    Field("speakable", "flag", "Reasons may refer to it.", True),
)
OUTCOME = (
    Field("name", "text", "Name of the outcome, as reports and the API use it.", required=True),
    Field("signal", "text", "Signal that means it.", required=True),
    Field(
        "window",
        "duration",
        "How long after the impression it may count.",
        required=True,
        low=1,
        high=730 * DAY_S,
    ),
    Field("value", "number", "What one is worth; with revenue, a factor.", 1.0, low=0, high=1e9),
    Field("value_from", "count|revenue", "Count it, or take price times quantity.", "count"),
)
RULE = (
    Field("kind", "include|exclude|boost|pin", "What the rule does.", required=True),
    Field("when", "text", "CEL over the item, for example: item.price < 100.", ""),
    Field("items", "texts", "Item ids that it is about.", ()),
    Field("factor", "number", "For boost: odds are multiplied by this.", 1.0, low=0.001, high=1000),
    Field("position", "whole", "For pin: the place, from 0.", 0, low=0, high=199),
)
SURFACE = (
    Field(
        "kind",
        "grid|together|choice",
        "grid: the best for this person. together: goes with the item of the page. "
        "choice: one of a few actions, or nothing.",
        "grid",
    ),
    Field("size", "whole", "Slots, unless the request says otherwise.", 12, low=1, high=200),
    Field("item_types", "texts", "Types of items that may be shown.", ("product",)),
    Field("in_stock_only", "flag", "Leave out what is out of stock.", True),
    Field(
        "already_bought",
        "allow|exclude|demote",
        "What to do with items the person had: those of signals with repeat.",
        "allow",
    ),
    Field(
        "horizon",
        "next|day",
        "When it is looked at. next: at once, as on a page. day: later, as in an e-mail; it is ranked "
        "for all that a person takes within a day of coming back.",
        "next",
    ),
    Field(
        "diversity_quota",
        "number",
        "Share of slots, over time and per person, from adjacent categories.",
        0.15,
        low=0,
        high=0.5,
    ),
    Field(
        "exploration_share",
        "number",
        "Chance of an exploring pick per explorable slot; of a choice the least share that explores.",
        0.02,
        low=0,
        high=0.5,
    ),
    Field("explore_from", "whole", "First position (from 0) that may explore.", 3, low=0, high=200),
    Field(
        "holdout_share",
        "number",
        "Share of people who always get the default, to measure the lift.",
        0.0,
        low=0,
        high=0.5,
    ),
    Field(
        "default",
        "texts",
        "Curated item ids (of a choice: action ids), best first, for when nothing may be personal.",
        (),
    ),
    Field(
        "default_source",
        "curated|bestsellers|trending",
        "Fills up the curated list.",
        "bestsellers",
    ),
    Field("expires", "duration", "How long an answer may be shown.", "30m", low=1, high=30 * DAY_S),
    Field("nothing", "flag", "For a choice: doing nothing is one of the actions.", False),
    Field(
        "features",
        "texts",
        "For a choice: what may matter, such as readiness, trait:NAME or context:NAME=VALUE.",
        (),
    ),
    Field(
        "half_life_days",
        "number",
        "For a choice: after how many days what was learned counts half.",
        180.0,
        low=1,
        high=3650,
    ),
)
ACTION = (
    Field("id", "text", "Id of the action, as answers and reports name it.", required=True),
    Field("title", "text", "What people call it.", ""),
    Field(
        "cost",
        "number",
        "What each decision that takes it costs, in the unit of the outcome values.",
        0.0,
        low=0,
        high=1e9,
    ),
)
PROFILE = (
    Field("values_per_attribute", "whole", "Interests kept per attribute.", 64, low=4, high=1000),
    Field("recent", "whole", "Latest interactions kept.", 200, low=10, high=1000),
    Field("own_items", "whole", "Items of their own kept.", 400, low=10, high=5000),
    Field("exposures", "whole", "Shown slates kept for attribution.", 30, low=1, high=500),
    Field(
        "beyond_year_factor",
        "number",
        "Extra factor for evidence older than 12 months.",
        0.5,
        low=0,
        high=1,
    ),
    Field(
        "readiness_half",
        "number",
        "Positive interactions at which a person is trusted by half.",
        7.0,
        low=1,
        high=1000,
    ),
)
TRAINING = (
    Field("enabled", "flag", "Train in the background while serving (needs germane[train]).", True),
    Field(
        "lessons_min",
        "whole",
        "Lessons below which nothing is trained; for lists that are made ahead half of it.",
        1000,
        low=200,
        high=1_000_000,
    ),
    Field(
        "lessons_new",
        "whole",
        "New lessons that are worth another training.",
        2000,
        low=100,
        high=1_000_000,
    ),
    Field("every", "duration", "After this long, half of them is.", "7d", low=60, high=365 * DAY_S),
)
CONTENT = (
    Field(
        "link_hosts",
        "texts",
        "Hosts that links and images of content may lead to; *.shop.example is all below one.",
        (),
    ),
    Field(
        "link_schemes",
        "texts",
        "Schemes of links beside https: http, or that of an app's deep links.",
        (),
    ),
    Field("banned_words", "texts", "Words and phrases that no content may have.", ()),
    Field("sender_name", "text", "Who speaks; the project's name if empty.", ""),
    Field("sender_address", "text", "Postal address in the foot of e-mails.", ""),
    Field("color", "text", "Colour of buttons and links, as #rrggbb.", "#1f5eff"),
    Field("logo", "text", "Address of a picture at the head of e-mails.", ""),
)
WRITER = (
    Field(
        "url",
        "text",
        "Base address of an endpoint that speaks the OpenAI chat protocol; empty: no writer.",
        "",
    ),
    Field("model", "text", "Name of its model.", ""),
    Field("timeout", "duration", "How long an answer may take.", "30s", low=1, high=600),
    Field("tone", "text", "How the project speaks, in a few words.", ""),
)
SERVER = (
    Field("host", "text", "Address to listen on; the default is this machine only.", "127.0.0.1"),
    Field("port", "whole", "Port to listen on.", 8400, low=0, high=65535),
    Field("data", "text", "Data folder.", "germane-data"),
    Field("log", "pretty|json", "Form of the log lines.", "pretty"),
    Field(
        "allowed_origins",
        "texts",
        "Origins whose browsers may send events and read answers; empty: any.",
        (),
    ),
    Field(
        "browser_decisions",
        "token|anonymous",
        "Who may ask from a browser, with the public write key: token: whoever has a signed person token. "
        "anonymous: also visitors without one, each for their own anonymousId.",
        "token",
    ),
    Field(
        "people_in_memory",
        "whole",
        "So many of the people who were there last are kept in memory, about 13 kB each; all others are read "
        "from the disk when they come back. It bounds what the server grows to.",
        50_000,
        low=100,
        high=10_000_000,
    ),
)
KEYS = (
    Field(
        "write",
        "text",
        "Write key: sends events; with a person token it asks for that person. Public.",
        "",
        secret=True,
    ),
    Field(
        "server",
        "text",
        "Server key: may do everything; keys, operators, erasure and the audit log only until there is an "
        "admin key. Secret; better kept in .env.",
        "",
        secret=True,
    ),
    Field(
        "admin",
        "text",
        "Admin key (`germane keys make --scope admin`) that commands ask a running server with; else they use "
        "the server key. Secret; better kept in .env, as GERMANE_ADMIN_KEY.",
        "",
        secret=True,
    ),
    Field("writer", "text", "Key of the writer's endpoint, if it asks for one.", "", secret=True),
)
PRIVACY = (
    Field(
        "jurisdiction",
        "first_party|gdpr|ccpa|pipeda",
        "Which law says what is allowed before anybody has said anything. first_party: personalisation by what "
        "people do in the product is on, all else waits for a yes.",
        "first_party",
    ),
    Field(
        "gpc",
        "texts",
        "Purposes that the header Sec-GPC: 1 says no to.",
        ("cross_site_tracking", "cross_channel_advertising"),
    ),
    Field(
        "keep_profile",
        "flag",
        "Of who opts out, keep what was known, unread, for when they opt in again; false: drop it at once.",
        True,
    ),
    Field(
        "undeclared",
        "keep|refuse",
        "What becomes of events that no signal and no campaign names, and of traits that no [traits.NAME] "
        "declares. refuse: they are counted by name, and not stored.",
        "refuse",
    ),
    Field(
        "offline_ids",
        "texts",
        "How ids begin that people have offline, such as `card:`. To link one with an online id takes the "
        "purpose offline_linking.",
        (),
    ),
    Field(
        "archive_months",
        "whole",
        "What is older than 24 months is in no profile and no model; it is in the archive for so long, and "
        "then nowhere. 0: there is no archive.",
        12,
        low=0,
        high=1200,
    ),
)
RETENTION = tuple(
    Field(
        name,
        "whole",
        f"After how many calendar months data of the category {name} are deleted, without an archive.",
        low=1,
        high=24,
    )
    for name in categories.NAMES
)
NOTICE = (
    Field("version", "text", "Version of the text.", required=True),
    Field("text", "text", "The text that people are shown; or name a file.", ""),
    Field("file", "text", "File with the text, beside the configuration.", ""),
)
IMPORT = (
    Field("kind", "events|people|catalogue|consents", "What the rows are.", required=True),
    Field("event", "text", "Event name for files that have no such column.", ""),
)
TABLES: dict[str, tuple[Field, ...]] = {
    "project": PROJECT,
    "catalogue.attributes.NAME": ATTRIBUTE,
    "signals.NAME": SIGNAL,
    "traits.NAME": TRAIT,
    "surfaces.NAME": SURFACE,
    "surfaces.NAME.outcomes": OUTCOME,
    "surfaces.NAME.rules": RULE,
    "surfaces.NAME.actions": ACTION,
    "profile": PROFILE,
    "delivery": DELIVERY,
    "delivery.caps": CAP,
    "delivery.approval": APPROVAL,
    "delivery.approval.CHANNEL": APPROVAL,
    "training": TRAINING,
    "content": CONTENT,
    "writer": WRITER,
    "privacy": PRIVACY,
    "privacy.retention": RETENTION,
    "privacy.notices.NAME": NOTICE,
    "server": SERVER,
    "keys": KEYS,
    "imports.NAME": IMPORT,
    **channel_tables.TABLES,
}
"""For the reference documentation: table -> its settings."""
LISTS = ("surfaces.NAME.outcomes", "surfaces.NAME.rules", "surfaces.NAME.actions", "delivery.caps")
"""Tables of which there may be several: they have double brackets."""
