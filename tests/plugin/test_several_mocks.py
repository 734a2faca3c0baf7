"""Several mocks at once: each gets its own requests, whatever their seeds."""

from __future__ import annotations

import threading

import httpx

import aepmock
from aepmock.client_api import ClientSettings
from aepmock.mocks.mock import Mock


def headers(settings: ClientSettings, **changes: str | None) -> dict[str, str]:
    found = {
        "Authorization": f"Bearer {settings.access_token}",
        "x-api-key": settings.api_key,
        "x-gw-ims-org-id": settings.ims_org_id,
        "x-sandbox-name": settings.sandbox_name,
    }
    return {k: v for k, v in {**found, **changes}.items() if v is not None}


def names(settings: ClientSettings) -> list[str]:
    answer = httpx.get(f"{settings.base_url}/connections", headers=headers(settings))
    return [item["name"] for item in answer.json()["items"]]


def ask(settings: ClientSettings, **changes: str | None) -> int:
    url = f"{settings.base_url}/connections"
    return httpx.get(url, headers=headers(settings, **changes)).status_code


def fresh_token(settings: ClientSettings) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "scope": settings.scopes,
    }
    return str(httpx.post(settings.ims_token_url, data=form).json()["access_token"])


def test_mocks_with_one_seed_get_their_own_requests() -> None:
    with aepmock.mock() as outer, aepmock.mock() as middle, aepmock.mock() as inner:
        mocks = [outer, middle, inner]
        for number, mock in enumerate(mocks):
            mock.seed_connection(name=str(number))
        assert [names(mock.settings) for mock in mocks] == [["0"], ["1"], ["2"]]
        assert [len(mock.journal) for mock in mocks] == [1, 1, 1]


def test_their_tokens_of_the_token_endpoint_are_their_own() -> None:
    with aepmock.mock() as outer, aepmock.mock() as inner:
        tokens = [fresh_token(mock.settings) for mock in (outer, inner)]
        assert len({*tokens, outer.settings.access_token, inner.settings.access_token}) == 4
        for mock, token in zip((outer, inner), tokens, strict=True):
            assert ask(mock.settings, Authorization=f"Bearer {token}") == 200
        assert [len(mock.journal) for mock in (outer, inner)] == [2, 2]


def seen(mock: Mock) -> tuple[object, ...]:
    item = mock.seed_connection(name="a")
    return item["id"], item["etag"], mock.settings.ims_org_id


def test_ids_and_etags_follow_from_the_seed_alone() -> None:
    with aepmock.mock() as alone:
        first = seen(alone)
        settings = alone.settings
    with aepmock.mock() as outer, aepmock.mock() as inner:
        assert seen(inner) == seen(outer) == first
        assert outer.settings == settings
        again = inner.settings
    with aepmock.mock(), aepmock.mock() as inner:
        assert inner.settings == again


def test_a_number_is_free_again_once_its_mock_is_over() -> None:
    with aepmock.mock() as first:
        known = first.settings
        with aepmock.mock():
            pass
    with aepmock.mock() as later:
        assert later.settings == known


def test_a_token_of_nobody_reaches_the_mock_whose_key_it_comes_with() -> None:
    with aepmock.mock(strict=False) as outer, aepmock.mock(strict=False) as inner:
        assert ask(outer.settings, Authorization="Bearer of-nobody") == 401
        assert ask(outer.settings, Authorization=None) == 403
        assert [len(mock.journal) for mock in (outer, inner)] == [2, 0]
        assert ask(outer.settings, Authorization="Bearer x", **{"x-api-key": "nobody"}) == 401
        assert [len(mock.journal) for mock in (outer, inner)] == [2, 1]


def test_threads_do_not_disturb_each_other() -> None:
    """Not even by requests that name nobody: those are for the mock of their thread."""
    found: dict[int, tuple[list[str], list[int]]] = {}
    barrier = threading.Barrier(4, timeout=30)

    def work(number: int) -> None:
        with aepmock.mock(strict=False) as mock:
            barrier.wait()
            mock.seed_connection(name=str(number))
            got = names(mock.settings)
            ask(mock.settings, Authorization=None, **{"x-api-key": None})
            barrier.wait()
            found[number] = got, [entry.response.status for entry in mock.journal]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: ([str(number)], [200, 403]) for number in range(4)}
