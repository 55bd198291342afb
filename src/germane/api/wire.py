"""Requests and answers as they are on the wire: camelCase, RFC 3339."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from germane.api.choice import as_item, choice_view
from germane.app.letters import Settle
from germane.domain.decision import Ask, Context, Decision
from germane.domain.errors import BadRequest
from germane.domain.ids import external_id
from germane.domain.item import Item
from germane.domain.outcome import Verdict
from germane.domain.settings import SurfaceSpec
from germane.ingest.limits import PRICE_MAX
from germane.profile.view import rfc3339

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
OptionalId = Annotated[str, msgspec.Meta(max_length=512)] | None

ExternalId = OptionalId | int | float
"""An id that may be sent as a number: it is the text of that number, as in events."""


def text_of(value: str | float | None) -> str:
    """An id as text, as events have it; empty where there is none."""
    return "" if value is None else external_id(value)


LETTERS_MOST = 500
"""Dead letters of one request."""
SETTLED: dict[Settle, str] = {"replay": "replayed", "dismiss": "dismissed"}


class Wire(msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Base of what clients send: an unknown field is an error, named."""


OptOut = Annotated[
    bool,
    msgspec.Meta(
        description="true: answer for somebody of whom nothing is to be known. No id is needed; one that is "
        "sent is not looked at, and not stored."
    ),
]


class PersonRef(Wire):
    """Whom the question is about: at least one id."""

    user_id: ExternalId = None
    anonymous_id: ExternalId = None

    def ids(self) -> tuple[str, str]:
        """User id and anonymous id as text, as events have them; empty where there is none."""
        return text_of(self.user_id), text_of(self.anonymous_id)

    def check(self) -> None:
        """Raises BadRequest without any id."""
        if not any(self.ids()):
            raise BadRequest("person needs a userId or an anonymousId.")


class SurfaceContext(Wire):
    """What this surface is about."""

    item: OptionalId = None


class SurfaceAsk(Wire):
    """One surface."""

    surface: Id
    size: Annotated[int, msgspec.Meta(ge=1, le=200)] | None = None
    exclude: Annotated[list[Id], msgspec.Meta(max_length=1000)] = []
    filter: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    context: SurfaceContext | None = None


class AskContext(Wire):
    """What is known at decision time beside the person."""

    locale: OptionalId = None
    timezone: OptionalId = None
    device: OptionalId = None
    extra: dict[str, str | float | bool] = {}


class DecideRequest(Wire):
    """What to show to one person on one or several surfaces."""

    surfaces: Annotated[list[SurfaceAsk], msgspec.Meta(min_length=1, max_length=20)]
    person: PersonRef = msgspec.field(default_factory=PersonRef)
    opt_out: OptOut = False
    account: Annotated[
        ExternalId,
        msgspec.Meta(
            description="The account for which the person acts now: `context.account` in filters and "
            "rules, and logged with the decision. Left out, it is the one of the person's last "
            "`group` call. It does not change the profile."
        ),
    ] = None
    context: AskContext | None = None
    explain: bool = False
    record: Annotated[
        bool,
        msgspec.Meta(
            description="false: only a look. Nothing is stored, learned or counted, and the decisions "
            "have no id (`decisionId` is null), so that nothing can be reported for them."
        ),
    ] = True

    def asks(self) -> list[Ask]:
        """As the engine takes it."""
        return asks(self.surfaces, self.context)


class BrowserSurfaceAsk(Wire):
    """One surface, as a browser may ask for it: without a filter, which could feel for hidden attributes."""

    surface: Id
    size: Annotated[int, msgspec.Meta(ge=1, le=200)] | None = None
    exclude: Annotated[list[Id], msgspec.Meta(max_length=1000)] = []
    context: SurfaceContext | None = None


class BrowserDecideRequest(Wire):
    """What to show in this browser; whose it is, key and token say."""

    surfaces: Annotated[list[BrowserSurfaceAsk], msgspec.Meta(min_length=1, max_length=20)]
    opt_out: OptOut = False
    context: AskContext | None = None
    explain: bool = False

    def asks(self) -> list[Ask]:
        """As the engine takes it."""
        plain = [SurfaceAsk(x.surface, x.size, x.exclude, None, x.context) for x in self.surfaces]
        return asks(plain, self.context)


class BatchDecideRequest(Wire):
    """The same surfaces for many people."""

    people: Annotated[list[PersonRef], msgspec.Meta(min_length=1, max_length=10_000)]
    surfaces: Annotated[list[SurfaceAsk], msgspec.Meta(min_length=1, max_length=20)]
    context: AskContext | None = None
    explain: bool = False


def asks(surfaces: list[SurfaceAsk], context: AskContext | None) -> list[Ask]:
    """Surfaces with their context."""
    common = context or AskContext()
    return [
        Ask(
            each.surface,
            each.size,
            tuple(each.exclude),
            each.filter or "",
            Context(
                item=(each.context.item if each.context else None) or "",
                locale=common.locale or "",
                timezone=common.timezone or "",
                device=common.device or "",
                extra=dict(common.extra),
            ),
        )
        for each in surfaces
    ]


class Nothing(Wire):
    """A question that needs no words."""


class InboxRequest(Wire):
    """Whose in-app messages."""

    person: PersonRef


