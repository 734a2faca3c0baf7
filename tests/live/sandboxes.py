"""A sandbox for the tests of live runs: a mock without a socket, a clock, and what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.outbound.transport import LostError
from aepmock.live.session.plan import Plan, Ports
from aepmock.live.session.run import LiveRun, live_run
from aepmock.live.settings import LiveSettings
from aepmock.messages import Headers, Request, Response
from aepmock.service import FlowService

PARAMS = {
    "clientId": "hub-client-id",
    "clientSecret": "hub-client-secret",
    "accessToken": "hub-access-token",
    "refreshToken": "hub-refresh-token",
}
PLATFORM = "https://platform.adobe.io"
SPEC = {"id": "cc6a4487-9e91-433e-a3a3-9cf6626c1806", "version": "1.0"}
AUTH = {"specName": "Basic Authentication", "params": PARAMS}

Answer = Callable[[Request], Response | None]


@dataclass
class FakeTime:
    """Time that goes by only when someone sleeps; `slept` are the seconds of each wait."""

    now_s: float = 1_767_225_600.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now_s += seconds


@dataclass
class Upstream:
    """The service behind a live run. `answers` are asked first; what was sent is kept."""

    service: FlowService = field(default_factory=FlowService)
    answers: list[Answer] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    time: FakeTime = field(default_factory=FakeTime)

    def __post_init__(self) -> None:
        self.credentials = self.service.mint_credentials()

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        for answer in self.answers:
            response = answer(request)
            if response is not None:
                return response
        response = self.service.handle(request)
        if request.method in self.lost:
            self.lost.discard(request.method)
            raise LostError("the answer was lost")
        return response

    @property
    def ports(self) -> Ports:
        return Ports(self.send, self.time.now, self.time.sleep)

    def settings(self, **changed: Any) -> LiveSettings:
        made = self.credentials
        settings = LiveSettings(
            client_id=made.client_id,
            client_secret=made.client_secret,
            scopes=made.scopes,
            org_id=made.ims_org_id,
            sandbox="dev",
            credentials={"hubspot": PARAMS},
            rate=100_000,
        )
        return replace(settings, **changed)

    def handler(self, folder: Path, **changed: Any) -> LiveHandler:
        """A handler of a run whose process this is."""
        plan = Plan(
            "0123456789",
            self.settings(**changed),
            str(folder),
            str(folder / "0123456789.jsonl"),
            round(self.time.now() * 1000),
        )
        handler = LiveHandler(plan, self.ports, owner=True)
        handler.journal.begin(
            {
                "run": plan.run,
                "started_ms": plan.started_ms,
                "base_url": handler.settings.base_url,
                "org_id": handler.settings.org_id,
                "sandbox": "dev",
            }
        )
        return handler

    @contextmanager
    def running(self, folder: Path, said: list[str], **changed: Any) -> Iterator[LiveRun]:
        """A live run from its beginning to its end."""
        with live_run(
            self.settings(**changed),
            folder=folder,
            connector="hubspot",
            say=said.append,
            ports=self.ports,
        ) as run:
            yield run

    def names(self) -> list[str]:
        """Names of everything in the sandbox."""
        return [str(item["name"]) for item in self.service.connections()]

    def flow_requests(self) -> list[str]:
        """What was asked of Flow Service, as "POST /connections"."""
        base = self.service.contract.base_path
        return [
            f"{r.method} {r.path.removeprefix(base)}"
            for r in self.requests
            if r.path.startswith(base)
        ]


def client_request(
    handler: LiveHandler,
    method: str,
    below: str,
    *,
    document: Any = None,
    changed: Mapping[str, str | None] | None = None,
) -> Request:
    """A request as a right client sends it; `changed` headers are set, or left out for None."""
    import json

    fields: dict[str, str | None] = {**handler.own_headers(), **(changed or {})}
    body = b""
    if document is not None:
        fields.setdefault("Content-Type", "application/json")
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = Headers({name: value for name, value in fields.items() if value is not None})
    return Request(method, PLATFORM, handler.contract.base_path + below, headers, body)


def create_document(handler: LiveHandler, name: str = "of the client") -> dict[str, Any]:
    """The body of a create under the run's name."""
    return {"name": f"aepmock-{handler.plan.run}-{name}", "connectionSpec": SPEC, "auth": AUTH}


def created(handler: LiveHandler, name: str = "of the client") -> str:
    """The id of a connection that a client of the run creates."""
    document = create_document(handler, name)
    response = handler.handle(client_request(handler, "POST", "/connections", document=document))
    assert response.status == 201, response
    return str(response.json["id"])
