"""The route table: it drives the router and the OpenAPI description alike."""

from __future__ import annotations

from germane.api import ingest, schemas, wire
from germane.api.approval_routes import approval
from germane.api.auth import Keys
from germane.api.browser import Browsers
from germane.api.callers import Callers
from germane.api.catalogue import Catalogue
from germane.api.consents import privacy
from germane.api.deciding import Decisions
from germane.api.delivery_routes import delivery
from germane.api.endpoint import Endpoint
from germane.api.guard import Guard
from germane.api.inbox import Inboxes
from germane.api.links import Links
from germane.api.ops import MOST_HOURS, Operations
from germane.api.providers import Providers
from germane.api.rights import rights
from germane.api.security_routes import security
from germane.api.why import FeedbackReport, Why, WhyLinks
from germane.api.wire import LettersRequest
from germane.app.back import Back, way_back
from germane.app.channels import Ways
from germane.app.composing import Composer
from germane.app.engine import Engine
from germane.app.misnamed import Misnamed
from germane.deliver.inbox import InboxPort
from germane.domain import inbox as inboxes
from germane.domain.inbox import Inbox


def endpoints(
    engine: Engine,
    keys: Keys,
    back: Back | None = None,
    *,
    anonymous: bool = False,
    inbox: Inbox = inboxes.nothing,
    streamed: InboxPort | None = None,
    ways: Ways | None = None,
    composer: Composer | None = None,
    prefix: str = "",
) -> list[Endpoint]:
    """All endpoints, in the order in which the documentation shows them.

    Without ``back`` no provider is known, and links are sealed with the data folder's own key.
    ``anonymous``: browsers without a person token may ask for their own anonymousId. ``inbox``: what waits
    for a person in the app; ``streamed``: the same as a stream. ``ways``: those out that are configured;
    ``None``: not known. ``composer``: renders messages that a person changes.
    ``prefix``: what stands before every path.
    """
    callers = Callers(engine, keys)
    table = unguarded(
        engine,
        callers,
        back,
        anonymous=anonymous,
        inbox=inbox,
        streamed=streamed,
        ways=ways,
        composer=composer,
        prefix=prefix,
    )
    guard = Guard(engine, callers)
    return [guard.over(each) for each in table]


def unguarded(
    engine: Engine,
    callers: Callers,
    back: Back | None = None,
    *,
    anonymous: bool = False,
    inbox: Inbox = inboxes.nothing,
    streamed: InboxPort | None = None,
    ways: Ways | None = None,
    composer: Composer | None = None,
    prefix: str = "",
) -> list[Endpoint]:
    """The same before anybody is asked for a key: for ``endpoints``, and for where no key opens anything."""
    back = back or way_back(engine)
    operations = Operations(engine)
    browsers = Browsers(engine, callers, anonymous=anonymous)
    why = Why(engine, browsers, back)
    misnamed = Misnamed(engine, back.purposes)
    return [
        *_tracking(engine, callers, misnamed),
        *_decisions(Decisions(engine, browsers, inbox, WhyLinks(back, prefix))),
        _feedback(why),
        *privacy(engine, misnamed),
        *rights(engine),
        *_people(operations),
        *_catalogue(Catalogue(engine)),
        *_surfaces(operations),
        *_links(Links(back), why),
        *_providers(Providers(back)),
        *_streams(browsers, streamed),
        *_letters(operations),
        *delivery(engine, misnamed, ways),
        *approval(engine, composer),
        *security(engine),
        *_health(operations),
    ]


