"""What a judged create through the respx transport costs, against a bare respx route, in one run.

Both sides send the same request by the same httpx client; the bare route answers it with a
constant. Prints the ratio; exit status 1 above the bar.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import httpx
import respx

import aepmock
from aepmock import ClientSettings

BAR = 1.6
ROUNDS = 15
CALLS = 200


def create(client: httpx.Client, settings: ClientSettings, body: bytes) -> httpx.Response:
    """One create as a client would send it."""
    return client.post(
        f"{settings.base_url}/connections",
        headers={
            "Authorization": f"Bearer {settings.access_token}",
            "x-api-key": settings.api_key,
            "x-gw-ims-org-id": settings.ims_org_id,
            "x-sandbox-name": settings.sandbox_name,
            "Content-Type": "application/json",
        },
        content=body,
    )


def bare(client: httpx.Client, settings: ClientSettings, body: bytes) -> float:
    """Seconds for a round through a bare side-effect route with a constant answer."""
    answer = json.dumps({"id": "2fce94c1-9a93-4971-8e94-c19a93097129", "etag": '"1"'}).encode()
    fields = [(b"content-type", b"application/json")]

    def constant(request: httpx.Request) -> httpx.Response:
        return httpx.Response(201, headers=fields, content=answer)

    with respx.mock(assert_all_called=False) as router:
        router.route(host="platform.adobe.io").mock(side_effect=constant)
        return timed(lambda: create(client, settings, body))


def judged(client: httpx.Client, body: bytes) -> float:
    """Seconds for a round on a mock in strict mode, the judging of every request included."""
    with aepmock.mock(transport="httpx") as service:
        settings = service.settings
        seconds = timed(lambda: create(client, settings, body))
        started = perf_counter()
    return seconds + perf_counter() - started


def timed(action: Callable[[], httpx.Response]) -> float:
    started = perf_counter()
    for _ in range(CALLS):
        assert action().status_code == 201
    return perf_counter() - started


def main() -> int:
    connector = aepmock.load_contract().connectors["hubspot"]
    spec = connector.auth[0]
    document = {
        "name": "HubSpot",
        "auth": {"specName": spec.name, "params": {p.name: f"a {p.name}" for p in spec.params}},
        "connectionSpec": {"id": connector.spec_id, "version": connector.versions[-1]},
    }
    body = json.dumps(document).encode()
    with httpx.Client() as client, aepmock.mock() as service:
        settings = service.settings
    with httpx.Client() as client:
        bare(client, settings, body), judged(client, body)
        ratios = []
        for _ in range(ROUNDS):
            floor = bare(client, settings, body)
            ratios.append(judged(client, body) / floor)
        microseconds = floor / CALLS * 1e6
    ratio = median(ratios)
    print(f"bare respx route      1.00   ({microseconds:.0f} µs a call)")
    print(f"judged create         {ratio:.2f}   (bar {BAR})")
    return int(ratio > BAR)


if __name__ == "__main__":
    sys.exit(main())
