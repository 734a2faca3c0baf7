"""Request limit, rate, Retry-After and the token: what a live run does not do to a service."""

from __future__ import annotations

from email.utils import formatdate
from pathlib import Path

import pytest

from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.outbound.throttle import is_disturbance, retry_after_s
from aepmock.live.session.cleanup import delete_all
from aepmock.live.session.shared_state import LiveStopped
from aepmock.messages import Headers, Request, Response
from tests.live.sandboxes import Upstream, client_request, create_document, created

EXPIRED = b'{"error_code": "401013", "message": "Oauth token is not valid"}'
JSON = Headers({"Content-Type": "application/json"})


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


def listed(upstream: Upstream) -> int:
    return upstream.flow_requests().count("GET /connections")


def test_requests_keep_their_pace(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path, rate=5.0)
    for _ in range(6):
        handler.ask("GET", "/connections?limit=1")
    # The token is the first of the seven requests.
    assert sum(upstream.time.slept) == pytest.approx(6 * 0.2)


def test_a_budget_leaves_enough_to_delete_what_was_created(
    upstream: Upstream, tmp_path: Path
) -> None:
    handler = upstream.handler(tmp_path, max_requests=20)
    while not handler.throttle.spent():
        created(handler)
    assert len(handler.owned) > 3
    held = handler.handle(
        client_request(handler, "POST", "/connections", document=create_document(handler))
    )
    assert (held.status, held.injected) == (429, True)
    assert delete_all(handler).clean
    assert upstream.names() == []
    assert len(upstream.requests) <= 20


@pytest.mark.parametrize("as_date", [False, True])
def test_a_retry_after_is_honoured(upstream: Upstream, tmp_path: Path, as_date: bool) -> None:
    handler = upstream.handler(tmp_path)
    handler.tokens.current()
    value = formatdate(upstream.time.now() + 7, usegmt=True) if as_date else "7"
    throttled = [Response(429, Headers({"Retry-After": value}))]
    upstream.answers.append(lambda _: throttled.pop() if throttled else None)
    response = handler.ask("GET", "/connections?limit=1")
    assert response.status == 200
    assert sum(upstream.time.slept) == pytest.approx(7, abs=1)


def test_no_wait_is_longer_than_a_minute(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path)
    handler.tokens.current()
    throttled = [Response(429, Headers({"Retry-After": "86400"}))]
    upstream.answers.append(lambda _: throttled.pop() if throttled else None)
    handler.ask("GET", "/connections?limit=1")
    assert max(upstream.time.slept) <= 60


def test_without_a_retry_after_the_waits_double(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path)
    handler.tokens.current()
    ill = [Response(503), Response(503), Response(503)]
    upstream.answers.append(lambda _: ill.pop() if ill else None)
    assert handler.ask("GET", "/connections?limit=1").status == 200
    assert [round(s) for s in upstream.time.slept if s > 0.1] == [2, 4, 8]
    assert handler.about()["disturbed"] == 3


def test_a_client_that_comes_again_too_early_is_kept_here(
    upstream: Upstream, tmp_path: Path
) -> None:
    handler = upstream.handler(tmp_path)
    handler.tokens.current()
    throttled = [Response(429, Headers({"Retry-After": "7"}))]
    upstream.answers.append(lambda _: throttled.pop() if throttled else None)
    request = client_request(handler, "GET", "/connections?limit=1")
    assert handler.handle(request).status == 429
    again = handler.handle(request)
    assert (again.status, again.injected) == (429, True)
    assert listed(upstream) == 1
    upstream.time.sleep(8)
    assert handler.handle(request).status == 200


def test_three_401_in_a_row_stop_the_run(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path, client_secret="", access_token="a-ready-token")
    upstream.answers.append(lambda _: Response(401, JSON, b'{"error_code": "401000"}'))
    handler.ask("GET", "/connections?limit=1")
    handler.ask("GET", "/connections?limit=1")
    with pytest.raises(LiveStopped, match="401"):
        handler.ask("GET", "/connections?limit=1")
    with pytest.raises(LiveStopped):
        handler.ask("GET", "/connections?limit=1")
    assert len(upstream.requests) == 3