class ImpressionReport(Wire):
    """Positions of a decision that were seen."""

    decision_id: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
    positions: Annotated[
        list[Annotated[int, msgspec.Meta(ge=0, le=199)]], msgspec.Meta(min_length=1, max_length=200)
    ]
    timestamp: str | None = None
    message_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class OutcomeReport(Wire):
    """A response to one item of a decision."""

    decision_id: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
    outcome: Id
    item_id: Annotated[
        OptionalId,
        msgspec.Meta(
            description="The item that was answered; of a choice it may be left out, or be anything."
        ),
    ] = None
    value: Annotated[
        Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None,
        msgspec.Meta(
            description="Price times quantity, where the outcome counts revenue: needed there, not used "
            "elsewhere."
        ),
    ] = None
    order_id: Annotated[
        OptionalId,
        msgspec.Meta(
            description="The order that is reported: a refund that names it takes it back. Of a choice, the "
            "order's own event, before or after, does not count again."
        ),
    ] = None
    timestamp: str | None = None
    message_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class ItemBody(Wire):
    """A catalogue entry as it is sent."""

    item_id: OptionalId = None
    type: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "product"
    title: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    category: Annotated[str, msgspec.Meta(max_length=256)] = ""
    categories: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=256)]], msgspec.Meta(max_length=20)
    ] = []
    brand: Annotated[str, msgspec.Meta(max_length=256)] = ""
    price: Annotated[float, msgspec.Meta(ge=0, le=PRICE_MAX)] | None = None
    currency: Annotated[str, msgspec.Meta(max_length=3)] = ""
    in_stock: bool = True
    url: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    image_url: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    available_from: str | None = None
    available_until: str | None = None
    attributes: dict[str, Any] = {}


class ItemsBody(Wire):
    """Many catalogue entries."""

    items: Annotated[list[ItemBody], msgspec.Meta(min_length=1, max_length=1000)]


class LettersRequest(Wire):
    """Which dead letters, in which order."""

    letter_ids: Annotated[
        list[Annotated[int, msgspec.Meta(ge=1, le=2**53)]],
        msgspec.Meta(min_length=1, max_length=LETTERS_MOST),
    ]


class ReceiptBody(msgspec.Struct, rename="camel"):
    """What became of a call that wrote. ``offset``: a decision has now seen the log up to here."""

    accepted: int
    duplicates: int
    rejected: int
    offset: int
    success: Literal[True] = True


class OutcomeReceiptBody(ReceiptBody):
    """What became of a reported outcome: whether it counts, and if not, why not."""

    verdict: Verdict = "counted"
    meaning: str = ""


MEANINGS: dict[Verdict, str] = {
    "counted": "It counts for its decision.",
    "duplicate": "It, or its order, was counted before: it is not counted again.",
    "late": "The outcome's window was over when it happened: it is kept, and does not count.",
    "forgotten": "The decision is too old: what was counted for it is not known any more. It does not count.",
    "untaught": "Nothing is learned from this decision (a default, or one whose record was lost): "
    "it does not count.",
}


def item_view(item: Item) -> dict[str, Any]:
    """A catalogue entry on the wire."""
    return {
        "itemId": item.item_id,
        "type": item.type,
        "title": item.title,
        "category": item.category,
        "categories": list(item.categories),
        "brand": item.brand,
        "price": item.price,
        "currency": item.currency,
        "inStock": item.in_stock,
        "url": item.url,
        "imageUrl": item.image_url,
        "availableFrom": rfc3339(item.available_from_ms or 0),
        "availableUntil": rfc3339(item.available_until_ms or 0),
        "created": rfc3339(item.created_ms),
        "attributes": item.attributes,
    }


def decision_view(
    decision: Decision,
    catalogue: dict[str, Item],
    explain: bool,
    surface: SurfaceSpec | None = None,
    note: str = "",
) -> dict[str, Any]:
    """A decision on the wire; reasons, sources and scores in parts only when asked to explain.

    ``surface`` tells the titles and attributes of a choice's actions, ``note`` why a slate is empty or short,
    or that the item that it is about is not known.
    """
    if decision.choice is not None and surface is not None:
        catalogue = {each.id: as_item(each) for each in surface.actions}
    items = []
    for each in decision.items:
        item = catalogue.get(each.item_id)
        shown: dict[str, Any] = {
            "itemId": each.item_id,
            "position": each.position,
            "score": each.score,
            "propensity": each.propensity,
            "slot": each.slot,
        }
        if explain:
            shown["sources"] = each.sources
            shown["reasons"] = [
                {"code": x.code, "text": x.text, "contribution": x.contribution}
                for x in each.reasons
            ]
        shown["attributes"] = (
            {}
            if item is None
            else {
                "title": item.title,
                "category": item.category,
                "brand": item.brand,
                "price": item.price,
                "url": item.url,
                "imageUrl": item.image_url,
                **item.attributes,
            }
        )
        items.append(shown)
    view: dict[str, Any] = {
        "decisionId": decision.decision_id or None,
        "surface": decision.surface,
        "arm": decision.arm,
        "modelVersion": decision.model_version,
        "expiresAt": rfc3339(decision.expires_ms),
        "personOffset": decision.personal_seq,
        "quotaShort": decision.quota_short,
        "items": items,
    }
    if note:
        view["note"] = note
    if decision.choice is not None:
        view["choice"] = choice_view(decision.choice, surface, explain)
    return view


BRIEF = 1_000
"""Characters of a dead letter's body in a list of them."""


def letter_in_brief(letter: Any) -> dict[str, Any]:
    """A dead letter in a list: a long body only begins. Alone it is whole."""
    whole = letter_view(letter)
    return whole | {"body": whole["body"][:BRIEF]}


def letter_view(letter: Any) -> dict[str, Any]:
    """A dead letter on the wire."""
    return {
        "letterId": letter.letter_id,
        "received": rfc3339(letter.received_ms),
        "source": letter.source,
        "code": letter.code,
        "message": letter.message,
        "bodyBytes": len(letter.body),
        "body": letter.body.decode("utf-8", "replace"),
        "replayed": rfc3339(letter.replayed_ms or 0),
        "dismissed": rfc3339(letter.dismissed_ms or 0),
    }
