"""Consent: what somebody said to a purpose, and the proof of it; what is refused, by name."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from germane.api import wire
from germane.api.body import answer, parse
from germane.api.deciding import instant
from germane.api.endpoint import Endpoint
from germane.api.guard import about
from germane.app.consents import NOTHING, proving, said_by
from germane.app.engine import Engine
from germane.app.misnamed import Misnamed
from germane.app.retaining import standing
from germane.domain.consent import NAME_CHARS, SOURCE_CHARS, Statement
from germane.domain.errors import BadRequest, UnknownPerson
from germane.domain.ids import anonymous_person, known_person
from germane.domain.moves import Stated
from germane.domain.purposes import NAME, PERSONALISATION, PURPOSES
from germane.domain.settings import NoticeSpec
from germane.domain.toml import toml_key
from germane.ingest.limits import FUTURE_MS
from germane.privacy.features import in_brief
from germane.privacy.jurisdictions import rule
from germane.privacy.purposes import Fault
from germane.profile.view import consent_states
from germane.profile.words import rfc3339

HONOURED = {"gpc": True, "lastUpdate": "2026-11-29"}
"""Global Privacy Control means something here."""
Text = Annotated[str, msgspec.Meta(max_length=SOURCE_CHARS)]


class Consent(wire.Wire):
    """Somebody said yes or no to a purpose."""

    purpose: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": f"^{NAME}$"})]
    state: Literal["granted", "withdrawn"]
    user_id: wire.ExternalId = None
    anonymous_id: wire.ExternalId = None
    method: Annotated[str, msgspec.Meta(max_length=NAME_CHARS)] = "api"
    notice: Annotated[
        str, msgspec.Meta(max_length=NAME_CHARS, description="Name of the text they saw.")
    ] = ""
    notice_version: Annotated[str, msgspec.Meta(max_length=NAME_CHARS)] = ""
    notice_text: Annotated[
        str, msgspec.Meta(max_length=100_000, description="That text; its SHA-256 is kept.")
    ] = ""
    source: Annotated[Text, msgspec.Meta(description="Where: a page, a form, an import.")] = ""
    timestamp: Annotated[
        str | None, msgspec.Meta(description="When they said it, RFC 3339; left out: now.")
    ] = None
    expires_at: Annotated[
        str | None,
        msgspec.Meta(description="Until when a yes holds; left out: until it is withdrawn."),
    ] = None
    fresh: Annotated[
        bool,
        msgspec.Meta(
            description="Of a yes to personalisation: begin anew, without what was known before."
        ),
    ] = False


class Consents:
    """Endpoints of consent; a yes must be trusted, so that no write key opens them."""

    def __init__(self, engine: Engine, misnamed: Misnamed | None = None) -> None:
        """``misnamed``: knows the purposes that there are; ``None``: no purpose has a title."""
        self._engine = engine
        self._misnamed = misnamed or Misnamed(engine)

    async def state(self, request: Request) -> Response:
        """``POST /v1/consent``."""
        body = await parse(request, Consent)
        engine, person = self._engine, _person(body)
        self._check(body)
        warnings = self._warnings(body)
        move = Stated(
            person,
            body.purpose,
            body.state == "granted",
            body.method,
            body.notice_version,
            notice_name=body.notice,
            text_sha256=sha256(body.notice_text.encode()).hexdigest() if body.notice_text else "",
            source=body.source,
            at_ms=instant(body.timestamp) if body.timestamp else 0,
            until_ms=instant(body.expires_at) if body.expires_at else 0,
            fresh=body.fresh,
            salt=uuid.uuid4().hex,
        )
        about(request, person=person)
        await engine.move([move])
        profile = engine.profile_of(person)
        (latest, *_) = said_by(engine.entries, engine.tenant, profile.person)
        return answer(
            {
                "success": True,
                "stands": latest.stands,
                "consent": profile.consent,
                "allowed": self._allowed(person),
                "warnings": [each._asdict() for each in warnings],
            }
        )

    async def said(self, request: Request) -> Response:
        """``GET /v1/people/{id}/consent``: how each purpose stands, and every line of the ledger."""
        engine = self._engine
        person = engine.person_key(request.path_params["person_id"])
        if person is None:
            raise UnknownPerson()
        profile = engine.profile_of(person)
        return answer(
            {
                "consent": profile.consent,
                "consentStates": consent_states(profile, engine.world.now_ms()),
                "allowed": self._allowed(person),
                "history": [_view(x) for x in said_by(engine.entries, engine.tenant, person)],
            }
        )

    async def standing(self, request: Request) -> Response:
        """``GET /v1/privacy?digest=``: the law that holds, what was refused, and whether the ledger is intact;
        and whether it still has all that it had when its digest was that one. ``refused`` counts whatever was
        left out since the server started; ``undeclared``, what nothing declares, across restarts."""
        digest = request.query_params.get("digest", "").lower()
        engine = self._engine
        jurisdiction = engine.settings.privacy.jurisdiction
        proof = NOTHING
        for each in proving(engine.entries, engine.tenant, digest):
            proof = each
            await asyncio.sleep(0)  # others are served meanwhile
        return answer(
            {
                "jurisdiction": jurisdiction,
                "purposes": {each: rule(jurisdiction, each) for each in PURPOSES},
                "gpc": list(engine.settings.privacy.gpc),
                "refused": dict(engine.refused.most_common()),
                "refusedSince": rfc3339(engine.opened_ms),
                "declared": in_brief(engine.settings),
                "undeclared": [
                    {"name": name, "count": count, "remedy": remedy}
                    for name, count, remedy in engine.undeclared_names()
                ],
                "retention": standing(engine.settings, engine.store.archive()),
                "ledger": {
                    "lines": proof.lines,
                    "intact": not proof.broken,
                    "broken": proof.broken or None,
                    "digest": proof.digest,
                    "passed": proof.passed if digest else None,
                },
            }
        )

    async def gpc(self, request: Request) -> Response:
        """``GET /.well-known/gpc.json``: whether Global Privacy Control is honoured here."""
        honoured = bool(self._engine.settings.privacy.gpc)
        return answer(HONOURED if honoured else {**HONOURED, "gpc": False})

    def _allowed(self, person: str) -> dict[str, bool]:
        engine = self._engine
        profile, now_ms = engine.profile_of(person), engine.world.now_ms()
        names = sorted({*PURPOSES, *profile.consent})
        return {each: engine.gate.allows(profile, each, now_ms) for each in names}

    def _check(self, body: Consent) -> None:
        """Raises BadRequest for what could not be meant."""
        fault = self._misnamed.purposes.fault(body.purpose)
        if fault is not None:
            raise BadRequest(fault.text, hint=fault.remedy)
        notices = self._engine.settings.privacy.notices
        if body.notice and notices and not body.notice_text and body.notice not in notices:
            raise BadRequest(
                f"There is no notice {body.notice!r}.",
                hint=f"Declared are {', '.join(sorted(notices))}; or send its noticeText.",
            )
        if body.fresh and (body.purpose, body.state) != (PERSONALISATION, "granted"):
            raise BadRequest(
                "fresh goes with a yes to personalisation alone.", hint="Leave fresh out."
            )
        if body.expires_at and instant(body.expires_at) <= self._engine.world.now_ms():
            raise BadRequest("It would be over already.", hint="Send an expiresAt that is to come.")
        if body.expires_at and body.state == "withdrawn":
            raise BadRequest("A no does not expire.", hint="Leave expiresAt out.")

    def _warnings(self, body: Consent) -> list[Fault]:
        """What to know of a statement that is recorded all the same: of a purpose that nothing has so far, of a
        notice that is not declared, at a time that is to come."""
        spec, now_ms = self._engine.settings.privacy, self._engine.world.now_ms()
        found = [self._misnamed.said_to(body.purpose), _unproven(body, spec.notices)]
        if body.timestamp and instant(body.timestamp) > now_ms + FUTURE_MS:
            text = f"The timestamp {body.timestamp[:40]!r} is in the future: recorded as said now."
            found.append(Fault(text, "Look at the clock that it is from, or leave timestamp out."))
        return [each for each in found if each is not None]


def privacy(engine: Engine, misnamed: Misnamed) -> list[Endpoint]:
    """Routes of consent."""
    on = Consents(engine, misnamed)
    told: dict[str, Any] = {"type": "object"}
    return [
        Endpoint(
            "POST",
            "/v1/consent",
            on.state,
            "Somebody said yes or no to a purpose",
            "Privacy",
            "consent.write",
            body=Consent,
        ),
        Endpoint(
            "GET",
            "/v1/people/{person_id}/consent",
            on.said,
            "What somebody said to each purpose, with the proof",
            "Privacy",
            "people.read",
            also=(404,),
        ),
        Endpoint(
            "GET",
            "/v1/privacy",
            on.standing,
            "The law that holds, what was refused, and whether the ledger is intact",
            "Privacy",
            "reports.read",
            answer=told,
            texts=("digest",),
        ),
        Endpoint(
            "GET",
            "/.well-known/gpc.json",
            on.gpc,
            "Global Privacy Control is honoured",
            "Privacy",
            "open",
        ),
    ]


def _unproven(body: Consent, notices: Mapping[str, NoticeSpec]) -> Fault | None:
    """Of a notice whose text is neither sent nor declared, so that nothing proves it."""
    notice, version = notices.get(body.notice), body.notice_version
    if body.notice_text or not (body.notice and version):
        return None
    if notice is None:
        return Fault(
            f"No notice {body.notice!r} is declared: its text is not proven.",
            f"Declare it: [privacy.notices.{toml_key(body.notice)}]; or send its noticeText.",
        )
    if version == notice.version:
        return None
    return Fault(
        f"Notice {body.notice!r} has no version {version!r}: its text is not proven.",
        f"Declared is {notice.version!r}; or send its noticeText.",
    )


def _view(line: Statement) -> dict[str, Any]:
    found = {
        "purpose": line.purpose,
        "state": line.state,
        "at": rfc3339(line.at_ms),
        "receivedAt": rfc3339(line.received_ms),
        "method": line.method,
        "notice": line.notice,
        "noticeVersion": line.version,
        "noticeSha256": line.text_sha256,
        "source": line.source,
        "expiresAt": rfc3339(line.until_ms),
        "stands": line.stands,
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def _person(body: Consent) -> str:
    """Raises BadRequest: nobody is named."""
    user, device = wire.text_of(body.user_id), wire.text_of(body.anonymous_id)
    if not user and not device:
        raise BadRequest("A userId or an anonymousId is needed.")
    return known_person(user) if user else anonymous_person(device)
