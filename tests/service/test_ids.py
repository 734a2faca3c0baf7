"""Names come from the seed."""

from __future__ import annotations

import re
from uuid import UUID

from aepmock.service import IdSource


def test_ids_are_uuids_of_version_4() -> None:
    ids = IdSource(1)
    made = [ids.uuid() for _ in range(100)]
    assert all(str(UUID(one)) == one and UUID(one).version == 4 for one in made)
    assert len(set(made)) == 100


def test_the_same_seed_gives_the_same_names() -> None:
    first, second, other = IdSource(1), IdSource(1), IdSource(2)
    assert first.uuid() == second.uuid() != other.uuid()
    assert first.hex(7) == second.hex(7)


def test_hex_has_as_many_digits_as_were_asked_for() -> None:
    ids = IdSource(3)
    assert all(re.fullmatch(r"[0-9a-f]{5}", ids.hex(5)) for _ in range(200))


def test_an_etag_carries_its_quotes_and_its_second() -> None:
    etag = IdSource(0).etag(1_598_038_319_627)
    assert re.fullmatch(r'"[0-9a-f]{8}-0000-0200-0000-5f40212f0000"', etag)
