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
    hint = "A write key may only send events; use the server key."


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
