"""Rows as statements of consent: who said yes or no to which purpose, and when."""

from __future__ import annotations

from collections.abc import Collection

from germane.domain.consent import NAME_CHARS, SOURCE_CHARS
from germane.domain.ids import anonymous_person, known_person
from germane.domain.moves import Stated
from germane.ingest.bulk.cells import Cells
from germane.ingest.bulk.columns import Mapping
from germane.ingest.bulk.rows import Row
from germane.ingest.bulk.unusable import Unusable
from germane.ingest.bulk.values import answer, time
from germane.privacy.purposes import Purposes

METHOD = "import"
"""How it was said, where the file does not tell."""


class Statements(Cells):
    """Turns rows of one file into statements; what could not be meant is no statement."""

    def __init__(
        self,
        mapping: Mapping,
        purposes: Purposes,
        notices: Collection[str],
        *,
        source: str,
        now_ms: int,
    ) -> None:
        """
        Args:
            mapping: Which column is which field.
            purposes: Those of the project.
            notices: Names of the texts that it declares; none: any may be named.
            source: Where it was said, for rows that do not tell: the name of the file.
            now_ms: Time of the import: nothing can have been said later.
        """
        super().__init__(mapping)
        self._purposes = purposes
        self._notices = notices
        self._source = source[:SOURCE_CHARS]
        self._now_ms = now_ms

    def of(self, row: Row) -> Stated:
        """What a row says, without the salt of its proof.

        Raises:
            Unusable: a value cannot be used.
        """
        if row.problem:
            raise Unusable.read(row.problem)
        person = self._person(row)
        purpose = self._purpose(row)
        granted = answer("granted", self._get(row, "granted"))
        at_ms = self._at(row)
        return Stated(
            person,
            purpose,
            granted,
            self._short(row, "method", NAME_CHARS) or METHOD,
            self._short(row, "notice_version", NAME_CHARS),
            notice_name=self._notice(row),
            source=self._short(row, "source", SOURCE_CHARS) or self._source,
            at_ms=at_ms,
            until_ms=self._until(row, at_ms, granted=granted),
        )

    def _person(self, row: Row) -> str:
        user, device = self._id(row, "user_id"), self._id(row, "anonymous_id")
        if not (user or device):
            raise Unusable("no user id and no anonymous id")
        return known_person(user) if user else anonymous_person(device)

    def _purpose(self, row: Row) -> str:
        name = self._text(row, "purpose")
        if not name:
            raise Unusable("no purpose", remedy=self._purposes.told.rstrip("."))
        fault = self._purposes.undeclared(name)
        if fault is not None:
            raise Unusable(fault.text.rstrip("."), remedy=fault.remedy.rstrip("."))
        return name

    def _at(self, row: Row) -> int:
        at_ms = time("timestamp", self._get(row, "timestamp"))
        if at_ms is None:
            raise Unusable(
                "no timestamp", remedy="say when it was said: without, nothing is proven"
            )
        if at_ms <= 0:
            raise Unusable("the timestamp is before 1970", repr(self._get(row, "timestamp")))
        if at_ms > self._now_ms:
            raise Unusable("the timestamp is in the future", repr(self._get(row, "timestamp")))
        return at_ms

    def _until(self, row: Row, at_ms: int, *, granted: bool) -> int:
        until_ms = time("until", self._get(row, "until"))
        if until_ms is None:
            return 0
        if not granted:
            raise Unusable("a no does not expire", remedy="leave until empty")
        if until_ms <= at_ms:
            raise Unusable("the yes is over before it was said", repr(self._get(row, "until")))
        return until_ms

    def _notice(self, row: Row) -> str:
        name = self._short(row, "notice", NAME_CHARS)
        if name and self._notices and name not in self._notices:
            declared = ", ".join(sorted(self._notices))
            raise Unusable("there is no notice", repr(name), remedy=f"Declared are {declared}")
        return name

    def _short(self, row: Row, field: str, most: int) -> str:
        text = self._text(row, field)
        if len(text) > most:
            raise Unusable(f"{field} is longer than {most} characters")
        return text
