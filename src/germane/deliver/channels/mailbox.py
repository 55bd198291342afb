"""Addresses of e-mail: taken apart, their domains in ASCII, written for headers and for SMTP."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from functools import lru_cache
from unicodedata import normalize

import idna
import msgspec

from germane.deliver.channels.headers import BadHeader, checked, encoded_words

_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}", re.ASCII)
_DOMAIN = re.compile(
    r"(?=.{1,253}$)(?:(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)*(?!-)[A-Za-z0-9-]{1,63}(?<!-)", re.ASCII
)
_LETTERS = re.compile(r"[^\x00-\x20\x7f-\xa0()<>\[\]:;@\\,\"\s]{1,64}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", re.ASCII)


class Mailbox(msgspec.Struct, frozen=True):
    """One address."""

    name: str
    """What people see; may be empty."""
    local: str
    domain: str
    """ASCII."""

    @property
    def address(self) -> str:
        """``local@domain``."""
        return f"{self.local}@{self.domain}"

    @property
    def international(self) -> bool:
        """Whether only servers with SMTPUTF8 take it."""
        return not self.local.isascii()

    def header(self, header: str) -> str:
        """As a value of the header ``header``."""
        if not self.name:
            return self.address
        if not self.name.isascii():
            shown = encoded_words(self.name, len(header) + 2)
        elif _ATOMS.fullmatch(self.name):
            shown = self.name
        else:
            shown = '"' + self.name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        last = len(shown.rpartition("\n")[2]) + (len(header) + 2 if "\n" not in shown else 0)
        gap = "\r\n " if last + len(self.address) > 72 else " "
        return f"{shown}{gap}<{self.address}>"


@lru_cache(maxsize=1024)
def mailbox(text: str, field: str) -> Mailbox:
    """``Name <local@domain>`` or ``local@domain``.

    Args:
        text: The address.
        field: What it is, for the error: ``To``, ``From``.

    Raises:
        BadHeader: it is no address, or has signs that no header may hold.
    """
    checked(field, text)
    name, spec = ("", text.strip()) if "<" not in text else parseaddr(text)
    if "<" in text and not spec:
        raise _bad(field)
    return named(spec, field, name)


def named(spec: str, field: str, name: str = "") -> Mailbox:
    """An address and a name that came apart. Raises BadHeader."""
    checked(field, spec)
    checked(f"the name of {field}", name)
    local, at, domain = spec.rpartition("@")
    if not at or not local or not domain or len(local.encode()) > 64:
        raise _bad(field)
    if not _PLAIN.fullmatch(local) or local[0] == "." or local[-1] == "." or ".." in local:
        local = _unusual(local, field)
    return Mailbox(name.strip(), local, _ascii(domain, field))


def is_address(spec: str) -> bool:
    """Whether a mail can be addressed to it: what ``named`` asks when one is written."""
    try:
        named(spec, "To")
    except BadHeader:
        return False
    return True


def _unusual(local: str, field: str) -> str:
    """Quoted, as the standard library reads it; or in other letters."""
    if not local.isascii():
        local = normalize("NFC", local)
        if _LETTERS.fullmatch(local) and all(local.split(".")):
            return local
        raise _bad(field)
    try:
        found = Address(addr_spec=f"{local}@example.invalid")
    except (ValueError, IndexError, MessageError):
        raise _bad(field) from None
    if not found.username or found.domain != "example.invalid":
        raise _bad(field)
    return found.addr_spec.rpartition("@")[0]


def _ascii(domain: str, field: str) -> str:
    try:
        found = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise _bad(field) from None
    if not _DOMAIN.fullmatch(found):
        raise _bad(field)
    return found.lower()


def _bad(field: str) -> BadHeader:
    return BadHeader("email.bad_address", f"{field} is no e-mail address.")
