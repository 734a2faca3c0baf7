"""What a client may send to a real sandbox, and what stays on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.sandboxes import Upstream, client_request, create_document, created


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        # To the mock that refuses, prod is a sandbox like any other: it is the run's that is not.
        ({"x-sandbox-name": "prod"}, 400),
        ({"x-sandbox-name": None}, 400),
        ({"x-gw-ims-org-id": "ANOTHER@AdobeOrg"}, 403),
        ({"x-gw-ims-org-id": None}, 400),
        ({"x-api-key": "another"}, 403),
        ({"x-api-key": None}, 403),
        ({"Authorization": None}, 403),
        ({"Authorization": "Bearer someone-else's"}, 401),
        ({"Authorization": "Basic c29tZW9uZTplbHNl"}, 401),
        ({"x-sandbox-id": "0a11ce00-0000-4000-8000-000000000001"}, 404),
    ],
)
def test_a_request_with_another_head_is_refused_here(
    upstream: Upstream, tmp_path: Path, changed: dict[str, str | None], status: int
) -> None:
    handler = upstream.handler(tmp_path)
    request = client_request(handler, "GET", "/connections", changed=changed)
    response = handler.handle(request)
    assert response.injected
    assert response.status == status
    assert upstream.flow_requests() == []
    assert len(handler.about()["held_back"]) == 1


def test_another_token_is_refused_as_the_service_refuses_it(
    upstream: Upstream, tmp_path: Path
) -> None:
    handler = upstream.handler(tmp_path)
    changed = {"Authorization": "Bearer someone-else's"}
    response = handler.handle(client_request(handler, "GET", "/connections", changed=changed))
    assert (response.status, response.json["error_code"]) == (401, "401013")
    assert b"someone-else" not in response.body


@pytest.mark.parametrize(
    ("method", "tail", "document"),
    [
        ("PATCH", "", [{"op": "replace", "path": "/name", "value": "mine now"}]),
        ("DELETE", "", None),
        ("GET", "/test", None),
        ("GET", "/explore?objectType=root", None),
        ("POST", "/action?op=publish", {}),
    ],
)
def test_what_is_not_the_runs_is_not_touched(
    upstream: Upstream, tmp_path: Path, method: str, tail: str, document: Any
) -> None:
    foreign = upstream.service.seed_connection(upstream.credentials.ims_org_id, "dev")
    before = list(upstream.service.connections())
    handler = upstream.handler(tmp_path)
    path = f"/connections/{foreign['id']}{tail}"
    changed = {"If-Match": str(foreign["etag"])}
    response = handler.handle(
        client_request(handler, method, path, document=document, changed=changed)
    )
    assert (response.status, response.injected) == (404, True)
    assert list(upstream.service.connections()) == before
    assert upstream.flow_requests() == []
    assert handler.about()["held_back"] == [f"{method} about a connection not of this run"]


def test_what_the_run_created_may_be_changed_and_deleted(
    upstream: Upstream, tmp_path: Path
) -> None:
    handler = upstream.handler(tmp_path)
    connection_id = created(handler)
    read = handler.handle(client_request(handler, "GET", f"/connections/{connection_id}"))
    rename = [{"op": "replace", "path": "/name", "value": "aepmock-0123456789-renamed"}]
    patched = handler.handle(
        client_request(
            handler,
            "PATCH",
            f"/connections/{connection_id}",
            document=rename,
            changed={"If-Match": str(read.json["items"][0]["etag"])},
        )
    )
    gone = handler.handle(client_request(handler, "DELETE", f"/connections/{connection_id}"))
    assert (read.status, patched.status, gone.status) == (200, 200, 204)
    assert upstream.names() == []
    assert handler.owned == {}


@pytest.mark.parametrize(
    "step",
    [
        {"op": "replace", "path": "/name", "value": "a name of one's own"},
        {"op": "ADD", "path": "/name", "value": 7},
        {"op": "remove", "path": "/name"},
        {"op": "copy", "path": "/name", "from": "/description"},
        {"op": "replace", "path": "", "value": {}},
    ],
)
def test_what_the_run_created_keeps_the_name_that_it_is_known_by(
    upstream: Upstream, tmp_path: Path, step: dict[str, Any]
) -> None:
    handler = upstream.handler(tmp_path)
    path = f"/connections/{created(handler)}"
    request = client_request(handler, "PATCH", path, document=[step], changed={"If-Match": '"any"'})
    assert handler.handle(request).injected
    assert not [r for r in upstream.flow_requests() if r.startswith("PATCH")]
    assert handler.about()["held_back"] == ["PATCH to give a connection of the run another name"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "a name of one's own"}, "under another name"),
        ({"name": None}, "without a name"),
        ({"connectionSpec": {"id": "0a11ce00-0000-4000-8000-0000000005ec"}}, "without credentials"),
        (
            {"auth": {"specName": "Basic Authentication", "params": {"clientId": "made up"}}},
            "other credentials",
        ),
    ],
)
def test_a_create_that_the_run_could_not_answer_for_stays_here(
    upstream: Upstream, tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    handler = upstream.handler(tmp_path)
    document = {**create_document(handler), **fields}
    response = handler.handle(client_request(handler, "POST", "/connections", document=document))
    assert response.injected
    assert 400 <= response.status < 500
    assert upstream.names() == []
    assert reason in handler.about()["held_back"][0]


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"name": "\xff"}'])
def test_a_create_that_is_no_json_object_stays_here(
    upstream: Upstream, tmp_path: Path, body: bytes
) -> None:
    handler = upstream.handler(tmp_path)
    response = handler.handle(client_request(handler, "POST", "/connections", document=body))
    assert response.injected
    assert response.status >= 400
    assert upstream.flow_requests() == []


def test_what_is_no_operation_stays_here(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path)
    response = handler.handle(client_request(handler, "DELETE", "/flows/1"))
    assert response.injected
    assert response.status >= 400
    assert upstream.flow_requests() == []


def test_a_request_that_may_go_reaches_the_service_at_its_own_address(
    upstream: Upstream, tmp_path: Path
) -> None:
    base_url = "https://stand-in.example:8443/t/a/data/foundation/flowservice"
    handler = upstream.handler(tmp_path, base_url=base_url)
    upstream.answers.append(lambda r: None if "/ims/" in r.path else _nothing(r))
    handler.handle(client_request(handler, "GET", "/connections?limit=2"))
    sent = upstream.requests[-1]
    assert sent.url == f"{base_url}/connections?limit=2"


def _nothing(_: object) -> Any:
    from aepmock.messages import Response

    return Response(200)
