"""The providers' webhooks: checked, read, made durable, then acknowledged."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from germane.api.body import answer, read
from germane.app.back import Back
from germane.domain.errors import GermaneError, ProviderOff
from germane.ingest.providers import postmark, sendgrid, ses
from germane.ingest.providers.reading import LIMIT_BYTES

_OK = {"success": True}


class ProviderFailed(GermaneError):
    """The provider did not answer our confirmation."""

    code = "providers.no_confirmation"
    hint = "Ask it to send the confirmation again."


class Providers:
    """One endpoint a provider. Each sends again what is not answered with 200."""

    def __init__(self, back: Back) -> None:
        self._back = back

    async def sendgrid(self, request: Request) -> Response:
        """``POST /v1/providers/sendgrid``: the signed event webhook."""
        if not self._back.sendgrid_key:
            raise ProviderOff()
        body = await read(request, LIMIT_BYTES)
        sendgrid.verify(request.headers, body, self._back.sendgrid_key)
        await self._back.answers(sendgrid.parse(body, self._back.wall_ms()))
        return answer(_OK)

    async def postmark(self, request: Request) -> Response:
        """``POST /v1/providers/postmark``: with basic auth, or a header of your own."""
        if not self._back.postmark_secret:
            raise ProviderOff()
        postmark.verify(request.headers, self._back.postmark_secret)
        body = await read(request, LIMIT_BYTES)
        await self._back.answers(postmark.parse(body, self._back.wall_ms()))
        return answer(_OK)

    async def ses(self, request: Request) -> Response:
        """``POST /v1/providers/ses``: Amazon SES through an SNS topic of ours."""
        if not self._back.ses:
            raise ProviderOff()
        body = await read(request, LIMIT_BYTES)
        now_ms = self._back.wall_ms()
        envelope = await self._back.sns.envelope(request.headers, body, now_ms)
        if envelope["Type"] == "SubscriptionConfirmation":
            try:
                await self._back.sns.confirm(envelope)
            except OSError as error:
                raise ProviderFailed(f"Amazon did not answer our confirmation: {error}.") from None
        elif envelope["Type"] == "Notification":
            await self._back.answers(ses.parse(envelope, now_ms))
        return answer(_OK)