def test_a_token_that_has_worked_is_replaced_as_often_as_it_expires(
    upstream: Upstream, tmp_path: Path
) -> None:
    handler = upstream.handler(tmp_path)
    request = client_request(handler, "GET", "/connections?limit=1")
    seen = []
    for _ in range(5):
        # The client goes on with the token that it was given.
        assert [handler.handle(request).status for _ in range(3)] == [200, 200, 200]
        seen.append(handler.tokens.current())
        upstream.service.gateway.expire(seen[-1])
    assert len(set(seen)) == handler.about()["tokens"] == 5


def test_a_token_that_never_worked_is_not_replaced(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path)
    upstream.answers.append(lambda r: None if "/ims/" in r.path else Response(401, JSON, EXPIRED))
    request = client_request(handler, "GET", "/connections?limit=1")
    assert [handler.handle(request).status for _ in range(2)] == [401, 401]
    with pytest.raises(LiveStopped, match="401"):
        handler.handle(request)
    assert handler.about()["tokens"] == 1


def test_a_fresh_token_that_does_not_work_is_not_replaced_either(
    upstream: Upstream, tmp_path: Path
) -> None:
    handler = upstream.handler(tmp_path)
    assert handler.ask("GET", "/connections?limit=1").ok
    upstream.answers.append(lambda r: None if "/ims/" in r.path else Response(401, JSON, EXPIRED))
    assert [handler.ask("GET", "/connections?limit=1").status for _ in range(2)] == [401, 401]
    with pytest.raises(LiveStopped, match="401"):
        handler.ask("GET", "/connections?limit=1")
    assert handler.about()["tokens"] == 2


def test_a_worker_learns_that_a_token_has_worked(upstream: Upstream, tmp_path: Path) -> None:
    with upstream.running(tmp_path, []) as run:
        joined = LiveHandler(run.plan, upstream.ports)
        first = joined.tokens.current()
        upstream.service.gateway.expire(first)
        assert joined.ask("GET", "/connections?limit=1").ok
        assert joined.tokens.current() != first


def test_one_token_serves_the_whole_run(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path)
    created(handler)
    delete_all(handler)
    asked = [r for r in upstream.requests if r.path == "/ims/token/v3"]
    assert len(asked) == handler.about()["tokens"] == 1


def test_a_refusal_of_the_token_endpoint_stops_the_run(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path, client_secret="a-wrong-secret")
    with pytest.raises(LiveStopped, match="AEPMOCK_LIVE_CLIENT_SECRET") as caught:
        handler.ask("GET", "/connections?limit=1")
    assert "a-wrong-secret" not in str(caught.value)
    assert upstream.flow_requests() == []


def test_a_client_that_mints_its_own_token_is_counted(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path)
    made = upstream.credentials
    form = (
        f"grant_type=client_credentials&client_id={made.client_id}"
        f"&client_secret={made.client_secret}&scope={made.scopes}"
    )
    headers = Headers({"Content-Type": "application/x-www-form-urlencoded"})
    ims = "https://ims-na1.adobelogin.com"
    answer = handler.handle(Request("POST", ims, "/ims/token/v3", headers, form.encode()))
    own = {"Authorization": f"Bearer {answer.json['access_token']}"}
    listed = handler.handle(client_request(handler, "GET", "/connections", changed=own))
    assert listed.status == 200
    assert handler.about()["tokens_of_clients"] == 1


@pytest.mark.parametrize(
    ("response", "disturbed"),
    [
        (Response(500, JSON, b"{}"), True),
        (Response(504, injected=True), True),
        (Response(403, Headers({"Content-Type": "text/html"}), b"<html>blocked</html>"), True),
        (Response(404, JSON, b"{}"), False),
        (Response(429, JSON, b"{}"), False),
        (Response(204), False),
    ],
)
def test_what_is_nobodys_fault_is_told_apart(response: Response, disturbed: bool) -> None:
    assert is_disturbance(response) is disturbed


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-1", "Wed, 99 Foo", "\u00b2", "\u0662", "Fri, 01 Jan 99999999999 00:00:00 GMT"],
)
def test_a_retry_after_that_is_none_counts_as_none(value: str) -> None:
    assert retry_after_s(Response(429, Headers({"Retry-After": value})), 0.0) is None


def test_a_retry_after_of_a_thousand_digits_is_a_long_time() -> None:
    assert (
        retry_after_s(Response(429, Headers({"Retry-After": "9" * 1000})), 0.0) == 999_999_999_999
    )
