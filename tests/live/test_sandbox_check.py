"""Which sandbox a run may write to, and what the doctor says before anyone tries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aepmock.errors import UsageError
from aepmock.live.doctor import examine
from aepmock.messages import Headers, Request, Response
from tests.live.sandboxes import PARAMS, Upstream

LOOK_UP = "/data/foundation/sandbox-management/sandboxes/"


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


def beginning(upstream: Upstream, folder: Path, **changed: Any) -> list[str]:
    """What a run that does nothing says; no folder is left of one that must not begin."""
    said: list[str] = []
    with upstream.running(folder, said, **changed):
        pass
    return said


def looked_up(upstream: Upstream, status: int, document: Any) -> None:
    def answer(request: Request) -> Response | None:
        if not request.path.startswith(LOOK_UP):
            return None
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return Response(status, Headers({"Content-Type": "application/json"}), body)

    upstream.answers.append(answer)


def test_production_is_refused_after_the_look_up(upstream: Upstream, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="production") as caught:
        beginning(upstream, tmp_path, sandbox="prod")
    assert "--live-allow-sandbox prod" in str(caught.value)
    assert [r.path for r in upstream.requests] == ["/ims/token/v3", f"{LOOK_UP}prod"]
    assert not (tmp_path / ".aepmock").exists()


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (200, {"name": "dev", "type": "production", "state": "active"}),
        (200, {"name": "dev", "type": "development", "state": "creating"}),
        (200, {"name": "dev", "type": "staging", "state": "active"}),
        (200, {"name": "dev", "state": "active"}),
        (200, {"name": "dev", "type": "development"}),
        (200, {"name": "another", "type": "development", "state": "active"}),
        (200, []),
        (200, b"<html>"),
        (404, {"title": "Not found"}),
        (500, {}),
    ],
)
def test_every_other_sandbox_is_refused(
    upstream: Upstream, tmp_path: Path, status: int, document: Any
) -> None:
    looked_up(upstream, status, document)
    with pytest.raises(UsageError, match="nothing was written") as caught:
        beginning(upstream, tmp_path)
    assert "\n" not in str(caught.value)
    assert upstream.flow_requests() == []


def test_who_may_not_look_a_sandbox_up_finds_it_in_the_list(
    upstream: Upstream, tmp_path: Path
) -> None:
    looked_up(upstream, 403, {"title": "Forbidden"})
    assert "development" in beginning(upstream, tmp_path)[0]
    with pytest.raises(UsageError, match="production"):
        beginning(upstream, tmp_path, sandbox="prod")
    with pytest.raises(UsageError, match="could not be learned"):
        beginning(upstream, tmp_path, sandbox="nowhere")


def test_a_sandbox_that_is_named_is_allowed(upstream: Upstream, tmp_path: Path) -> None:
    said = beginning(upstream, tmp_path, sandbox="prod", allow_sandbox="prod")
    assert "production" in said[0]


def test_to_name_another_sandbox_allows_nothing(upstream: Upstream, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--live-allow-sandbox"):
        beginning(upstream, tmp_path, sandbox="prod", allow_sandbox="dev")
    assert upstream.requests == []


def test_what_will_be_done_is_said_before_it_is_done(upstream: Upstream, tmp_path: Path) -> None:
    said: list[str] = []
    with upstream.running(tmp_path, said) as run:
        assert not [r for r in upstream.requests if r.method == "POST" and "flow" in r.path]
        text = "\n".join(said)
        assert f"aepmock-{run.plan.run}-" in text
    for part in ("sandbox dev", "at most 500", upstream.credentials.ims_org_id, ".jsonl"):
        assert part in text


def examined(upstream: Upstream, **changed: Any) -> tuple[int, str]:
    said: list[str] = []
    settings = upstream.settings(**changed)
    status = examine(settings, connector="hubspot", say=said.append, ports=upstream.ports)
    return status, "\n".join(said)


NOTHING_SENT = "nothing was sent: the settings above that are missing come first"


def test_the_doctor_finds_nothing_wrong_and_creates_nothing(upstream: Upstream) -> None:
    status, said = examined(upstream)
    assert status == 0
    assert "ready for --live" in said
    assert {r.method for r in upstream.requests if "/ims/" not in r.path} == {"GET"}
    for secret in (upstream.credentials.client_secret, *PARAMS.values()):
        assert secret not in said


@pytest.mark.parametrize(
    ("changed", "part", "end"),
    [
        ({"client_id": ""}, "AEPMOCK_LIVE_CLIENT_ID is not set", NOTHING_SENT),
        ({"client_secret": "a-wrong-secret"}, "AEPMOCK_LIVE_CLIENT_SECRET", "not ready"),
        ({"sandbox": "nowhere"}, "could not be learned", "not ready"),
        ({"sandbox": "prod"}, "production", "not ready"),
        ({"credentials": {}}, "AEPMOCK_LIVE_HUBSPOT_CLIENT_ID is not set", "not ready"),
    ],
)
def test_the_doctor_says_what_is_wrong(
    upstream: Upstream, changed: dict[str, Any], part: str, end: str
) -> None:
    status, said = examined(upstream, **changed)
    assert status == 2
    assert part in said
    assert said.splitlines()[-1] == end
    assert (upstream.requests == []) is (end == NOTHING_SENT)
    assert "a-wrong-secret" not in said
