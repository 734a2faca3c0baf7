"""What strangers leave behind in a mock: nothing for reads, and never more than its limits."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable

import pytest

from aepmock.clock import Clock
from aepmock.errors import UsageError
from aepmock.messages import Headers, Request, Response
from aepmock.server.instances import MOST_CREDENTIALS, MockInstance, Options
from aepmock.service import FlowService
from aepmock.service.gateway import MOST_ISSUED
from tests.server.running import CREATE, running

CONNECTIONS = "/data/foundation/flowservice/connections"
ORIGIN = "http://127.0.0.1:1"
SLACK = 200
"""Objects that come and go by themselves."""


def stranger(number: int, method: str = "GET", body: bytes = b"", tail: str = "") -> Request:
    """A request with a token, a key and an organization that nobody else has."""
    fields = [
        ("Authorization", f"Bearer token-{number:032}"),
        ("x-api-key", f"key-{number}"),
        ("x-gw-ims-org-id", f"org-{number}@AdobeOrg"),
        ("x-sandbox-name", "dev"),
        ("Content-Type", "application/json"),
    ]
    return Request(method, ORIGIN, CONNECTIONS + tail, Headers(fields), body)


def grown(do: Callable[[int], object], warm: int, most: int) -> int:
    """By how many objects the process grew from the warm-up on."""
    for number in range(warm):
        do(number)
    gc.collect()
    before = len(gc.get_objects())
    for number in range(warm, most):
        do(number)
    gc.collect()
    return len(gc.get_objects()) - before


def test_ten_thousand_strangers_who_read_leave_nothing_in_the_service() -> None:
    service = FlowService(accept_any=True)

    def read(number: int) -> None:
        assert service.handle(stranger(number)).status == 200

    # As many organizations are at hand when counting begins as when it ends.
    assert abs(grown(read, 1_000, 10_000)) < SLACK


def test_strangers_who_read_leave_nothing_in_a_mock_of_the_server() -> None:
    instance = MockInstance("", Options(max_journal=50), Clock())
    assert abs(grown(lambda number: instance.handle(stranger(number)), 1_000, 2_000)) < SLACK


def test_strangers_who_clean_up_leave_nothing() -> None:
    service = FlowService(accept_any=True)

    def create_and_delete(number: int) -> None:
        made = service.handle(stranger(number, "POST", json.dumps(CREATE).encode())).json["id"]
        assert service.handle(stranger(number, "DELETE", tail=f"/{made}")).ok

    assert abs(grown(create_and_delete, 1_000, 2_000)) < SLACK


def test_the_id_of_a_sandbox_is_the_same_after_it_was_forgotten() -> None:
    service = FlowService(accept_any=True)
    service.gateway.add_sandbox("org", "stage")
    before = dict(service.gateway.sandboxes("org"))
    for number in range(2_000):
        service.gateway.sandboxes(f"org-{number}")
    assert service.gateway.sandboxes("org") == before
    ids = {sandbox.id for sandbox in before.values()}
    ids |= {sandbox.id for sandbox in service.gateway.sandboxes("org-1").values()}
    ids |= {sandbox.id for sandbox in FlowService(seed=1).gateway.sandboxes("org").values()}
    assert len(ids) == 7


def fetch(service: FlowService) -> Response:
    form = b"grant_type=client_credentials&client_id=c&client_secret=s&scope=openid"
    headers = Headers([("Content-Type", "application/x-www-form-urlencoded")])
    return service.handle(Request("POST", ORIGIN, "/ims/token/v3", headers, form))


def test_a_client_that_fetches_a_token_for_each_call_does_not_fill_the_memory() -> None:
    service = FlowService(accept_any=True)
    assert abs(grown(lambda _: fetch(service), MOST_ISSUED, MOST_ISSUED + 1_000)) < SLACK


def test_minted_credentials_outlive_any_number_of_fetched_tokens() -> None:
    service = FlowService()
    made = service.mint_credentials()
    first = service.gateway.issue(made)
    for _ in range(MOST_ISSUED):
        service.gateway.issue(made)
    assert not service.gateway.has_token(first)
    assert service.gateway.has_token(made.access_token)


def test_a_mock_mints_a_bounded_number_of_credentials_and_says_what_to_do() -> None:
    instance = MockInstance("", Options(), Clock())
    for _ in range(MOST_CREDENTIALS):
        instance.mint()
    with pytest.raises(UsageError, match="make another mock"):
        instance.mint()


def test_a_full_mock_says_so_and_goes_on_with_everything_else() -> None:
    with running("--max-resources", "2") as server:
        made = [server.create() for _ in range(2)]
        assert [answer.status for answer in made] == [201, 201]
        full = server.create()
        assert full.status == 507
        assert full.headers["Content-Type"] == "application/problem+json"
        assert "holds 2 of its 2 connections" in full.json["detail"]
        assert server.control("POST", "/seed", {"connections": [{}]}).status == 429
        headers = server.credentials(server.ready["credentials"]["access_token"])
        path = f"{CONNECTIONS}/{made[0].json['id']}"
        assert server.ask("GET", path, headers=headers).status == 200
        assert server.control("GET", "/verdict").json["broken"] == 0
        assert server.ask("DELETE", path, headers=headers).status in (200, 202, 204)
        assert server.control("POST", "/seed", {"connections": [{}, {}]}).status == 429
        assert server.control("GET", "/state").json["count"] == 1
        assert server.create().status == 201
