"""Errors on the wire: one shape, and one table from code to status.

408, 410 and 460 are never used: published tracking clients resend on them.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from germane.api.body import NO_STORE
from germane.domain import errors
from germane.domain.errors import GermaneError

_log = logging.getLogger("germane.api")
_encode = msgspec.json.Encoder().encode

STATUS: tuple[tuple[type[GermaneError], int], ...] = (
    (errors.Unauthorized, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.UnknownPerson, 404),
    (errors.UnknownItem, 404),
    (errors.UnknownDecision, 404),
    (errors.MethodNotAllowed, 405),
    (errors.ApprovalStale, 409),
    (errors.ApprovalClosed, 409),
    (errors.Unapproved, 409),
    (errors.BadRequest, 400),
    (errors.ContentInvalid, 400),
    (errors.ContentRefused, 409),
    (errors.WriterFailed, 502),
    (errors.Overloaded, 429),
    (errors.NoLibrary, 503),
    (errors.ProviderFailed, 503),
    (errors.StorageFailed, 503),
    (errors.StorageBusy, 503),
)
RETRY_AFTER_S = 1


class ErrorBody(msgspec.Struct, rename="camel"):
    """The one error shape."""

    success: bool
    code: str
    message: str
    hint: str
    details: dict[str, Any]
    request_id: str


def status_of(error: GermaneError) -> int:
    """HTTP status of an error."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def render(error: GermaneError, request_id: str) -> Response:
    """An error as a response."""
    status = status_of(error)
    body = ErrorBody(False, error.code, error.message, error.hint, error.details, request_id)
    headers = {**NO_STORE}
    if status in (429, 503):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="germane"'
    if status == 405:
        headers["Allow"] = ", ".join(error.details.get("allowed", ())) or "GET"
    return Response(_encode(body), status, headers, "application/json")


async def on_germane_error(request: Request, error: Exception) -> Response:
    """Our own errors."""
    assert isinstance(error, GermaneError)
    return render(error, request_id_of(request.scope))


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the router refuses."""
    assert isinstance(error, HTTPException)
    request_id = request_id_of(request.scope)
    if error.status_code == 405:
        allowed = [
            x.strip() for x in (error.headers or {}).get("Allow", "").split(",") if x.strip()
        ]
        return render(errors.MethodNotAllowed(allowed=sorted(allowed)), request_id)
    if error.status_code == 404:
        return render(
            errors.NotFound(
                f"There is nothing at {request.url.path}.",
                hint="/openapi.json lists every route; /docs shows them.",
            ),
            request_id,
        )
    return render(errors.BadRequest(str(error.detail)), request_id)


async def on_crash(request: Request, error: Exception) -> Response:
    """A bug: its details go to the log and nowhere else."""
    request_id = request_id_of(request.scope)
    _log.error("request %s failed", request_id, exc_info=error)
    return render(
        GermaneError("Something went wrong inside.", hint="The log has it under the request id."),
        request_id,
    )


def request_id_of(scope: Any) -> str:
    """The id that the access log names the request by."""
    found: str = scope.get("state", {}).get("request_id", "")
    return found
