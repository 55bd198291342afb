"""What every binding of ``domain.ports.Blobs`` must keep. Inherit it and supply ``blobs`` and ``damage``::

class TestMine(BlobsContract):
    @pytest.fixture
    def blobs(self): ...

    def damage(self, blobs, name, version): ...
"""

from __future__ import annotations

import pytest

from germane.domain.errors import NotFound
from germane.domain.ports import Blobs

ALL_BYTES = bytes(range(256)) * 1_000


class BlobsContract:
    """Each test is one promise of the port."""

    def damage(self, blobs: Blobs, name: str, version: str) -> None:
        """Change the stored bytes of a blob behind the binding's back."""
        raise NotImplementedError

    def test_empty(self, blobs: Blobs) -> None:
        """A new store has nothing, and pruning nothing is no error."""
        assert blobs.newest("a") is None
        blobs.prune("a", 2)
        assert blobs.newest("a") is None

    def test_bytes_and_manifest_come_back(self, blobs: Blobs) -> None:
        """As they were, whatever the bytes are; the binding may add to the manifest."""
        for version, data in (("1", ALL_BYTES), ("2", b"")):
            blobs.put("a", version, data, {"seq": 7, "of": {"x": [1, "ü", None]}})
            found = blobs.newest("a")
            assert found is not None
            assert found[0] == data
            assert found[1]["seq"] == 7
            assert found[1]["of"] == {"x": [1, "ü", None]}

    def test_the_newest_version_counts(self, blobs: Blobs) -> None:
        """By its version as text, not by when it was put."""
        for version in ("0002", "0010", "0001"):
            blobs.put("a", version, version.encode(), {"version": version})
        assert _newest(blobs, "a") == b"0010"

    def test_names_do_not_mix(self, blobs: Blobs) -> None:
        """Each name has its own newest, and is pruned alone."""
        blobs.put("a", "1", b"of a", {})
        blobs.put("ab", "2", b"of ab", {})
        assert _newest(blobs, "a") == b"of a"
        assert _newest(blobs, "ab") == b"of ab"
        blobs.prune("a", 0)
        assert blobs.newest("a") is None
        assert _newest(blobs, "ab") == b"of ab"

    def test_put_again_replaces(self, blobs: Blobs) -> None:
        """The same version: bytes and manifest are the new ones."""
        blobs.put("a", "1", b"first", {"n": 1, "only": "first"})
        blobs.put("a", "1", b"second", {"n": 2})
        found = blobs.newest("a")
        assert found is not None
        assert (found[0], found[1]["n"], "only" in found[1]) == (b"second", 2, False)

    def test_prune_keeps_the_newest(self, blobs: Blobs) -> None:
        """So many of them: what comes to light under a damaged one is still there, the rest is not."""
        for number in range(5):
            blobs.put("a", str(number), str(number).encode(), {})
        blobs.prune("a", 2)
        assert _newest(blobs, "a") == b"4"
        self.damage(blobs, "a", "4")
        assert _newest(blobs, "a") == b"3"
        self.damage(blobs, "a", "3")
        assert blobs.newest("a") is None

    def test_a_damaged_one_is_passed_over(self, blobs: Blobs) -> None:
        """It is never returned; the one before it is. Putting it again mends it."""
        blobs.put("a", "1", ALL_BYTES, {})
        blobs.put("a", "2", ALL_BYTES[1:], {})
        self.damage(blobs, "a", "2")
        assert _newest(blobs, "a") == ALL_BYTES
        blobs.put("a", "2", ALL_BYTES[1:], {})
        assert _newest(blobs, "a") == ALL_BYTES[1:]

    def test_a_retired_one_is_passed_over(self, blobs: Blobs) -> None:
        """It is kept, told of, and can be taken back; what is not there cannot be retired."""
        for number in range(3):
            blobs.put("a", str(number), str(number).encode(), {"n": number})
        blobs.retire("a", "2")
        assert _newest(blobs, "a") == b"1"
        told = [(each.version, each.manifest["n"], each.retired) for each in blobs.versions("a")]
        assert told == [("2", 2, True), ("1", 1, False), ("0", 0, False)]
        assert blobs.get("a", "2") == b"2"
        blobs.prune("a", 1)
        assert [each.version for each in blobs.versions("a")] == ["2", "1"]
        blobs.retire("a", "2", retired=False)
        assert _newest(blobs, "a") == b"2"
        with pytest.raises(NotFound):
            blobs.retire("a", "7")

    def test_one_version(self, blobs: Blobs) -> None:
        """By its name; one that is damaged or absent is not there."""
        blobs.put("a", "1", ALL_BYTES, {})
        blobs.put("a", "2", b"x", {})
        assert blobs.get("a", "1") == ALL_BYTES
        self.damage(blobs, "a", "1")
        assert blobs.get("a", "1") is None
        assert blobs.get("a", "3") is None
        assert [each.version for each in blobs.versions("a")] == ["2"]

    def test_the_manifest_is_the_callers(self, blobs: Blobs) -> None:
        """Putting does not change it, and changing it later does not change the blob."""
        manifest: dict[str, object] = {"n": 1}
        blobs.put("a", "1", b"x", manifest)
        assert manifest == {"n": 1}
        manifest["n"] = 2
        found = blobs.newest("a")
        assert found is not None
        assert found[1]["n"] == 1


def _newest(blobs: Blobs, name: str) -> bytes | None:
    found = blobs.newest(name)
    return None if found is None else found[0]
