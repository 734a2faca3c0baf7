"""One example of a live run: what a mock would do beforehand is done by requests of the kit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from aepmock.clients.driver import Outcome
from aepmock.faults.grammar import What
from aepmock.faults.injector import Change
from aepmock.judge import Call
from aepmock.judge.answers import item_of
from aepmock.live.session.journal import is_connection_id
from aepmock.messages import Response
from aepmock.suite.scenario import ALWAYS, Scenario

if TYPE_CHECKING:
    from aepmock.live.suite.harness import LiveHarness

MOST_SEEDED = 5
NO_SPEC = "0a11ce00-0000-4000-8000-0000000005ec"
"""The id of no connection spec."""


class OutOfReach(Exception):
    """What an example needs, a live run can't do. The text says what that is."""


@dataclass
class LiveScenario(Scenario):
    """One example in a real sandbox. `disturbed` says that the service was not itself."""

    disturbed: bool = False

    @property
    def live_harness(self) -> LiveHarness:
        return cast("LiveHarness", self.harness)

    def call(
        self, operation: str, *, sandbox: str | None = None, org: bool = False, **args: Any
    ) -> Outcome | None:
        """As on the mock, in the run's own sandbox only; None where nothing was called."""
        harness = self.live_harness
        if org or sandbox not in (None, harness.home):
            return None
        if operation == "create_connection":
            harness.check_creating()
            # The same values are tried again after a disturbance: the name is of this call.
            args = {**args, "connection": harness.named_afresh(args["connection"])}
        harness.live.throttle.wait()
        if harness.live.throttle.spent():
            return None
        outcome = super().call(operation, **args)
        harness.stop_if_told()
        return outcome

    def seed(self, count: int = 1, **fields: Any) -> list[Mapping[str, Any]]:
        """Creates connections by requests of the kit; at most a few, and by name and description.

        Raises OutOfReach where the service does not let it.
        """
        harness, settings_ = self.live_harness, self.live_harness.settings
        if count:
            harness.check_creating()
        items: list[Mapping[str, Any]] = []
        for number in range(min(count, MOST_SEEDED)):
            plain = harness.plain_connection()
            body: dict[str, Any] = {
                "name": harness.name(str(fields.get("name", f"connection {number}"))),
                "connectionSpec": {
                    "id": plain.connection_spec_id,
                    "version": plain.connection_spec_version,
                },
            }
            if fields.get("description") is not None:
                body["description"] = fields["description"]
            if plain.auth_spec_name is not None:
                params = dict(plain.auth_params)
                body["auth"] = {"specName": plain.auth_spec_name, "params": params}
            if harness.live.throttle.spent():
                raise OutOfReach("the budget is spent")
            items.append(
                self._created(harness.live.ask("POST", "/connections", document=body), body)
            )
        self.transcript.calls.append(Call("seed", settings_, returned=items))
        return items

    def _created(self, response: Response, body: Mapping[str, Any]) -> Mapping[str, Any]:
        document = response.json_or_none
        made = response.ok and isinstance(document, dict)
        if not made or not is_connection_id(document.get("id")):
            what = "no answer" if response.injected else str(response.status)
            what += " without an id" if made else ""
            self.disturbed = response.status >= 500
            raise OutOfReach(f"a create of the kit's own was answered with {what}")
        etag = document.get("etag") or self.current_etag(document["id"])
        settings = self.live_harness.live.settings
        return {
            "id": document["id"],
            "etag": etag,
            "name": body["name"],
            "description": body.get("description"),
            "imsOrgId": settings.org_id,
            "sandboxName": settings.sandbox,
        }

    def current_etag(self, connection_id: str) -> str | None:
        """The etag the service shows now, or None where it has no such connection."""
        path = f"/connections/{quote(connection_id, safe='')}"
        item = item_of(self.live_harness.live.ask("GET", path))
        return str(item["etag"]) if item and item.get("etag") else None

    def call_whole_list(self) -> Outcome | None:
        """Lists everything, where that takes few requests."""
        if not self.live_harness.live.plan.whole_lists:
            raise OutOfReach("the sandbox holds too many connections to list them all")
        return self.call("list_connections")

    def look_at_a_long_page(self) -> None:
        """One read, by which drift learns whether the service caps a page."""
        self.live_harness.live.ask("GET", "/connections?limit=101")

    def be_refused(self, kind: str) -> None:
        """Sends one request that harms nobody and is to be refused.

        `kind` is "bad-json", "unknown-spec", "missing-param" or "missing-if-match".
        """
        live, content = self.live_harness.live, {"Content-Type": "application/json"}
        if kind == "bad-json":
            live.ask("POST", "/connections", body=b'{"name": ', headers=content)
            return
        if kind == "missing-if-match":
            path = f"/connections/{quote(self.seed()[0]['id'], safe='')}"
            rename = {"op": "replace", "path": "/name", "value": self.harness.name("not renamed")}
            live.ask("PATCH", path, document=[rename])
            return
        self.live_harness.check_creating()
        plain = self.live_harness.plain_connection()
        spec_id = NO_SPEC if kind == "unknown-spec" else plain.connection_spec_id
        params = dict(plain.auth_params)
        if kind == "missing-param":
            params.pop(next(iter(params)))
        body = {
            "name": self.harness.name("to be refused"),
            "connectionSpec": {"id": spec_id, "version": plain.connection_spec_version},
            "auth": {"specName": plain.auth_spec_name, "params": params},
        }
        live.ask("POST", "/connections", document=body)

    @contextmanager
    def reading(self, **readings: str) -> Iterator[None]:
        raise OutOfReach("needs another reading: only on the mock")
        yield

    @contextmanager
    def answering(self, operation: str, answer: Response, *, times: int = ALWAYS) -> Iterator[None]:
        raise OutOfReach("needs faults: only on the mock")
        yield

    @contextmanager
    def faulting(
        self,
        operation: str,
        what: What,
        *,
        times: int = 1,
        when: Mapping[str, Any] | None = None,
    ) -> Iterator[None]:
        raise OutOfReach("needs faults: only on the mock")
        yield

    @contextmanager
    def changing(self, operation: str, change: Change) -> Iterator[None]:
        raise OutOfReach("needs faults: only on the mock")
        yield