def _decisions(on: Decisions) -> list[Endpoint]:
    return [
        Endpoint(
            "POST",
            "/v1/decide",
            on.decide,
            "Decide what to show to one person",
            "Decisions",
            "decide",
            body=wire.DecideRequest,
            answer=schemas.DECIDED,
            also=(404,),
        ),
        Endpoint(
            "POST",
            "/v1/decide/batch",
            on.batch,
            "Decide for many people at once; the answer is a JSON line each",
            "Decisions",
            "decide.many",
            body=wire.BatchDecideRequest,
            media="application/x-ndjson",
            also=(404,),
        ),
        Endpoint(
            "POST",
            "/v1/impressions",
            on.impressions,
            "Report which positions were seen",
            "Decisions",
            "decide",
            body=wire.ImpressionReport,
            answer=schemas.RECEIPT,
            also=(404,),
        ),
        Endpoint(
            "POST",
            "/v1/outcomes",
            on.outcomes,
            "Report a response to a decision",
            "Decisions",
            "decide",
            body=wire.OutcomeReport,
            answer=schemas.OUTCOME_RECEIPT,
            also=(404,),
        ),
        Endpoint(
            "POST",
            "/v1/inbox",
            on.inbox,
            "In-app messages that wait for a person",
            "Decisions",
            "decide",
            body=wire.InboxRequest,
            answer=schemas.MESSAGES,
        ),
    ]


def _people(on: Operations) -> list[Endpoint]:
    return [
        Endpoint(
            "GET",
            "/v1/people/{person_id}/moment",
            on.moment,
            "The best of the next hours to reach a person, and why",
            "People",
            "people.read",
            answer=schemas.MOMENT,
            query=(("hours", 1, MOST_HOURS), ("top", 1, MOST_HOURS)),
            also=(404,),
        ),
        Endpoint(
            "GET",
            "/v1/people/{person_id}",
            on.person,
            "What is known of a person, and from where",
            "People",
            "people.read",
            also=(404,),
        ),
    ]


def _catalogue(on: Catalogue) -> list[Endpoint]:
    return [
        Endpoint(
            "POST",
            "/v1/items/batch",
            on.batch,
            "Add or change many items",
            "Catalogue",
            "catalogue.write",
            body=wire.ItemsBody,
            answer=schemas.RECEIPT,
        ),
        Endpoint(
            "GET",
            "/v1/items/{item_id}",
            on.get,
            "One item",
            "Catalogue",
            "catalogue.read",
            also=(404,),
        ),
        Endpoint(
            "PUT",
            "/v1/items/{item_id}",
            on.put,
            "Add or replace an item",
            "Catalogue",
            "catalogue.write",
            body=wire.ItemBody,
            answer=schemas.RECEIPT,
        ),
        Endpoint(
            "PATCH",
            "/v1/items/{item_id}",
            on.patch,
            "Change parts of an item",
            "Catalogue",
            "catalogue.write",
            body=wire.ItemBody,
            answer=schemas.RECEIPT,
            also=(404,),
        ),
        Endpoint(
            "DELETE",
            "/v1/items/{item_id}",
            on.delete,
            "Remove an item",
            "Catalogue",
            "catalogue.write",
            answer=schemas.RECEIPT,
            also=(404,),
        ),
    ]


def _surfaces(on: Operations) -> list[Endpoint]:
    return [
        Endpoint(
            "GET", "/v1/surfaces", on.surfaces, "Configured surfaces", "Surfaces", "reports.read"
        ),
        Endpoint(
            "GET",
            "/v1/surfaces/{surface}/audit",
            on.audit,
            "Can it vary, is its loop closed, has it a default?",
            "Surfaces",
            "reports.read",
            also=(404,),
        ),
        Endpoint(
            "GET",
            "/v1/surfaces/{surface}/actions",
            on.actions,
            "How the actions of a choice stand, and whether acting per person is proven",
            "Surfaces",
            "reports.read",
            answer=schemas.STANDING,
            also=(404,),
        ),
    ]


def _streams(browsers: Browsers, streamed: InboxPort | None) -> list[Endpoint]:
    if streamed is None:
        return []
    return [
        Endpoint(
            "GET",
            "/v1/inbox/stream",
            Inboxes(streamed, browsers.watcher).streamed,
            "In-app messages as they come: server-sent events",
            "Decisions",
            "decide",
            media="text/event-stream",
            texts=("userId", "anonymousId", "writeKey", "token", "after"),
            also=(400, 401, 403),
        )
    ]


def _feedback(on: Why) -> Endpoint:
    return Endpoint(
        "POST",
        "/v1/feedback",
        on.feedback,
        "Less like this, not for this reason, no personalisation: the next decision obeys",
        "Decisions",
        "decide",
        body=FeedbackReport,
        answer=schemas.SUCCESS,
        also=(404,),
    )


