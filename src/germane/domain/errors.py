"""Everything that can go wrong, with a stable code, a message and a remedy."""

from __future__ import annotations

from typing import Any


class GermaneError(Exception):
    """Something went wrong."""

    code = "internal"
    hint = ""

    def __init__(self, message: str = "", *, hint: str = "", **details: Any) -> None:
        """The class docstring is the message unless one is given; ``details`` are machine-readable."""
        self.message = message or (type(self).__doc__ or "").strip()
        self.hint = hint or type(self).hint
        self.details = details
        super().__init__(self.message)


class ConfigInvalid(GermaneError):
    """The configuration has errors."""

    code = "config.invalid"
    hint = "Mend these and run `germane check` again."


class BadRequest(GermaneError):
    """The request cannot be understood."""

    code = "request.invalid"


class MalformedJson(BadRequest):
    """The body is not valid JSON."""

    code = "request.malformed_json"
    hint = "Send one JSON object, encoded as UTF-8."


class TooLarge(BadRequest):
    """The body is larger than the documented limit."""

    code = "request.too_large"
    hint = "Split the batch: at most 500 kB and 2,500 messages a request, 32 kB a message."


class Unauthorized(GermaneError):
    """The key is missing or not known."""

    code = "auth.invalid_key"
    hint = "Send the key as the basic-auth user name or as a bearer token; `.env` holds it."


class Forbidden(GermaneError):
    """This key may not do that."""

    code = "auth.forbidden"
    hint = (
        "A write key sends events and, with a person token, asks for that person; the server key may the rest, "
        "but what takes an admin key where one was made."
    )


class YesNotTrusted(Forbidden):
    """Only what was refused right here can be agreed to again right here."""

    code = "consent.yes_not_trusted"
    hint = "Your server writes it down: POST /v1/consent; or send a person token."


class InvalidToken(Unauthorized):
    """The person token cannot be used."""

    code = "auth.invalid_token"
    hint = (
        "Have your server make a new one (`germane token PERSON` makes one to compare with); "
        "the documentation tells how: In the browser."
    )


class TokenExpired(Unauthorized):
    """The person token's time is over."""

    code = "auth.token_expired"
    hint = "Fetch a new one from your server and send the request again."


class RestartNeeded(GermaneError):
    """Somebody was erased, and what is shared has not been learned anew since."""

    code = "erasure.restart_needed"
    hint = "Restart the server: as it starts, it learns from the log that is left."


class WeakServerKey(Forbidden):
    """The server key is shorter than 32 characters: person tokens signed with it could be forged."""

    code = "auth.weak_server_key"
    hint = (
        "Set GERMANE_SERVER_KEY to a long random text; `germane init` makes one of 46 characters."
    )


class TokenNeeded(Forbidden):
    """The write key is public: alone it may only send events."""

    code = "auth.token_needed"
    hint = (
        'Send a person token with it. For visitors without one, set browser_decisions = "anonymous" '
        "under [server], and send their anonymousId."
    )


class WrongPerson(Forbidden):
    """The request is about somebody else than its token."""

    code = "auth.wrong_person"
    hint = "Leave person out: the token says who it is. Or fetch a token for this person."


class SurfaceNotAllowed(Forbidden):
    """The person token does not open this surface."""

    code = "auth.surface_not_allowed"
    hint = "Name the surface in the token's `surfaces`, or make a token without `surfaces`."


class NotFound(GermaneError):
    """There is no such thing here."""

    code = "request.not_found"


class MethodNotAllowed(GermaneError):
    """This address does not take that method."""

    code = "request.method_not_allowed"


class UnknownSurface(NotFound):
    """No surface of that name is configured."""

    code = "decide.unknown_surface"
    hint = "Surfaces are defined under [surfaces.NAME] in germane.toml."


class UnknownPerson(NotFound):
    """Nothing is known about this person."""

    code = "profile.unknown_person"
    hint = "Check the id (`germane export people -` lists them); anonymous ids are a:ID."


