"""A mock that is kept in the state of the live service, and foretells its answers.

It sees the run's exchanges in order. Where the live service did something else than the mock
would have, the mock is brought in line afterwards, so that one difference is told once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from aepmock.clock import Clock
from aepmock.contract import Contract, json_response
from aepmock.live.drift import lists
from aepmock.live.drift.compare import Difference, Key, Names, compare, opaque
from aepmock.live.drift.sanitize import KEY, ORG, SANDBOX, Seen, connection_id, form
from aepmock.messages import Headers, Request, Response
from aepmock.net import PLATFORM
from aepmock.service import FlowService
from aepmock.service.engine import CLAUSE_HEADER
from aepmock.service.store import Connection

FORMS_ONLY = ("connections.explore", "connections.configs")
"""Operations that answer with data of others: compared is what it looks like."""
LISTS = ("connections.list", "connections.search")
ANOTHER_ANSWER = 100
IRRESOLUTE = ("update", "delete", "action")


@dataclass(frozen=True)
class Prediction:
    """What the mock would have answered, and what the live answer has instead.

    `subject` is the operation, or the clause or rule by which the mock refused; `settled` says
    that a connection had to be taken for initialized meanwhile.
    """

    service: FlowService
    response: Response
    differences: tuple[Difference, ...]
    names: Names
    subject: str
    settled: bool = False

    @property
    def score(self) -> tuple[int, int]:
        """The lower the nearer to the live answer; another status hides what else may differ."""
        weights = [ANOTHER_ANSWER if d.place == "answer" else 1 for d in self.differences]
        return sum(weights), int(self.settled)


@dataclass
class Shadow:
    """The mock beside a live run that began at a time, "2026-11-24T23:01:12Z".

    `uncertain` holds live ids of connections in an unknown state.
    """

    contract: Contract
    began: str
    service: FlowService = field(init=False)
    known: dict[Key, str] = field(default_factory=dict)
    uncertain: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        # It stands still then: what it made is as old as what the run made, and no older.
        began_ms = round(datetime.fromisoformat(self.began).timestamp() * 1000)
        self.service = FlowService(contract=self.contract, clock=Clock(began_ms))
        self._credentials = self.service.mint_credentials(ims_org_id=ORG)
        self.service.gateway.add_sandbox(ORG, SANDBOX)

    def comparable(self, seen: Seen) -> bool:
        """Whether the mock can know what the answer has to be."""
        named = connection_id(seen)
        if named is None:
            return True
        if named in self.uncertain:
            return False
        # What the run did not make, and yet is there, is someone else's.
        return not (seen.ok and ("id", named) not in self.known)

    def predict(self, seen: Seen, readings: Mapping[str, str]) -> Prediction:
        """What the mock answers by these readings; nothing is changed by asking."""
        first = self._predict(seen, readings)
        if not first.differences:
            return first
        variants = [first]
        if seen.status == 401:
            variants.append(self._predict(seen, readings, expired=True))
        if any(c.state == "initializing" for c in self.service.store):
            variants.append(self._predict(seen, readings, settled=True))
        return min(variants, key=lambda p: p.score)

    def _predict(
        self,
        seen: Seen,
        readings: Mapping[str, str],
        *,
        expired: bool = False,
        settled: bool = False,
    ) -> Prediction:
        service = self.service.fork(readings)
        if settled:
            for connection in service.store:
                if connection.state == "initializing":
                    connection.state = "enabled"
        names = Names(self.known)
        request = self.request(seen, expired=expired)
        live = seen.response or {}
        if seen.operation in LISTS and seen.ok:
            world = lists.World(service, names, frozenset(self.uncertain))
            response, found = lists.compare(seen, request, world)
        else:
            response = service.handle(request)
            if response.ok and seen.operation in FORMS_ONLY:
                response = json_response(response.status, form(response.json))
            found = compare(live, response, names, connection_id(seen))
        subject = response.headers.get(CLAUSE_HEADER) or seen.operation
        return Prediction(service, response, tuple(found), names, subject, settled)

    def follow(self, seen: Seen, prediction: Prediction) -> None:
        """Goes on to the state in which the live service now is."""
        mocked_ok = prediction.response.ok
        if seen.ok or not mocked_ok:
            self.service = prediction.service
        if seen.ok == mocked_ok:
            self.known.update(prediction.names.fresh)
        if seen.ok:
            self._adopt(seen, mocked_ok=mocked_ok)

    def doubt(self, seen: Seen) -> None:
        """Takes note of a write of which nobody knows whether it was done."""
        named = connection_id(seen)
        if named is not None and seen.operation.rpartition(".")[2] in IRRESOLUTE:
            self.uncertain.add(named)

    def resolve(self, seen: Seen) -> None:
        """Brings the mock in line by an answer that could not be compared."""
        named = connection_id(seen)
        if named not in self.uncertain:
            return
        if seen.status == 404 or (seen.ok and seen.operation == "connections.delete"):
            self._remove(named)
            self.uncertain.discard(named)
        elif seen.ok and seen.operation == "connections.get":
            self.uncertain.discard(named)
            self._adopt(seen, mocked_ok=True)

    def request(self, seen: Seen, *, expired: bool = False) -> Request:
        """The request as the mock is to get it: with its own ids, etags and credentials."""
        made = self._credentials
        sent = seen.request
        given: Mapping[str, str] = sent["headers"]
        headers = []
        for name, value in given.items():
            if name == "authorization":
                scheme, _, token = value.partition(" ")
                right = token.startswith("{ACCESS_TOKEN") and not expired
                value = f"{scheme} {made.access_token if right else 'wrong'}"
            elif name == "if-match":
                value = self._if_match(value, connection_id(seen) or "")
            headers.append((name, made.api_key if value == KEY else value))
        if seen.operation == "ims.token":
            asked = {
                "grant_type": "client_credentials",
                "client_id": made.client_id,
                "client_secret": made.client_secret,
                "scope": made.scopes,
            }
            kind = ("content-type", "application/x-www-form-urlencoded")
            body = urlencode(asked).encode()
            return Request("POST", PLATFORM, str(sent["path"]), Headers([kind]), body)
        body = b""
        if "json" in sent:
            body = json.dumps(sent["json"]).encode()
        elif "text" in sent:
            body = str(sent["text"]).encode()
        target = self.contract.base_path + self._path(seen)
        return Request(str(sent["method"]), PLATFORM, target, Headers(headers), body)

    def _path(self, seen: Seen) -> str:
        path = str(seen.request["path"])
        for (scope, live), mocked in self.known.items():
            if scope == "id":
                path = path.replace(live, mocked).replace(quote(live, safe=""), mocked)
        return path

    def _if_match(self, value: str, named: str) -> str:
        mocked = self.known.get((named, opaque(value)))
        if mocked is None:
            return value
        return f'"{mocked}"' if value.rstrip().endswith('"') else mocked

    def _connection(self, live_id: str) -> Connection | None:
        mocked = self.known.get(("id", live_id))
        if mocked is None:
            return None
        return self.service.store.find((ORG, SANDBOX), mocked)

    def _remove(self, live_id: str | None) -> None:
        connection = self._connection(live_id or "")
        if connection is not None:
            self.service.store.remove(connection)

    def _adopt(self, seen: Seen, *, mocked_ok: bool) -> None:
        """Takes over what a success tells about connections of the run."""
        document = (seen.response or {}).get("json")
        named = connection_id(seen)
        if seen.operation == "connections.delete":
            self._remove(named)
            return
        if not isinstance(document, Mapping):
            return
        if seen.operation == "connections.create" and not mocked_ok:
            self._take_in(seen, str(document.get("id")))
        if named is not None and seen.operation in ("connections.update", "connections.action"):
            self._take_etag(named, document.get("etag"))
            if not mocked_ok:
                self.uncertain.add(named)
        for item in _items(document):
            self._take_item(item)

    def _take_in(self, seen: Seen, live_id: str) -> None:
        """A connection that the mock would have refused."""
        body = seen.request.get("json")
        given = body if isinstance(body, Mapping) else {}
        auth, spec = given.get("auth"), given.get("connectionSpec")
        params = auth.get("params") if isinstance(auth, Mapping) else None
        spec_id = spec.get("id") if isinstance(spec, Mapping) else None
        connector = self.contract.connectors_by_spec.get(str(spec_id))
        made = self.service.seed_connection(
            ORG,
            SANDBOX,
            name=str(given.get("name", "")),
            description=given.get("description"),
            auth_params=params if isinstance(params, Mapping) else None,
            connector=connector.key if connector else "hubspot",
        )
        self.known["id", live_id] = str(made["id"])
        document = (seen.response or {}).get("json", {})
        if isinstance(document.get("etag"), str):
            self.known[live_id, opaque(document["etag"])] = opaque(str(made["etag"]))
        self.uncertain.add(live_id)

    def _take_item(self, item: Mapping[str, Any]) -> None:
        live_id = str(item.get("id"))
        connection = self._connection(live_id)
        if connection is None:
            self.known.pop(("id", live_id), None)
            return
        if item.get("state") in self.contract.states:
            connection.state = str(item["state"])
        for name in ("name", "description"):
            if isinstance(item.get(name), str):
                setattr(connection, name, item[name])
        self._take_etag(live_id, item.get("etag"))

    def _take_etag(self, live_id: str, etag: Any) -> None:
        """The live etag is the current one now: the mock's changes with it."""
        connection = self._connection(live_id)
        if connection is None or not isinstance(etag, str):
            return
        if self.known.get((live_id, opaque(etag))) != opaque(connection.etag):
            connection.etag = self.service.ids.etag(self.service.clock.now_ms())
            self.known[live_id, opaque(etag)] = opaque(connection.etag)


def _items(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    items = document.get("items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping):
            yield item