def _links(on: Links, why: Why) -> list[Endpoint]:
    rows = (
        ("GET", "/c/{token}", on.click, "Follow a counted link", "text/html"),
        ("GET", "/o/{token}", on.opened, "The pixel that counts an open: TOKEN.gif", "image/gif"),
        ("GET", "/u/{token}", on.ask, "The page to unsubscribe; changes nothing", "text/html"),
        ("POST", "/u/{token}", on.unsubscribe, "Unsubscribe, by one click", "text/html"),
        ("GET", "/w/{token}", why.page, "The page that tells why; changes nothing", "text/html"),
        ("POST", "/w/{token}", why.said, "Its buttons: the next decision obeys", "text/html"),
    )
    return [
        Endpoint(method, path, handler, text, "Links", "open", media=media, also=(302, 400, 404))
        for method, path, handler, text, media in rows
    ]


def _providers(on: Providers) -> list[Endpoint]:
    rows = (("sendgrid", on.sendgrid), ("postmark", on.postmark), ("ses", on.ses))
    return [
        Endpoint(
            "POST",
            f"/v1/providers/{name}",
            handler,
            f"What {name} tells about messages",
            "Providers",
            "open",
            answer=schemas.SUCCESS,
            also=(401, 404),
        )
        for name, handler in rows
    ]


def _letters(on: Operations) -> list[Endpoint]:
    return [
        Endpoint(
            "GET",
            "/v1/dead-letters",
            on.letters,
            "What could not be used, and why",
            "Operations",
            "letters.read",
            query=(("after", 0, 2**53), ("limit", 0, 1_000)),
        ),
        Endpoint(
            "GET",
            "/v1/dead-letters/{letter_id}",
            on.letter,
            "One dead letter",
            "Operations",
            "letters.read",
            also=(404,),
        ),
        *_letters_at_once(on),
        Endpoint(
            "POST",
            "/v1/dead-letters/{letter_id}/replay",
            on.replay,
            "Try a dead letter again",
            "Operations",
            "letters.write",
            also=(404, 503),
        ),
        Endpoint(
            "POST",
            "/v1/dead-letters/{letter_id}/dismiss",
            on.dismiss,
            "Nothing is to be done about a dead letter: it is kept, and waits no longer",
            "Operations",
            "letters.write",
            also=(404, 503),
        ),
    ]


def _letters_at_once(on: Operations) -> list[Endpoint]:
    return [
        Endpoint(
            "POST",
            "/v1/dead-letters/replay",
            on.replay_some,
            "Try some dead letters again, in this order",
            "Operations",
            "letters.write",
            body=LettersRequest,
            also=(503,),
        ),
        Endpoint(
            "POST",
            "/v1/dead-letters/dismiss",
            on.dismiss_some,
            "Nothing is to be done about some dead letters",
            "Operations",
            "letters.write",
            body=LettersRequest,
            also=(503,),
        ),
    ]


def _health(on: Operations) -> list[Endpoint]:
    return [
        Endpoint("GET", "/livez", on.live, "The process is alive", "Operations", "open"),
        Endpoint("GET", "/readyz", on.ready, "It can serve", "Operations", "open", also=(503,)),
        Endpoint(
            "GET",
            "/metrics",
            on.metrics,
            "Prometheus metrics",
            "Operations",
            "open",
            media="text/plain",
        ),
    ]


def _tracking(engine: Engine, callers: Callers, misnamed: Misnamed) -> list[Endpoint]:
    rows = [
        Endpoint(
            "POST",
            f"/v1/{name}",
            ingest.handler(engine, callers, misnamed, route),
            f"Segment {route} call",
            "Tracking",
            "track",
            answer=schemas.SUCCESS,
            body=dict,
            texts=("writeKey",),
        )
        for name, route in ingest.ROUTES.items()
    ]
    rows.append(
        Endpoint(
            "GET",
            "/v1/projects/{write_key}/settings",
            ingest.settings(callers),
            "Settings for the browser client",
            "Tracking",
            "track",
            also=(401,),
        )
    )
    return rows