class NotObeyed(GermaneError):
    """The data folder still has people who were erased: a backup was put back."""

    code = "erasure.not_obeyed"
    hint = (
        "Start `germane serve`, which erases them again first; or run "
        "`germane erase --replay erasures.jsonl`."
    )


class UnknownItem(NotFound):
    """The catalogue has no such item."""

    code = "catalogue.unknown_item"


class UnknownDecision(NotFound):
    """No decision has that id."""

    code = "decide.unknown_decision"
    hint = "Send the decisionId exactly as /v1/decide returned it."


class UnknownOrder(NotFound):
    """It takes back an order that is not known (any more), and does not say which products."""

    code = "event.unknown_order"
    hint = "Replay it when the order has come, or send it with its products."


class UnknownOutcome(BadRequest):
    """The surface has no such outcome."""

    code = "decide.unknown_outcome"


class NotShown(BadRequest):
    """The decision did not show that item."""

    code = "decide.not_shown"
    hint = "Report outcomes for the items of the decision that they answer."


class ValueNeeded(BadRequest):
    """An outcome that counts revenue needs its value."""

    code = "decide.value_needed"
    hint = "Send value: price times quantity, in the project's currency; 0 if it was free."


class NotAReason(BadRequest):
    """The decision gave no such reason, or it is one that nobody can turn off."""

    code = "feedback.not_a_reason"
    hint = "Send the code of a reason of this item. Rules of the shop, and `neutral`, cannot be turned off."


class TooEarly(BadRequest):
    """The report is dated before its decision."""

    code = "decide.too_early"
    hint = "Look at timestamp; leave it out for what happens now."


class BadAsk(BadRequest):
    """The surface cannot be asked like that."""

    code = "decide.bad_ask"


class BadFilter(BadRequest):
    """The filter is not a valid expression."""

    code = "decide.bad_filter"
    hint = 'Filters are CEL over the item, for example: item.price < 100 && item.brand == "Acme".'


class WrongMove(BadRequest):
    """That cannot be done with a message in its state."""

    code = "message.wrong_move"
    hint = "`germane messages show ID` tells how it stands, and why."


class Unapproved(WrongMove):
    """It may not go out without approval, and is not approved."""

    code = "approval.missing"
    hint = "`germane approvals list` shows what waits for a person."


class ApprovalStale(WrongMove):
    """It has changed since: that is not what you saw."""

    code = "approval.stale"
    hint = "Look at it again, and say what you think of it as it is now."


class ApprovalClosed(WrongMove):
    """Nothing can be said of it any more."""

    code = "approval.closed"
    hint = "`germane approvals show ID` tells who decided it, and when."


class UnknownApproval(NotFound):
    """No approval has that id."""

    code = "approval.unknown"
    hint = "`germane approvals list` shows those that wait."


class NotApprover(Forbidden):
    """You may not approve that."""

    code = "approval.not_allowed"
    hint = "Ask one of those whom `germane approvals show ID` names."


class NoOperator(Forbidden):
    """It must be known who says so."""

    code = "approval.no_operator"
    hint = (
        "Send an operator's token as a bearer token; with the server key, name the operator in the header "
        "Germane-Operator; on the command line, with --as."
    )


class ReasonNeeded(BadRequest):
    """Who rejects must say why: the engine and its authors learn from it."""

    code = "approval.reason_needed"
    hint = "Add a reason, in a few words; the same words for the same thing, so that they can be counted."


class TooFewOpened(BadRequest):
    """So many cannot be approved unread."""

    code = "approval.sample"
    hint = "Open some of them first (`germane approvals show ID --as NAME`), then approve them together."


class BadEdit(BadRequest):
    """The text cannot be changed like that."""

    code = "approval.bad_edit"


class UnknownOperator(NotFound):
    """No operator has that name."""

    code = "operator.unknown"
    hint = (
        "`germane operator list` shows them; `germane operator add NAME --role approver` adds one."
    )


class BadOperator(BadRequest):
    """An operator cannot be like that."""

    code = "operator.invalid"


class UnknownKey(NotFound):
    """There is no such key."""

    code = "key.unknown"
    hint = "`germane keys list` has the ids of all of them."


class BadKey(BadRequest):
    """A key cannot be like that."""

    code = "key.invalid"


class BadCondition(BadRequest):
    """The condition is not a valid expression."""

    code = "campaign.bad_condition"
    hint = "Conditions are CEL, for example: profile.counts.purchase.d30 == 0 && local.hour < 12."


class BadCampaign(BadRequest):
    """The campaign's definition has errors."""

    code = "campaign.invalid"
    hint = "Mend these and send it again."


class CannotSend(BadRequest):
    """The campaign cannot go live: nothing of it could go out."""

    code = "campaign.cannot_send"


class UnknownCampaign(NotFound):
    """There is no campaign of that name."""

    code = "campaign.unknown"


class Overloaded(GermaneError):
    """The server has more work than it can take."""

    code = "server.overloaded"
    hint = "Send it again after the time in Retry-After."


class StorageFailed(GermaneError):
    """The disk refused a write; the server stops rather than lose data."""

    code = "storage.failed"
    hint = "Look at the disk, then start the server again: nothing acknowledged is lost."


class StorageReadOnly(StorageFailed):
    """The data folder is not open to writing."""

    code = "storage.read_only"
    hint = (
        "Give this user the right to write the folder and the files in it, or copy it to a place "
        "that may be written and name that with --data."
    )


class StorageDamaged(StorageFailed):
    """What is stored is not what was written."""

    code = "storage.damaged"
    hint = (
        "Stop the server, keep the folder as it is, and go on with a backup of it. Nothing was "
        "repaired."
    )


class WrongUse(GermaneError):
    """The command was not called as it is meant."""

    code = "cli.wrong_use"
    hint = "`germane --help`, and --help after any command, tell how."


class StorageBusy(GermaneError):
    """Another process has this data folder open."""

    code = "storage.in_use"
    hint = "Stop the other process, or choose another folder with --data."


class ImportFailed(GermaneError):
    """The import cannot go on."""

    code = "import.failed"


class ContentInvalid(ConfigInvalid):
    """The content has errors."""

    code = "content.invalid"
    hint = "Mend these and run `germane content check` again."


class UnknownContent(NotFound):
    """There is no content of that name."""

    code = "content.unknown"


class ContentInUse(BadRequest):
    """A campaign says this content."""

    code = "content.in_use"
    hint = "End the campaign, or name other content in it, and take this away then."


class ContentRefused(GermaneError):
    """This content cannot be said to this person."""

    code = "content.refused"


class ContentIncomplete(ContentRefused):
    """A slot that must be there cannot be filled for this person."""

    code = "content.incomplete"
    hint = "Give the slot a fallback that needs no data, or leave such people out of the audience."


class ContentUntrue(ContentRefused):
    """What it says of an item does not hold."""

    code = "content.untrue"
    hint = "It is rendered again with what the catalogue says now, or not sent."


class ContentNotApproved(ContentRefused):
    """A variant that nobody has approved was chosen."""

    code = "content.not_approved"
    hint = "Read it, and set approved = true, or choose another one."


class TemplateRefused(ContentRefused):
    """A template asks for more than it may."""

    code = "content.template"
    hint = "Make it simpler: fewer loops, shorter texts, no sums that grow."


class WriterFailed(GermaneError):
    """The language model gave nothing that can be used."""

    code = "writer.failed"
    hint = "The texts that are there stay in use. Try again, or write it yourself."


class BadSignature(Unauthorized):
    """The signature of a provider's request does not fit."""

    code = "providers.bad_signature"
    hint = (
        "Compare the key under [providers] with the provider's; what stands between must pass the body on "
        "unchanged."
    )


class ProviderOff(NotFound):
    """This provider is not configured here."""

    code = "providers.not_configured"
    hint = "Set its key: see [providers] in the reference of the configuration."


class ProviderFailed(GermaneError):
    """The provider did not answer our confirmation."""

    code = "providers.no_confirmation"
    hint = "Ask it to send the confirmation again."


class NoLibrary(GermaneError):
    """A library that this needs is not installed."""

    code = "channels.no_library"
    hint = 'Install it: pip install "germane[email]".'
